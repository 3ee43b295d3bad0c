import { describe, expect, it } from '@jest/globals';
import { SPEC_NOW, specEventId, specPointer } from '#testing';
import type { BasisEnd, EventPointer, Recorded } from '#kernel';
import type { FreezeAuthorised } from '#legal-orders';
import type { FreezeEvent } from './events.ts';
import { settleAuthorisation, type Settled, type Settlement } from './settle.ts';
import { evolveFreezes, freezeUnder, initialFreezesState, type FreezesState } from './state.ts';
import type { LostBy } from './vary.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const stream = 'legalOrder-ord-1';
const scope = { direction: 'debit', assets: 'all' } as const;

function authorised(partyId?: string): Recorded<FreezeAuthorised> {
  const actor = { id: 'ops-1', roles: ['ops'] };
  const common = { correlationId: 'c', causationId: null, key: null, commandHash: null, previousHash: null, hash: '' };
  const namedBy = specPointer(stream, 0);
  const party = partyId === undefined ? {} : { partyId };
  return {
    type: 'FreezeAuthorised',
    data: { orderId: 'ord-1', accountId: 'acc-1', scope, namedBy, ...party, requestedBy: 'ops-1' },
    id: specEventId(2),
    schemaVersion: 1,
    metadata: { ...common, actor, recordedAt: SPEC_NOW },
    stream,
    revision: 2,
    position: '0000000000000002',
  };
}

function recorded(event: FreezeEvent, revision: number): Recorded<FreezeEvent> {
  const { metadata } = authorised();
  const position = (0x10 + revision).toString(16).padStart(16, '0');
  const place = { stream: 'account-acc-1', revision, position };
  return { ...event, ...place, id: specEventId(0xa0 + revision), schemaVersion: 1, metadata };
}

const resolved: FreezesState = { ...initialFreezesState(), resolved: new Map([[specEventId(2), 'abandoned']]) };
const existingFreezeId = specEventId(0xf9);
function frozenUnder(orderId: string): FreezesState {
  const freeze = {
    freezeId: existingFreezeId,
    basis: { kind: 'legal-order', id: orderId } as const,
    citation: { stream: `legalOrder-${orderId}`, revision: '1', eventId: existingFreezeId },
    scope,
    claimGroup: `legal-order/${orderId}`,
    placedBy: 'ops-1',
    placedAt: SPEC_NOW,
    blockedFrom: SPEC_NOW,
  };
  return { ...initialFreezesState(), inForce: new Map([[existingFreezeId, freeze]]) };
}

/** An authorisation that becomes a freeze; each specification changes what it is about. */
const plain: Settlement = {
  authorisation: authorised(),
  basis,
  freezes: initialFreezesState(),
  account: 'open',
  holders: ['p-1'],
  keyStands: false,
  basisEnded: false,
  lostBy: () => undefined,
  by: 'handler',
};
/** Every clause at once speaks against the freeze; taking away the first ones shows which comes next. */
const worst: Settlement = {
  ...plain,
  authorisation: authorised('p-9'),
  freezes: { ...frozenUnder('ord-1'), resolved: resolved.resolved },
  account: 'opening',
  keyStands: true,
  basisEnded: true,
  by: 'supervisor',
};

describe('what an authorisation comes to', () => {
  it.each(['handler', 'supervisor'] as const)('is a freeze when nothing is against it (%s)', (by) => {
    expect(settleAuthorisation({ ...plain, by })).toEqual({ outcome: 'freeze' });
    expect(settleAuthorisation({ ...plain, by, authorisation: authorised('p-1') })).toEqual({ outcome: 'freeze' });
    expect(settleAuthorisation({ ...plain, by, freezes: frozenUnder('ord-2') })).toEqual({ outcome: 'freeze' });
  });

  it('is what it came to before', () => {
    expect(settleAuthorisation({ ...plain, freezes: resolved })).toEqual({ outcome: 'resolved-already' });
  });

  it('waits for the opening of the account', () => {
    expect(settleAuthorisation({ ...plain, account: 'opening', holders: [] })).toEqual({ outcome: 'opening-first' });
  });

  const abandon = (reason: string, withKey: boolean): unknown => ({ outcome: 'abandon', reason, withKey });

  it('is nothing when no account came to be', () => {
    const absent = { ...plain, account: 'absent', holders: [] } as const;
    expect(settleAuthorisation(absent)).toEqual(abandon('account-not-open', true));
    expect(settleAuthorisation({ ...absent, authorisation: authorised('p-1') })).toEqual(
      abandon('account-not-open', true),
    );
  });

  it('is nothing when the party that the order names does not hold the account', () => {
    expect(settleAuthorisation({ ...plain, authorisation: authorised('p-9') })).toEqual(abandon('not-a-holder', true));
  });

  it('is nothing when the key stands for something else, and then goes without the key', () => {
    expect(settleAuthorisation({ ...plain, keyStands: true })).toEqual(abandon('key-used', false));
  });

  it('never puts one key twice on a stream', () => {
    const used = { ...plain, keyStands: true };
    expect(settleAuthorisation({ ...used, account: 'absent' })).toEqual(abandon('account-not-open', false));
    expect(settleAuthorisation({ ...used, authorisation: authorised('p-9') })).toEqual(abandon('not-a-holder', false));
  });

  it('is nothing under a basis that froze the account already, which answers its key', () => {
    const already = { outcome: 'abandon', reason: 'already-frozen', withKey: true, existingFreezeId };
    expect(settleAuthorisation({ ...plain, freezes: frozenUnder('ord-1') })).toEqual(already);
  });

  it('is nothing to the supervisor once the basis ended; a handler does not look', () => {
    const ended = { ...plain, basisEnded: true };
    expect(settleAuthorisation({ ...ended, by: 'supervisor' })).toEqual(abandon('basis-ended', true));
    expect(settleAuthorisation({ ...ended, by: 'handler' })).toEqual({ outcome: 'freeze' });
  });

  it('is decided by the first clause that applies', () => {
    const unresolved = { ...worst, freezes: frozenUnder('ord-1') };
    const open: Settlement = { ...unresolved, account: 'open' };
    const held = { ...open, authorisation: authorised('p-1') };
    const keyFree = { ...held, keyStands: false };
    const alone = { ...keyFree, freezes: initialFreezesState() };
    const reasons = [worst, unresolved, open, held, keyFree, alone].map((input) => {
      const settled = settleAuthorisation(input);
      return settled.outcome === 'abandon' ? settled.reason : settled.outcome;
    });
    expect(reasons).toEqual([
      'resolved-already',
      'opening-first',
      'not-a-holder',
      'key-used',
      'already-frozen',
      'basis-ended',
    ]);
  });
});

/** The authorisations of the freeze: when it was placed, and at a variation after that, and at another. */
const placed = specPointer(stream, 1);
const narrowed = specPointer(stream, 4);
const widened = specPointer(stream, 6);

/** The authorisation at this place, in the place of another one. */
function authorisedAnew({ revision, eventId }: EventPointer, replaces: EventPointer): Recorded<FreezeAuthorised> {
  const first = authorised();
  const position = revision.padStart(16, '0');
  return { ...first, id: eventId, revision: Number(revision), position, data: { ...first.data, replaces } };
}

const about = { accountId: 'acc-1', freezeId: placed.eventId, basis } as const;
const frozen: FreezeEvent = {
  type: 'AccountFrozen',
  data: {
    ...about,
    citation: placed,
    scope,
    claimGroup: 'legal-order/ord-1',
    placedBy: 'ops-1',
    blockedFrom: SPEC_NOW,
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  },
};
const varied: FreezeEvent = {
  type: 'FreezeVaried',
  data: { ...about, citation: narrowed, replaces: placed, scope, stopped: [], inFlight: [] },
};
const lifted: FreezeEvent = {
  type: 'AccountUnfrozen',
  data: {
    ...{ accountId: 'acc-1', freezeId: placed.eventId, ground: 'basis-ended' },
    ...{ citation: specPointer(stream, 9), requestedBy: 'ops-1', approvedBy: 'approver-1' },
  },
};

function given(...events: readonly FreezeEvent[]): FreezesState {
  return events.reduce((state, event, index) => evolveFreezes(state, recorded(event, index)), initialFreezesState());
}

/** A variation at this revision of the order ended what was authorised before it. */
function endedAt(revision: number): { readonly lostBy: LostBy; readonly end: BasisEnd } {
  const people = { requestedBy: 'ops-1', approvedBy: 'approver-1' };
  const end = { pointer: specPointer(stream, revision), ...people, endedAt: SPEC_NOW };
  return { end, lostBy: (citation) => (Number(citation.revision) < revision ? end : undefined) };
}

describe('what an authorisation in the place of another comes to', () => {
  const anew = authorisedAnew(narrowed, placed);
  const settle = (freezes: FreezesState, more: Partial<Settlement> = {}): Settled =>
    settleAuthorisation({ ...plain, authorisation: anew, freezes, by: 'supervisor', ...more });
  const superseded = { outcome: 'abandon', reason: 'superseded', withKey: false };

  it.each(['handler', 'supervisor'] as const)('varies the freeze that rests on that very one (%s)', (by) => {
    const freezes = given(frozen);
    expect(settle(freezes, { by })).toEqual({ outcome: 'vary', freeze: freezeUnder(freezes, basis) });
  });

  it('varies a freeze that was varied before, in the place of the authorisation of then', () => {
    const freezes = given(frozen, varied);
    const freeze = freezeUnder(freezes, basis);
    expect(freeze).toMatchObject({ freezeId: placed.eventId, citation: narrowed });
    expect(settle(freezes, { authorisation: authorisedAnew(widened, narrowed) })).toEqual({ outcome: 'vary', freeze });
  });

  it('is superseded where the freeze rests on a later one by now', () => {
    expect(settle(given(frozen, varied), { authorisation: authorisedAnew(widened, placed) })).toEqual(superseded);
  });

  it.each<[string, EventPointer]>([
    ['on another stream', { ...placed, stream: 'legalOrder-ord-2' }],
    ['at another revision', { ...placed, revision: '3' }],
    ['of another id', { ...placed, eventId: specEventId(3) }],
  ])('is superseded where the freeze rests on an authorisation %s', (_what, replaces) => {
    expect(settle(given(frozen), { authorisation: authorisedAnew(narrowed, replaces) })).toEqual(superseded);
  });

  it('is superseded where nothing was frozen, or the freeze was lifted', () => {
    expect(settle(given())).toEqual(superseded);
    expect(settle(given(frozen, lifted))).toEqual(superseded);
  });

  it('comes after the authorisation that it replaces, where both are open', () => {
    const first = { ...authorised(), id: placed.eventId, revision: 1 };
    expect(settle(given(), { authorisation: first })).toEqual({ outcome: 'freeze' });
    expect(settle(given())).toEqual(superseded);
    expect(settle(given(frozen))).toMatchObject({ outcome: 'vary' });
  });

  it('is what it came to before', () => {
    expect(settle(given(frozen, varied))).toEqual({ outcome: 'resolved-already' });
  });

  it('bears no key and is for the account as it is, so it asks for neither', () => {
    const freezes = given(frozen);
    const vary = { outcome: 'vary', freeze: freezeUnder(freezes, basis) };
    expect(settle(freezes, { keyStands: true })).toEqual(vary);
    const data = { ...anew.data, partyId: 'p-9' };
    expect(settle(freezes, { authorisation: { ...anew, data } })).toEqual(vary);
  });

  it('is nothing to the supervisor once the basis ended, or a later variation dropped the account', () => {
    const abandon = (reason: string): unknown => ({ outcome: 'abandon', reason, withKey: false });
    const { lostBy } = endedAt(5);
    for (const freezes of [given(frozen), given()]) {
      expect(settle(freezes, { basisEnded: true })).toEqual(abandon('basis-ended'));
      expect(settle(freezes, { lostBy })).toEqual(abandon('basis-varied'));
      expect(settle(freezes, { basisEnded: true, lostBy })).toEqual(abandon('basis-ended'));
    }
    expect(settle(given(frozen), { basisEnded: true, lostBy, by: 'handler' })).toMatchObject({ outcome: 'vary' });
    expect(settle(given(frozen), { lostBy: endedAt(4).lostBy })).toMatchObject({ outcome: 'vary' });
  });
});

describe('what an authorisation comes to, where a variation ended what was before it', () => {
  const late = { ...authorised(), id: specEventId(0x55), revision: 5, position: '5'.padStart(16, '0') };
  const settle = (freezes: FreezesState, lostBy: LostBy, by: Settlement['by']): Settled =>
    settleAuthorisation({ ...plain, authorisation: late, freezes, lostBy, by });

  it.each(['handler', 'supervisor'] as const)('is a freeze in the place of the one that was ended (%s)', (by) => {
    const { lostBy, end } = endedAt(4);
    const instead = { freezeId: placed.eventId, varied: end };
    expect(settle(given(frozen), lostBy, by)).toEqual({ outcome: 'freeze', instead });
    expect(settle(given(), lostBy, by)).toEqual({ outcome: 'freeze' });
  });

  it('is nothing where the freeze was ended only after it, or not at all', () => {
    const already = { reason: 'already-frozen', withKey: true, existingFreezeId: placed.eventId };
    for (const lostBy of [endedAt(6).lostBy, endedAt(1).lostBy]) {
      expect(settle(given(frozen), lostBy, 'handler')).toEqual({ outcome: 'abandon', ...already });
    }
  });

  it('is nothing to the supervisor where it was ended itself; a handler does not look', () => {
    const { lostBy } = endedAt(6);
    expect(settle(given(), lostBy, 'supervisor')).toEqual({
      outcome: 'abandon',
      reason: 'basis-varied',
      withKey: true,
    });
    expect(settle(given(), lostBy, 'handler')).toEqual({ outcome: 'freeze' });
  });
});
