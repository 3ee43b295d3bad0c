import { describe, expect, it } from '@jest/globals';
import type { Actor, RejectionCode } from '#kernel';
import { at, SPEC_NOW, specEventId, specFor, specPointer, type Placed } from '#testing';
import type { FreezeCommand } from './commands.ts';
import { decideLift } from './decide.ts';
import { freezeEvents, type FreezeEvent } from './events.ts';
import { checkFreezes, evolveFreezes, initialFreezesState } from './state.ts';

const stream = 'account-acc-1';
const maker: Actor = { id: 'ops-1', roles: ['ops'] };
const checker: Actor = { id: 'approver-1', roles: ['approver'] };
const freezeId = specEventId(0xf1);
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: freezeId };
const ofFreeze = { accountId: 'acc-1', freezeId };
const ofRequest = { ...ofFreeze, requestId: 'req-1' };

const frozen: FreezeEvent = {
  type: 'AccountFrozen',
  data: {
    ...ofFreeze,
    basis,
    citation,
    scope: { direction: 'debit', assets: 'all' },
    claimGroup: 'legal-order/ord-1',
    placedBy: 'ops-1',
    blockedFrom: SPEC_NOW,
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  },
};
const abandoned: FreezeEvent = {
  type: 'FreezeAbandoned',
  data: { ...ofFreeze, basis, citation, reason: 'basis-ended' },
};
const requestData = { ...ofRequest, ground: 'placed-in-error', note: 'wrong account', requestedBy: maker.id } as const;
const requestedEvent: FreezeEvent = { type: 'LiftRequested', data: requestData };
const requested = at(requestedEvent, { actor: maker });
/** Of the request at revision 1. */
const rejection: FreezeEvent = {
  type: 'LiftRejected',
  data: { ...ofRequest, citation: specPointer(stream, 1), reason: 'it is right', rejectedBy: checker.id },
};
const rejected = at(rejection, { actor: checker });
const approvedLift: FreezeEvent = {
  type: 'AccountUnfrozen',
  data: {
    ...ofRequest,
    ground: 'placed-in-error',
    citation: specPointer(stream, 1),
    requestedBy: maker.id,
    approvedBy: checker.id,
  },
};
const liftedByEnd: FreezeEvent = {
  type: 'AccountUnfrozen',
  data: {
    ...ofFreeze,
    ground: 'basis-ended',
    citation: { ...citation, revision: '4', eventId: specEventId(0xe1) },
    requestedBy: 'ops-1',
    approvedBy: 'approver-1',
  },
};

const request: FreezeCommand = { type: 'RequestLift', ...ofRequest, ground: 'placed-in-error', note: 'wrong account' };
const approve: FreezeCommand = { type: 'ApproveLift', ...ofRequest };
const reject: FreezeCommand = { type: 'RejectLift', ...ofRequest, reason: 'it is right' };

const { given } = specFor({
  initialState: initialFreezesState,
  evolve: evolveFreezes,
  check: checkFreezes,
  decide: decideLift,
  events: freezeEvents,
  stream,
  context: { now: SPEC_NOW, actor: checker },
});

type History = readonly (FreezeEvent | Placed<FreezeEvent>)[];
const histories = {
  'no freeze': [],
  'an abandoned authorisation': [abandoned],
  'a freeze in force': [frozen],
  'a lift requested': [frozen, requested],
  'a lift rejected': [frozen, requested, rejected],
  'a lift approved': [frozen, requested, approvedLift],
  'a freeze lifted with its basis': [frozen, liftedByEnd],
  'a freeze lifted with its basis, a request open': [frozen, requested, liftedByEnd],
} satisfies Record<string, History>;

describe('lifts that people ask for', () => {
  it('is requested by one person while the freeze is in force', () => {
    given(frozen).when(request, { actor: maker }).then({ type: 'LiftRequested', data: requestData });
  });

  it('is approved by another, who points to the very request', () => {
    given(frozen, requested).when(approve).then(approvedLift);
  });

  it('keeps what the approver notes', () => {
    given(frozen, requested)
      .when({ ...approve, note: 'seen the file' })
      .then({ type: 'AccountUnfrozen', data: { ...approvedLift.data, note: 'seen the file' } });
  });

  it('is rejected by another, and the freeze holds', () => {
    given(frozen, requested).when(reject).then(rejection);
    expect(given(frozen, requested, rejected).state().inForce.has(freezeId)).toBe(true);
  });

  it('can be asked for again under another id after a rejection', () => {
    given(frozen, requested, rejected)
      .when({ ...request, requestId: 'req-2' }, { actor: maker })
      .then({ type: 'LiftRequested', data: { ...requestData, requestId: 'req-2' } });
  });

  it('ends the freeze once and for all when approved', () => {
    const { inForce, ended, liftRequests } = given(frozen, requested, approvedLift).state();
    expect(inForce.size).toBe(0);
    expect(ended.get(freezeId)).toMatchObject({ state: 'lifted', pointer: { revision: '2' } });
    expect([...liftRequests.values()].map(({ state }) => state)).toEqual(['approved']);
  });

  it('takes a request id as unique within its freeze only', () => {
    const other = specEventId(0xf2);
    const otherData = { freezeId: other, citation: { ...citation, eventId: other }, basis: { ...basis, id: 'ord-2' } };
    const otherFreeze = { type: 'AccountFrozen', data: { ...frozen.data, ...otherData } } as FreezeEvent;
    given(frozen, otherFreeze, requested)
      .when({ ...request, freezeId: other }, { actor: maker })
      .then({ type: 'LiftRequested', data: { ...requestData, freezeId: other } });
    given(frozen, otherFreeze, requested)
      .when({ ...approve, freezeId: other })
      .thenRejected('lift-request-not-found');
  });

  it.each([
    ['approve', approve],
    ['reject', reject],
  ])('lets nobody %s a lift that he or she asked for', (_name, command) => {
    given(frozen, requested).when(command, { actor: maker }).thenRejected('maker-is-checker', {});
  });
});

describe('lifts that are turned down', () => {
  const notFound: Refused = ['freeze-not-found', {}];
  const noRequest: Refused = ['lift-request-not-found', {}];
  const was = (state: string): Refused => ['invalid-transition', { state }];
  const taken: Refused = ['already-exists', { freezeId, requestId: 'req-1' }];
  type Refused = readonly [RejectionCode, Record<string, unknown>];
  const cases: [keyof typeof histories, FreezeCommand, Refused][] = [
    ['no freeze', request, notFound],
    ['no freeze', approve, notFound],
    ['no freeze', reject, notFound],
    ['an abandoned authorisation', request, was('abandoned')],
    ['an abandoned authorisation', approve, noRequest],
    ['an abandoned authorisation', reject, noRequest],
    ['a freeze in force', approve, noRequest],
    ['a freeze in force', reject, noRequest],
    ['a lift requested', request, taken],
    ['a lift rejected', request, taken],
    ['a lift rejected', approve, was('rejected')],
    ['a lift rejected', reject, was('rejected')],
    ['a lift approved', request, taken],
    ['a lift approved', approve, was('approved')],
    ['a lift approved', reject, was('approved')],
    ['a freeze lifted with its basis', request, was('lifted')],
    ['a freeze lifted with its basis', approve, noRequest],
    ['a freeze lifted with its basis', reject, noRequest],
    ['a freeze lifted with its basis, a request open', request, taken],
    ['a freeze lifted with its basis, a request open', { ...request, requestId: 'req-2' }, was('lifted')],
    ['a freeze lifted with its basis, a request open', approve, was('lifted')],
    ['a freeze lifted with its basis, a request open', reject, was('lifted')],
  ];
  it.each(cases)('%s: %j', (history, command, [code, extra]) => {
    given(...(histories[history] as History))
      .when(command)
      .thenRejected(code, extra);
  });

  it('says that the freeze is over before it says who asked', () => {
    given(frozen, requested, liftedByEnd).when(approve, { actor: maker }).thenRejected('invalid-transition');
    given(frozen, requested, rejected).when(approve, { actor: maker }).thenRejected('invalid-transition');
  });
});
