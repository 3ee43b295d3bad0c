import { describe, expect, it } from '@jest/globals';
import {
  pointerTo,
  type BasisState,
  type DomainEvent,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import {
  checkSanctionsHit,
  evolveSanctionsHit,
  initialSanctionsHitState,
  sanctionsHitBasis,
  type Hit,
  type SanctionsHitEvent,
} from '#sanctions';
import {
  authorisedUnderHit,
  clearedHit,
  confirmedHit,
  dismissedHit,
  hitOfMeasure,
  LogBuilder,
  proposedClearance,
  raisedHit,
  SAMPLE_CHECKER,
  SAMPLE_HIT_STREAM,
  SAMPLE_MAKER,
  sampleAddress,
} from '#testing';
import { evolveParty, initialPartyState, linkName, spellingOf, type PartyState } from '#parties';
import type { BasisEvent, FreezeAuthorised } from './basis.ts';
import type { AccountFrozen, AccountUnfrozen } from './events.ts';
import { resolveCitation, resolveLift, resolveNaming, type CitedFreeze, type CitedNaming } from './resolve.ts';
import { evolveFreezes, initialFreezesState } from './state.ts';

const basis = { kind: 'sanctions-hit', id: 'hit-1' } as const;
const party = 'party-p-1';
const account = 'account-acc-1';

function attached(accountId = 'acc-1'): DomainEvent {
  const holder = { partyId: 'p-1', capacity: 'owner' };
  const opening = { accountId, holders: [holder], key: { caller: 'svc', value: 'k' }, commandHash: 'c'.repeat(64) };
  return { type: 'AccountAttached', data: { ...holder, accountId, opening } };
}

function linked(changes: object = {}): DomainEvent {
  const { chain, address } = sampleAddress;
  return { type: 'AddressLinked', data: { partyId: 'p-1', chain, address, role: 'holder-controlled', ...changes } };
}

interface Scene {
  readonly subject?: Hit['subject'];
  readonly history?: readonly DomainEvent[];
  readonly attachment?: DomainEvent;
  /** Undefined: nothing is linked. */
  readonly link?: DomainEvent;
  /** The link comes after the authorisation. */
  readonly late?: boolean;
}

/** A confirmed hit, an authorisation, and the freeze that cites it; a specification spoils one thing. */
function scene({ history, attachment = attached(), link, late = false, subject }: Scene = {}): {
  readonly log: LogBuilder;
  readonly input: CitedFreeze;
} {
  const log = new LogBuilder();
  const namedBy = pointerTo(log.append(party, attachment));
  const raised = raisedHit(subject === undefined ? {} : { subject });
  for (const event of history ?? [raised, confirmedHit()]) log.append(SAMPLE_HIT_STREAM, event);
  const linkedBy: EventPointer | undefined =
    link === undefined
      ? undefined
      : late
        ? { stream: party, revision: '1', eventId: '00000000-0000-7000-8000-0000000000ff' }
        : pointerTo(log.append(party, link));
  const data = { namedBy, ...(linkedBy === undefined ? {} : { linkedBy }) };
  const authorisation = log.append(SAMPLE_HIT_STREAM, authorisedUnderHit(data)) as Recorded<FreezeAuthorised>;
  if (late && link !== undefined) {
    log.forge(party, link, { id: '00000000-0000-7000-8000-0000000000ff' });
  }
  const event = log.append(account, frozenBy(authorisation)) as Recorded<AccountFrozen>;
  const { basis: hit, legal } = folded(log);
  return {
    log,
    input: {
      event,
      cited: legal.get(authorisation.revision),
      addresses: hit.subjects.addresses,
      namedByEvent: at(log, namedBy),
      linkedByEvent: linkedBy === undefined ? undefined : at(log, linkedBy),
      holders: ['p-1'],
    },
  };
}

/** The hit as its own rule makes it: what should never be changes nothing and can't be cited. */
function folded(log: LogBuilder): {
  readonly basis: BasisState;
  readonly legal: ReadonlyMap<number, Recorded<BasisEvent>>;
  readonly last: RecordedEvent;
} {
  const events = log.events.filter((event) => event.stream === SAMPLE_HIT_STREAM);
  const legal = new Map<number, Recorded<BasisEvent>>();
  let state = initialSanctionsHitState();
  for (const event of events as unknown as Recorded<SanctionsHitEvent>[]) {
    if (checkSanctionsHit(state, event) !== undefined) continue;
    legal.set(event.revision, event);
    state = evolveSanctionsHit(state, event);
  }
  const last = events.at(-1);
  if (last === undefined) throw new Error('no hit');
  return { basis: sanctionsHitBasis('hit-1', state), legal, last };
}

function at(log: LogBuilder, { stream, revision }: EventPointer): RecordedEvent | undefined {
  return log.events.find((event) => event.stream === stream && String(event.revision) === revision);
}

function frozenBy(authorisation: Recorded<FreezeAuthorised>): AccountFrozen {
  const { accountId, scope } = authorisation.data;
  const citation = pointerTo(authorisation);
  const found = { balancesAtFreeze: [], stopped: [], inFlight: [], blockedFrom: '2022-04-05T00:00:00.000Z' };
  const placed = { placedBy: SAMPLE_MAKER, claimGroup: 'sanctions-hit/hit-1', ...found };
  const data = { accountId, freezeId: authorisation.id, basis, citation, scope, ...placed };
  return { type: 'AccountFrozen', data };
}

function reason(input: CitedFreeze): string {
  const resolution = resolveCitation(input);
  return resolution.ok ? 'resolves' : resolution.reason;
}

describe('a freeze under a hit', () => {
  it('resolves by the authorisation of a confirmed hit on a holder', () => {
    expect(reason(scene().input)).toBe('resolves');
  });

  it('resolves by attachment and link, where the hit is on an address', () => {
    expect(reason(scene({ subject: sampleAddress, link: linked() }).input)).toBe('resolves');
  });

  it.each<[string, Scene]>([
    ['was only raised', { history: [raisedHit()] }],
    ['was confirmed by who raised it', { history: [raisedHit(), confirmedHit(SAMPLE_MAKER)] }],
    ['was dismissed', { history: [raisedHit(), dismissedHit()] }],
    ['was to be cleared', { history: [raisedHit(), confirmedHit(), proposedClearance()] }],
    ['was cleared', { history: [raisedHit(), confirmedHit(), proposedClearance(), clearedHit()] }],
    ['asks for less', { history: [raisedHit(hitOfMeasure('other')), confirmedHit()] }],
    ['names another party', { history: [raisedHit({ subject: { kind: 'party', partyId: 'p-2' } }), confirmedHit()] }],
  ])('does not resolve if the hit %s', (_what, spoilt) => {
    // What the hit's own rule does not allow is nothing that can be cited.
    expect(reason(scene(spoilt).input)).toBe('the cited event does not exist');
  });

  it.each<[string, RegExp, Scene]>([
    ['the account was attached to nobody', /not attached/, { attachment: linked() }],
    ['another account was attached', /not attached/, { attachment: attached('acc-2') }],
    ['nothing is linked', /cited event does not exist/, { subject: sampleAddress }],
    ['a link is not needed', /cited event does not exist/, { link: linked() }],
    ['the address is one of ours', /as its own/, { subject: sampleAddress, link: linked({ role: 'deposit-address' }) }],
    ['the address is another', /as its own/, { subject: sampleAddress, link: linked({ address: 'bc1qother' }) }],
    ['the chain is another', /as its own/, { subject: sampleAddress, link: linked({ chain: 'litecoin' }) }],
    ['the link is of another party', /as its own/, { subject: sampleAddress, link: linked({ partyId: 'p-2' }) }],
    ['the link is malformed', /as its own/, { subject: sampleAddress, link: linked({ more: 1 }) }],
    ['the link is no link', /as its own/, { subject: sampleAddress, link: attached() }],
    ['the link came later', /later than/, { subject: sampleAddress, link: linked(), late: true }],
  ])('does not resolve if %s', (_what, expected, spoilt) => {
    expect(reason(scene(spoilt).input)).toMatch(expected);
  });

  it('does not resolve if the link has a later time, whatever its place', () => {
    const { input } = scene({ subject: sampleAddress, link: linked() });
    const { linkedByEvent: link } = input;
    if (link === undefined) throw new Error('nothing was linked');
    const metadata = { ...link.metadata, recordedAt: '2100-01-01T00:00:00.000Z' };
    expect(reason({ ...input, linkedByEvent: { ...link, metadata } })).toMatch(/links the address is later than/);
  });

  it('does not resolve without what it points to, nor for an account of other holders', () => {
    const { input } = scene({ subject: sampleAddress, link: linked() });
    expect(reason({ ...input, linkedByEvent: undefined })).toMatch(/links the address does not exist/);
    expect(reason({ ...input, namedByEvent: undefined })).toMatch(/names the account does not exist/);
    expect(reason({ ...input, holders: ['p-2'] })).toMatch(/does not hold/);
  });

  it('does not resolve as one under an order of the same id', () => {
    const { input } = scene();
    const data = { ...input.event.data, basis: { kind: 'legal-order', id: 'hit-1' } } as const;
    expect(reason({ ...input, event: { ...input.event, data } })).toMatch(/not on the stream of the basis/);
  });
});

describe('the lift of a freeze under a hit', () => {
  function lift(changes: Partial<AccountUnfrozen['data']> = {}, ending: readonly DomainEvent[] = []): string {
    const { log, input } = scene();
    for (const event of ending) log.append(SAMPLE_HIT_STREAM, event);
    const { basis: hit, legal, last } = folded(log);
    const citation = pointerTo(last);
    const { freezeId, accountId } = input.event.data;
    const people = { requestedBy: SAMPLE_MAKER, approvedBy: SAMPLE_CHECKER };
    const data = { accountId, freezeId, ground: 'basis-ended', citation, ...people, ...changes } as const;
    const event = log.append(account, { type: 'AccountUnfrozen', data }) as Recorded<AccountUnfrozen>;
    const freezes = evolveFreezes(initialFreezesState(), input.event);
    const resolution = resolveLift({
      event,
      freezes,
      cited: legal.get(last.revision),
      ended: hit.ended,
      lostBy: () => undefined,
    });
    return resolution.ok ? 'resolves' : resolution.reason;
  }

  it('resolves by the clearance that two people agreed on', () => {
    expect(lift({}, [proposedClearance(), clearedHit()])).toBe('resolves');
  });

  it.each<[string, RegExp, Partial<AccountUnfrozen['data']>, DomainEvent[]]>([
    ['a clearance that is only proposed', /did not end/, {}, [proposedClearance()]],
    [
      'a clearance that one person made alone',
      /does not exist/,
      {},
      [proposedClearance(), clearedHit({ approvedBy: SAMPLE_MAKER })],
    ],
    ['a clearance that nobody proposed', /does not exist/, {}, [clearedHit()]],
    ['a clearance by others', /other people/, { approvedBy: 'third' }, [proposedClearance(), clearedHit()]],
  ])('does not resolve by %s', (_what, expected, changes, ending) => {
    expect(lift(changes, ending)).toMatch(expected);
  });
});

describe('a party named by a hit', () => {
  const registration = { partyId: 'p-1', kind: 'person', externalRef: 'r', createdAt: '2022-01-01T00:00:00.000Z' };
  const alone: PartyState = { ...initialPartyState(), registered: registration };
  const linkedAs = (
    role: 'holder-controlled' | 'deposit-address',
    address: string = sampleAddress.address,
  ): PartyState => {
    const linkedBy = { stream: party, revision: '1', eventId: '00000000-0000-7000-8000-0000000000ff' };
    const linked = { ...sampleAddress, address };
    const link = { linkedBy, spellings: [spellingOf(linked)] };
    return { ...alone, addresses: new Map([[linkName(linked, role), link]]) };
  };

  /** A hit with a history, and an event of the party that cites the event at a revision of it. */
  function rested(
    type: 'PartyNamed' | 'PartyNoLongerNamed',
    history: readonly DomainEvent[],
    revision: number,
    state = alone,
  ): CitedNaming {
    const log = new LogBuilder();
    for (const event of history) log.append(SAMPLE_HIT_STREAM, event);
    const { basis: hit, legal } = folded(log);
    const cited = at(log, { stream: SAMPLE_HIT_STREAM, revision: String(revision), eventId: '' });
    if (cited === undefined) throw new Error('no such event');
    const data = { partyId: 'p-1', basis, citation: pointerTo(cited) };
    const event = log.append(party, { type, data }) as unknown as CitedNaming['event'];
    return { event, cited: legal.get(revision), basis: hit, party: state };
  }

  function verdict(naming: CitedNaming): string {
    const resolution = resolveNaming(naming);
    return resolution.ok ? 'resolves' : resolution.reason;
  }

  const onAddress = [raisedHit({ subject: sampleAddress }), confirmedHit()];
  const inForce = [raisedHit(), confirmedHit()];
  const over = [...inForce, proposedClearance(), clearedHit()];

  it('cites the confirmation, also of a hit that was cleared since', () => {
    expect(verdict(rested('PartyNamed', inForce, 1))).toBe('resolves');
    expect(verdict(rested('PartyNamed', over, 1))).toBe('resolves');
  });

  it('may be named through an address of its own', () => {
    expect(verdict(rested('PartyNamed', onAddress, 1, linkedAs('holder-controlled')))).toBe('resolves');
  });

  it.each<[string, string, CitedNaming]>([
    ['that was only raised', 'did not put the basis in force', rested('PartyNamed', inForce, 0)],
    ['by its clearance', 'did not put the basis in force', rested('PartyNamed', over, 3)],
    [
      'confirmed by who raised it',
      'does not exist',
      rested('PartyNamed', [raisedHit(), confirmedHit(SAMPLE_MAKER)], 1),
    ],
    [
      'on another party',
      'does not name the party',
      rested('PartyNamed', [raisedHit({ subject: { kind: 'party', partyId: 'p-2' } }), confirmedHit()], 1),
    ],
    [
      'that asks for less than a freeze',
      'does not name the party',
      rested('PartyNamed', [raisedHit(hitOfMeasure('other')), confirmedHit()], 1),
    ],
    ['on an address that nobody linked', 'does not name the party', rested('PartyNamed', onAddress, 1)],
    [
      'on an address that is one of ours',
      'does not name the party',
      rested('PartyNamed', onAddress, 1, linkedAs('deposit-address')),
    ],
    [
      'on another address than its own',
      'does not name the party',
      rested('PartyNamed', onAddress, 1, linkedAs('holder-controlled', 'bc1qother')),
    ],
  ])('is not named by a hit %s', (_what, why, naming) => {
    expect(verdict(naming)).toContain(why);
  });

  it('is not named before the hit was confirmed, by the clock', () => {
    const { event, ...rest } = rested('PartyNamed', inForce, 1);
    const metadata = { ...event.metadata, recordedAt: '2000-01-01T00:00:00.000Z' };
    expect(verdict({ ...rest, event: { ...event, metadata } })).toContain('is later than what cites it');
  });

  it('is no longer named by the clearance, and by nothing else', () => {
    const naming = rested('PartyNamed', inForce, 1);
    const named = { party: evolveParty({ ...naming.party, named: new Map() }, naming.event) };
    expect(verdict({ ...rested('PartyNoLongerNamed', over, 3), ...named })).toBe('resolves');
    expect(verdict({ ...rested('PartyNoLongerNamed', over, 2), ...named })).toContain('did not end what');
    expect(verdict({ ...rested('PartyNoLongerNamed', inForce, 1), ...named })).toContain('did not end what');
  });
});
