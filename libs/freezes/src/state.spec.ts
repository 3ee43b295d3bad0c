import { describe, expect, it } from '@jest/globals';
import { SPEC_NOW, specEventId, specPointer } from '#testing';
import type { Recorded } from '#kernel';
import type { FreezeEvent } from './events.ts';
import {
  checkFreezes,
  evolveFreezes,
  freezeUnder,
  initialFreezesState,
  restrictions,
  type FreezesState,
} from './state.ts';

const stream = 'account-acc-1';

function recorded(event: FreezeEvent, revision: number, actorId = 'ops-1'): Recorded<FreezeEvent> {
  const metadata = {
    actor: { id: actorId, roles: [] },
    correlationId: 'c',
    causationId: null,
    key: null,
    commandHash: null,
    recordedAt: SPEC_NOW,
    previousHash: null,
    hash: '',
  };
  const position = revision.toString(16).padStart(16, '0');
  return { ...event, id: specEventId(revision), schemaVersion: 1, metadata, stream, revision, position };
}

function frozen(n: number, orderId = `ord-${String(n)}`): FreezeEvent & { type: 'AccountFrozen' } {
  const freezeId = specEventId(0xf00 + n);
  return {
    type: 'AccountFrozen',
    data: {
      accountId: 'acc-1',
      freezeId,
      basis: { kind: 'legal-order', id: orderId },
      citation: { stream: `legalOrder-${orderId}`, revision: '2', eventId: freezeId },
      scope: { direction: 'debit', assets: ['BTC'] },
      claimGroup: `legal-order/${orderId}`,
      placedBy: 'ops-1',
      blockedFrom: '2022-04-06T00:00:00.000Z',
      balancesAtFreeze: [],
      stopped: [],
      inFlight: [],
    },
  };
}
type Abandoned = Extract<FreezeEvent, { type: 'FreezeAbandoned' }>;
function abandoned(n: number, reason: Abandoned['data']['reason'], existingFreezeId?: string): Abandoned {
  const { accountId, freezeId, basis, citation } = frozen(n, 'ord-1').data;
  const existing = existingFreezeId === undefined ? {} : { existingFreezeId };
  return { type: 'FreezeAbandoned', data: { accountId, freezeId, basis, citation, reason, ...existing } };
}
const [first, second] = [frozen(1), frozen(2)];
const { freezeId } = first.data;
const ofRequest = { accountId: 'acc-1', freezeId, requestId: 'req-1' };
const requested: FreezeEvent = {
  type: 'LiftRequested',
  data: { ...ofRequest, ground: 'placed-in-error', note: 'n', requestedBy: 'ops-1' },
};
const citation = { stream, revision: '1', eventId: specEventId(1) };
const rejected: FreezeEvent & { type: 'LiftRejected' } = {
  type: 'LiftRejected',
  data: { ...ofRequest, citation, reason: 'r', rejectedBy: 'approver-1' },
};
const unfrozen: FreezeEvent = {
  type: 'AccountUnfrozen',
  data: {
    accountId: 'acc-1',
    freezeId,
    ground: 'basis-ended',
    citation,
    requestedBy: 'ops-1',
    approvedBy: 'approver-1',
  },
};

/** Puts the n-th authorisation under the order in the place of what the freeze rests on: the first one unless told otherwise. */
function varied(n: number, changes: object = {}): FreezeEvent & { type: 'FreezeVaried' } {
  const { basis, citation: replaces } = first.data;
  const cited = { stream: replaces.stream, revision: String(n), eventId: specEventId(0xf00 + n) };
  const scope = { direction: 'debit', assets: 'all' } as const;
  const moved = { citation: cited, replaces, scope, stopped: [], inFlight: [] };
  return { type: 'FreezeVaried', data: { accountId: 'acc-1', freezeId, basis, ...moved, ...changes } };
}

function after(...events: readonly FreezeEvent[]): FreezesState {
  return events.reduce((state, event, index) => evolveFreezes(state, recorded(event, index)), initialFreezesState());
}

it('a freeze of one account is none of another', () => {
  const [one, other] = [initialFreezesState(), initialFreezesState()];
  expect(evolveFreezes(one, recorded(frozen(1), 1)).inForce.size).toBe(1);
  for (const none of [other, initialFreezesState()]) {
    expect(restrictions(none)).toEqual([]);
    const { inForce, ended, resolved, over, liftRequests } = none;
    expect([inForce, ended, resolved, over, liftRequests].map(({ size }) => size)).toEqual([0, 0, 0, 0, 0]);
  }
});

describe('the freezes of an account', () => {
  it('remembers of a freeze what it restricts and where it comes from', () => {
    const { basis, citation: cited, scope, claimGroup, placedBy, blockedFrom } = first.data;
    const expected = { freezeId, basis, citation: cited, scope, claimGroup, placedBy, placedAt: SPEC_NOW, blockedFrom };
    expect([...after(first).inForce.values()]).toEqual([expected]);
  });

  it('stacks freezes of different bases, and lifting one leaves the other (invariant 2)', () => {
    const restriction = ({ data: { freezeId: id, scope, claimGroup } }: typeof first): unknown => {
      return { kind: 'freeze', id, scope, claimGroup };
    };
    expect(restrictions(after())).toEqual([]);
    expect(restrictions(after(first, second))).toEqual([restriction(first), restriction(second)]);
    expect(restrictions(after(first, second, unfrozen))).toEqual([restriction(second)]);
    expect(freezeUnder(after(first, second), second.data.basis)?.freezeId).toBe(second.data.freezeId);
    expect(freezeUnder(after(first), second.data.basis)).toBeUndefined();
  });

  it('keeps what each authorisation came to, for good', () => {
    const other = abandoned(3, 'basis-ended').data.freezeId;
    const state = after(first, abandoned(3, 'basis-ended'), unfrozen);
    expect([...state.resolved]).toEqual([
      [freezeId, 'frozen'],
      [other, 'abandoned'],
    ]);
    expect([...state.ended]).toEqual([
      [
        other,
        { state: 'abandoned', basis: abandoned(3, 'basis-ended').data.basis, pointer: specPointer('account-acc-1', 1) },
      ],
      [freezeId, { state: 'lifted', basis: first.data.basis, pointer: specPointer('account-acc-1', 2) }],
    ]);
  });

  it('remains the same freeze where it is varied, and rests on the new authorisation', () => {
    const { citation: replaces } = first.data;
    const { citation: cited, scope } = varied(7).data;
    const state = after(first, second, varied(7));
    const before = after(first).inForce.get(freezeId);
    expect([...state.inForce.values()][0]).toEqual({ ...before, citation: cited, scope });
    expect(restrictions(state)[0]).toMatchObject({ id: freezeId, scope });
    expect(state.ended.size).toBe(0);
    expect(state.resolved.get(cited.eventId)).toBe('varied');
    expect([...state.over]).toEqual([[replaces.eventId, specPointer('account-acc-1', 2)]]);
  });

  it('knows what nothing rests on any longer, when a freeze that was varied is lifted', () => {
    expect([...after(first, varied(7), unfrozen).over]).toEqual([
      [first.data.citation.eventId, specPointer('account-acc-1', 1)],
      [varied(7).data.citation.eventId, specPointer('account-acc-1', 2)],
    ]);
  });

  it('goes on as before where a replacement is abandoned: it is the end of no freeze', () => {
    const { data } = abandoned(7, 'superseded');
    const state = after(first, { type: 'FreezeAbandoned', data: { ...data, replaces: first.data.citation } });
    expect(state.ended.size).toBe(0);
    expect(state.inForce).toEqual(after(first).inForce);
    expect(state.resolved.get(data.citation.eventId)).toBe('abandoned');
    expect([...state.over.keys()]).toEqual([data.citation.eventId]);
  });

  it('survives a lift of what is not there', () => {
    expect(after(unfrozen)).toEqual(initialFreezesState());
    expect(after(rejected)).toEqual(initialFreezesState());
    expect(after(varied(7)).inForce.size).toBe(0);
  });
});

describe('what may stand in the log of an account', () => {
  const legal: [string, readonly FreezeEvent[], FreezeEvent, string?][] = [
    ['a first freeze', [], first],
    ['a freeze beside one of another basis', [first], second],
    ['a freeze under a basis whose last freeze was lifted', [first, unfrozen], frozen(4, 'ord-1')],
    ['an abandonment', [], abandoned(3, 'basis-ended')],
    ['an abandonment for the freeze in force', [first], abandoned(3, 'already-frozen', freezeId)],
    ['a lift request', [first], requested],
    ['a rejection of it', [first, requested], rejected, 'approver-1'],
    ['a lift', [first], unfrozen],
    ['a variation', [first, second], varied(7)],
    ['another variation', [first, varied(7)], varied(8, { replaces: varied(7).data.citation })],
    ['a lift of what was varied', [first, varied(7)], unfrozen],
  ];
  it.each(legal.map((row) => ({ row, name: row[0] })))('$name', ({ row: [, history, event, actor] }) => {
    expect(checkFreezes(after(...history), recorded(event, history.length, actor))).toBeUndefined();
  });

  const twin = { ...first, data: { ...first.data, basis: second.data.basis } };
  const misnamed = { ...first, data: { ...first.data, freezeId: second.data.freezeId } };
  const misnamedAbandoned = { ...abandoned(3, 'basis-ended') };
  misnamedAbandoned.data = { ...misnamedAbandoned.data, freezeId };
  const elsewhere = { ...rejected, data: { ...rejected.data, citation: { ...citation, revision: '0' } } };
  const ownRejection = { ...rejected, data: { ...rejected.data, rejectedBy: 'ops-1' } };
  const illegal: [string, readonly FreezeEvent[], FreezeEvent, string, string?][] = [
    ['a second freeze under one basis', [first], frozen(4, 'ord-1'), 'under this basis'],
    ['a freeze twice', [first, unfrozen], first, 'second time'],
    ['a freeze with the citation of another in force', [first], twin, 'second time'],
    ['a freeze of what was abandoned', [abandoned(1, 'basis-ended')], first, 'second time'],
    ['an abandonment of what was frozen', [first], abandoned(1, 'basis-ended'), 'second time'],
    ['a freeze that bears another id than its authorisation', [], misnamed, 'not named after'],
    ['an abandonment that bears another id', [], misnamedAbandoned, 'not named after'],
    ['an abandonment for a freeze that is not there', [], abandoned(3, 'already-frozen', freezeId), 'not in force'],
    [
      'an abandonment for another freeze',
      [first],
      abandoned(3, 'already-frozen', second.data.freezeId),
      'not in force',
    ],
    ['an abandonment for no freeze in particular', [first], abandoned(3, 'already-frozen'), 'not in force'],
    ['an abandonment for no freeze where there is none', [], abandoned(3, 'already-frozen'), 'not in force'],
    ['a lift request for what is not frozen', [], requested, 'not in force'],
    ['a lift request in the name of another', [first], requested, 'another than who acted', 'approver-1'],
    ['a lift request twice', [first, requested], requested, 'twice'],
    ['a rejection of nothing', [first], rejected, 'nobody asks', 'approver-1'],
    ['a rejection twice', [first, requested, rejected], rejected, 'nobody asks', 'approver-1'],
    ['a rejection after the freeze ended', [first, requested, unfrozen], rejected, 'not in force', 'approver-1'],
    ['a rejection of another request', [first, requested], elsewhere, 'cites another', 'approver-1'],
    ['a rejection by who asked', [first, requested], ownRejection, 'by the person who asked', 'ops-1'],
    ['a rejection in the name of another', [first, requested], rejected, 'another than who acted', 'ops-1'],
    ['a variation of what is not frozen', [], varied(7), 'not in force'],
    ['a variation of what was lifted', [first, unfrozen], varied(7), 'not in force'],
    ['a variation under another basis', [first], varied(7, { basis: second.data.basis }), 'another basis'],
    ['a variation in the place of what is replaced already', [first, varied(7)], varied(8), 'does not rest on'],
    [
      'a variation of what rests on another',
      [first],
      varied(7, { replaces: second.data.citation }),
      'does not rest on',
    ],
    ['a variation by what was abandoned', [first, abandoned(7, 'basis-ended')], varied(7), 'second time'],
    [
      'a variation by what the freeze rests on already',
      [first, varied(7)],
      varied(7, { replaces: varied(7).data.citation }),
      'second time',
    ],
    ['a lift of what is not frozen', [], unfrozen, 'not in force'],
    ['a lift twice', [first, unfrozen], unfrozen, 'not in force'],
  ];
  it.each(illegal.map((row) => ({ row, name: row[0] })))('not: $name', ({ row: [, history, event, why, actor] }) => {
    expect(checkFreezes(after(...history), recorded(event, history.length, actor))).toContain(why);
  });
});
