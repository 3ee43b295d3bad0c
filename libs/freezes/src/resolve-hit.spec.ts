import { describe, expect, it } from '@jest/globals';
import { pointerTo, type DomainEvent, type EventPointer, type Recorded, type RecordedEvent } from '#kernel';
import type { Hit } from '#sanctions';
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
import { foldBasis, type BasisEvent, type FreezeAuthorised } from './basis.ts';
import type { AccountFrozen, AccountUnfrozen } from './events.ts';
import { resolveCitation, resolveLift, type CitedFreeze } from './resolve.ts';
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
  return {
    log,
    input: {
      event,
      basisEvents: on(log, SAMPLE_HIT_STREAM),
      namedByEvent: at(log, namedBy),
      linkedByEvent: linkedBy === undefined ? undefined : at(log, linkedBy),
      holders: ['p-1'],
    },
  };
}

function on(log: LogBuilder, stream: string): Recorded<BasisEvent>[] {
  return log.events.filter((event) => event.stream === stream) as unknown as Recorded<BasisEvent>[];
}

function at(log: LogBuilder, { stream, revision }: EventPointer): RecordedEvent | undefined {
  return log.events.find((event) => event.stream === stream && String(event.revision) === revision);
}

function frozenBy(authorisation: Recorded<FreezeAuthorised>): AccountFrozen {
  const { accountId, scope } = authorisation.data;
  const citation = pointerTo(authorisation);
  const found = { balancesAtFreeze: [], stopped: [], inFlight: [], blockedFrom: '2022-04-05T00:00:00.000Z' };
  const data = { accountId, freezeId: authorisation.id, basis, citation, scope, placedBy: SAMPLE_MAKER, ...found };
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

  it.each<[string, RegExp, Scene]>([
    ['was only raised', /not confirmed/, { history: [raisedHit()] }],
    ['was confirmed by who raised it', /not confirmed/, { history: [raisedHit(), confirmedHit(SAMPLE_MAKER)] }],
    ['was dismissed', /dismissed/, { history: [raisedHit(), dismissedHit()] }],
    ['was to be cleared', /clearance/, { history: [raisedHit(), confirmedHit(), proposedClearance()] }],
    ['was cleared', /cleared/, { history: [raisedHit(), confirmedHit(), proposedClearance(), clearedHit()] }],
    ['asks for less', /freezes no property/, { history: [raisedHit(hitOfMeasure('other')), confirmedHit()] }],
    [
      'names another party',
      /names no holder/,
      { history: [raisedHit({ subject: { kind: 'party', partyId: 'p-2' } }), confirmedHit()] },
    ],
  ])('does not resolve if the hit %s', (_what, expected, spoilt) => {
    expect(reason(scene(spoilt).input)).toMatch(expected);
  });

  it.each<[string, RegExp, Scene]>([
    ['the account was attached to nobody', /not attached/, { attachment: linked() }],
    ['another account was attached', /not attached/, { attachment: attached('acc-2') }],
    ['nothing is linked', /names no holder/, { subject: sampleAddress }],
    ['a link is not needed', /linked to the party/, { link: linked() }],
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
    const basisEvents = on(log, SAMPLE_HIT_STREAM);
    const citation = pointerTo(basisEvents.at(-1) as unknown as RecordedEvent);
    const { freezeId, accountId } = input.event.data;
    const people = { requestedBy: SAMPLE_MAKER, approvedBy: SAMPLE_CHECKER };
    const data = { accountId, freezeId, ground: 'basis-ended', citation, ...people, ...changes } as const;
    const event = log.append(account, { type: 'AccountUnfrozen', data }) as Recorded<AccountUnfrozen>;
    const freezes = evolveFreezes(initialFreezesState(), input.event);
    const resolution = resolveLift({ event, freezes, basisEvents });
    return resolution.ok ? 'resolves' : resolution.reason;
  }

  it('resolves by the clearance that two people agreed on', () => {
    expect(lift({}, [proposedClearance(), clearedHit()])).toBe('resolves');
  });

  it.each<[string, RegExp, Partial<AccountUnfrozen['data']>, DomainEvent[]]>([
    ['a clearance that is only proposed', /did not end/, {}, [proposedClearance()]],
    [
      'a clearance that one person made alone',
      /did not end/,
      {},
      [proposedClearance(), clearedHit({ approvedBy: SAMPLE_MAKER })],
    ],
    ['a clearance that nobody proposed', /did not end/, {}, [clearedHit()]],
    ['a clearance by others', /other people/, { approvedBy: 'third' }, [proposedClearance(), clearedHit()]],
  ])('does not resolve by %s', (_what, expected, changes, ending) => {
    expect(lift(changes, ending)).toMatch(expected);
  });
});

describe('foldBasis', () => {
  it('knows no other streams', () => {
    expect(foldBasis('account-acc-1', [])).toBeUndefined();
  });
});
