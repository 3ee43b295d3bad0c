import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7, type EventMetadata } from '#kernel';
import { forgerOf } from './support/forger.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
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
  until,
  wellDone,
  type Body,
  type LoggedEvent,
  type Person,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const OVERSIGHT: Person = { sub: 'overseer', roles: ['ops', 'approver', 'auditor'] };
const CLEARED: Person = { ...OVERSIGHT, scope: 'openid confidential' };
const A_LEGAL_ORDER = { kind: 'legal-order' };

/** What must not be read without the scope, wherever people and services have written it. */
const ORDER = 'zq-order-7';
const ENDED = 'zq-order-8';
const CASE = 'ZQ-2022-000777';
const AUTHORITY = 'Zq Tribunal of the Marches';
const CHANGE = 'zq-change-1';
const SECRETS = [ORDER, ENDED, CASE, AUTHORITY, CHANGE, 'zq'];

const secret = {
  authority: { name: AUTHORITY, jurisdiction: 'GB-EAW' },
  caseReference: CASE,
  nonDisclosureUntil: '2099-01-01T00:00:00Z',
};

let ledger: Ledger;
/** Ids of what the story below makes. */
const ids = {
  account: 'acc-1',
  ofParty: 'acc-2',
  other: 'acc-3',
  party: 'p-2',
  hit: '',
  freeze: '',
  ended: '',
  withdrawal: '',
  clearance: '',
};

/** Every header and key in which a client may put what it thinks of. */
const telling = (what: string): { key: string; headers: Record<string, string> } => ({
  key: `${what}/${ORDER}`,
  headers: { 'x-correlation-id': `${what}/${ORDER}/${CASE}` },
});

async function done(as: Person, path: string, body: unknown, what: string): Promise<unknown> {
  return wellDone(await ledger.post(as, path, body, telling(what)), what).body;
}

/** An order that is to be kept secret, and all that can come to rest on one. */
async function tellStory(): Promise<void> {
  const admin = '/v1/admin';
  for (const [accountId, holder] of [
    [ids.account, await ledger.makeParty('p-1')],
    [ids.ofParty, await ledger.makeParty(ids.party)],
    [ids.other, await ledger.makeParty('p-3')],
  ] as const)
    await ledger.makeAccount({ accountId, holder, btc: '2' });
  const named = { accounts: [ids.account], parties: [ids.party] };
  const order = orderOf(ORDER, { ...named, more: secret });
  await done(OPS, `${admin}/legal-orders`, order, 'registering');
  const verification = `${admin}/legal-orders/${ORDER}/verification`;
  const both: Person = { sub: OPS.sub, roles: ['ops', 'approver'] };
  expectProblem(await ledger.post(both, verification, { method: 'x' }, telling('own')), 422, 'maker-is-checker');
  await done(APPROVER, verification, { method: `called ${AUTHORITY}` }, 'verifying');
  ids.withdrawal = await ledger.makeWithdrawal(ids.account, '0.5');
  const frozen = await done(OPS, `${admin}/accounts/${ids.account}/freezes`, freezeOf(ORDER), 'freezing');
  ids.freeze = textAt(frozen, 'freeze.freezeId');
  const notNamed = await ledger.post(OPS, `${admin}/accounts/${ids.other}/freezes`, freezeOf(ORDER), telling('wrong'));
  expectProblem(notNamed, 422, 'basis-does-not-name-account');
  const holders = [{ partyId: ids.party, capacity: 'owner' }];
  const opening = await ledger.post(SERVICE, '/v1/accounts', { accountId: 'acc-new', holders });
  expectProblem(opening, 422, 'party-named-by-basis');

  const requests = `${admin}/freezes/${ids.freeze}/lift-requests`;
  for (const requestId of ['lift-1', 'lift-2']) {
    const body = { ...liftRequestOf(requestId), note: `${CASE} is of another` };
    await done(OPS, requests, body, `asking-${requestId}`);
  }
  await done(APPROVER, `${requests}/lift-1/rejection`, { reason: `${AUTHORITY} says no` }, 'rejecting');
  expectProblem(
    await ledger.post(both, `${requests}/lift-2/approval`, { note: `fine by ${CASE}` }, telling('approving')),
    422,
    'maker-is-checker',
  );
  wellDone(await ledger.post(OPS, `${admin}/authority-requests`, letterOf('letter-1')), 'a letter');
  const answer = { ...grantUnder(ORDER), reason: `${CASE} demands it` };
  await done(APPROVER, `${admin}/authority-requests/letter-1/answer`, answer, 'answering');
  await done(OPS, `${admin}/legal-orders/${ORDER}/changes`, endingOf(CHANGE), 'proposing');

  const another = orderOf(ENDED, { accounts: [ids.other], more: secret });
  await done(OPS, `${admin}/legal-orders`, another, 'registering-another');
  await ledger.verify(ENDED);
  ids.ended = await ledger.freeze(ids.other, ENDED);
  await ledger.discharge(ENDED);
  ids.hit = await ledger.makeConfirmedHit('p-3');
  ids.clearance = await ledger.proposeClearance(ids.hit);
  const arrived = depositOf('d-1', '1');
  wellDone(await ledger.post(SERVICE, `/v1/accounts/${ids.account}/deposits`, arrived), 'a deposit');
  const transfer = { transferId: 't-1', to: ids.ofParty, asset: 'BTC', amount: '0.1' };
  wellDone(await ledger.post(SERVICE, `/v1/accounts/${ids.other}/transfers`, transfer), 'a transfer');
}

/** Events that should never be, on the order's stream and citing it from elsewhere: they are listed as violations. */
async function forge(): Promise<void> {
  const forger = await forgerOf(ledger.dataDir);
  for (const stream of [`legalOrder-${ORDER}`, `account-${ids.ofParty}`]) {
    const last = (await forger.read(stream)).at(-1);
    const data = { orderId: ORDER, basis: { kind: 'legal-order', id: ORDER }, caseReference: CASE };
    const event = { id: uuidv7(), type: 'AccountFrozen', schemaVersion: 1, data, metadata: {} as EventMetadata };
    await forger.write(stream, last?.revision ?? 'no-stream', [event]);
  }
  await forger.close();
}

beforeAll(async () => {
  ledger = await Ledger.start();
  await tellStory();
  expect(await ledger.service.stop()).toBe(0);
  await forge();
  await ledger.startAgain();
}, 120_000);
afterAll(() => ledger.end());

/** Every GET route under /v1, with what there is to be read there. Those that name the order are asked for below. */
const paths = (): readonly string[] => [
  '/v1/assets',
  '/v1/assets/BTC',
  '/v1/parties',
  `/v1/parties/${ids.party}`,
  '/v1/accounts',
  ...[ids.account, ids.ofParty, ids.other].flatMap((id) => [
    `/v1/accounts/${id}`,
    `/v1/accounts/${id}/entries`,
    `/v1/accounts/${id}/deposits`,
    `/v1/accounts/${id}/withdrawals`,
    `/v1/accounts/${id}/transfers`,
    `/v1/audit/accounts/${id}`,
    `/v1/audit/streams/account-${id}?limit=500`,
  ]),
  `/v1/accounts/${ids.account}/deposits/d-1`,
  `/v1/accounts/${ids.account}/withdrawals/${ids.withdrawal}`,
  `/v1/accounts/${ids.other}/transfers/t-1`,
  '/v1/admin/legal-orders',
  `/v1/admin/legal-orders?accountId=${ids.account}`,
  `/v1/admin/legal-orders?accountId=${ids.ofParty}`,
  `/v1/admin/legal-orders?partyId=${ids.party}&state=verified`,
  '/v1/admin/legal-orders?limit=1',
  '/v1/admin/sanctions-hits',
  `/v1/admin/sanctions-hits/${ids.hit}`,
  `/v1/admin/sanctions-hits/${ids.hit}/clearances/${ids.clearance}`,
  '/v1/admin/freezes',
  `/v1/admin/freezes/${ids.freeze}`,
  `/v1/admin/freezes/${ids.ended}`,
  '/v1/admin/lift-requests',
  `/v1/admin/freezes/${ids.freeze}/lift-requests/lift-1`,
  `/v1/admin/freezes/${ids.freeze}/lift-requests/lift-2`,
  '/v1/admin/authority-requests',
  '/v1/admin/authority-requests/letter-1',
  '/v1/admin/tasks',
  `/v1/admin/tasks?accountId=${ids.ofParty}`,
  '/v1/trial-balance',
  '/v1/audit/events?limit=500',
  `/v1/audit/streams/party-${ids.party}`,
  '/v1/audit/streams/authorityRequest-letter-1',
  '/v1/audit/freezes',
  '/v1/audit/refusals',
  '/v1/audit/violations',
];
const ofTheOrder = [`/v1/admin/legal-orders/${ORDER}`, `/v1/admin/legal-orders/${ORDER}/changes/${CHANGE}`];
const namingTheOrder = [...ofTheOrder, `/v1/admin/legal-orders/${ORDER}/changes/none`];

/** The text of an answer, where it is one. */
async function text(as: Person, path: string): Promise<string> {
  return JSON.stringify(await ledger.read(as, path));
}

const found = (text: string): readonly string[] =>
  SECRETS.filter((each) => text.toLowerCase().includes(each.toLowerCase()));

/** What is found in an answer, the envelopes of recorded events aside: those stay whole. */
function foundBesideEnvelopes(answer: unknown): readonly string[] {
  return found(
    JSON.stringify(answer, (_name, value: unknown) =>
      valueAt(value, 'metadata') === undefined ? value : { data: valueAt(value, 'data') },
    ),
  );
}

describe('without the scope', () => {
  it('every route is asked', async () => {
    for (const path of [...paths(), ...ofTheOrder]) await ledger.read(CLEARED, path);
    const reads = ledger.contract.routes.filter((route) => route.startsWith('GET /v1/'));
    expect(reads.filter((route) => !ledger.contract.answered.has(route))).toEqual([]);
  });

  it('no route tells of the order', async () => {
    for (const path of paths())
      expect([path, foundBesideEnvelopes(await ledger.read(OVERSIGHT, path))]).toEqual([path, []]);
  });

  it('nor does the log as lines, or what it is narrowed to', async () => {
    for (const narrowed of ['', '?types=FreezeAuthorised', '?types=LegalOrderRegistered,CommandRefused']) {
      const headers = { accept: 'application/x-ndjson' };
      const lines = wellDone(await ledger.get(OVERSIGHT, `/v1/audit/events${narrowed}`, headers), 'the log').text;
      const events = lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect([narrowed, lines.length > 0, foundBesideEnvelopes(events)]).toEqual([narrowed, true, []]);
    }
  });

  it('whoever asks for it by its id is told that it is a legal order, and nothing of its changes or revision', async () => {
    for (const path of namingTheOrder) {
      const answer = await ledger.get(OVERSIGHT, path);
      expect([path, answer.status, answer.body, answer.headers.etag]).toEqual([path, 200, A_LEGAL_ORDER, undefined]);
    }
    expectProblem(await ledger.get(OVERSIGHT, '/v1/admin/legal-orders/none'), 404, 'legal-order-not-found');
  });

  it('a filter by its id finds nothing', async () => {
    for (const list of ['legal-orders', 'freezes', 'lift-requests', 'authority-requests', 'tasks']) {
      const path = `/v1/admin/${list}?basisId=${ORDER}`;
      expect([list, await ledger.read(OVERSIGHT, path)]).toEqual([list, { items: [], nextCursor: null }]);
      expect([list, listAt(await ledger.read(CLEARED, path), 'items').length > 0]).toEqual([list, true]);
    }
  });

  it('what rests on it says that it rests on a legal order', async () => {
    expect(await ledger.read(OVERSIGHT, '/v1/admin/legal-orders')).toMatchObject({
      items: [A_LEGAL_ORDER, A_LEGAL_ORDER],
    });
    expect(await ledger.read(OVERSIGHT, `/v1/admin/freezes/${ids.freeze}`)).toMatchObject({
      accountId: ids.account,
      state: 'in-force',
      basis: A_LEGAL_ORDER,
      citation: null,
      placedBy: OPS.sub,
      lift: null,
    });
    const ended = await ledger.read(OVERSIGHT, `/v1/admin/freezes/${ids.ended}`);
    expect(ended).toMatchObject({
      basis: A_LEGAL_ORDER,
      citation: null,
      lift: { ground: 'basis-ended', citation: null },
    });
    for (const path of [`/v1/accounts/${ids.account}`, `/v1/audit/accounts/${ids.account}`]) {
      const { freezes } = (await ledger.read(OVERSIGHT, path)) as { freezes: Body[] };
      expect(freezes.map(({ basis }) => basis)).toEqual([A_LEGAL_ORDER]);
    }
    expect(await ledger.read(OVERSIGHT, `/v1/parties/${ids.party}`)).toMatchObject({ namedBy: [A_LEGAL_ORDER] });
    expect(await ledger.read(OVERSIGHT, '/v1/admin/authority-requests/letter-1')).toMatchObject({
      authority: { name: 'Financial intelligence unit' },
      answer: { outcome: 'granted', basis: A_LEGAL_ORDER, inForceAt: null, reason: null },
    });
    const request = `/v1/admin/freezes/${ids.freeze}/lift-requests/lift-1`;
    expect(await ledger.read(OVERSIGHT, request)).toMatchObject({ state: 'rejected', note: null, reason: null });
    const inForce = await ledger.read(OVERSIGHT, '/v1/audit/freezes');
    expect(inForce).toMatchObject({ items: [{ freezeId: ids.freeze, basis: A_LEGAL_ORDER, citation: null }] });
  });

  it('tasks that it brings about say what is to be done', async () => {
    const items = listAt(await ledger.read(OVERSIGHT, '/v1/admin/tasks'), 'items') as Body[];
    const withheld = items.filter(({ basis }) => valueAt(basis, 'kind') === 'legal-order');
    expect(withheld.map(({ kind, basis, accountId, changeId }) => ({ kind, basis, accountId, changeId }))).toEqual([
      { kind: 'decide-change', basis: A_LEGAL_ORDER, accountId: null, changeId: null },
      { kind: 'decide-lift-request', basis: A_LEGAL_ORDER, accountId: ids.account, changeId: null },
      { kind: 'freeze-account', basis: A_LEGAL_ORDER, accountId: ids.ofParty, changeId: null },
    ]);
    const whole = listAt(await ledger.read(CLEARED, '/v1/admin/tasks'), 'items') as Body[];
    expect(whole.map(({ taskId }) => taskId)).toEqual(items.map(({ taskId }) => taskId));
    expect(whole.find(({ kind }) => kind === 'decide-change')).toMatchObject({
      changeId: CHANGE,
      basis: { id: ORDER },
    });
  });

  it('refusals that speak of it say what was asked by whom, and no more', async () => {
    const items = listAt(await ledger.read(OVERSIGHT, '/v1/audit/refusals'), 'items') as Body[];
    const withheld = { detail: null, extra: null, request: null, decidedOn: null };
    expect(items).toMatchObject([
      { command: 'VerifyLegalOrder', code: 'maker-is-checker', actor: OPS.sub, ...withheld },
      { command: 'FreezeAccount', code: 'basis-does-not-name-account', stream: `account-${ids.other}`, ...withheld },
      { command: 'OpenAccount', code: 'party-named-by-basis', request: { accountId: 'acc-new' } },
      { command: 'ApproveLift', code: 'maker-is-checker', stream: `account-${ids.account}`, ...withheld },
    ]);
    const whole = listAt(await ledger.read(CLEARED, '/v1/audit/refusals'), 'items') as Body[];
    expect(whole.map(({ eventId }) => eventId)).toEqual(items.map(({ eventId }) => eventId));
    expect(whole[1]).toMatchObject({ request: { basis: { id: ORDER } }, decidedOn: { stream: `legalOrder-${ORDER}` } });
  });

  it('services see what they always see', async () => {
    const { freezes } = (await ledger.read(SERVICE, `/v1/accounts/${ids.account}`)) as { freezes: Body[] };
    expect(freezes).toEqual([{ freezeId: ids.freeze, direction: 'debit', assets: 'all' }]);
  });

  it('the answers to the own commands are whole, and so are their repeats', async () => {
    const path = `/v1/admin/legal-orders/${ORDER}/changes`;
    const again = await ledger.post(OPS, path, endingOf(CHANGE), telling('proposing'));
    expect([again.status, again.headers['idempotent-replayed'], textAt(again.body, 'change.orderId')]).toEqual([
      201,
      'true',
      ORDER,
    ]);
  });
});

describe('the raw log without the scope', () => {
  const stream = (as: Person, name: string): Promise<readonly LoggedEvent[]> =>
    ledger.read(as, `/v1/audit/streams/${name}?limit=500`).then((page) => listAt(page, 'items') as LoggedEvent[]);

  it('keeps place, type, author and hashes, so that the chain can be followed', async () => {
    const whole = await stream(CLEARED, `legalOrder-${ORDER}`);
    const shown = await stream(OVERSIGHT, `legalOrder-${ORDER}`);
    const registered = whole.findIndex(({ type }) => type === 'LegalOrderRegistered');
    expect(whole[registered]?.data).toMatchObject({ orderId: ORDER, caseReference: CASE });
    expect(shown).toHaveLength(whole.length);
    expect(shown.map(({ data }) => data)).toEqual(whole.map(() => null));
    for (const [index, event] of shown.entries()) {
      const { metadata, data: _, ...envelope } = whole[index] as LoggedEvent;
      expect(event).toMatchObject(envelope);
      expect(event.metadata).toEqual(metadata);
    }
    const chained = shown.filter(({ type }) => type !== 'AccountFrozen');
    for (const [index, { metadata }] of chained.entries()) {
      expect(metadata['previousHash']).toBe(index === 0 ? null : chained[index - 1]?.metadata['hash']);
    }
  });

  it('withholds the data of what cites the order, and of nothing else', async () => {
    const withheld = async (name: string): Promise<readonly string[]> =>
      (await stream(OVERSIGHT, name)).flatMap(({ type, data }) => (valueAt({ data }, 'data') === null ? [type] : []));
    expect(await withheld(`account-${ids.account}`)).toEqual([
      'AccountFrozen',
      'LiftRequested',
      'LiftRequested',
      'LiftRejected',
      'CommandRefused',
    ]);
    expect(await withheld(`party-${ids.party}`)).toEqual(['PartyNamed']);
    expect(await withheld('authorityRequest-letter-1')).toEqual(['AuthorityRequestAnswered']);
    expect(await withheld(`account-${ids.other}`)).toEqual(['CommandRefused', 'AccountFrozen', 'AccountUnfrozen']);
    expect(await withheld(`sanctionsHit-${ids.hit}`)).toEqual([]);
  });
});

describe('with the scope', () => {
  it('the order and all that rests on it is shown', async () => {
    expect(await ledger.read(CLEARED, `/v1/admin/legal-orders/${ORDER}`)).toMatchObject({
      orderId: ORDER,
      caseReference: CASE,
      nonDisclosureUntil: '2099-01-01T00:00:00.000Z',
      changes: [{ changeId: CHANGE }],
    });
    expect(await ledger.read(CLEARED, `/v1/admin/freezes/${ids.freeze}`)).toMatchObject({
      basis: { kind: 'legal-order', id: ORDER },
      citation: { stream: `legalOrder-${ORDER}`, eventId: ids.freeze },
    });
    expect(found(await text(CLEARED, '/v1/audit/events?limit=500'))).toContain(AUTHORITY);
  });

  it('the scope gives no role', async () => {
    const nobody: Person = { sub: 'nobody', roles: ['service'], scope: 'confidential' };
    expectProblem(await ledger.get(nobody, `/v1/admin/legal-orders/${ORDER}`), 403, 'forbidden');
    const { freezes } = (await ledger.read(nobody, `/v1/accounts/${ids.account}`)) as { freezes: Body[] };
    expect(Object.keys(freezes[0] ?? {})).toEqual(['freezeId', 'direction', 'assets']);
  });

  it('another scope is none', async () => {
    const other: Person = { ...OVERSIGHT, scope: 'confidentially not-confidential' };
    expect(await ledger.read(other, `/v1/admin/legal-orders/${ORDER}`)).toEqual(A_LEGAL_ORDER);
  });
});

describe('the time until which nothing may be told', () => {
  it('begins with the registration, whatever becomes of the order, and ends', async () => {
    const nonDisclosureUntil = new Date(Date.now() + 4_000).toISOString();
    const more = { ...secret, nonDisclosureUntil };
    const [registered, rejected] = ['zq-early', 'zq-rejected'];
    for (const orderId of [registered, rejected]) await ledger.makeOrder({ orderId, accounts: [ids.account], more });
    const rejection = `/v1/admin/legal-orders/${rejected}/rejection`;
    wellDone(await ledger.post(APPROVER, rejection, { reason: 'no seal' }), 'a rejection');
    for (const orderId of [registered, rejected])
      expect(await ledger.read(OVERSIGHT, `/v1/admin/legal-orders/${orderId}`)).toEqual(A_LEGAL_ORDER);
    for (const orderId of [registered, rejected]) {
      const shown = await until('the end of the non-disclosure', async () => {
        const order = await ledger.read(OVERSIGHT, `/v1/admin/legal-orders/${orderId}`);
        return valueAt(order, 'orderId') === undefined ? undefined : order;
      });
      expect(shown).toMatchObject({ orderId, caseReference: CASE, nonDisclosureUntil });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(nonDisclosureUntil));
      const log = await ledger.read(OVERSIGHT, `/v1/audit/streams/legalOrder-${orderId}`);
      expect(log).toMatchObject({
        items: expect.arrayContaining([expect.objectContaining({ data: expect.any(Object) })]),
      });
    }
  });

  it('may be over from the beginning: then nothing is withheld', async () => {
    const more = { nonDisclosureUntil: '2022-03-01T00:00:00Z' };
    const orderId = await ledger.makeOrder({ accounts: [ids.account], more });
    expect(await ledger.read(OVERSIGHT, `/v1/admin/legal-orders/${orderId}`)).toMatchObject({ orderId });
  });

  it.each(['tomorrow', '2099-01-01', '', 7, null])('is a time: %j is none', async (nonDisclosureUntil) => {
    const order = orderOf('ord-bad', { accounts: [ids.account], more: { nonDisclosureUntil } });
    const answer = await ledger.post(OPS, '/v1/admin/legal-orders', order);
    expectProblem(answer, 400, 'malformed-request');
    expect(listAt(answer.body, 'errors')).toMatchObject([{ field: 'nonDisclosureUntil' }]);
  });

  it('is no concern of the auditor who reads of another order', async () => {
    const orderId = await ledger.makeVerifiedOrder({ accounts: [ids.account] });
    expect(await ledger.read(AUDITOR, `/v1/admin/legal-orders/${orderId}`)).toMatchObject({ orderId });
  });
});

describe('an id that a hit and an order under non-disclosure share', () => {
  const LISTS = ['sanctions-hits', 'freezes', 'lift-requests', 'authority-requests', 'tasks'] as const;

  /** Freezes under a basis, of which somebody asks to lift each, and a letter that it answers. */
  async function restOn(kind: 'legal-order' | 'sanctions-hit', id: string, accounts: readonly string[]): Promise<void> {
    const basis = { kind, id };
    for (const account of accounts) {
      const path = `/v1/admin/accounts/${account}/freezes`;
      const { body } = wellDone(await ledger.post(OPS, path, { basis }), 'a freeze');
      await ledger.requestLift(textAt(body, 'freeze.freezeId'));
    }
    const letter = `/v1/admin/authority-requests/${await ledger.makeAuthorityRequest()}/answer`;
    wellDone(await ledger.post(APPROVER, letter, { outcome: 'granted', reason: 'it demands it', basis }), 'an answer');
  }

  /** What a filter by the id finds, in pages of one item, and how many pages that are. */
  async function foundBy(as: Person, list: string, id: string): Promise<{ items: unknown[]; pages: number }> {
    const items: unknown[] = [];
    for (let pages = 1, cursor = ''; ; pages += 1) {
      const page = await ledger.read(as, `/v1/admin/${list}?basisId=${id}&limit=1${cursor}`);
      items.push(...listAt(page, 'items'));
      if (valueAt(page, 'nextCursor') === null) return { items, pages };
      cursor = `&cursor=${textAt(page, 'nextCursor')}`;
    }
  }

  it('is asked of every list that takes the id of a basis', async () => {
    const { body } = await ledger.ask({ path: '/openapi.json' });
    const routes = Object.entries(valueAt(body, 'paths') as Readonly<Record<string, unknown>>);
    const lists = routes.flatMap(([path, route]) =>
      JSON.stringify(valueAt(route, 'get.parameters') ?? []).includes('"basisId"') ? [path] : [],
    );
    expect(lists.toSorted()).toEqual([...LISTS, 'legal-orders'].map((list) => `/v1/admin/${list}`).toSorted());
  });

  it('finds what rests on the hit, whole and page by page, and nothing of the order', async () => {
    const holder = await ledger.makeParty();
    const held = [await ledger.makeAccount({ holder }), await ledger.makeAccount({ holder })];
    const id = await ledger.makeConfirmedHit(holder);
    await restOn('sanctions-hit', id, held);
    const before = new Map<string, unknown>();
    for (const list of LISTS) before.set(list, await foundBy(OVERSIGHT, list, id));
    for (const list of LISTS) expect(before.get(list)).toEqual(await foundBy(CLEARED, list, id));
    expect(before.get('freezes')).toMatchObject({ items: { length: 2 }, pages: 2 });

    const accounts = [await ledger.makeAccount(), await ledger.makeAccount()];
    await ledger.makeVerifiedOrder({ orderId: id, accounts, more: secret });
    await restOn('legal-order', id, accounts);
    for (const list of LISTS) {
      expect([list, await foundBy(OVERSIGHT, list, id)]).toEqual([list, before.get(list)]);
      const whole = await foundBy(CLEARED, list, id);
      if (list !== 'sanctions-hits')
        expect([list, whole.items.length]).not.toEqual([list, valueAt(before.get(list), 'pages')]);
    }
    const orders = await ledger.read(OVERSIGHT, `/v1/admin/legal-orders?basisId=${id}`);
    expect(orders).toEqual({ items: [], nextCursor: null });
  });
});
