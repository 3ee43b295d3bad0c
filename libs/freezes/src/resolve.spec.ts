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
import {
  checkLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderBasis,
  type FreezeAuthorised,
  type Instrument,
  type LegalOrderEvent,
  type LegalOrderState,
} from '#legal-orders';
import { evolveParty, initialPartyState, type PartyState } from '#parties';
import { actorNamed, specEventId, specPointer } from '#testing';
import type { AccountFrozen, AccountUnfrozen, FreezeEvent } from './events.ts';
import {
  resolveAbandonment,
  resolveCitation,
  resolveLift,
  resolveNaming,
  type CitedAbandonment,
  type CitedBasisEvent,
  type CitedFreeze,
  type CitedLift,
  type CitedNaming,
} from './resolve.ts';
import { evolveFreezes, initialFreezesState, type FreezesState } from './state.ts';

const order = 'legalOrder-ord-1';
const account = 'account-acc-1';
/** No variation of the order. */
const lostBy = (): undefined => undefined;
const now = '2022-04-06T12:00:00.000Z';
const everything: Scope = { direction: 'debit', assets: 'all' };
const bitcoin: Scope = { direction: 'debit', assets: ['BTC'] };

/** A log of its own for each specification: revisions, positions and ids as a store gives them. */
class Log {
  readonly events: RecordedEvent[] = [];

  add<Event extends DomainEvent>(
    stream: string,
    event: Event,
    actor = actorNamed(event)?.id ?? 'ops-1',
    recordedAt = now,
  ): Recorded<Event> {
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
  return { event, cited: citedIn(log, event.data.citation), namedByEvent: log.at(namedBy), addresses: [] };
}

/** An order as its own rule makes it: what should never be changes nothing and can't be cited. */
function foldOrder(events: readonly Recorded<LegalOrderEvent>[]): {
  readonly legal: ReadonlyMap<number, Recorded<LegalOrderEvent>>;
  readonly state: LegalOrderState;
} {
  const legal = new Map<number, Recorded<LegalOrderEvent>>();
  let state = initialLegalOrderState();
  for (const event of events) {
    if (checkLegalOrder(state, event) !== undefined) continue;
    legal.set(event.revision, event);
    state = evolveLegalOrder(state, event);
  }
  return { legal, state };
}

function citedIn(log: Log, { stream, revision }: EventPointer): CitedBasisEvent {
  return foldOrder(log.basis(stream)).legal.get(Number(revision));
}

/** The event in its place in the log, a millisecond before the others by its time. */
function earlierByTime<Event extends RecordedEvent>(event: Event): Event {
  return { ...event, metadata: { ...event.metadata, recordedAt: '2022-04-06T11:59:59.999Z' } };
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
    expect(reason(scene({ history, authorised: { scope: bitcoin } }).input)).toMatch(/does not exist/);
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
    expect(reason(scene({ authorised, frozen: authorised }).input)).toMatch(/does not exist/);
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
    expect(reason({ ...input, cited: undefined })).toBe('the cited event does not exist');
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
    const cited = citedIn(log, event.data.citation);
    expect(reason({ ...input, cited, event })).toBe('the cited event authorises no freeze');
  });

  it('states another basis than the one whose stream it cites', () => {
    const { input } = scene({ frozen: { basis: { kind: 'legal-order', id: 'ord-2' } } });
    expect(reason(input)).toContain('not on the stream of the basis');
  });

  it('freezes another account than was authorised', () => {
    const history = [registered(subject('account', 'acc-2')), verified()];
    const other = { history, authorised: { accountId: 'acc-2' }, frozen: { accountId: 'acc-1' } };
    expect(reason(scene(other).input)).toContain('another account');
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

  it('has a time before that of its authorisation, whatever its place', () => {
    const { input } = scene();
    expect(reason({ ...input, event: earlierByTime(input.event) })).toContain('is later than the freeze');
  });

  it('was asked for by another person', () => {
    expect(reason(scene({ frozen: { placedBy: 'mallory' } }).input)).toContain('asked for by another person');
  });

  it('was placed by another than who asked for it, unless the supervisor finished it', () => {
    const { input } = scene();
    const by = (id: string): CitedFreeze => {
      const metadata = { ...input.event.metadata, actor: { id, roles: [] } };
      return { ...input, event: { ...input.event, metadata } };
    };
    expect(reason(by('mallory'))).toContain('placed by another');
    expect(reason(by('system:supervisor'))).toBe('resolves');
  });

  it('states another legal time than was authorised, if one was', () => {
    const authorised = { blockedFrom: '2022-04-05T00:00:00.000Z' };
    expect(reason(scene({ authorised, frozen: authorised }).input)).toBe('resolves');
    expect(reason(scene({ authorised }).input)).toContain('legal time');
  });

  it('stands before its authorisation in the log', () => {
    const { input } = scene();
    const before = { ...input.event, position: '0000000000000001' };
    expect(reason({ ...input, event: before })).toContain('later than the freeze');
  });

  it('stands where its authorisation does', () => {
    const { input } = scene();
    const same = { ...input.event, position: input.cited?.position ?? '' };
    expect(same.position).not.toBe('');
    expect(reason({ ...input, event: same })).toContain('later than the freeze');
  });
});

describe('an authorisation that the order could not give', () => {
  it.each<[string, Scene]>([
    ['not registered', { history: [verified()] }],
    ['not verified', { history: [registered()] }],
    ['verified by its own maker', { history: [registered(), verified('ops-1')] }],
    ['rejected', { history: [registered(), rejection('approver-1')] }],
    ['not yet effective', { authorisedAt: '2022-04-01T23:59:59.999Z' }],
    ['out of time', { authorisedAt: afterExpiry }],
    ['about to be ended', { history: [registered(), verified(), proposed] }],
    ['ended', { history: [registered(), verified(), proposed, ended()] }],
    ['narrower', { history: [registered({ scope: bitcoin }), verified()] }],
    ['about another account', { history: [registered(subject('account', 'acc-9')), verified()] }],
    ['about another party', { party: 'p-1', history: [registered(subject('party', 'p-9')), verified()] }],
    ['about a party alone', { history: [registered(subject('party', 'p-1')), verified()] }],
    ['another by its own word', { authorised: { orderId: 'ord-2' } }],
    ['tied by another event than its registration', { authorised: { namedBy: specPointer(order, 1) } }],
    ['tied by another party', { party: 'p-2', authorised: { partyId: 'p-1' } }],
  ])('%s: is nothing that can be cited', (_name, spoiled) => {
    expect(reason(scene(spoiled).input)).toBe('the cited event does not exist');
  });
});

describe('an authorisation whose account nothing ties to the order', () => {
  it('points to nothing', () => {
    expect(reason({ ...scene().input, namedByEvent: undefined })).toContain('names the account does not exist');
  });

  it('points to what has a later time than itself, whatever its place', () => {
    const { input } = scene({ party: 'p-1', authorised: { partyId: 'p-1' } });
    const { cited } = input;
    if (cited === undefined) throw new Error('nothing was authorised');
    const event = earlierByTime(input.event);
    expect(reason(input)).toBe('resolves');
    expect(reason({ ...input, event, cited: earlierByTime(cited) })).toContain('is later than the authorisation');
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
    const authorisation = input.cited as RecordedEvent;
    for (const position of [authorisation.position, input.event.position]) {
      const namedByEvent = { ...(log.of('party-p-1')[0] as RecordedEvent), position };
      expect(reason({ ...input, namedByEvent })).toContain('later than the authorisation');
    }
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
function subject(kind: 'account' | 'party', id: string): Partial<Instrument> {
  return { subjects: [kind === 'account' ? { kind, accountId: id } : { kind, partyId: id }] };
}

describe('a lift because the basis ended', () => {
  /** A freeze in force, then what happened to the order, then the lift that cites the last of it. */
  function lifted(
    endings: readonly [LegalOrderEvent, Timestamp?][],
    changed: Partial<AccountUnfrozen['data']> = {},
  ): { readonly log: Log; readonly input: CitedLift } {
    const { log, input } = scene();
    for (const [event, recordedAt] of endings) log.add(order, event, undefined, recordedAt);
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
    const at = endings.at(-1)?.[1] ?? now;
    const event = log.add(account, { type: 'AccountUnfrozen', data } as const, 'system:supervisor', at);
    const { ended: end } = foldOrder(basisEvents).state;
    return {
      log,
      input: { event, freezes: frozenBy(input.event), cited: citedIn(log, data.citation), ended: end, lostBy },
    };
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
    const { log, input } = lifted(discharged);
    expect(why({ ...input, cited: undefined })).toContain('does not exist');
    expect(why({ ...input, cited: citedIn(log, specPointer(order, 3)) })).toContain('does not exist');
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
    const position = input.cited?.position ?? '';
    expect(position).not.toBe('');
    expect(why({ ...input, event: { ...input.event, position } })).toContain('later than the lift');
    expect(why({ ...input, event: earlierByTime(input.event) })).toContain('later than the lift');
  });

  it('is nothing by a proposal', () => {
    expect(why(lifted([[proposed]]).input)).toContain('did not end the basis');
  });

  it('is nothing by what was proposed before another event ended the order', () => {
    const { log, input } = lifted(discharged);
    const citation = pointerTo(log.basis(order).at(-2) as RecordedEvent);
    const event = { ...input.event, data: { ...input.event.data, citation } };
    expect(why({ ...input, event, cited: citedIn(log, citation) })).toContain('did not end the basis');
  });

  it.each<[string, [LegalOrderEvent, Timestamp?][]]>([
    ['an ending that nobody proposed', [[ended()]]],
    ['an ending by its own maker', [[proposed], [ended('ops-1')]]],
    ['an expiry before its time', [[expired]]],
    ['a second ending', [[proposed], [ended()], [ended()]]],
  ])('is nothing by %s', (_name, endings) => {
    const people = endings.length === 1 && endings[0]?.[0] === expired ? bySupervisor : {};
    expect(why(lifted(endings, people).input)).toContain('does not exist');
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
    return {
      event: log.add(account, { type: 'AccountUnfrozen', data } as const, actor),
      freezes,
      cited: undefined,
      ended: undefined,
      lostBy,
    };
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

describe('an authorisation that was abandoned', () => {
  const truth = {
    ...{ ending: undefined, varied: undefined, freezes: initialFreezesState(), lostBy },
    ...{ holders: [], keyStands: false },
  } as const;
  type Data = CitedAbandonment['event']['data'];
  function abandoned(
    changed: Partial<Data>,
    spoiled: Scene = {},
  ): { readonly log: Log; readonly input: CitedAbandonment } {
    const { log, input } = scene(spoiled);
    const { accountId, freezeId, basis, citation } = input.event.data;
    const data: Data = { accountId, freezeId, basis, citation, reason: 'already-frozen', ...changed };
    const event = log.add(account, { type: 'FreezeAbandoned', data } as const);
    return {
      log,
      input: { ...truth, event, cited: citedIn(log, data.citation) },
    };
  }
  const verdict = (input: CitedAbandonment): string => {
    const resolution = resolveAbandonment(input);
    return resolution.ok ? 'resolves' : resolution.reason;
  };

  it.each(['already-frozen', 'account-not-open'] as const)('%s: the account alone can tell', (why) => {
    expect(verdict(abandoned({ reason: why }).input)).toBe('resolves');
  });

  it.each(['already-frozen', 'account-not-open', 'key-used', 'basis-ended', 'not-a-holder'] as const)(
    '%s: is nothing where nothing was authorised',
    (why) => {
      const facts = { holders: ['p-2'], keyStands: true };
      const { log, input } = abandoned({ reason: why }, { party: 'p-1' });
      for (const event of [proposed, ended()]) log.add(order, event);
      const ending = citedIn(log, specPointer(order, 4));
      const late = { ...input, ...facts, ending, event: { ...input.event, position: '' } };
      expect(verdict(late)).toBe('resolves');
      expect(verdict({ ...late, cited: undefined })).toContain('does not exist');
      expect(verdict({ ...late, cited: citedIn(log, specPointer(order, 1)) })).toContain('does not exist');
    },
  );

  it('resolves nothing but the authorisation that it cites', () => {
    const { log } = scene();
    const { id, stream } = log.basis(order)[1] as RecordedEvent;
    const verification = { citation: { stream, revision: '1', eventId: id }, freezeId: id };
    expect(verdict(abandoned(verification).input)).toContain('authorises no freeze');
    expect(verdict(abandoned({ basis: { kind: 'legal-order', id: 'ord-2' } }).input)).toContain('stream of the basis');
    expect(verdict(abandoned({ accountId: 'acc-2' }).input)).toContain('another account');
    expect(verdict(abandoned({ freezeId: specEventId(99) }).input)).toContain('the id of its authorisation');
    const { input } = abandoned({});
    const early = { ...input.event, position: input.cited?.position ?? 'f' };
    expect(verdict({ ...input, event: early })).toContain('later than');
    expect(verdict({ ...input, event: earlierByTime(input.event) })).toContain('later than');
  });

  it('for a holder who is none: only where the order names the account through a party that does not hold it', () => {
    const reasoned = { reason: 'not-a-holder' } as const;
    const { input } = abandoned(reasoned, { party: 'p-1' });
    expect(verdict({ ...input, holders: ['p-2'] })).toBe('resolves');
    expect(verdict({ ...input, holders: ['p-2', 'p-1'] })).toContain('holds the account');
    expect(verdict({ ...abandoned(reasoned).input, holders: ['p-2'] })).toContain('names the account itself');
  });

  it('for a key that was used: only where it was', () => {
    const { input } = abandoned({ reason: 'key-used' });
    expect(verdict({ ...input, keyStands: true })).toBe('resolves');
    expect(verdict(input)).toContain('was not used');
  });

  it('for a basis that ended: only where that is earlier in the log', () => {
    const { log, input } = abandoned({ reason: 'basis-ended' });
    expect(verdict(input)).toContain('had not ended');
    log.add(order, proposed);
    log.add(order, ended());
    const ending = citedIn(log, specPointer(order, 4));
    expect(ending?.type).toBe('LegalOrderEnded');
    expect(verdict({ ...input, ending })).toContain('had not ended');
    expect(verdict({ ...input, ending, event: { ...input.event, position: 'f'.repeat(16) } })).toBe('resolves');
  });
});

describe('the naming of a party', () => {
  const verdict = (input: CitedNaming): string => {
    const resolution = resolveNaming(input);
    return resolution.ok ? 'resolves' : resolution.reason;
  };
  const registration = { partyId: 'p-1', kind: 'person', externalRef: 'r', createdAt: now };
  const party: PartyState = { ...initialPartyState(), registered: registration };
  const naming = { partyId: 'p-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;

  /** An order with a history, and an event of a party that cites the event at a revision of it. */
  function rested(
    type: 'PartyNamed' | 'PartyNoLongerNamed',
    history: readonly LegalOrderEvent[],
    at: number,
    recordedAt = history.includes(expired) ? afterExpiry : now,
  ): CitedNaming {
    const log = new Log();
    for (const event of history) log.add(order, event, undefined, event === expired ? afterExpiry : now);
    const citation = pointerTo(log.of(order)[at] as RecordedEvent);
    const event = log.add(
      'party-p-1',
      { type, data: { ...naming, citation } } as const,
      'system:supervisor',
      recordedAt,
    );
    const { legal, state } = foldOrder(log.basis(order));
    return { event, cited: legal.get(at), basis: legalOrderBasis('ord-1', state), party };
  }
  const inForce = [registered(), verified()];
  const over = [...inForce, proposed, ended()];

  it('resolves to the verification of an order that names it, also one that has ended since', () => {
    expect(verdict(rested('PartyNamed', inForce, 1))).toBe('resolves');
    expect(verdict(rested('PartyNamed', over, 1))).toBe('resolves');
    // From the very time at which the order becomes effective.
    expect(verdict(rested('PartyNamed', [registered({ effectiveAt: now }), verified()], 1))).toBe('resolves');
    const { event, ...rest } = rested('PartyNamed', inForce, 1);
    expect(verdict({ ...rest, event: { ...event, position: '' } })).toBe('resolves');
  });

  it.each<[string, CitedNaming, string]>([
    ['a registration', rested('PartyNamed', inForce, 0), 'did not put the basis in force'],
    ['an ending', rested('PartyNamed', over, 3), 'did not put the basis in force'],
    ['a verification by the maker', rested('PartyNamed', [registered(), verified('ops-1')], 1), 'does not exist'],
    [
      'an order for its account',
      rested('PartyNamed', [registered(subject('account', 'acc-1')), verified()], 1),
      'does not name the party',
    ],
    [
      'an order for another party',
      rested('PartyNamed', [registered(subject('party', 'p-2')), verified()], 1),
      'does not name the party',
    ],
    [
      'an order that is not effective yet',
      rested('PartyNamed', [registered({ effectiveAt: '2022-04-06T12:00:00.001Z' }), verified()], 1),
      'not effective yet',
    ],
  ])('is nothing by %s', (_name, input, why) => {
    expect(verdict(input)).toContain(why);
  });

  it('is nothing by what comes later, or stands elsewhere', () => {
    const input = rested('PartyNamed', inForce, 1);
    const { event, cited } = input;
    expect(verdict({ ...input, event: { ...event, position: cited?.position ?? 'f' } })).toContain('later than');
    expect(verdict({ ...input, event: earlierByTime(event) })).toContain('later than');
    const basis = { kind: 'legal-order', id: 'ord-2' } as const;
    expect(verdict({ ...input, event: { ...event, data: { ...event.data, basis } } })).toContain('stream of the basis');
    const citation = { ...event.data.citation, eventId: specEventId(9) };
    expect(verdict({ ...input, event: { ...event, data: { ...event.data, citation } } })).toContain('does not exist');
  });

  it('ends by what ended the order, and by nothing else', () => {
    const { event } = rested('PartyNamed', inForce, 1);
    const unnamed = (input: CitedNaming): string =>
      verdict({ ...input, party: evolveParty({ ...party, named: new Map() }, event) });
    expect(verdict(rested('PartyNoLongerNamed', over, 3))).toContain('did not end what');
    expect(unnamed(rested('PartyNoLongerNamed', over, 3))).toBe('resolves');
    expect(unnamed(rested('PartyNoLongerNamed', [...inForce, expired], 2))).toBe('resolves');
    expect(unnamed(rested('PartyNoLongerNamed', over, 2))).toContain('did not end what');
    expect(unnamed(rested('PartyNoLongerNamed', inForce, 1))).toContain('did not end what');
    expect(unnamed(rested('PartyNoLongerNamed', [...inForce, ended()], 2))).toContain('does not exist');
  });
});

function frozenBy(event: Recorded<AccountFrozen>): FreezesState {
  return evolveFreezes(initialFreezesState(), event);
}

function why(lift: CitedLift): string {
  const resolution = resolveLift(lift);
  return resolution.ok ? 'resolves' : resolution.reason;
}
