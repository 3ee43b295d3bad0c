import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
import { isRejection, toTimestamp, type Recorded } from '#kernel';
import {
  checkLegalOrder,
  decideLegalOrder,
  ENDINGS,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderEvents,
  type LegalOrderCommand,
  type LegalOrderContext,
  type LegalOrderEvent,
  type LegalOrderState,
  type Subject,
} from './index.ts';

const context: LegalOrderContext = { now: SPEC_NOW, actor: { id: SAMPLE_CHECKER, roles: ['approver'] } };
const { given } = specFor({
  initialState: initialLegalOrderState,
  evolve: evolveLegalOrder,
  check: checkLegalOrder,
  decide: decideLegalOrder,
  events: legalOrderEvents,
  stream: SAMPLE_ORDER_STREAM,
  context,
});

type SpecEvent = LegalOrderEvent | Placed<LegalOrderEvent>;
const RAN_OUT = '2022-04-06T11:30:00.000Z';
const verified: SpecEvent[] = [registeredOrder(), verifiedOrder()];
const limited: SpecEvent[] = [registeredOrder({ expiresAt: RAN_OUT }), verifiedOrder()];
const proposed: SpecEvent[] = [...verified, proposedEnding()];
const discharged: SpecEvent[] = [...proposed, endedOrder()];

const limits = { direction: 'debit' as const, assets: ['BTC'], limits: { BTC: '10' } };
const halfOfIt = { ...limits, limits: { BTC: '5' } };
const forParty = { accountId: 'acc-9', namedBy: specPointer('party-p-1', 4), partyId: 'p-1' };
const ending = { endedBy: specPointer('account-acc-1', 7) };
const underLimits: SpecEvent[] = [registeredOrder({ scope: limits }), verifiedOrder()];

function on<Event extends LegalOrderEvent>(orderId: string, event: Event): Event {
  return { ...event, data: { ...event.data, orderId } };
}

/** The last event is the illegal one. */
const illegal: [string, RegExp, SpecEvent[]][] = [
  ['a second registration', /registered already/, [registeredOrder(), registeredOrder()]],
  ['a registration on the stream of another', /stream/, [on('ord-2', registeredOrder())]],
  ['a verification on the stream of another', /stream/, [registeredOrder(), on('ord-2', verifiedOrder())]],
  [
    'an order that names somebody twice',
    /twice/,
    [registeredOrder({ subjects: [...sampleInstrument.subjects, ...sampleInstrument.subjects] })],
  ],
  ['an order that expires before its start', /after/, [registeredOrder({ expiresAt: sampleInstrument.effectiveAt })]],

  ['a verification of nothing', /not registered/, [verifiedOrder()]],
  ['a rejection of nothing', /not registered/, [rejectedOrder()]],
  ['a proposal for nothing', /not registered/, [proposedEnding()]],
  ['an ending of nothing', /not registered/, [endedOrder()]],
  ['an expiry of nothing', /not registered/, [expiredOrder(RAN_OUT)]],
  ['an authorisation by nothing', /not registered/, [authorisedFreeze()]],

  ['a verification by the registrar', /also decided/, [registeredOrder(), verifiedOrder(SAMPLE_MAKER)]],
  ['a rejection by the registrar', /also decided/, [registeredOrder(), rejectedOrder(SAMPLE_MAKER)]],
  ['a second verification', /decided before/, [...verified, verifiedOrder('third')]],
  ['a verification after the rejection', /decided before/, [registeredOrder(), rejectedOrder(), verifiedOrder()]],
  ['a rejection after the verification', /decided before/, [...verified, rejectedOrder()]],
  ['a verification after the end', /decided before/, [...discharged, verifiedOrder()]],

  ['a proposal before verification', /nothing is proposed/, [registeredOrder(), proposedEnding()]],
  ['a proposal after the end', /nothing is proposed/, [...discharged, proposedEnding('chg-2')]],
  ['a second proposal of one id', /proposed already/, [...proposed, proposedEnding()]],
  ['a second proposal of a rejected id', /proposed already/, [...proposed, rejectedChange(), proposedEnding()]],

  ['an ending without proposal', /never proposed/, [...verified, endedOrder()]],
  ['an ending of another id', /never proposed/, [...proposed, endedOrder('chg-2')]],
  ['an ending by its proposer', /also decided/, [...proposed, endedOrder('chg-1', 'discharged', SAMPLE_MAKER)]],
  ['an ending that was rejected', /decided before/, [...proposed, rejectedChange(), endedOrder()]],
  ['an ending twice', /decided before/, [...discharged, endedOrder()]],
  ['an ending of another manner', /not the one/, [...proposed, endedOrder('chg-1', 'revoked')]],
  [
    'an ending that names another proposer',
    /not the one/,
    [...proposed, { type: 'LegalOrderEnded', data: { ...endedOrder().data, proposedBy: 'third' } }],
  ],
  [
    'a second ending by another proposal',
    /moot/,
    [...proposed, proposedEnding('chg-2'), endedOrder(), endedOrder('chg-2')],
  ],
  [
    'a rejected change of an order that ended',
    /moot/,
    [...proposed, proposedEnding('chg-2'), endedOrder(), rejectedChange('chg-2')],
  ],
  ['a rejection of a change that is none', /never proposed/, [...verified, rejectedChange()]],
  ['a rejection of a change by its proposer', /also decided/, [...proposed, rejectedChange('chg-1', SAMPLE_MAKER)]],
  ['a rejection of a change twice', /decided before/, [...proposed, rejectedChange(), rejectedChange()]],

  [
    'an expiry before its time',
    /not run out/,
    [...limited, at(expiredOrder(RAN_OUT).event, { recordedAt: '2022-04-06T11:29:59.999Z' })],
  ],
  ['an expiry at another time', /not that of the order/, [...limited, expiredOrder('2022-04-06T11:00:00.000Z')]],
  ['an expiry of an order without one', /not that of the order/, [...verified, expiredOrder(RAN_OUT)]],
  ['an expiry twice', /does not expire/, [...limited, expiredOrder(RAN_OUT), expiredOrder(RAN_OUT)]],
  [
    'an expiry of an order that was never verified',
    /does not expire/,
    [registeredOrder({ expiresAt: RAN_OUT }), expiredOrder(RAN_OUT)],
  ],
  ['an expiry after the end', /does not expire/, [...limited, proposedEnding(), endedOrder(), expiredOrder(RAN_OUT)]],

  ['an authorisation before verification', /not verified/, [registeredOrder(), authorisedFreeze()]],
  ['an authorisation after rejection', /rejected/, [registeredOrder(), rejectedOrder(), authorisedFreeze()]],
  ['an authorisation after the end', /discharged/, [...discharged, authorisedFreeze()]],
  ['an authorisation while an ending is proposed', /proposed/, [...proposed, authorisedFreeze()]],
  [
    'an authorisation before the start',
    /not effective/,
    [registeredOrder({ effectiveAt: '2022-05-01T00:00:00.000Z' }), verifiedOrder(), authorisedFreeze()],
  ],
  [
    'an authorisation after the time, expiry recorded or not',
    /has expired/,
    [...limited, at(authorisedFreeze(), { recordedAt: RAN_OUT })],
  ],
  [
    'an authorisation beyond the limits of the order',
    /more BTC than/,
    [
      ...underLimits,
      authorisedFreeze({ accountId: 'acc-1', scope: halfOfIt }),
      authorisedFreeze({ ...forParty, scope: limits }),
    ],
  ],
  [
    'an authorisation that relies on the end of another freeze than those in its way',
    /more BTC than/,
    [
      ...underLimits,
      authorisedFreeze({ accountId: 'acc-1', scope: halfOfIt }),
      authorisedFreeze({ ...forParty, scope: limits, endedFreezes: [{ ...ending, freezeId: specEventId(1) }] }),
    ],
  ],
  ['an authorisation without the limit of the order', /cover more/, [...underLimits, authorisedFreeze()]],
  ['an authorisation for another claim', /claim group/, [...verified, authorisedFreeze({ claimGroup: 'claim-1' })]],
  [
    'an authorisation for no claim where the order names one',
    /claim group/,
    [registeredOrder({ claimGroup: 'claim-1' }), verifiedOrder(), authorisedFreeze()],
  ],
  ['an authorisation for another account', /names neither/, [...verified, authorisedFreeze({ accountId: 'acc-2' })]],
  [
    'an authorisation through another party',
    /names neither/,
    [...verified, authorisedFreeze({ namedBy: specPointer('party-p-2', 4), partyId: 'p-2' })],
  ],
  [
    'an authorisation of too wide a scope',
    /cover more/,
    [...verified, authorisedFreeze({ scope: { direction: 'debit', assets: 'all' } })],
  ],
];

describe('checkLegalOrder', () => {
  it.each(illegal)('finds %s', (_, reason, events) => {
    const last = events.length - 1;
    expect(() => given(...events.slice(0, last)).state()).not.toThrow();
    const found = new RegExp(`at revision ${String(last)} is illegal: .*${reason.source}`);
    expect(() => given(...events).state()).toThrow(found);
  });

  it('takes an order on one address in two spellings, which an earlier version took for two', () => {
    const hexadecimal = 'ab'.repeat(20);
    const subjects: Subject[] = [hexadecimal, hexadecimal.toUpperCase()].map((digits) => ({
      kind: 'address',
      chain: 'ethereum',
      address: `0x${digits}`,
    }));
    const varied: LegalOrderEvent = {
      type: 'LegalOrderChangeProposed',
      data: { ...proposal, kind: 'variation', subjects },
    };
    expect(() => given(registeredOrder({ subjects }), verifiedOrder(), varied).state()).not.toThrow();
  });

  const { changeId, orderId, documentSha256, issuedAt, reference, proposedBy } = proposedEnding().data;
  const proposal = { changeId, orderId, documentSha256, issuedAt, reference, proposedBy };
  const decision = { changeId, orderId, method: 'm', proposedBy, verifiedBy: SAMPLE_CHECKER };
  const longer = { expiresAt: '2022-05-01T00:00:00.000Z' };
  const narrower = { scope: { ...sampleInstrument.scope, assets: ['EUR'] } };

  it.each<[string, SpecEvent[]]>([
    ['registered', [registeredOrder()]],
    ['verified', verified],
    ['rejected', [registeredOrder(), rejectedOrder()]],
    ['to be ended', proposed],
    ['not ended', [...proposed, rejectedChange()]],
    ['ended', discharged],
    [
      'extended',
      [
        ...limited,
        { type: 'LegalOrderChangeProposed', data: { ...proposal, kind: 'extension', ...longer } },
        { type: 'LegalOrderExtended', data: { ...decision, ...longer } },
      ],
    ],
    [
      'varied',
      [
        ...verified,
        { type: 'LegalOrderChangeProposed', data: { ...proposal, kind: 'variation', ...narrower } },
        { type: 'LegalOrderVaried', data: { ...decision, ...narrower } },
      ],
    ],
    ['the basis of a freeze', [...verified, authorisedFreeze()]],
  ])('finds that an order was %s in the name of another (invariant 9)', (_, events) => {
    const last = events.length - 1;
    const own = events[last];
    const event = own !== undefined && 'event' in own ? own.event : own;
    const forged = events.with(last, at(event as LegalOrderEvent, { actor: { id: 'somebody', roles: [] } }));
    expect(() => given(...events).state()).not.toThrow();
    expect(() => given(...forged).state()).toThrow(`at revision ${String(last)} is illegal: another acted`);
  });

  it('takes an authorisation that relies on the end of the one in its way', () => {
    const endedFreezes = [{ ...ending, freezeId: specEventId(2) }];
    const again = authorisedFreeze({ ...forParty, scope: limits, endedFreezes });
    expect(given(...underLimits, authorisedFreeze({ scope: halfOfIt }), again).state().authorisations).toHaveLength(2);
  });

  it('takes a rejected proposal and an ending by another', () => {
    const events = [...proposed, rejectedChange(), proposedEnding('chg-2'), endedOrder('chg-2')];
    expect(given(...events).state().state).toBe('discharged');
  });
});

const FROM_MS = Date.parse('2022-04-06T12:00:00.000Z');
const actors = fc.constantFrom('a', 'b', 'c').map((id) => ({ id, roles: ['ops', 'approver'] }));
const changeIds = fc.constantFrom('chg-1', 'chg-2', 'chg-3');
const orderId = 'ord-1';
const instruments = fc.record({
  effectiveMs: fc.integer({ min: -5, max: 5 }),
  lastsMs: fc.option(fc.integer({ min: -1, max: 15 }), { nil: undefined }),
});
const commands: fc.Arbitrary<LegalOrderCommand> = fc.oneof(
  fc.constant<LegalOrderCommand>({ type: 'VerifyLegalOrder', orderId, method: 'a call' }),
  fc.constant<LegalOrderCommand>({ type: 'RejectLegalOrder', orderId, reason: 'a forgery' }),
  fc.constant<LegalOrderCommand>({ type: 'ExpireLegalOrder', orderId }),
  fc.tuple(changeIds, fc.constantFrom(...ENDINGS)).map(([changeId, how]): LegalOrderCommand => {
    const document = { documentSha256: 'd'.repeat(64), issuedAt: SPEC_NOW, reference: 'r' };
    return { type: 'ProposeEnding', orderId, changeId, how, ...document };
  }),
  changeIds.map((changeId): LegalOrderCommand => ({ type: 'VerifyChange', orderId, changeId, method: 'a call' })),
  changeIds.map((changeId): LegalOrderCommand => ({ type: 'RejectChange', orderId, changeId, reason: 'a forgery' })),
  fc
    .constantFrom('acc-1', 'acc-2')
    .map((accountId): LegalOrderCommand => ({ type: 'AuthoriseFreeze', orderId, accountId })),
);
const ties = fc.constantFrom(
  undefined,
  { namedBy: sampleRegistration },
  { namedBy: specPointer('party-p-1', 3), partyId: 'p-1' },
  { namedBy: specPointer('party-p-2', 3), partyId: 'p-2' },
);
const steps = fc.array(fc.record({ command: commands, actor: actors, tie: ties, waitMs: fc.nat(3) }), {
  maxLength: 25,
});

/** Runs the steps and gives the history that they make; the specification judges each event on the way. */
function play(
  instrument: { readonly effectiveMs: number; readonly lastsMs: number | undefined },
  sequence: readonly {
    command: LegalOrderCommand;
    actor: LegalOrderContext['actor'];
    tie: LegalOrderContext['tie'];
    waitMs: number;
  }[],
): Placed<LegalOrderEvent>[] {
  const { effectiveMs, lastsMs } = instrument;
  const effectiveAt = toTimestamp(FROM_MS + effectiveMs);
  const lasts = lastsMs === undefined ? {} : { expiresAt: toTimestamp(FROM_MS + effectiveMs + lastsMs) };
  const register: LegalOrderCommand = {
    type: 'RegisterLegalOrder',
    orderId,
    instrument: { ...sampleInstrument, effectiveAt, ...lasts },
  };
  const history: Placed<LegalOrderEvent>[] = [];
  let nowMs = FROM_MS;
  const first = { command: register, actor: { id: 'a', roles: [] }, tie: undefined, waitMs: 0 };
  for (const { command, actor, tie, waitMs } of [first, ...sequence]) {
    nowMs += waitMs;
    const context: LegalOrderContext = { now: toTimestamp(nowMs), actor, tie };
    const before = given(...history);
    before.when(command, context);
    const outcome = decideLegalOrder(command, before.state(), context);
    if (!isRejection(outcome)) history.push(...outcome.map((event) => at(event, { recordedAt: context.now, actor })));
  }
  return history;
}

describe('any sequence of commands', () => {
  it('leads only to legal events, and the maker is never the checker', () => {
    fc.assert(
      fc.property(instruments, steps, (instrument, sequence) => {
        const events = play(instrument, sequence).map(({ event }) => event);
        const ended = events.filter(({ type }) => type === 'LegalOrderEnded' || type === 'LegalOrderExpired');
        expect(ended.length).toBeLessThanOrEqual(1);
        for (const { type, data } of events) {
          if (type === 'LegalOrderVerified') expect(data.verifiedBy).not.toBe('a');
          if (type === 'LegalOrderRejected') expect(data.rejectedBy).not.toBe('a');
          if (type === 'LegalOrderEnded') expect(data.verifiedBy).not.toBe(data.proposedBy);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('authorises only between the verification and the end, within the time of the order', () => {
    fc.assert(
      fc.property(instruments, steps, (instrument, sequence) => {
        const history = play(instrument, sequence);
        const types = history.map(({ event }) => event.type);
        const { effectiveMs, lastsMs = Infinity } = instrument;
        for (const [index, { event, placement }] of history.entries()) {
          if (event.type !== 'FreezeAuthorised') continue;
          expect(types.slice(0, index)).toContain('LegalOrderVerified');
          expect(types.slice(0, index)).not.toContain('LegalOrderEnded');
          expect(types.slice(0, index)).not.toContain('LegalOrderExpired');
          const sinceMs = Date.parse(placement.recordedAt ?? '') - FROM_MS;
          expect(sinceMs).toBeGreaterThanOrEqual(effectiveMs);
          expect(sinceMs).toBeLessThan(effectiveMs + lastsMs);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('evolveLegalOrder', () => {
  const anyEvents = fc.array(
    fc.constantFrom<SpecEvent>(...limited, ...discharged, rejectedOrder(), rejectedChange(), authorisedFreeze()),
    { maxLength: 12 },
  );

  const evolveAll = (items: readonly SpecEvent[]): LegalOrderState =>
    items
      .map((item, revision) => recorded('event' in item ? item.event : item, revision))
      .reduce(evolveLegalOrder, initialLegalOrderState());

  it('never throws, in whatever order well-formed events come', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        expect(() => evolveAll(events)).not.toThrow();
      }),
    );
  });

  it('makes no change out of a decision on none', () => {
    expect(evolveAll([...verified, rejectedChange(), endedOrder()]).changes.size).toBe(0);
  });
});

function recorded(event: LegalOrderEvent, revision: number): Recorded<LegalOrderEvent> {
  return {
    ...event,
    id: specPointer(SAMPLE_ORDER_STREAM, revision).eventId,
    schemaVersion: 1,
    stream: SAMPLE_ORDER_STREAM,
    revision,
    position: revision.toString(16).padStart(16, '0'),
    metadata: {
      actor: { id: SAMPLE_MAKER, roles: [] },
      correlationId: 'c',
      causationId: null,
      key: null,
      commandHash: null,
      recordedAt: SPEC_NOW,
      previousHash: null,
      hash: '0'.repeat(64),
    },
  };
}
