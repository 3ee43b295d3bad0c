import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { pathsOf, textAt, textWithMember, valueAt, withValueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  DEBIT_OF_ALL,
  depositOf,
  endingOf,
  freezeOf,
  grantUnder,
  Ledger,
  letterOf,
  liftRequestOf,
  OPS,
  orderOf,
  SERVICE,
  SHA256,
  wellDone,
  withdrawalOf,
  type Body,
  type Person,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

let ledger: Ledger;

/** Things that commands can be about. */
interface World {
  readonly partyId: string;
  readonly accountId: string;
  /** An account with nothing in it. */
  readonly empty: string;
  readonly deposited: string;
  /** A withdrawal, reserved, and another, dispatched. */
  readonly reserved: string;
  readonly dispatched: string;
  /** An order that is registered, and another that is in force and under which the account can be frozen. */
  readonly registered: string;
  readonly inForce: string;
  /** An order with an ending proposed. */
  readonly ending: { readonly orderId: string; readonly changeId: string };
  /** A freeze, of another account, of which a lift is asked. */
  readonly freezeId: string;
  readonly requestId: string;
  /** A letter that is not answered. */
  readonly letterId: string;
}
let world: World;

beforeAll(async () => {
  ledger = await Ledger.start();
  world = await makeWorld();
});
afterAll(() => ledger.end());

async function makeWorld(): Promise<World> {
  const partyId = await ledger.makeParty();
  const accountId = await ledger.makeAccount({ holder: partyId, btc: '10' });
  const deposited = ledger.id('dep');
  await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(deposited, '1'));
  const dispatched = await ledger.makeWithdrawal(accountId, '1');
  await ledger.dispatch(accountId, dispatched);
  const other = await ledger.makeAccount();
  const endingOrder = await ledger.makeVerifiedOrder({ accounts: [accountId] });
  const freezeId = await ledger.freeze(other, await ledger.makeVerifiedOrder({ accounts: [other] }));
  return {
    partyId,
    accountId,
    empty: await ledger.makeAccount(),
    deposited,
    reserved: await ledger.makeWithdrawal(accountId, '1'),
    dispatched,
    registered: await ledger.makeOrder({ accounts: [accountId] }),
    inForce: await ledger.makeVerifiedOrder({ accounts: [accountId] }),
    ending: { orderId: endingOrder, changeId: await ledger.proposeEnding(endingOrder) },
    freezeId,
    requestId: await ledger.requestLift(freezeId),
    letterId: await ledger.makeAuthorityRequest(),
  };
}

interface Command {
  readonly as: Person;
  readonly path: string;
  /** Would be accepted, with every member that there is. */
  readonly body: Body;
  /** Members that may be left out. */
  readonly optional?: readonly string[];
}

const NOTE = { note: 'by telephone' };
const ORDERS = '/v1/admin/legal-orders';
const LETTERS = '/v1/admin/authority-requests';
const COUNTERPART = { chain: 'bitcoin', address: 'bc1qexample', memo: '7', reference: 'tx-1' };

const COMMANDS: Readonly<Record<string, () => Command>> = {
  'register an asset': () => ({ as: OPS, path: '/v1/assets', body: { code: 'XAU', scale: 4, kind: 'crypto' } }),
  'register a party': () => ({
    as: SERVICE,
    path: '/v1/parties',
    body: { partyId: ledger.id('p'), kind: 'person', externalRef: 'crm:1' },
  }),
  'identify a party': () => ({
    as: SERVICE,
    path: `/v1/parties/${world.partyId}/identification`,
    body: { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-05T00:00:00Z' },
  }),
  'open an account': () => ({
    as: SERVICE,
    path: '/v1/accounts',
    body: { accountId: ledger.id('acc'), holders: [{ partyId: world.partyId, capacity: 'owner' }] },
  }),
  'close an account': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.empty}/closure`,
    body: { reason: 'asked by the holder' },
  }),
  'record a deposit': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/deposits`,
    body: { ...depositOf(ledger.id('dep'), '0.5'), source: { kind: 'onchain', ...COUNTERPART } },
    optional: ['source.chain', 'source.address', 'source.memo'],
  }),
  'reverse a deposit': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/deposits/${world.deposited}/reversal`,
    body: { cause: 'bank-recall', reason: 'recalled by the bank' },
  }),
  'send a transfer': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/transfers`,
    body: { transferId: ledger.id('tr'), to: world.empty, asset: 'BTC', amount: '0.5' },
  }),
  'reserve a withdrawal': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/withdrawals`,
    body: { ...withdrawalOf(ledger.id('wd'), '0.5'), destination: { kind: 'onchain', ...COUNTERPART } },
    optional: ['destination.chain', 'destination.address', 'destination.memo', 'destination.reference'],
  }),
  'dispatch a withdrawal': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/withdrawals/${world.reserved}/dispatch`,
    body: { reference: 'tx-1' },
  }),
  'settle a withdrawal': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/withdrawals/${world.dispatched}/settlement`,
    body: { reference: 'block-7' },
  }),
  'cancel a withdrawal': () => ({
    as: SERVICE,
    path: `/v1/accounts/${world.accountId}/withdrawals/${world.reserved}/cancellation`,
    body: { reason: 'asked by the holder' },
  }),
  'register an order': () => ({
    as: OPS,
    path: ORDERS,
    body: {
      ...orderOf(ledger.id('ord'), { accounts: [world.accountId], parties: [world.partyId] }),
      authority: { name: 'High Court', jurisdiction: 'GB-EAW', officer: 'the clerk', contact: 'by the switchboard' },
      effect: 'restrain',
      underlyingRequest: 'MLA-7',
      scope: { direction: 'debit', assets: ['BTC', 'EUR'] },
      expiresAt: '2099-01-01T00:00:00Z',
    },
    optional: ['effect', 'authority.officer', 'authority.contact', 'underlyingRequest', 'expiresAt'],
  }),
  'verify an order': () => ({
    as: APPROVER,
    path: `${ORDERS}/${world.registered}/verification`,
    body: { method: 'called the court', ...NOTE },
    optional: ['note'],
  }),
  'reject an order': () => ({
    as: APPROVER,
    path: `${ORDERS}/${world.registered}/rejection`,
    body: { reason: 'no seal' },
  }),
  'propose an ending': () => ({
    as: OPS,
    path: `${ORDERS}/${world.inForce}/changes`,
    body: endingOf(ledger.id('chg')),
  }),
  'verify an ending': () => ({
    as: APPROVER,
    path: `${ORDERS}/${world.ending.orderId}/changes/${world.ending.changeId}/verification`,
    body: { method: 'read the court file', ...NOTE },
    optional: ['note'],
  }),
  'reject an ending': () => ({
    as: APPROVER,
    path: `${ORDERS}/${world.ending.orderId}/changes/${world.ending.changeId}/rejection`,
    body: { reason: 'another case' },
  }),
  'freeze an account': () => ({
    as: OPS,
    path: `/v1/admin/accounts/${world.accountId}/freezes`,
    body: { ...freezeOf(world.inForce, { direction: 'debit', assets: ['BTC'] }), blockedFrom: '2022-02-15T00:00:00Z' },
    optional: ['scope', 'blockedFrom'],
  }),
  'ask for a lift': () => ({
    as: OPS,
    path: `/v1/admin/freezes/${world.freezeId}/lift-requests`,
    body: liftRequestOf(ledger.id('lift')),
  }),
  'approve a lift': () => ({
    as: APPROVER,
    path: `/v1/admin/freezes/${world.freezeId}/lift-requests/${world.requestId}/approval`,
    body: NOTE,
    optional: ['note'],
  }),
  'reject a lift': () => ({
    as: APPROVER,
    path: `/v1/admin/freezes/${world.freezeId}/lift-requests/${world.requestId}/rejection`,
    body: { reason: 'the right account' },
  }),
  'register a letter': () => ({
    as: OPS,
    path: LETTERS,
    body: {
      ...letterOf(ledger.id('req')),
      authority: { name: 'Ministry', jurisdiction: 'UA', officer: 'the minister', contact: 'by the switchboard' },
    },
    optional: ['authority.officer', 'authority.contact'],
  }),
  'grant what a letter asks': () => ({
    as: APPROVER,
    path: `${LETTERS}/${world.letterId}/answer`,
    body: grantUnder(world.inForce),
  }),
  'refuse what a letter asks': () => ({
    as: APPROVER,
    path: `${LETTERS}/${world.letterId}/answer`,
    body: { ...grantUnder(world.inForce), outcome: 'refused' },
    optional: ['basis'],
  }),
};

const NO_OBJECTS = ['[]', '"text"', '7', 'null', 'true'];
const NO_JSON = ['', '{', '{"a":1,}', "{'a':1}", '{"a":1}{', 'NaN', '{"a":undefined}', '\ufeff{}', '{"a":"\u0000"}'];
const NO_NAMES = ['colour', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype', ''];
const NO_TEXT = [
  null,
  7,
  true,
  {},
  [],
  ['text'],
  '',
  ' ',
  'x'.repeat(2_000),
  'half \ud800 a pair',
  'a\u0000b',
  'a\u001bb',
];
const NO_NUMBER = [null, '8', 1.5, -1, 19, true, {}, [8]];
const NO_OBJECT = [null, 7, 'text', true, [], [{}]];
const NO_LIST = [null, 7, 'text', true, {}, { 0: {} }, []];

/** Does something that must leave the log as it is. */
async function leavingNoTrace(attempt: () => Promise<void>): Promise<void> {
  await ledger.newEvents();
  await attempt();
  expect(await ledger.newEvents()).toEqual([]);
}

/** Sends many requests, some at a time. */
async function each<Item>(items: Iterable<Item>, send: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await send(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

describe.each(Object.entries(COMMANDS))('to %s', (_name, commandOf) => {
  it('takes a body that is JSON, and an object', async () => {
    const { as, path, body } = commandOf();
    const send = (content: string | Uint8Array): Promise<Answer> => ledger.ask({ as, method: 'POST', path, content });
    await leavingNoTrace(async () => {
      await each([...NO_JSON, ...NO_OBJECTS, `[${JSON.stringify(body)}]`], async (content) => {
        expectFieldRefused(await send(content), 'body');
      });
      // Half a character in UTF-8.
      expectFieldRefused(await send(Uint8Array.from([0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d])), 'body');
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const asForm = await ledger.ask({ as, method: 'POST', path, content: 'reason=r&method=m', headers: form });
      expectProblem(asForm, 415, 'unsupported-media-type');
    });
  });

  it('takes no member that there is not, at any depth', async () => {
    const { as, path, body } = commandOf();
    const places = pathsOf(body).objects.flatMap((at) => NO_NAMES.map((name) => ({ at, name })));
    await leavingNoTrace(() =>
      each(places, async ({ at, name }) => {
        const answer = await ledger.ask({ as, method: 'POST', path, content: textWithMember(body, at, name) });
        const shown = name === '' ? '""' : name;
        expectFieldRefused(answer, at === '' ? shown : `${at}.${shown}`);
      }),
    );
  });

  it('takes nothing that nests without end, wherever it stands', async () => {
    const { as, path, body } = commandOf();
    const endless = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const { objects, lists, leaves } = pathsOf(body);
    await leavingNoTrace(() =>
      each([...objects, ...lists, ...leaves], async (at) => {
        const content = at === '' ? endless : JSON.stringify(withValueAt(body, at, '@')).replace('"@"', endless);
        const answer = await ledger.ask({ as, method: 'POST', path, content });
        expectProblem(answer, 400, 'malformed-request');
      }),
    );
  });

  it('takes no member of a wrong type, and misses those that are left out', async () => {
    const { as, path, body, optional = [] } = commandOf();
    const { leaves, objects, lists } = pathsOf(body);
    const isNumber = (at: string): boolean => typeof valueAt(body, at) === 'number';
    const wrong = (paths: readonly string[], values: readonly unknown[]): { at: string; value: unknown }[] =>
      paths.filter((at) => at !== '').flatMap((at) => values.map((value) => ({ at, value })));
    const members = [...leaves, ...objects, ...lists].filter((at) => !/(^|\.)\d+$|^$/.test(at));
    const all = [
      ...wrong(
        leaves.filter((at) => !isNumber(at)),
        NO_TEXT,
      ),
      ...wrong(leaves.filter(isNumber), NO_NUMBER),
      ...wrong(objects, NO_OBJECT),
      ...wrong(lists, NO_LIST),
      ...wrong(
        members.filter((at) => !optional.includes(at)),
        [undefined],
      ),
    ];
    await leavingNoTrace(() =>
      each(all, async ({ at, value }) => {
        const answer = await ledger.post(as, path, withValueAt(body, at, value));
        // A wrong member of a list of plain values is told of as the list.
        const field = /^(.*\.assets)\.\d+$/.exec(at)?.[1] ?? at;
        expectFieldRefused(answer, field);
      }),
    );
  });

  it('takes the body itself, and the body without what is optional', async () => {
    const { optional } = commandOf();
    for (const leftOut of optional === undefined ? [[]] : [[], optional]) {
      world = await makeWorld();
      const { as, path, body } = commandOf();
      const sent = leftOut.reduce<unknown>((rest, at) => withValueAt(rest, at, undefined), body);
      expect(wellDone(await ledger.post(as, path, sent), path).body).toHaveProperty('streamRevision');
    }
  });
});

describe('amounts', () => {
  const WRONG = [
    ...[
      '1e3',
      '-1',
      '0',
      '0.0',
      '00.1',
      '01',
      '',
      ' 1',
      '1 ',
      '1.',
      '.5',
      '+1',
      '1,5',
      '1_000',
      '0x10',
      'Infinity',
      'NaN',
    ],
    ...['\u0661', '\uff11', '1.\u0665', '0.000000001', '1'.repeat(40), `${'1'.repeat(31)}.00000000`, '9'.repeat(5_000)],
    ...[1, 0.5, 1e3, null, true, ['1'], { amount: '1' }],
  ];

  it.each([
    ['deposits', (amount: unknown) => ({ ...depositOf('dep-new', '1'), amount })],
    ['withdrawals', (amount: unknown) => ({ ...withdrawalOf('wd-new', '1'), amount })],
  ])('of %s are plain decimal strings that fit their asset', async (sort, bodyOf) => {
    await leavingNoTrace(() =>
      each(
        WRONG.map((amount) => ({ amount })),
        async ({ amount }) => {
          const answer = await ledger.post(SERVICE, `/v1/accounts/${world.accountId}/${sort}`, bodyOf(amount));
          expectFieldRefused(answer, 'amount');
        },
      ),
    );
  });

  it('are judged by the scale of their own asset', async () => {
    const accountId = await ledger.makeAccount();
    const path = `/v1/accounts/${accountId}/deposits`;
    expectFieldRefused(await ledger.post(SERVICE, path, depositOf('dep', '0.001', 'EUR')), 'amount');
    const fits = await ledger.post(SERVICE, path, depositOf('dep', '0.00000001'));
    expect(textAt(fits.body, 'deposit.amount')).toBe('0.00000001');
  });

  it('may have 38 digits of minor units, and so may a balance', async () => {
    const accountId = await ledger.makeAccount();
    const largest = `${'9'.repeat(30)}.99999999`;
    const path = `/v1/accounts/${accountId}/deposits`;
    const answer = await ledger.post(SERVICE, path, depositOf('dep-1', largest));
    expect(textAt(answer.body, 'deposit.amount')).toBe(largest);
    expectFieldRefused(await ledger.post(SERVICE, path, depositOf('dep-2', '0.00000001')), 'amount');
    expect(await ledger.makeWithdrawal(accountId, largest)).toMatch(/./);
    expect(await ledger.replayed(accountId)).toMatchObject({
      balances: [{ available: '0.00000000', reserved: largest }],
    });
  });
});

describe('ids', () => {
  const WRONG_IN_PATHS = [
    ...['%00', '%0a', '%1f', '%7f', 'a%00b', '%20', '%20acc', 'acc%20', '%2e%2e', '..', '.', '%2f', 'a%2fb', '%5c'],
    ...[
      '__proto__',
      '%5f%5fproto%5f%5f',
      '-acc',
      '.acc',
      '_acc',
      'a'.repeat(65),
      '%c3%a4',
      '%f0%9f%98%80',
      'a%27',
      'a,b',
    ],
  ];
  const WRONG_IN_BODIES = [
    ...[
      '',
      '..',
      '.',
      '__proto__',
      '-a',
      'a b',
      'a\u0000',
      'a\n',
      '\u00e4',
      'a/b',
      'a'.repeat(65),
      '\ud83d\ude00',
      '\ud800',
    ],
    ...[null, 7, {}, []],
  ];

  it.each([
    ['accountId', '/v1/accounts/<id>'],
    ['accountId', '/v1/accounts/<id>/entries'],
    ['depositId', '/v1/accounts/acc/deposits/<id>'],
    ['withdrawalId', '/v1/accounts/acc/withdrawals/<id>'],
    ['transferId', '/v1/accounts/acc/transfers/<id>'],
    ['partyId', '/v1/parties/<id>'],
    ['code', '/v1/assets/<id>'],
    ['orderId', '/v1/admin/legal-orders/<id>'],
    ['changeId', '/v1/admin/legal-orders/ord/changes/<id>'],
    ['freezeId', '/v1/admin/freezes/<id>'],
    ['accountId', '/v1/audit/accounts/<id>'],
    ['stream', '/v1/audit/streams/<id>'],
  ])('%s in %s', async (field, template) => {
    await each(WRONG_IN_PATHS, async (id) => {
      expectFieldRefused(await ledger.get(AUDITOR, template.replace('<id>', id)), field);
    });
  });

  it('in the paths of commands', async () => {
    await leavingNoTrace(async () => {
      await each(WRONG_IN_PATHS, async (id) => {
        const deposit = await ledger.post(SERVICE, `/v1/accounts/${id}/deposits`, depositOf('dep-new', '1'));
        expectFieldRefused(deposit, 'accountId');
        const freeze = await ledger.post(OPS, `/v1/admin/accounts/${id}/freezes`, freezeOf(world.inForce));
        expectFieldRefused(freeze, 'accountId');
      });
    });
  });

  it('in queries', async () => {
    await each(WRONG_IN_PATHS, async (id) => {
      expectFieldRefused(await ledger.get(OPS, `/v1/accounts?partyId=${id}`), 'partyId');
      expectFieldRefused(await ledger.get(OPS, `/v1/admin/freezes?accountId=${id}`), 'accountId');
    });
  });

  it.each([
    ['register a party', 'partyId'],
    ['open an account', 'accountId'],
    ['open an account', 'holders.0.partyId'],
    ['record a deposit', 'depositId'],
    ['reserve a withdrawal', 'withdrawalId'],
    ['send a transfer', 'transferId'],
    ['send a transfer', 'to'],
    ['register an order', 'orderId'],
    ['register an order', 'subjects.0.accountId'],
    ['register an order', 'subjects.1.partyId'],
    ['propose an ending', 'changeId'],
    ['freeze an account', 'basis.id'],
    ['ask for a lift', 'requestId'],
  ])('in bodies that %s: %s', async (command, field) => {
    const { as, path, body } = COMMANDS[command]?.() ?? { as: OPS, path: '', body: {} };
    await leavingNoTrace(() =>
      each(
        WRONG_IN_BODIES.map((id) => ({ id })),
        async ({ id }) => {
          expectFieldRefused(await ledger.post(as, path, withValueAt(body, field, id)), field);
        },
      ),
    );
  });

  it('may have 64 characters of all that are allowed', async () => {
    const partyId = `0.${'aZ9_:-'.repeat(10)}.x`;
    expect(partyId).toHaveLength(64);
    const answer = await ledger.post(SERVICE, '/v1/parties', { partyId, kind: 'person', externalRef: 'crm:1' });
    expect(answer.status).toBe(201);
    expect(await ledger.read(SERVICE, `/v1/parties/${partyId}`, textAt(answer.body, 'position'))).toMatchObject({
      partyId,
    });
  });

  it('like those of objects that JavaScript has are ids like any other', async () => {
    for (const partyId of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      expectProblem(await ledger.get(OPS, `/v1/parties/${partyId}`), 404, 'party-not-found');
      const answer = await ledger.post(SERVICE, '/v1/parties', { partyId, kind: 'person', externalRef: 'crm:1' });
      expect(answer.status).toBe(201);
      const accountId = partyId;
      const holders = [{ partyId, capacity: 'owner' }];
      expectProblem(await ledger.post(SERVICE, '/v1/accounts', { accountId, holders }), 422, 'party-not-identified');
    }
  });
});

describe('positions', () => {
  /** Of the other kind of store, as who follows the log has them after a move. */
  function notOfThisLog(own: string): string {
    return own.includes('-') ? '0'.repeat(16) : `${'0'.repeat(15)}1-${'0'.repeat(15)}1`;
  }

  const IDS: Readonly<Record<string, string>> = {
    code: 'BTC',
    stream: 'account-x',
    freezeId: '01890a5d-ac96-774b-bcce-b302099a8057',
  };

  it('of another log are refused by every route and parameter that takes one', async () => {
    const wrong = notOfThisLog(await ledger.makeDeposit(world.accountId, '0.1'));
    const { body } = await ledger.get(AUDITOR, '/openapi.json');
    const asked: string[] = [];
    for (const [template, operations] of Object.entries(valueAt(body, 'paths') as object)) {
      const parameters = (valueAt(operations, 'get.parameters') ?? []) as readonly unknown[];
      const named = parameters.map((each) => textAt(each, 'name'));
      const path = template.replaceAll(/\{([^}]+)\}/g, (_, name: string) => IDS[name] ?? 'x');
      const fields = named.filter((name) => ['atLeast', 'after', 'at'].includes(name) || isOfLog(name, template));
      for (const field of fields) {
        expectFieldRefused(await ledger.get(AUDITOR, `${path}?${field}=${wrong}`), field);
        asked.push(`${template} ${field}`);
      }
    }
    expect(asked.length).toBeGreaterThan(35);
  });

  /** The cursors that are positions: those of other lists are texts of their own. */
  function isOfLog(name: string, template: string): boolean {
    return name === 'cursor' && /^\/v1\/audit\/(events|freezes)$/.test(template);
  }

  it('are all named, and as lines of the log refused alike', async () => {
    const wrong = notOfThisLog(await ledger.makeDeposit(world.accountId, '0.1'));
    const path = `/v1/audit/freezes?at=${wrong}&cursor=${wrong}&atLeast=${wrong}`;
    for (const field of ['at', 'cursor', 'atLeast']) expectFieldRefused(await ledger.get(AUDITOR, path), field);
    const lines = { as: AUDITOR, path: `/v1/audit/events?after=${wrong}`, headers: { accept: 'application/x-ndjson' } };
    expectFieldRefused(await ledger.ask(lines), 'after');
  });
});

describe('times', () => {
  it('are RFC 3339 in UTC, and days that there are', async () => {
    const wrong = [
      ...['2022-02-30T00:00:00Z', '2022-13-01T00:00:00Z', '2022-01-01', '2022-01-01T00:00:00', 'now', '1640995200', ''],
      ...[
        '2022-01-01T00:00:00+01:00',
        '2022-01-01 00:00:00Z',
        '2022-01-01T24:00:00Z',
        '2022-01-01T00:60:00Z',
        1640995200,
      ],
    ];
    await leavingNoTrace(async () => {
      for (const field of ['issuedAt', 'receivedAt', 'effectiveAt', 'expiresAt']) {
        for (const value of wrong) {
          const order = orderOf('ord-new', { accounts: [world.accountId], more: { [field]: value } });
          expectFieldRefused(await ledger.post(OPS, ORDERS, order), field);
        }
      }
    });
  });

  it('of an order: it expires after it takes effect', async () => {
    for (const expiresAt of ['2022-02-15T00:00:00Z', '2022-02-14T23:59:59Z']) {
      const order = orderOf('ord-new', { accounts: [world.accountId], more: { expiresAt } });
      expectFieldRefused(await ledger.post(OPS, ORDERS, order), 'expiresAt');
    }
  });

  it('of a freeze: property is not blocked from a time to come', async () => {
    const body = { ...freezeOf(world.inForce), blockedFrom: '2099-01-01T00:00:00Z' };
    await leavingNoTrace(async () => {
      const answer = await ledger.post(OPS, `/v1/admin/accounts/${world.accountId}/freezes`, body);
      expectFieldRefused(answer, 'blockedFrom');
    });
  });
});

describe('what there is not yet is refused by name, never stored unenforced', () => {
  const order = (more: Body): Command => ({
    as: OPS,
    path: ORDERS,
    body: orderOf('ord-new', { accounts: [world.accountId], more }),
  });
  const change = (more: Body): Command => ({
    as: OPS,
    path: `${ORDERS}/${world.inForce}/changes`,
    body: { ...endingOf('chg-new'), ...more },
  });
  const freeze = (body: Body): Command => ({ as: OPS, path: `/v1/admin/accounts/${world.accountId}/freezes`, body });
  const lift = (more: Body): Command => ({
    as: OPS,
    path: `/v1/admin/freezes/${world.freezeId}/lift-requests`,
    body: { ...liftRequestOf('lift-new'), ...more },
  });

  it.each<[string, string, () => Command]>([
    ['a non-disclosure without a time', 'nonDisclosureUntil', () => order({ nonDisclosureUntil: 'for ever' })],
    ['an order of release that says nothing of what', 'releases', () => order({ effect: 'release' })],
    ['an order that permits', 'effect', () => order({ effect: 'permit' })],
    ['what an order releases', 'releases', () => order({ releases: { accountIds: [world.accountId] } })],
    ['an address on no chain', 'subjects.0.chain', () => order({ subjects: [{ kind: 'address', address: 'x' }] })],
    [
      'an external reference in clear',
      'subjects.0.sha256',
      () => order({ subjects: [{ kind: 'external', sha256: 'crm:7' }] }),
    ],
    ['an ending that varies', 'scope', () => change({ scope: DEBIT_OF_ALL })],
    ['an extension that does not say until when', 'expiresAt', () => change({ kind: 'extension' })],
    ['an ending that says until when', 'expiresAt', () => change({ expiresAt: '2099-01-01T00:00:00Z' })],
    ['a lift by a release order that is not named', 'orderId', () => lift({ ground: 'release-ordered' })],
    ['the order of such a lift', 'orderId', () => lift({ orderId: world.inForce })],
    ['a change of mind', 'ground', () => lift({ ground: 'changed-our-mind' })],
    ['a letter', 'basis.kind', () => freeze({ basis: { kind: 'authority-request', id: 'letter-1' } })],
    ['no basis', 'basis', () => freeze({})],
    ['shares of a limit', 'shares', () => freeze({ ...freezeOf(world.inForce), shares: {} })],
  ])('%s: %s', async (_what, field, commandOf) => {
    const { as, path, body } = commandOf();
    await leavingNoTrace(async () => {
      expectFieldRefused(await ledger.post(as, path, body), field);
    });
  });
});

describe('assets and accounts', () => {
  it('an asset is not registered again, with another scale or with the same', async () => {
    await leavingNoTrace(async () => {
      for (const scale of [2, 8, 18]) {
        const answer = await ledger.post(OPS, '/v1/assets', { code: 'BTC', scale, kind: 'crypto' });
        expectProblem(answer, 409, 'already-exists');
      }
    });
    expect(await ledger.read(OPS, '/v1/assets/BTC')).toMatchObject({ scale: 8 });
  });

  it('of ten that register one asset with scales of their own, one wins', async () => {
    const register = (scale: number): Promise<Answer> =>
      ledger.post(OPS, '/v1/assets', { code: 'RACE', scale, kind: 'crypto' });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, scale) => register(scale)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    const winner = answers.findIndex(({ status }) => status === 201);
    expect(await ledger.events('asset-RACE')).toMatchObject([{ data: { scale: winner } }]);
  });

  it('a holder is not listed twice', async () => {
    const holder = { partyId: world.partyId, capacity: 'owner' };
    await leavingNoTrace(async () => {
      const answer = await ledger.post(SERVICE, '/v1/accounts', { accountId: 'acc-new', holders: [holder, holder] });
      expectFieldRefused(answer, 'holders.1.partyId');
    });
  });

  it('an account with one holder that is not there opens for none', async () => {
    const holders = [world.partyId, 'nobody'].map((partyId) => ({ partyId, capacity: 'joint' }));
    await leavingNoTrace(async () => {
      const answer = await ledger.post(SERVICE, '/v1/accounts', { accountId: 'acc-new', holders });
      expectProblem(answer, 404, 'party-not-found');
    });
  });
});

describe('withdrawals', () => {
  const STEPS = [
    ['settlement', { reference: 'r' }],
    ['dispatch', { reference: 'r' }],
    ['cancellation', { reason: 'r' }],
  ] as const;
  const paths = (accountId: string, withdrawalId: string): string =>
    `/v1/accounts/${accountId}/withdrawals/${withdrawalId}`;

  it('are not over the balance, be it what is left or what is reserved already', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    await ledger.makeWithdrawal(accountId, '0.6');
    const path = `/v1/accounts/${accountId}/withdrawals`;
    await leavingNoTrace(async () => {
      for (const amount of ['0.40000001', '1', '9'.repeat(30)]) {
        const answer = await ledger.post(SERVICE, path, withdrawalOf('wd', amount));
        expectProblem(answer, 422, 'insufficient-funds');
      }
      const ofAnother = await ledger.post(SERVICE, path, withdrawalOf('wd', '0.01', 'EUR'));
      expectProblem(ofAnother, 422, 'insufficient-funds');
    });
    // A refused command uses up no id.
    expect((await ledger.post(SERVICE, path, withdrawalOf('wd', '0.4'))).status).toBe(201);
  });

  it('of twenty that race for the last coin, one gets it', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(`wd-${String(index)}`, '1')),
      ),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(19);
    for (const answer of refused) expectProblem(answer, 422, 'insufficient-funds');
    expect(await ledger.replayed(accountId)).toMatchObject({
      streamRevision: '2',
      balances: [{ available: '0.00000000', reserved: '1.00000000' }],
    });
  });

  it('are not settled before dispatch, nor twice', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const path = paths(accountId, await ledger.makeWithdrawal(accountId, '1'));
    const settle = (): Promise<Answer> => ledger.post(SERVICE, `${path}/settlement`, { reference: 'block-7' });
    await leavingNoTrace(async () => {
      expectProblem(await settle(), 422, 'invalid-transition', { state: 'reserved' });
    });
    expect((await ledger.post(SERVICE, `${path}/dispatch`, { reference: 'tx-1' })).status).toBe(200);
    const again = await ledger.post(SERVICE, `${path}/dispatch`, { reference: 'tx-2' });
    expectProblem(again, 422, 'invalid-transition', { state: 'dispatched' });
    expect((await settle()).status).toBe(200);
    await leavingNoTrace(async () => {
      for (const [step, body] of STEPS) {
        const answer = await ledger.post(SERVICE, `${path}/${step}`, body);
        expectProblem(answer, 422, 'invalid-transition', { state: 'settled' });
      }
    });
  });

  it('are not dispatched, settled or cancelled after a stop', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const path = paths(accountId, await ledger.makeWithdrawal(accountId, '1'));
    await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    await leavingNoTrace(async () => {
      for (const [step, body] of STEPS) {
        const answer = await ledger.post(SERVICE, `${path}/${step}`, body);
        expectProblem(answer, 422, 'invalid-transition', { state: 'stopped' });
      }
    });
  });
});

describe('orders', () => {
  it('name somebody, and nobody twice', async () => {
    await leavingNoTrace(async () => {
      expectFieldRefused(await ledger.post(OPS, ORDERS, orderOf('ord-new', {})), 'subjects');
      const twice = orderOf('ord-new', { accounts: [world.accountId, world.accountId] });
      expectFieldRefused(await ledger.post(OPS, ORDERS, twice), 'subjects.1');
      const nationality = orderOf('ord-new', { more: { subjects: [{ kind: 'nationality', country: 'RU' }] } });
      expectFieldRefused(await ledger.post(OPS, ORDERS, nationality), 'subjects.0.kind');
    });
  });

  it('name no ghost', async () => {
    await leavingNoTrace(async () => {
      const account = orderOf('ord-new', { accounts: [world.accountId, 'ghost'] });
      expectProblem(await ledger.post(OPS, ORDERS, account), 404, 'account-not-found', { accountId: 'ghost' });
      const party = orderOf('ord-new', { parties: [world.partyId, 'ghost'] });
      expectProblem(await ledger.post(OPS, ORDERS, party), 404, 'party-not-found', { partyId: 'ghost' });
    });
  });

  it('take no step out of their order', async () => {
    const orderId = await ledger.makeOrder({ accounts: [world.accountId] });
    const path = `${ORDERS}/${orderId}`;
    const steps = async (state: string): Promise<void> => {
      const verified = await ledger.post(APPROVER, `${path}/verification`, { method: 'm' });
      expectProblem(verified, 422, 'invalid-transition', { state });
      const rejected = await ledger.post(APPROVER, `${path}/rejection`, { reason: 'r' });
      expectProblem(rejected, 422, 'invalid-transition', { state });
    };
    const early = await ledger.post(OPS, `${path}/changes`, endingOf('chg-1'));
    expectProblem(early, 422, 'invalid-transition', { state: 'registered' });
    await ledger.verify(orderId);
    await steps('verified');
    const [one, other] = [await ledger.proposeEnding(orderId), await ledger.proposeEnding(orderId)];
    expect((await ledger.post(APPROVER, `${path}/changes/${one}/verification`, { method: 'm' })).status).toBe(200);
    await leavingNoTrace(async () => {
      await steps('discharged');
      const again = await ledger.post(APPROVER, `${path}/changes/${one}/rejection`, { reason: 'r' });
      expectProblem(again, 422, 'invalid-transition', { state: 'verified' });
      const moot = await ledger.post(APPROVER, `${path}/changes/${other}/verification`, { method: 'm' });
      expectProblem(moot, 422, 'invalid-transition', { state: 'discharged' });
      const late = await ledger.post(OPS, `${path}/changes`, endingOf('chg-9'));
      expectProblem(late, 422, 'invalid-transition', { state: 'discharged' });
    });
  });
});

describe('a freeze', () => {
  const inAccount = async (): Promise<string> => ledger.makeAccount({ btc: '1' });
  const rejectOrder = async (orderId: string): Promise<void> => {
    expect((await ledger.post(APPROVER, `${ORDERS}/${orderId}/rejection`, { reason: 'no seal' })).status).toBe(200);
  };

  /** For each case an order (or the id of none) for the account, and the scope that is asked for. */
  const REFUSED: Readonly<
    Record<string, [code: string, make: (accountId: string) => Promise<string>, scope?: object]>
  > = {
    unknown: ['basis-not-found', () => Promise.resolve('ord-unknown')],
    unverified: ['basis-not-in-force', (accountId) => ledger.makeOrder({ accounts: [accountId] })],
    rejected: [
      'basis-not-in-force',
      async (accountId) => {
        const orderId = await ledger.makeOrder({ accounts: [accountId] });
        await rejectOrder(orderId);
        return orderId;
      },
    ],
    'not yet effective': [
      'basis-not-in-force',
      (accountId) => ledger.makeVerifiedOrder({ accounts: [accountId], more: { effectiveAt: '2099-01-01T00:00:00Z' } }),
    ],
    expired: [
      'basis-not-in-force',
      (accountId) => ledger.makeVerifiedOrder({ accounts: [accountId], more: { expiresAt: '2022-03-01T00:00:00Z' } }),
    ],
    ended: [
      'basis-not-in-force',
      async (accountId) => {
        const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
        await ledger.discharge(orderId);
        return orderId;
      },
    ],
    'about to end': [
      'basis-not-in-force',
      async (accountId) => {
        const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
        await ledger.proposeEnding(orderId);
        return orderId;
      },
    ],
    'for another account': [
      'basis-does-not-name-account',
      async () => ledger.makeVerifiedOrder({ accounts: [await inAccount()] }),
    ],
    'for another party': [
      'basis-does-not-name-account',
      async () => ledger.makeVerifiedOrder({ parties: [await ledger.makeParty()] }),
    ],
    'of fewer assets': [
      'scope-exceeds-basis',
      (accountId) =>
        ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: { direction: 'debit', assets: ['BTC'] } } }),
      { direction: 'debit', assets: ['BTC', 'EUR'] },
    ],
    'of some assets, not all': [
      'scope-exceeds-basis',
      (accountId) =>
        ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: { direction: 'debit', assets: ['BTC'] } } }),
      { direction: 'debit', assets: 'all' },
    ],
  };

  it.each(Object.entries(REFUSED))(
    'under an order that is %s is refused, on record, and binds nobody',
    async (_, [code, make, scope]) => {
      const accountId = await inAccount();
      const orderId = await make(accountId);
      const ofOrder = await ledger.events(`legalOrder-${orderId}`);
      const answer = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId, scope));
      expectProblem(answer, 422, code);
      expect(answer.headers.etag).toBe('"2"');

      expect(await ledger.events(`legalOrder-${orderId}`)).toEqual(ofOrder);
      const events = await ledger.events(`account-${accountId}`);
      expect(events).toHaveLength(3);
      expect(events[2]).toMatchObject({
        type: 'CommandRefused',
        data: {
          command: 'FreezeAccount',
          code,
          request: { accountId, ...freezeOf(orderId, scope) },
          decidedOn: { stream: `legalOrder-${orderId}`, revision: ofOrder.at(-1)?.revision ?? null },
        },
        metadata: { actor: { id: OPS.sub } },
      });
      expect(await ledger.makeWithdrawal(accountId, '1')).toMatch(/./);
    },
  );

  it('is placed again once a proposed ending is turned down', async () => {
    const accountId = await inAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const changeId = await ledger.proposeEnding(orderId);
    await ledger.post(APPROVER, `${ORDERS}/${orderId}/changes/${changeId}/rejection`, { reason: 'another case' });
    expect(await ledger.freeze(accountId, orderId)).toMatch(/./);
  });

  it('is not placed a second time under one order, even by ten at once', async () => {
    const accountId = await inAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const place = (): Promise<Answer> => ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    const answers = await Promise.all(Array.from({ length: 10 }, place));
    const [placed, ...more] = answers.filter(({ status }) => status === 201);
    expect(more).toEqual([]);
    const freezeId = textAt(placed?.body, 'freeze.freezeId');
    for (const answer of answers.filter((each) => each !== placed)) {
      expectProblem(answer, 409, 'already-exists', { freezeId });
    }
    expectProblem(await place(), 409, 'already-exists', { freezeId });
    const types = (await ledger.events(`account-${accountId}`)).map(({ type }) => type);
    expect(types.filter((type) => type === 'AccountFrozen')).toEqual(['AccountFrozen']);
    // An authorisation that came too late is given up, never left open.
    const authorised = (await ledger.events(`legalOrder-${orderId}`)).filter(({ type }) => type === 'FreezeAuthorised');
    expect(types.filter((type) => type === 'FreezeAbandoned')).toHaveLength(authorised.length - 1);
  });

  it('is placed again after it was lifted, while the order is in force', async () => {
    const accountId = await inAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const first = await ledger.freeze(accountId, orderId);
    const requestId = await ledger.requestLift(first);
    const path = `/v1/admin/freezes/${first}/lift-requests`;
    expect((await ledger.post(APPROVER, `${path}/${requestId}/approval`, {})).status).toBe(200);
    await leavingNoTrace(async () => {
      const again = await ledger.post(APPROVER, `${path}/${requestId}/approval`, {});
      expectProblem(again, 422, 'invalid-transition', { state: 'approved' });
      const late = await ledger.post(OPS, path, liftRequestOf('lift-late'));
      expectProblem(late, 422, 'invalid-transition', { state: 'lifted' });
    });
    expect(await ledger.freeze(accountId, orderId)).not.toBe(first);
  });
});
