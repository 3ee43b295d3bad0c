import { describe, expect, it } from '@jest/globals';
import {
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  SPEC_NOW,
  at,
  authorisedFreeze,
  endedOrder,
  expiredOrder,
  proposedEnding,
  registeredOrder,
  rejectedChange,
  rejectedOrder,
  sampleInstrument,
  sampleRegistration,
  specEventId,
  specFor,
  specPointer,
  verifiedOrder,
  type Placed,
} from '#testing';
import type { Actor, RejectionCode, Scope } from '#kernel';
import {
  authorisationsInTheWay,
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderEvents,
  legalOrderView,
  MAX_SUBJECTS,
  type Instrument,
  type LegalOrderContext,
  type LegalOrderEvent,
  type Subject,
} from './index.ts';

const maker: Actor = { id: SAMPLE_MAKER, roles: ['ops', 'approver'] };
const checker: Actor = { id: SAMPLE_CHECKER, roles: ['approver'] };
const context: LegalOrderContext = { now: SPEC_NOW, actor: checker };

const { given } = specFor({
  initialState: initialLegalOrderState,
  evolve: evolveLegalOrder,
  check: checkLegalOrder,
  decide: decideLegalOrder,
  events: legalOrderEvents,
  stream: SAMPLE_ORDER_STREAM,
  context,
});

const orderId = 'ord-1';
type History = readonly (LegalOrderEvent | Placed<LegalOrderEvent>)[];

const IN_TWO_SPELLINGS: Subject[] = [
  { kind: 'address', chain: 'ethereum', address: `0x${'AbCd'.repeat(10)}` },
  { kind: 'address', chain: 'Ethereum', address: `0x${'abcd'.repeat(10)}` },
];

/** Between the given events and the commands. */
const RAN_OUT = '2022-04-06T11:30:00.000Z';
const LATER = '2022-05-01T00:00:00.000Z';

const refused: LegalOrderEvent = {
  type: 'CommandRefused',
  data: {
    command: 'VerifyLegalOrder',
    code: 'maker-is-checker',
    detail: 'who registered a legal order can neither verify nor reject it',
    extra: {},
    request: { method: 'looked at it' },
    decidedOn: null,
  },
};

const registered: History = [registeredOrder()];
const verified: History = [registeredOrder(), verifiedOrder()];
const proposed: History = [...verified, proposedEnding()];

/** A history for each state that a registered order can be in, and the state that it records. */
const orders: Record<string, { readonly history: History; readonly state: string }> = {
  registered: { history: registered, state: 'registered' },
  'registered, its time run out': { history: [registeredOrder({ expiresAt: RAN_OUT })], state: 'registered' },
  rejected: { history: [registeredOrder(), rejectedOrder()], state: 'rejected' },
  verified: { history: verified, state: 'verified' },
  'verified, not effective yet': {
    history: [registeredOrder({ effectiveAt: LATER }), verifiedOrder()],
    state: 'verified',
  },
  'verified, its time run out': {
    history: [registeredOrder({ expiresAt: RAN_OUT }), verifiedOrder()],
    state: 'verified',
  },
  'verified, an ending proposed': { history: proposed, state: 'verified' },
  'verified, an ending rejected': { history: [...proposed, rejectedChange()], state: 'verified' },
  expired: {
    history: [registeredOrder({ expiresAt: RAN_OUT }), verifiedOrder(), expiredOrder(RAN_OUT)],
    state: 'expired',
  },
  discharged: { history: [...proposed, endedOrder()], state: 'discharged' },
  revoked: {
    history: [...verified, proposedEnding('chg-1', 'revoked'), endedOrder('chg-1', 'revoked')],
    state: 'revoked',
  },
  'set-aside': {
    history: [...verified, proposedEnding('chg-1', 'set-aside'), endedOrder('chg-1', 'set-aside')],
    state: 'set-aside',
  },
};
const names = Object.keys(orders);

function orderThatIs(name: string): { readonly history: History; readonly state: string } {
  const order = orders[name];
  if (order === undefined) throw new Error(`no order is ${name}`);
  return order;
}

const statesBut = (...states: readonly string[]): string[] =>
  names.filter((name) => !states.includes(orderThatIs(name).state));

describe('RegisterLegalOrder', () => {
  const register = (changes: Partial<Instrument> = {}) => {
    const instrument = { ...sampleInstrument, ...changes };
    return { type: 'RegisterLegalOrder', orderId, instrument } as const;
  };
  const byMaker = { actor: maker };

  it('registers an instrument under the name of its maker', () =>
    given().when(register(), byMaker).then(registeredOrder()));
  it('is not hindered by a refusal on the stream', () =>
    given(refused).when(register(), byMaker).then(registeredOrder()));

  it.each([
    ['has expired already', { expiresAt: '2022-03-02T00:00:00.000Z' }],
    ['is effective only later', { effectiveAt: LATER }],
    ['lasts one millisecond', { expiresAt: '2022-03-01T00:00:00.001Z' }],
    ['executes a foreign request', { underlyingRequest: 'MLAT 2022/17' }],
  ])('registers an order that %s', (_, changes) =>
    given().when(register(changes), byMaker).then(registeredOrder(changes)),
  );

  it('reads its limits by the scale of their asset', () => {
    const scope = { direction: 'debit' as const, assets: ['BTC', 'EUR'] };
    const assets = new Map([['BTC', { code: 'BTC', scale: 8 }]]);
    const asked = (limits: Record<string, string>) => {
      return { ...register(), instrument: { ...sampleInstrument, scope: { ...scope, limits } } };
    };
    given()
      .when(asked({ BTC: '1.5' }), { ...byMaker, assets })
      .then(registeredOrder({ scope: { ...scope, limits: { BTC: '150000000' } } }));
    given()
      .when(asked({ BTC: '0.000000001' }), { ...byMaker, assets })
      .thenRejected('malformed-request', undefined, /^scope\.limits\.BTC: .*8 decimals/);
    given()
      .when(asked({ EUR: '1' }), { ...byMaker, assets })
      .thenRejected('asset-not-found', { asset: 'EUR' });
  });

  it('keeps the order of the subjects', () => {
    const subjects = [...sampleInstrument.subjects].reverse();
    given().when(register({ subjects }), byMaker).then(registeredOrder({ subjects }));
  });

  it.each(names)('turns down a second registration of an order that is %s', (name) =>
    given(...orderThatIs(name).history)
      .when(register({ statute: 'another' }), byMaker)
      .thenRejected('already-exists', { orderId }),
  );

  it.each(['2022-03-01T00:00:00.000Z', '2022-02-01T00:00:00.000Z'])(
    'turns down an expiry that is not after the start: %s',
    (expiresAt) =>
      given()
        .when(register({ expiresAt }), byMaker)
        .thenRejected('malformed-request', {
          errors: [{ field: 'expiresAt', message: 'must be after effectiveAt' }],
        }),
  );

  const accounts = (count: number): Subject[] =>
    Array.from({ length: count }, (_, index) => ({ kind: 'account', accountId: `acc-${String(index)}` }));

  it.each([
    ['nobody', [], 'subjects'],
    ['too many', accounts(MAX_SUBJECTS + 1), 'subjects'],
    ['an account twice', [...accounts(2), ...accounts(1)], 'subjects.2'],
    [
      'a party twice',
      [
        { kind: 'party', partyId: 'p-1' },
        { kind: 'party', partyId: 'p-1' },
      ],
      'subjects.1',
    ],
    ['an address in two spellings', IN_TWO_SPELLINGS, 'subjects.1'],
  ] satisfies [string, Subject[], string][])('turns down an order that names %s', (_, subjects, field) => {
    const decision = decideLegalOrder(register({ subjects }), initialLegalOrderState(), context);
    expect(decision).toMatchObject({ code: 'malformed-request', extra: { errors: [{ field }] } });
    given().when(register({ subjects }), byMaker).thenRejected('malformed-request');
  });

  it.each([
    ['one account', [{ kind: 'account', accountId: 'acc-1' }]],
    ['one party', [{ kind: 'party', partyId: 'p-1' }]],
    [
      'two parties',
      [
        { kind: 'party', partyId: 'p-1' },
        { kind: 'party', partyId: 'p-2' },
      ],
    ],
  ] satisfies [string, Subject[]][])('takes an order that names %s', (_, subjects) =>
    given().when(register({ subjects }), byMaker).then(registeredOrder({ subjects })),
  );

  it('takes as many subjects as an order may have, and an account and a party of one id', () => {
    const most = accounts(MAX_SUBJECTS);
    given()
      .when(register({ subjects: most }), byMaker)
      .then(registeredOrder({ subjects: most }));
    const alike: Subject[] = [
      { kind: 'account', accountId: 'x' },
      { kind: 'party', partyId: 'x' },
    ];
    given()
      .when(register({ subjects: alike }), byMaker)
      .then(registeredOrder({ subjects: alike }));
  });

  it('turns down an order that names a ghost', () => {
    given()
      .when(register(), { unknownSubject: { kind: 'account', id: 'acc-1' } })
      .thenRejected('account-not-found', { accountId: 'acc-1' });
    given()
      .when(register(), { unknownSubject: { kind: 'party', id: 'p-1' } })
      .thenRejected('party-not-found', { partyId: 'p-1' });
  });

  it('looks at the shape, then at the subjects, then at the id', () => {
    const unknownSubject = { kind: 'party', id: 'p-1' } as const;
    given(...registered)
      .when(register({ subjects: [] }), { unknownSubject })
      .thenRejected('malformed-request');
    given(...registered)
      .when(register(), { unknownSubject })
      .thenRejected('party-not-found');
  });
});

describe.each([
  [
    'VerifyLegalOrder',
    { type: 'VerifyLegalOrder', orderId, method: 'called the court' } as const,
    (checkedBy: string) => verifiedOrder(checkedBy),
  ],
  [
    'RejectLegalOrder',
    { type: 'RejectLegalOrder', orderId, reason: 'the seal is wrong' } as const,
    (checkedBy: string) => rejectedOrder(checkedBy),
  ],
])('%s', (_, command, outcome) => {
  it('turns down an unknown order', () => {
    given().when(command).thenRejected('legal-order-not-found');
    given(refused).when(command).thenRejected('legal-order-not-found');
  });

  it.each(['registered', 'registered, its time run out'])('decides an order that is %s', (name) =>
    given(...orderThatIs(name).history)
      .when(command)
      .then(outcome(SAMPLE_CHECKER)),
  );

  it('decides an order that is effective only later', () =>
    given(registeredOrder({ effectiveAt: LATER }))
      .when(command)
      .then(outcome(SAMPLE_CHECKER)));

  it('turns down the maker, whatever roles he or she has', () =>
    given(...registered)
      .when(command, { actor: maker })
      .thenRejected('maker-is-checker'));

  it('still lets another person decide after that', () =>
    given(...registered, refused)
      .when(command)
      .then(outcome(SAMPLE_CHECKER)));

  it.each(statesBut('registered'))('turns down an order that is %s, also from its maker', (name) => {
    const { history, state } = orderThatIs(name);
    given(...history)
      .when(command)
      .thenRejected('invalid-transition', { state });
    given(...history)
      .when(command, { actor: maker })
      .thenRejected('invalid-transition', { state });
  });
});

describe('VerifyLegalOrder', () => {
  it('keeps the note', () => {
    const event = verifiedOrder();
    given(...registered)
      .when({ type: 'VerifyLegalOrder', orderId, method: 'called the court', note: 'spoke to the clerk' })
      .then({ ...event, data: { ...event.data, note: 'spoke to the clerk' } });
  });
});

describe('ProposeEnding', () => {
  const propose = (changeId = 'chg-1') =>
    ({
      type: 'ProposeEnding',
      orderId,
      changeId,
      how: 'discharged',
      documentSha256: 'd'.repeat(64),
      issuedAt: '2022-04-01T00:00:00.000Z',
      reference: 'CL-2022-000123/2',
    }) as const;
  const byMaker = { actor: maker };

  it('turns down an unknown order', () => given().when(propose()).thenRejected('legal-order-not-found'));

  it.each(['verified', 'verified, not effective yet'])('proposes the end of an order that is %s', (name) =>
    given(...orderThatIs(name).history)
      .when(propose(), byMaker)
      .then(proposedEnding()),
  );

  it('comes too late once the time has run out, to the millisecond, though the expiry is not recorded', () => {
    const { history } = orderThatIs('verified, its time run out');
    given(...history)
      .when(propose(), { ...byMaker, now: '2022-04-06T11:29:59.999Z' })
      .then(proposedEnding());
    given(...history)
      .when(propose(), { ...byMaker, now: RAN_OUT })
      .thenRejected('invalid-transition', { state: 'expired' });
  });

  it.each(['verified, an ending proposed', 'verified, an ending rejected'])(
    'proposes another end of an order that is %s',
    (name) =>
      given(...orderThatIs(name).history)
        .when(propose('chg-2'), byMaker)
        .then(proposedEnding('chg-2')),
  );

  it.each(statesBut('verified'))('turns down an order that is %s', (name) => {
    const { history, state } = orderThatIs(name);
    given(...history)
      .when(propose('chg-9'))
      .thenRejected('invalid-transition', { state });
  });

  it.each(['verified, an ending proposed', 'verified, an ending rejected', 'discharged', 'revoked', 'set-aside'])(
    'turns down an id given a second time, the order being %s',
    (name) =>
      given(...orderThatIs(name).history)
        .when(propose())
        .thenRejected('already-exists', { orderId, changeId: 'chg-1' }),
  );
});

const runOut: History = [registeredOrder({ expiresAt: RAN_OUT }), verifiedOrder(), proposedEnding()];

describe('an ending, once the time of the order has run out and its expiry is not recorded', () => {
  it('is not verified any more: what ends the order is its expiry', () => {
    const verify = { type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'read the order' } as const;
    given(...runOut)
      .when(verify, { now: RAN_OUT })
      .thenRejected('invalid-transition', { state: 'expired' });
  });

  it('can be rejected', () =>
    given(...runOut)
      .when({ type: 'RejectChange', orderId, changeId: 'chg-1', reason: 'a forgery' }, { now: RAN_OUT })
      .then(rejectedChange()));

  it('stays legal where an earlier version recorded it', () => {
    expect(given(...runOut, endedOrder()).state().state).toBe('discharged');
  });
});

describe.each([
  [
    'VerifyChange',
    (changeId: string) => ({ type: 'VerifyChange', orderId, changeId, method: 'read the order' }) as const,
    (changeId: string) => endedOrder(changeId),
  ],
  [
    'RejectChange',
    (changeId: string) => ({ type: 'RejectChange', orderId, changeId, reason: 'a forgery' }) as const,
    (changeId: string) => rejectedChange(changeId),
  ],
])('%s', (_, command, outcome) => {
  it('turns down an unknown order', () => given().when(command('chg-1')).thenRejected('legal-order-not-found'));

  it.each(names)('turns down a change that an order that is %s does not have', (name) =>
    given(...orderThatIs(name).history)
      .when(command('chg-9'))
      .thenRejected('change-not-found'),
  );

  it('decides a proposed change', () =>
    given(...proposed)
      .when(command('chg-1'))
      .then(outcome('chg-1')));

  it('decides the very change that it names', () =>
    given(...proposed, proposedEnding('chg-2'))
      .when(command('chg-2'))
      .then(outcome('chg-2')));

  it('decides a change of an order to the last millisecond of its time, and none once its expiry is recorded', () => {
    given(...runOut)
      .when(command('chg-1'), { now: '2022-04-06T11:29:59.999Z' })
      .then(outcome('chg-1'));
    given(...runOut, expiredOrder(RAN_OUT))
      .when(command('chg-1'))
      .thenRejected('invalid-transition', { state: 'expired' });
  });

  it('turns down the maker of the change', () =>
    given(...proposed)
      .when(command('chg-1'), { actor: maker })
      .thenRejected('maker-is-checker'));

  it('lets the maker of the order decide a change that another proposed', () => {
    const byOther = proposedEnding();
    const other = { ...byOther, data: { ...byOther.data, proposedBy: 'third' } };
    const state = given(...verified, other).state();
    expect(decideLegalOrder(command('chg-1'), state, { now: SPEC_NOW, actor: maker })).toHaveLength(1);
  });

  it.each([
    ['rejected', [...proposed, rejectedChange()]],
    ['verified', [...proposed, endedOrder()]],
  ] satisfies [string, History][])('turns down a change that is %s already, also from its maker', (state, history) => {
    given(...history)
      .when(command('chg-1'))
      .thenRejected('invalid-transition', { state });
    given(...history)
      .when(command('chg-1'), { actor: maker })
      .thenRejected('invalid-transition', { state });
  });

  it('turns down the other proposals of an order that ended, also from their maker', () => {
    const moot = [...proposed, proposedEnding('chg-2', 'revoked'), endedOrder()];
    given(...moot)
      .when(command('chg-2'))
      .thenRejected('invalid-transition', { state: 'discharged' });
    given(...moot)
      .when(command('chg-2'), { actor: maker })
      .thenRejected('invalid-transition', { state: 'discharged' });
  });
});

describe('VerifyChange', () => {
  it.each(['discharged', 'revoked', 'set-aside'] as const)('ends the order as proposed: %s', (how) =>
    given(...verified, proposedEnding('chg-1', how))
      .when({ type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'read the order' })
      .then(endedOrder('chg-1', how)),
  );

  it('keeps the note', () => {
    const event = endedOrder();
    given(...proposed)
      .when({ type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'read the order', note: 'a copy' })
      .then({ ...event, data: { ...event.data, note: 'a copy' } });
  });
});

describe('ExpireLegalOrder', () => {
  const expire = { type: 'ExpireLegalOrder', orderId } as const;

  it('has nothing to do for an unknown order', () => given().when(expire).thenNothingHappened());

  it.each(names.filter((name) => name !== 'verified, its time run out'))(
    'has nothing to do for an order that is %s',
    (name) =>
      given(...orderThatIs(name).history)
        .when(expire)
        .thenNothingHappened(),
  );

  it('expires from expiresAt on, to the millisecond', () => {
    const history = orderThatIs('verified, its time run out').history;
    const event: LegalOrderEvent = { type: 'LegalOrderExpired', data: { orderId, expiresAt: RAN_OUT } };
    given(...history)
      .when(expire)
      .then(event);
    given(...history)
      .when(expire, { now: RAN_OUT })
      .then(event);
    given(...history)
      .when(expire, { now: '2022-04-06T11:29:59.999Z' })
      .thenNothingHappened();
  });

  it('expires at once an order that was verified after its time', () =>
    given(registeredOrder({ expiresAt: '2022-03-02T00:00:00.000Z' }), verifiedOrder())
      .when(expire, { now: '2022-04-06T11:00:01.000Z' })
      .then({ type: 'LegalOrderExpired', data: { orderId, expiresAt: '2022-03-02T00:00:00.000Z' } }));

  it('expires an order with an ending proposed', () =>
    given(registeredOrder({ expiresAt: RAN_OUT }), verifiedOrder(), proposedEnding())
      .when(expire)
      .then({ type: 'LegalOrderExpired', data: { orderId, expiresAt: RAN_OUT } }));
});

describe('AuthoriseFreeze', () => {
  const tie = { namedBy: sampleRegistration };
  const byMaker = { actor: maker, tie };
  const authorise = { type: 'AuthoriseFreeze', orderId, accountId: 'acc-1' } as const;

  it('authorises a freeze of the scope of the order', () => {
    given(...verified)
      .when(authorise, byMaker)
      .then(authorisedFreeze());
  });

  it('authorises a narrower one, from a time in law', () => {
    const scope = { direction: 'debit' as const, assets: ['BTC'] };
    const blockedFrom = '2022-03-01T00:00:00.000Z';
    given(...verified)
      .when({ ...authorise, scope, blockedFrom }, byMaker)
      .then(authorisedFreeze({ scope, blockedFrom }));
  });

  it('authorises through a party', () => {
    const through = { namedBy: specPointer('party-p-1', 4), partyId: 'p-1' };
    given(...verified)
      .when({ ...authorise, accountId: 'acc-7' }, { actor: maker, tie: through })
      .then(authorisedFreeze({ ...through, accountId: 'acc-7' }));
  });

  it('authorises again: what became of the first is for the account to know', () => {
    given(...verified, authorisedFreeze())
      .when(authorise, byMaker)
      .then(authorisedFreeze());
  });

  it('authorises once a proposed ending is rejected', () => {
    given(...orderThatIs('verified, an ending rejected').history)
      .when(authorise, byMaker)
      .then(authorisedFreeze());
  });

  const obstacles: [string, RejectionCode, RegExp, History][] = [
    ['unknown', 'basis-not-found', /no such/, []],
    ['only refused', 'basis-not-found', /no such/, [refused]],
    ...(
      [
        ['registered', /not verified/],
        ['registered, its time run out', /not verified/],
        ['rejected', /rejected/],
        ['verified, not effective yet', /not effective yet/],
        ['verified, its time run out', /has expired/],
        ['verified, an ending proposed', /proposed/],
        ['expired', /has expired/],
        ['discharged', /discharged/],
        ['revoked', /revoked/],
        ['set-aside', /set aside/],
      ] as const
    ).map(([name, detail]): [string, RejectionCode, RegExp, History] => {
      return [name, 'basis-not-in-force', detail, orderThatIs(name).history];
    }),
  ];
  it.each(obstacles)('turns down an order that is %s: %s', (_, code, detail, history) => {
    given(...history)
      .when(authorise, byMaker)
      .thenRejected(code, {}, detail);
    // Also when the account is not named and the scope too wide: the basis comes first.
    given(...history)
      .when({ ...authorise, scope: { direction: 'debit', assets: 'all' } })
      .thenRejected(code, {}, detail);
  });

  it('turns down an account that nothing ties to a subject', () => {
    given(...verified)
      .when(authorise, { actor: maker })
      .thenRejected('basis-does-not-name-account');
    given(...verified)
      .when({ ...authorise, accountId: 'acc-2' }, byMaker)
      .thenRejected('basis-does-not-name-account');
  });

  describe('under limits', () => {
    const limits = { BTC: '10', EUR: '500' };
    const own = { direction: 'debit' as const, assets: ['BTC', 'EUR'], limits };
    const subjects = ['acc-1', 'acc-2', 'acc-3'].map((accountId) => ({ kind: 'account' as const, accountId }));
    const order = [registeredOrder({ scope: own, subjects }), verifiedOrder()];
    const keep = (BTC: string) => ({ direction: 'debit' as const, assets: ['BTC'], limits: { BTC } });
    const frozen = (accountId: string, BTC: string): LegalOrderEvent =>
      authorisedFreeze({ accountId, scope: keep(BTC) });
    const end = (revision: number) => {
      const endedBy = specPointer('account-acc-2', 7);
      return { freezeId: specEventId(revision), endedBy };
    };

    it('takes the whole limits of the order without a scope', () => {
      given(...order)
        .when(authorise, byMaker)
        .then(authorisedFreeze({ scope: own }));
      given(...order, frozen('acc-2', '1'))
        .when(authorise, byMaker)
        .thenRejected('scope-exceeds-basis', {}, /BTC/);
    });

    it('adds up the freezes of several accounts, to the unit', () => {
      const history = [...order, frozen('acc-2', '4'), frozen('acc-3', '3')];
      given(...history)
        .when({ ...authorise, scope: keep('3') }, byMaker)
        .then(authorisedFreeze({ scope: keep('3') }));
      given(...history)
        .when({ ...authorise, scope: keep('4') }, byMaker)
        .thenRejected('scope-exceeds-basis', {}, /more BTC than/);
    });

    it('counts of one account the highest: two freezes of it are never in force', () => {
      given(...order, frozen('acc-1', '8'), frozen('acc-2', '2'))
        .when({ ...authorise, scope: keep('8') }, byMaker)
        .then(authorisedFreeze({ scope: keep('8') }));
    });

    it('turns down a limit above that of the order, or none where the order has one', () => {
      for (const scope of [keep('11'), { direction: 'debit' as const, assets: ['BTC'] }]) {
        given(...order)
          .when({ ...authorise, scope }, byMaker)
          .thenRejected('scope-exceeds-basis', {}, /would cover more/);
      }
    });

    it('no longer counts what has ended, and says on what it relies only where it has to', () => {
      const history = [...order, frozen('acc-2', '9'), frozen('acc-3', '1')];
      given(...history)
        .when({ ...authorise, scope: keep('9') }, { ...byMaker, endedFreezes: [end(2), end(3)] })
        .then(authorisedFreeze({ scope: keep('9'), endedFreezes: [end(2)] }));
      given(...order)
        .when({ ...authorise, scope: keep('9') }, { ...byMaker, endedFreezes: [end(2)] })
        .then(authorisedFreeze({ scope: keep('9') }));
      given(...history)
        .when({ ...authorise, scope: keep('9') }, { ...byMaker, endedFreezes: [end(3)] })
        .thenRejected('scope-exceeds-basis');
    });

    it('knows which authorisations are in the way, and none where there is room', () => {
      const state = given(...order, frozen('acc-2', '9'), frozen('acc-3', '1')).state();
      const claim = (BTC: string) => ({ accountId: 'acc-1', scope: keep(BTC) });
      expect(authorisationsInTheWay(state, claim('1')).map(({ accountId }) => accountId)).toEqual(['acc-2', 'acc-3']);
      expect(authorisationsInTheWay(given(...order, frozen('acc-2', '9')).state(), claim('1'))).toEqual([]);
    });

    it('knows what is in the way of each asset, and not what keeps another', () => {
      const keepEuro = (EUR: string) => ({ direction: 'debit' as const, assets: ['EUR'], limits: { EUR } });
      const history = [
        ...order,
        frozen('acc-2', '10'),
        authorisedFreeze({ accountId: 'acc-3', scope: keepEuro('500') }),
      ];
      const inTheWay = (scope: Scope): readonly string[] =>
        authorisationsInTheWay(given(...history).state(), { accountId: 'acc-1', scope }).map(
          ({ accountId }) => accountId,
        );
      expect(inTheWay(own)).toEqual(['acc-2', 'acc-3']);
      expect(inTheWay(keepEuro('1'))).toEqual(['acc-3']);
    });

    it('carries the claim group of the order', () => {
      given(registeredOrder({ claimGroup: 'claim-1' }), verifiedOrder())
        .when(authorise, byMaker)
        .then(authorisedFreeze({ claimGroup: 'claim-1' }));
    });

    it('lets an order for both directions freeze one, and an order for credits no debit', () => {
      const both = { direction: 'both' as const, assets: ['BTC'] };
      for (const direction of ['debit', 'credit', 'both'] as const) {
        const scope = { direction, assets: ['BTC'] };
        given(registeredOrder({ scope: both }), verifiedOrder())
          .when({ ...authorise, scope }, byMaker)
          .then(authorisedFreeze({ scope }));
      }
      given(registeredOrder({ scope: { ...both, direction: 'credit' } }), verifiedOrder())
        .when({ ...authorise, scope: keep('1') }, byMaker)
        .thenRejected('scope-exceeds-basis');
    });
  });

  it('says not named before too wide', () => {
    const wide = { direction: 'debit' as const, assets: 'all' as const };
    given(...verified)
      .when({ ...authorise, scope: wide })
      .thenRejected('basis-does-not-name-account');
    given(...verified)
      .when({ ...authorise, scope: wide }, byMaker)
      .thenRejected('scope-exceeds-basis');
  });
});

describe('the state of an order', () => {
  it('is what its view shows', () => {
    const view = legalOrderView(
      given(
        at(registeredOrder({ expiresAt: LATER }), { recordedAt: '2022-04-01T00:00:00.000Z' }),
        at(verifiedOrder(), { recordedAt: '2022-04-01T00:01:00.000Z' }),
        at(proposedEnding('chg-1'), { recordedAt: '2022-04-01T00:02:00.000Z' }),
        at(proposedEnding('chg-2', 'revoked'), { recordedAt: '2022-04-01T00:03:00.000Z' }),
        at(rejectedChange('chg-1'), { recordedAt: '2022-04-01T00:04:00.000Z' }),
        at(endedOrder('chg-2', 'revoked'), { recordedAt: '2022-04-01T00:05:00.000Z' }),
        at(refused, { recordedAt: '2022-04-01T00:06:00.000Z' }),
      ).state(),
    );
    const document = {
      orderId,
      kind: 'ending',
      documentSha256: 'd'.repeat(64),
      issuedAt: '2022-04-01T00:00:00.000Z',
      reference: 'CL-2022-000123/2',
      proposedBy: SAMPLE_MAKER,
      decidedBy: SAMPLE_CHECKER,
    };
    expect(view).toEqual({
      ...sampleInstrument,
      expiresAt: LATER,
      state: 'revoked',
      registeredBy: SAMPLE_MAKER,
      verification: {
        method: 'called the court',
        note: null,
        verifiedBy: SAMPLE_CHECKER,
        verifiedAt: '2022-04-01T00:01:00.000Z',
      },
      rejection: null,
      endedAt: '2022-04-01T00:05:00.000Z',
      changes: [
        {
          ...document,
          changeId: 'chg-1',
          how: 'discharged',
          state: 'rejected',
          reason: 'a forgery',
          createdAt: '2022-04-01T00:02:00.000Z',
          updatedAt: '2022-04-01T00:04:00.000Z',
        },
        {
          ...document,
          changeId: 'chg-2',
          how: 'revoked',
          state: 'verified',
          reason: null,
          createdAt: '2022-04-01T00:03:00.000Z',
          updatedAt: '2022-04-01T00:05:00.000Z',
        },
      ],
      createdAt: '2022-04-01T00:00:00.000Z',
      updatedAt: '2022-04-01T00:05:00.000Z',
    });
  });

  it('shows a rejection, and an open proposal', () => {
    const rejected = legalOrderView(
      given(registeredOrder(), at(rejectedOrder(), { recordedAt: '2022-04-06T11:10:00.000Z' })).state(),
    );
    expect(rejected).toMatchObject({
      state: 'rejected',
      verification: null,
      rejection: {
        reason: 'the seal is wrong',
        rejectedBy: SAMPLE_CHECKER,
        rejectedAt: '2022-04-06T11:10:00.000Z',
      },
      endedAt: null,
      changes: [],
    });
    expect(legalOrderView(given(...proposed).state())?.changes).toMatchObject([
      { changeId: 'chg-1', state: 'proposed', decidedBy: null, reason: null },
    ]);
  });

  it('shows nothing of an order that is not registered', () => {
    expect(legalOrderView(given(refused).state())).toBeUndefined();
  });

  it('shows the note of a verification', () => {
    const event = verifiedOrder();
    const state = given(registeredOrder(), { ...event, data: { ...event.data, note: 'by phone' } }).state();
    expect(state.verification?.note).toBe('by phone');
  });

  it('knows how it ended, by which event, and who asked and approved', () => {
    const end = endedOrder();
    expect(given(...proposed, end).state().ended).toEqual({
      pointer: specPointer(SAMPLE_ORDER_STREAM, 3),
      how: 'discharged',
      requestedBy: SAMPLE_MAKER,
      approvedBy: SAMPLE_CHECKER,
      endedAt: '2022-04-06T11:00:03.000Z',
    });
    expect(given(...orderThatIs('expired').history).state().ended).toEqual({
      pointer: specPointer(SAMPLE_ORDER_STREAM, 2),
      how: 'expired',
      requestedBy: 'system:supervisor',
      approvedBy: 'system:supervisor',
      endedAt: SPEC_NOW,
    });
    expect(given(...proposed).state().ended).toBeUndefined();
  });

  it('lists what it authorised, in order, with the key of each command', () => {
    const key = { caller: SAMPLE_MAKER, homeStream: 'account-acc-1', value: 'k-1' };
    const through = { namedBy: specPointer('party-p-1', 4), partyId: 'p-1' };
    const second = authorisedFreeze({ ...through, accountId: 'acc-7' });
    const { scope } = sampleInstrument;
    const state = given(...verified, at(authorisedFreeze(), { key }), second).state();
    expect(state.registered).toEqual(sampleRegistration);
    expect(state.verified).toEqual(specPointer(SAMPLE_ORDER_STREAM, 1));
    expect(state.authorisations).toEqual([
      {
        pointer: specPointer(SAMPLE_ORDER_STREAM, 2),
        accountId: 'acc-1',
        scope,
        namedBy: sampleRegistration,
        requestedBy: SAMPLE_MAKER,
        key,
        commandHash: '0'.repeat(64),
      },
      {
        pointer: specPointer(SAMPLE_ORDER_STREAM, 3),
        accountId: 'acc-7',
        scope,
        ...through,
        requestedBy: SAMPLE_MAKER,
        key: null,
        commandHash: null,
      },
    ]);
  });
});
