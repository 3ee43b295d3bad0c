import { describe, expect, it } from '@jest/globals';
import {
  pointerTo,
  type DomainEvent,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Scope,
  type Timestamp,
} from '#kernel';
import type { FreezeAuthorised, Instrument, LegalOrderEvent } from '#legal-orders';
import { specEventId } from '#testing';
import type { AccountFrozen, AccountUnfrozen, FreezeEvent } from './events.ts';
import { resolveCitation, resolveLift, type CitedFreeze, type CitedLift } from './resolve.ts';
import { evolveFreezes, initialFreezesState, type FreezesState } from './state.ts';

const order = 'legalOrder-ord-1';
const account = 'account-acc-1';
const now = '2022-04-06T12:00:00.000Z';
const everything: Scope = { direction: 'debit', assets: 'all' };
const bitcoin: Scope = { direction: 'debit', assets: ['BTC'] };

/** A log of its own for each specification: revisions, positions and ids as a store gives them. */
class Log {
  readonly events: RecordedEvent[] = [];

  add<Event extends DomainEvent>(stream: string, event: Event, actor = 'ops-1', recordedAt = now): Recorded<Event> {
    const nth = this.events.length;
    const recorded: RecordedEvent = {
      ...event,
      id: specEventId(nth),
      schemaVersion: 1,
      metadata: {
        actor: { id: actor, roles: [] },
        correlationId: 'c',
        causationId: null,
        key: null,
        commandHash: null,
        recordedAt,
        previousHash: null,
        hash: '',
      },
      stream,
      revision: this.of(stream).length,
      position: nth.toString(16).padStart(16, '0'),
    };
    this.events.push(recorded);
    return recorded as unknown as Recorded<Event>;
  }

  of(stream: string): RecordedEvent[] {
    return this.events.filter((event) => event.stream === stream);
  }

  /** The events of an order's stream up to a revision. */
  basis(stream: string, to = Infinity): Recorded<LegalOrderEvent>[] {
    return this.of(stream).filter(({ revision }) => revision <= to) as unknown as Recorded<LegalOrderEvent>[];
  }

  at({ stream, revision }: EventPointer): RecordedEvent | undefined {
    return this.of(stream)[Number(revision)];
  }
}

const instrument: Instrument = {
  orderId: 'ord-1',
  kind: 'freezing-order',
  effect: 'restrain',
  authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
  caseReference: 'CL-2022-000123',
  statute: 'Senior Courts Act 1981 s.37',
  subjects: [
    { kind: 'account', accountId: 'acc-1' },
    { kind: 'party', partyId: 'p-1' },
  ],
  scope: everything,
  issuedAt: '2022-04-01T00:00:00.000Z',
  receivedAt: '2022-04-02T00:00:00.000Z',
  effectiveAt: '2022-04-02T00:00:00.000Z',
  expiresAt: '2022-05-02T00:00:00.000Z',
  documentSha256: 'a'.repeat(64),
};

function registered(changed: Partial<Instrument> = {}): LegalOrderEvent {
  return { type: 'LegalOrderRegistered', data: { ...instrument, ...changed, registeredBy: 'ops-1' } };
}
function verified(verifiedBy = 'approver-1'): LegalOrderEvent {
  return { type: 'LegalOrderVerified', data: { orderId: 'ord-1', method: 'call back', verifiedBy } };
}
const proposed: LegalOrderEvent = {
  type: 'LegalOrderChangeProposed',
  data: {
    orderId: 'ord-1',
    changeId: 'end-1',
    kind: 'ending',
    how: 'discharged',
    documentSha256: 'b'.repeat(64),
    issuedAt: now,
    reference: 'r',
    proposedBy: 'ops-1',
  },
};
function ended(verifiedBy = 'approver-1', changeId = 'end-1'): LegalOrderEvent {
  const people = { proposedBy: 'ops-1', verifiedBy };
  return { type: 'LegalOrderEnded', data: { orderId: 'ord-1', changeId, how: 'discharged', method: 'm', ...people } };
}
const expired: LegalOrderEvent = {
  type: 'LegalOrderExpired',
  data: { orderId: 'ord-1', expiresAt: '2022-05-02T00:00:00.000Z' },
};
const afterExpiry = '2022-05-02T00:00:00.000Z';

function attached(partyId: string, accountId: string): DomainEvent {
  const holder = { partyId, capacity: 'owner' };
  const opening = { accountId, holders: [holder], key: { caller: 'svc', value: 'k' }, commandHash: 'c'.repeat(64) };
  return { type: 'AccountAttached', data: { ...holder, accountId, opening } };
}

type AuthorisedData = FreezeAuthorised['data'];
type FrozenData = AccountFrozen['data'];

interface Scene {
  /** The order's own events before the authorisation. */
  readonly history?: readonly LegalOrderEvent[];
  /** What ties the account: the registration, or this party's attachment. */
  readonly party?: string;
  readonly authorised?: Partial<AuthorisedData>;
  readonly authorisedAt?: Timestamp;
  readonly frozen?: Partial<FrozenData>;
}

/** A registered and verified order, an authorisation, and the freeze that cites it; a specification spoils one thing. */
function scene({ history = [registered(), verified()], party, authorised, authorisedAt, frozen }: Scene = {}): {
  readonly log: Log;
  readonly input: CitedFreeze;
} {
  const log = new Log();
  const tie = party === undefined ? undefined : log.add(`party-${party}`, attached(party, 'acc-1'));
  for (const event of history) log.add(order, event);
  const first = log.at({ stream: order, revision: '0', eventId: '' });
  const namedBy = tie ?? first;
  const data: AuthorisedData = {
    orderId: 'ord-1',
    accountId: 'acc-1',
    scope: everything,
    namedBy: namedBy === undefined ? { stream: order, revision: '0', eventId: specEventId(0) } : pointerTo(namedBy),
    ...(party === undefined ? {} : { partyId: party }),
    requestedBy: 'ops-1',
    ...authorised,
  };
  const authorisation = log.add(order, { type: 'FreezeAuthorised', data } as const, 'ops-1', authorisedAt);
  const freeze = log.add(account, freezeBy(authorisation, frozen), 'ops-1', authorisedAt);
  return { log, input: cite(log, freeze, data.namedBy) };
}

function freezeBy(authorisation: Recorded<FreezeAuthorised>, changed: Partial<FrozenData> = {}): AccountFrozen {
  const { accountId, scope, requestedBy } = authorisation.data;
  const data = {
    accountId,
    freezeId: authorisation.id,
    basis: { kind: 'legal-order', id: 'ord-1' } as const,
    citation: pointerTo(authorisation),
    scope,
    claimGroup: 'legal-order/ord-1',
    placedBy: requestedBy,
    blockedFrom: now,
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  };
  return { type: 'AccountFrozen', data: { ...data, ...changed } };
}

/** What a caller reads from the log to resolve a freeze. */
function cite(log: Log, event: Recorded<AccountFrozen>, namedBy: EventPointer): CitedFreeze {
  const { stream, revision } = event.data.citation;
  return { event, basisEvents: log.basis(stream, Number(revision)), namedByEvent: log.at(namedBy) };
}

function reason(input: CitedFreeze): string {
  const resolution = resolveCitation(input);
  return resolution.ok ? 'resolves' : resolution.reason;
}

describe('limits and claims', () => {
  const own: Scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '10' } };
  const half: Scope = { ...own, limits: { BTC: '5' } };
  const endedFreezes = [
    { freezeId: specEventId(3), endedBy: { stream: account, revision: '9', eventId: specEventId(9) } },
  ];

  it('resolve within those of the order', () => {
    const history = [registered({ scope: own }), verified()];
    expect(reason(scene({ history, authorised: { scope: own } }).input)).toBe('resolves');
    expect(reason(scene({ history, authorised: { scope: half } }).input)).toBe('resolves');
    expect(reason(scene({ history, authorised: { scope: bitcoin } }).input)).toMatch(/cover more/);
  });

  it('are those that were authorised', () => {
    expect(reason(scene({ authorised: { scope: own }, frozen: { scope: half } }).input)).toMatch(/^the scope/);
    expect(reason(scene({ authorised: { scope: half }, frozen: { scope: own } }).input)).toMatch(/^the scope/);
    expect(reason(scene({ frozen: { scope: { ...everything, direction: 'both' } } }).input)).toMatch(/^the scope/);
  });

  it('count for the claim of the order, and for no other', () => {
    const history = [registered({ claimGroup: 'claim-1' }), verified()];
    const authorised = { claimGroup: 'claim-1' };
    expect(reason(scene({ history, authorised, frozen: authorised }).input)).toBe('resolves');
    expect(reason(scene({ history, authorised }).input)).toMatch(/claim group/);
    expect(reason(scene({ frozen: authorised }).input)).toMatch(/claim group/);
    expect(reason(scene({ authorised, frozen: authorised }).input)).toMatch(/claim group/);
  });

  it('rely on the end of a freeze only where it had ended', () => {
    const { input } = scene({ authorised: { endedFreezes } });
    expect(reason({ ...input, ended: [true] })).toBe('resolves');
    expect(reason({ ...input, ended: [false] })).toMatch(/had not ended/);
    expect(reason(input)).toMatch(/had not ended/);
  });
});

describe('a freeze that resolves', () => {
  it('cites the authorisation of an order that lists the account', () => {
    expect(reason(scene().input)).toBe('resolves');
  });

  it('cites the authorisation of an order that names a holder', () => {
    const { input } = scene({ party: 'p-1' });
    expect(reason(input)).toBe('resolves');
    expect(reason({ ...input, holders: ['p-0', 'p-1'] })).toBe('resolves');
  });

  it('may be narrower than the order', () => {
    expect(reason(scene({ authorised: { scope: bitcoin } }).input)).toBe('resolves');
  });

  it('may be decided and not yet stored', () => {
    const { input } = scene();
    expect(reason({ ...input, event: { ...input.event, position: '' } })).toBe('resolves');
  });

  it('stays resolved after the order ended, since nothing later is looked at', () => {
    const { log, input } = scene();
    log.add(order, proposed);
    log.add(order, ended());
    expect(reason(cite(log, input.event, pointerTo(log.basis(order)[0] as RecordedEvent)))).toBe('resolves');
  });

  it('is untouched by events in the order that should never have been', () => {
    const history = [registered(), registered({ subjects: [{ kind: 'account', accountId: 'acc-9' }] }), verified()];
    expect(reason(scene({ history }).input)).toBe('resolves');
    expect(reason(scene({ history: [registered(), verified(), ended()] }).input)).toBe('resolves');
  });
});

describe('a freeze that does not resolve', () => {
  it('cites nothing', () => {
    const { input } = scene();
    expect(reason({ ...input, basisEvents: [] })).toBe('the cited event does not exist');
  });

  it.each<[string, Partial<EventPointer>]>([
    ['a revision beyond the end', { revision: '7' }],
    ['another event than stands at the revision', { eventId: specEventId(77) }],
    ['the same place on another stream', { stream: 'legalOrder-ord-2' }],
    ['a revision that is no number', { revision: '' }],
  ])('cites %s', (_name, wrong) => {
    const { input } = scene();
    const citation = { ...input.event.data.citation, ...wrong };
    const event = { ...input.event, data: { ...input.event.data, citation } };
    expect(reason({ ...input, event })).toBe('the cited event does not exist');
  });

  it('cites an event of the order that authorises nothing', () => {
    const { log, input } = scene();
    const verification = log.basis(order)[1] as RecordedEvent;
    const changed = { citation: pointerTo(verification), freezeId: verification.id };
    const event = { ...input.event, data: { ...input.event.data, ...changed } };
    expect(reason({ ...input, basisEvents: log.basis(order, 1), event })).toBe('the cited event authorises no freeze');
  });

  it('states another basis than the one whose stream it cites', () => {
    const { input } = scene({ frozen: { basis: { kind: 'legal-order', id: 'ord-2' } } });
    expect(reason(input)).toContain('not on the stream of the basis');
  });

  it('freezes another account than was authorised', () => {
    expect(reason(scene({ authorised: { accountId: 'acc-2' } }).input)).toContain('another account');
    expect(reason(scene({ frozen: { accountId: 'acc-2' } }).input)).toContain('another account');
  });

  it('stands on the stream of another account', () => {
    const { input } = scene();
    expect(reason({ ...input, event: { ...input.event, stream: 'account-acc-2' } })).toContain('another account');
  });

  it('bears another id than its authorisation', () => {
    expect(reason(scene({ frozen: { freezeId: specEventId(99) } }).input)).toContain('the id of its authorisation');
  });

  it('is wider than was authorised', () => {
    const { input } = scene({ authorised: { scope: bitcoin }, frozen: { scope: everything } });
    expect(reason(input)).toContain('not the one that was authorised');
  });

  it('is narrower than was authorised', () => {
    expect(reason(scene({ frozen: { scope: bitcoin } }).input)).toContain('not the one that was authorised');
  });

  it('was asked for by another person', () => {
    expect(reason(scene({ frozen: { placedBy: 'mallory' } }).input)).toContain('asked for by another person');
  });

  it('states another legal time than was authorised, if one was', () => {
    const authorised = { blockedFrom: '2022-04-05T00:00:00.000Z' };
    expect(reason(scene({ authorised, frozen: authorised }).input)).toBe('resolves');
    expect(reason(scene({ authorised }).input)).toContain('legal time');
  });

  it('stands before its authorisation in the log', () => {
    const { input } = scene();
    const before = { ...input.event, position: '0000000000000001' };
    expect(reason({ ...input, event: before })).toContain('later in the log than the freeze');
  });

  it('stands where its authorisation does', () => {
    const { input } = scene();
    const same = { ...input.event, position: input.basisEvents.at(-1)?.position ?? '' };
    expect(same.position).not.toBe('');
    expect(reason({ ...input, event: same })).toContain('later in the log than the freeze');
  });
});

describe('an authorisation that the order could not give', () => {
  it.each<[string, Scene, string]>([
    ['not registered', { history: [verified()] }, 'the order is not registered'],
    ['not verified', { history: [registered()] }, 'not verified'],
    ['verified by its own maker', { history: [registered(), verified('ops-1')] }, 'not verified'],
    ['rejected', { history: [registered(), rejection('approver-1')] }, 'rejected'],
    ['not yet effective', { authorisedAt: '2022-04-01T23:59:59.999Z' }, 'not effective'],
    ['out of time', { authorisedAt: afterExpiry }, 'expired'],
    [
      'about to be ended',
      { history: [registered(), verified(), proposed] },
      'an ending of the legal order is proposed',
    ],
    ['ended', { history: [registered(), verified(), proposed, ended()] }, 'discharged'],
    ['narrower', { history: [registered({ scope: bitcoin }), verified()] }, 'more than the legal order'],
    ['about another account', { history: [registered(naming('account', 'acc-9')), verified()] }, 'names neither'],
    [
      'about another party',
      { party: 'p-1', history: [registered(naming('party', 'p-9')), verified()] },
      'names neither',
    ],
    ['about a party alone', { history: [registered(naming('party', 'p-1')), verified()] }, 'names neither'],
  ])('%s', (_name, spoiled, why) => {
    expect(reason(scene(spoiled).input)).toContain(why);
  });

  it('stands on the stream of another order', () => {
    expect(reason(scene({ authorised: { orderId: 'ord-2' } }).input)).toContain('the order is not the one');
  });

  it('had expired by its own record', () => {
    const { log, input } = scene({ history: [registered(), verified()] });
    const events = log.basis(order);
    const expiry = { ...(events[1] as Recorded<LegalOrderEvent>), ...expired, id: specEventId(50) };
    const late = { ...expiry, metadata: { ...expiry.metadata, recordedAt: afterExpiry } } as Recorded<LegalOrderEvent>;
    const basisEvents = [...events.slice(0, 2), late, ...events.slice(2)];
    expect(reason({ ...input, basisEvents })).toContain('the legal order has expired');
  });
});

describe('an authorisation whose account nothing ties to the order', () => {
  it('points to nothing', () => {
    expect(reason({ ...scene().input, namedByEvent: undefined })).toContain('names the account does not exist');
  });

  it.each<[string, (tie: RecordedEvent) => RecordedEvent]>([
    ['id', (tie) => ({ ...tie, id: specEventId(88) })],
    ['revision', (tie) => ({ ...tie, revision: 5 })],
    ['stream', (tie) => ({ ...tie, stream: 'party-p-2' })],
  ])('points to an event of another %s', (_name, change) => {
    const { input } = scene({ party: 'p-1' });
    const namedByEvent = change(input.namedByEvent as RecordedEvent);
    expect(reason({ ...input, namedByEvent })).toContain('names the account does not exist');
  });

  it('points to something later than itself', () => {
    const { log, input } = scene({ party: 'p-1' });
    const authorisation = input.basisEvents.at(-1) as RecordedEvent;
    for (const position of [authorisation.position, input.event.position]) {
      const namedByEvent = { ...(log.of('party-p-1')[0] as RecordedEvent), position };
      expect(reason({ ...input, namedByEvent })).toContain('later than the authorisation');
    }
  });

  it('points to another event of the order than its registration', () => {
    const { log, input } = scene({
      authorised: { namedBy: { stream: order, revision: '1', eventId: specEventId(1) } },
    });
    expect(reason({ ...input, namedByEvent: log.basis(order)[1] })).toContain('names neither');
  });

  it('points to the stream of another party', () => {
    const { log, input } = scene({ party: 'p-2', authorised: { partyId: 'p-1' } });
    expect(reason({ ...input, namedByEvent: log.of('party-p-2')[0] })).toContain('not attached');
    const lying = { ...(log.of('party-p-2')[0] as RecordedEvent), data: attached('p-1', 'acc-1').data };
    expect(reason({ ...input, namedByEvent: lying })).toContain('names neither');
  });

  it.each<[string, Partial<RecordedEvent>]>([
    ['to another event of the party', { type: 'PartyRegistered' }],
    ['of another account', { data: attached('p-1', 'acc-2').data }],
    ['of another party', { data: attached('p-2', 'acc-1').data }],
    ['of a malformed attachment', { data: { partyId: 'p-1', accountId: 'acc-1' } }],
    ['of an unknown version', { schemaVersion: 2 }],
  ])('points to the attachment %s', (_name, changed) => {
    const { input } = scene({ party: 'p-1' });
    const namedByEvent = { ...(input.namedByEvent as RecordedEvent), ...changed };
    expect(reason({ ...input, namedByEvent })).toContain('not attached to the party');
  });

  it('names a party that does not hold the account', () => {
    expect(reason({ ...scene({ party: 'p-1' }).input, holders: ['p-2'] })).toContain('does not hold the account');
  });
});

function rejection(rejectedBy: string): LegalOrderEvent {
  return { type: 'LegalOrderRejected', data: { orderId: 'ord-1', reason: 'r', rejectedBy } };
}
function naming(kind: 'account' | 'party', id: string): Partial<Instrument> {
  return { subjects: [kind === 'account' ? { kind, accountId: id } : { kind, partyId: id }] };
}

describe('a lift because the basis ended', () => {
  /** A freeze in force, then what happened to the order, then the lift that cites the last of it. */
  function lifted(
    endings: readonly [LegalOrderEvent, Timestamp?][],
    changed: Partial<AccountUnfrozen['data']> = {},
  ): { readonly log: Log; readonly input: CitedLift } {
    const { log, input } = scene();
    for (const [event, recordedAt] of endings) log.add(order, event, 'approver-1', recordedAt);
    const basisEvents = log.basis(order);
    const data = {
      accountId: 'acc-1',
      freezeId: input.event.data.freezeId,
      ground: 'basis-ended',
      citation: pointerTo(basisEvents.at(-1) as RecordedEvent),
      requestedBy: 'ops-1',
      approvedBy: 'approver-1',
      ...changed,
    } as const;
    const event = log.add(account, { type: 'AccountUnfrozen', data } as const, 'system:supervisor');
    return { log, input: { event, freezes: frozenBy(input.event), basisEvents } };
  }
  const discharged: [LegalOrderEvent, Timestamp?][] = [[proposed], [ended()]];
  const bySupervisor = { requestedBy: 'system:supervisor', approvedBy: 'system:supervisor' };

  it('resolves to the ending and to those who made it', () => {
    expect(why(lifted(discharged).input)).toBe('resolves');
  });

  it('resolves to the expiry, which is the work of the supervisor', () => {
    expect(why(lifted([[expired, afterExpiry]], bySupervisor).input)).toBe('resolves');
  });

  it('may be decided and not yet stored', () => {
    const { input } = lifted(discharged);
    expect(why({ ...input, event: { ...input.event, position: '' } })).toBe('resolves');
  });

  it('is nothing where there is no such freeze', () => {
    const { input } = lifted(discharged);
    expect(why({ ...input, freezes: initialFreezesState() })).toContain('not in force');
  });

  it('is nothing without an ending', () => {
    const { input } = lifted(discharged);
    expect(why({ ...input, basisEvents: [] })).toContain('does not exist');
    expect(why({ ...input, basisEvents: input.basisEvents.slice(0, -1) })).toContain('does not exist');
  });

  it.each<[string, Partial<EventPointer>]>([
    ['stream', { stream: 'legalOrder-ord-2' }],
    ['revision', { revision: '9' }],
    ['id', { eventId: specEventId(66) }],
  ])('is nothing with a citation of another %s', (_name, wrong) => {
    const { input } = lifted(discharged);
    const citation = { ...input.event.data.citation, ...wrong };
    const event = { ...input.event, data: { ...input.event.data, citation } };
    expect(why({ ...input, event })).toContain('does not exist');
  });

  it('is nothing by the ending of another order', () => {
    const { input } = lifted(discharged);
    const freeze = [...input.freezes.inForce.values()][0];
    if (freeze === undefined) throw new Error('no freeze');
    const other = { ...freeze, basis: { kind: 'legal-order', id: 'ord-2' } } as const;
    const freezes = { ...input.freezes, inForce: new Map([[freeze.freezeId, other]]) };
    expect(why({ ...input, freezes })).toContain('not on the stream of the basis');
  });

  it('is nothing before the ending', () => {
    const { input } = lifted(discharged);
    const position = input.basisEvents.at(-1)?.position ?? '';
    expect(position).not.toBe('');
    expect(why({ ...input, event: { ...input.event, position } })).toContain('later in the log');
  });

  it.each<[string, [LegalOrderEvent, Timestamp?][]]>([
    ['a proposal', [[proposed]]],
    ['an ending that nobody proposed', [[ended()]]],
    ['an ending by its own maker', [[proposed], [ended('ops-1')]]],
    ['an expiry before its time', [[expired]]],
    ['a second ending', [[proposed], [ended()], [ended()]]],
  ])('is nothing by %s', (_name, endings) => {
    const people = endings.length === 1 && endings[0]?.[0] === expired ? bySupervisor : {};
    expect(why(lifted(endings, people).input)).toContain('did not end the basis');
  });

  it.each([{ requestedBy: 'mallory' }, { approvedBy: 'mallory' }])('is nothing in the name of others: %j', (people) => {
    expect(why(lifted(discharged, people).input)).toContain('other people');
  });
});

describe('a lift of what was placed in error', () => {
  function requested(
    changed: Partial<AccountUnfrozen['data']> = {},
    actor = 'approver-1',
    before: readonly FreezeEvent[] = [],
  ): CitedLift {
    const { log, input } = scene();
    const { freezeId } = input.event.data;
    const about = { accountId: 'acc-1', freezeId, requestId: 'req-1' };
    const requestData = { ...about, ground: 'placed-in-error', note: 'n', requestedBy: 'ops-1' } as const;
    const request = log.add(account, { type: 'LiftRequested', data: requestData } as const);
    const citation = pointerTo(request);
    let freezes = evolveFreezes(frozenBy(input.event), request);
    for (const event of before) freezes = evolveFreezes(freezes, log.add(account, event));
    const people = { requestedBy: 'ops-1', approvedBy: 'approver-1' };
    const data = { ...about, ground: 'placed-in-error', citation, ...people, ...changed } as const;
    return { event: log.add(account, { type: 'AccountUnfrozen', data } as const, actor), freezes, basisEvents: [] };
  }

  it('resolves to the request of one person and the approval of another', () => {
    expect(why(requested())).toBe('resolves');
  });

  it('is nothing where there is no such freeze', () => {
    const lift = requested();
    expect(why({ ...lift, freezes: { ...lift.freezes, inForce: new Map() } })).toContain('not in force');
  });

  it('is nothing without a request', () => {
    const { requestId: _, ...data } = requested().event.data;
    const lift = requested();
    expect(why({ ...lift, event: { ...lift.event, data } })).toContain('nobody asks');
    expect(why(requested({ requestId: 'req-2' }))).toContain('nobody asks');
    expect(why({ ...lift, freezes: { ...lift.freezes, liftRequests: new Map() } })).toContain('nobody asks');
  });

  it('is nothing after the request was rejected', () => {
    const { citation, freezeId } = requested().event.data;
    const data = { accountId: 'acc-1', freezeId, requestId: 'req-1', citation, reason: 'r', rejectedBy: 'approver-1' };
    expect(why(requested({}, 'approver-1', [{ type: 'LiftRejected', data }]))).toContain('nobody asks');
  });

  it('is nothing with a citation of something else', () => {
    const { citation } = requested().event.data;
    expect(why(requested({ citation: { ...citation, revision: '0' } }))).toContain('not the request');
  });

  it('is nothing in the name of another maker', () => {
    expect(why(requested({ requestedBy: 'mallory' }))).toContain('another person asked');
  });

  it('is nothing when maker is checker', () => {
    expect(why(requested({ approvedBy: 'ops-1' }, 'ops-1'))).toContain('by the person who asked');
  });

  it('is nothing when the approver is not who acted', () => {
    expect(why(requested({}, 'mallory'))).toContain('another than who acted');
  });
});

function frozenBy(event: Recorded<AccountFrozen>): FreezesState {
  return evolveFreezes(initialFreezesState(), event);
}

function why(lift: CitedLift): string {
  const resolution = resolveLift(lift);
  return resolution.ok ? 'resolves' : resolution.reason;
}
