import { describe, expect, it } from '@jest/globals';
import {
  authorisedUnderHit,
  clearedHit,
  confirmedHit,
  dismissedHit,
  hitOfMeasure,
  proposedClearance,
  raisedHit,
  rejectedClearance,
  SAMPLE_CHECKER,
  SAMPLE_HIT_STREAM,
  SAMPLE_MAKER,
  sampleAddress,
  sampleAttachment,
  sampleClearance,
  sampleHit,
  SPEC_NOW,
  specFor,
  specPointer,
} from '#testing';
import type { Tie } from '#kernel';
import {
  checkSanctionsHit,
  decideSanctionsHit,
  evolveSanctionsHit,
  HIT_SCOPE,
  initialSanctionsHitState,
  MEASURES,
  sanctionsHitBasis,
  sanctionsHitEvents,
  type SanctionsHitCommand,
  type SanctionsHitContext,
  type SanctionsHitEvent,
} from './index.ts';

const hitId = 'hit-1';
const asMaker: Partial<SanctionsHitContext> = { actor: { id: SAMPLE_MAKER, roles: ['ops', 'approver'] } };
const context: SanctionsHitContext = { now: SPEC_NOW, actor: { id: SAMPLE_CHECKER, roles: ['approver'] } };
const { given } = specFor({
  initialState: initialSanctionsHitState,
  evolve: evolveSanctionsHit,
  check: checkSanctionsHit,
  decide: decideSanctionsHit,
  events: sanctionsHitEvents,
  stream: SAMPLE_HIT_STREAM,
  context,
});

/** A hit in every state that it can be in. */
const states: Readonly<Record<string, readonly SanctionsHitEvent[]>> = {
  'never raised': [],
  raised: [raisedHit()],
  confirmed: [raisedHit(), confirmedHit()],
  dismissed: [raisedHit(), dismissedHit()],
  'to be cleared': [raisedHit(), confirmedHit(), proposedClearance()],
  'not cleared after all': [raisedHit(), confirmedHit(), proposedClearance(), rejectedClearance()],
  cleared: [raisedHit(), confirmedHit(), proposedClearance(), clearedHit()],
};

const raise: SanctionsHitCommand = { type: 'RaiseSanctionsHit', hitId, hit: sampleHit };
const confirm: SanctionsHitCommand = { type: 'ConfirmSanctionsHit', hitId };
const dismiss: SanctionsHitCommand = { type: 'DismissSanctionsHit', hitId, reason: 'another of the same name' };
const propose: SanctionsHitCommand = { type: 'ProposeClearance', hitId, ...sampleClearance };
const approve: SanctionsHitCommand = { type: 'ApproveClearance', hitId, clearanceId: 'clr-1' };
const reject: SanctionsHitCommand = { type: 'RejectClearance', hitId, clearanceId: 'clr-1', reason: 'still listed' };
const authorise: SanctionsHitCommand = { type: 'AuthoriseFreezeUnderHit', hitId, accountId: 'acc-1' };
const tie: Tie = { namedBy: sampleAttachment, partyId: 'p-1' };

/** For each command what comes of it in each state: the events, or the code. */
const OUTCOMES: readonly (readonly [
  SanctionsHitCommand,
  Partial<SanctionsHitContext>,
  Readonly<Record<string, SanctionsHitEvent | string>>,
])[] = [
  [
    raise,
    asMaker,
    {
      'never raised': raisedHit(),
      raised: 'already-exists',
      confirmed: 'already-exists',
      dismissed: 'already-exists',
      'to be cleared': 'already-exists',
      'not cleared after all': 'already-exists',
      cleared: 'already-exists',
    },
  ],
  [
    confirm,
    {},
    {
      'never raised': 'sanctions-hit-not-found',
      raised: confirmedHit(),
      confirmed: 'invalid-transition',
      dismissed: 'invalid-transition',
      'to be cleared': 'invalid-transition',
      'not cleared after all': 'invalid-transition',
      cleared: 'invalid-transition',
    },
  ],
  [
    dismiss,
    {},
    {
      'never raised': 'sanctions-hit-not-found',
      raised: dismissedHit(),
      confirmed: 'invalid-transition',
      dismissed: 'invalid-transition',
      'to be cleared': 'invalid-transition',
      'not cleared after all': 'invalid-transition',
      cleared: 'invalid-transition',
    },
  ],
  [
    propose,
    asMaker,
    {
      'never raised': 'sanctions-hit-not-found',
      raised: 'invalid-transition',
      confirmed: proposedClearance(),
      dismissed: 'invalid-transition',
      'to be cleared': 'already-exists',
      'not cleared after all': 'already-exists',
      cleared: 'already-exists',
    },
  ],
  [
    approve,
    {},
    {
      'never raised': 'sanctions-hit-not-found',
      raised: 'clearance-not-found',
      confirmed: 'clearance-not-found',
      dismissed: 'clearance-not-found',
      'to be cleared': clearedHit(),
      'not cleared after all': 'invalid-transition',
      cleared: 'invalid-transition',
    },
  ],
  [
    reject,
    {},
    {
      'never raised': 'sanctions-hit-not-found',
      raised: 'clearance-not-found',
      confirmed: 'clearance-not-found',
      dismissed: 'clearance-not-found',
      'to be cleared': rejectedClearance(),
      'not cleared after all': 'invalid-transition',
      cleared: 'invalid-transition',
    },
  ],
  [
    authorise,
    { ...asMaker, tie },
    {
      'never raised': 'basis-not-found',
      raised: 'basis-not-in-force',
      confirmed: authorisedUnderHit(),
      dismissed: 'basis-not-in-force',
      'to be cleared': 'basis-not-in-force',
      'not cleared after all': authorisedUnderHit(),
      cleared: 'basis-not-in-force',
    },
  ],
];

describe.each(OUTCOMES.map(([command, context, outcomes]) => [command.type, command, context, outcomes] as const))(
  '%s of a hit that is',
  (_type, command, context, outcomes) => {
    it.each(Object.entries(states))('%s', (state, events) => {
      const outcome = outcomes[state];
      const decided = given(...events).when(command, context);
      if (outcome === undefined) throw new Error(`nothing is said of ${state}`);
      if (typeof outcome === 'string') decided.thenRejected(outcome as 'already-exists');
      else decided.then(outcome);
    });
  },
);

describe('a maker is not a checker', () => {
  it.each([
    [confirm, 'raised'],
    [dismiss, 'raised'],
    [approve, 'to be cleared'],
    [reject, 'to be cleared'],
  ])('%p', (command, state) => {
    given(...(states[state] ?? []))
      .when(command, asMaker)
      .thenRejected('maker-is-checker');
  });

  it('but one who raised a hit may approve a clearance that another proposed', () => {
    const byAnother = { ...proposedClearance(), data: { ...proposedClearance().data, proposedBy: 'ops-2' } };
    given(raisedHit(), confirmedHit(), byAnother)
      .when(approve, asMaker)
      .then(clearedHit({ proposedBy: 'ops-2', approvedBy: SAMPLE_MAKER }));
  });
});

describe('raising a hit', () => {
  it('needs a party that there is, before all else', () => {
    given(raisedHit()).when(raise, { unknownParty: 'p-1' }).thenRejected('party-not-found', { partyId: 'p-1' });
  });

  it('names the hit that was raised for the same entry and subject', () => {
    given().when(raise, { sameHit: 'hit-0' }).thenRejected('already-exists', { hitId: 'hit-0' });
  });
});

describe('several clearances', () => {
  const two = [raisedHit(), confirmedHit(), proposedClearance('clr-1'), proposedClearance('clr-2')];

  it('may be proposed at once, and all have to be turned down before a new freeze', () => {
    given(...two, rejectedClearance('clr-1'))
      .when(authorise, { tie })
      .thenRejected('basis-not-in-force');
    given(...two, rejectedClearance('clr-1'), rejectedClearance('clr-2'))
      .when(authorise, { ...asMaker, tie })
      .then(authorisedUnderHit());
  });

  it('are moot once one of them is approved', () => {
    given(...two, clearedHit())
      .when({ ...approve, clearanceId: 'clr-2' })
      .thenRejected('invalid-transition', { state: 'cleared' });
  });

  it('keep the note of an approval and the reason of a rejection', () => {
    const { clearances } = given(
      ...two,
      rejectedClearance('clr-1'),
      clearedHit({ clearanceId: 'clr-2', note: 'n' }),
    ).state();
    expect([...clearances.values()]).toMatchObject([
      { state: 'rejected', reason: 'still listed', note: null, decidedBy: SAMPLE_CHECKER },
      { state: 'approved', reason: null, note: 'n', decidedBy: SAMPLE_CHECKER },
    ]);
  });
});

describe('a freeze under a hit', () => {
  const confirmed = [raisedHit(), confirmedHit()];

  it.each(MEASURES.filter((measure) => measure !== 'asset-freeze'))('has no basis in the measure %s', (measure) => {
    given(raisedHit(hitOfMeasure(measure)), confirmedHit())
      .when(authorise, { tie })
      .thenRejected('basis-not-in-force', {}, /freezes no property/);
  });

  it('covers what was asked for, or every debit', () => {
    const scope = { direction: 'debit', assets: ['BTC'] } as const;
    given(...confirmed)
      .when({ ...authorise, scope: { ...scope, assets: ['BTC'] } }, { ...asMaker, tie })
      .then(authorisedUnderHit({ scope: { ...scope, assets: ['BTC'] } }));
    given(...confirmed)
      .when(authorise, { ...asMaker, tie })
      .then(authorisedUnderHit({ scope: HIT_SCOPE }));
  });

  it('covers nothing but debits', () => {
    const scope = { direction: 'credit', assets: 'all' } as unknown as typeof HIT_SCOPE;
    given(...confirmed)
      .when({ ...authorise, scope }, { tie })
      .thenRejected('scope-exceeds-basis');
  });

  it('takes over the legal time', () => {
    const blockedFrom = '2022-04-05T00:00:00.000Z';
    given(...confirmed)
      .when({ ...authorise, blockedFrom }, { ...asMaker, tie })
      .then(authorisedUnderHit({ blockedFrom }));
  });

  const linkedBy = specPointer('party-p-1', 7);
  it.each<[string, Tie | undefined]>([
    ['nothing', undefined],
    ['the hit itself', { namedBy: specPointer(SAMPLE_HIT_STREAM, 0) }],
    ['another party', { namedBy: specPointer('party-p-2', 2), partyId: 'p-2' }],
    ['an event on the stream of another party', { namedBy: specPointer('party-p-2', 2), partyId: 'p-1' }],
    ['a link, though it names the party itself', { ...tie, linkedBy }],
  ])('of a party is not tied to it by %s', (_what, wrong) => {
    given(...confirmed)
      .when(authorise, { tie: wrong })
      .thenRejected('basis-does-not-name-account');
  });

  const onAddress = [raisedHit({ subject: sampleAddress }), confirmedHit()];
  it('of an address is tied to it by attachment and link', () => {
    given(...onAddress)
      .when(authorise, { ...asMaker, tie: { ...tie, linkedBy } })
      .then(authorisedUnderHit({ linkedBy }));
  });

  it.each<[string, Tie]>([
    ['the attachment alone', tie],
    ['a link of another party', { ...tie, linkedBy: specPointer('party-p-2', 7) }],
    ['a link without the party', { namedBy: sampleAttachment, linkedBy }],
  ])('of an address is not tied to it by %s', (_what, wrong) => {
    given(...onAddress)
      .when(authorise, { tie: wrong })
      .thenRejected('basis-does-not-name-account');
  });
});

describe('a hit as a basis', () => {
  const basisOf = (...events: readonly SanctionsHitEvent[]): ReturnType<typeof sanctionsHitBasis> =>
    sanctionsHitBasis(hitId, given(...events).state());

  it('names its subject, if its measure is an asset freeze', () => {
    expect(basisOf(raisedHit()).subjects).toEqual({ accounts: [], parties: ['p-1'], addresses: [] });
    const { chain, address } = sampleAddress;
    expect(basisOf(raisedHit({ subject: sampleAddress })).subjects.addresses).toEqual([{ chain, address }]);
    const nobody = { accounts: [], parties: [], addresses: [] };
    expect(basisOf(raisedHit(hitOfMeasure('other'))).subjects).toEqual(nobody);
    expect(basisOf().subjects).toEqual(nobody);
  });

  it('is in force by its confirmation, also while a clearance is only proposed, until it is cleared', () => {
    const inForceBy = Object.entries(states).map(([state, events]) => [
      state,
      basisOf(...events).inForceBy(SPEC_NOW)?.revision,
    ]);
    expect(Object.fromEntries(inForceBy)).toEqual({
      'never raised': undefined,
      raised: undefined,
      confirmed: '1',
      dismissed: undefined,
      'to be cleared': '1',
      'not cleared after all': '1',
      cleared: undefined,
    });
    expect(basisOf(raisedHit(hitOfMeasure('other')), confirmedHit()).inForceBy(SPEC_NOW)).toBeUndefined();
  });

  it('ends with its clearance, by those who proposed and approved it', () => {
    expect(basisOf(...(states['cleared'] ?? [])).ended).toMatchObject({
      pointer: specPointer(SAMPLE_HIT_STREAM, 3),
      requestedBy: SAMPLE_MAKER,
      approvedBy: SAMPLE_CHECKER,
    });
    expect(basisOf(...(states['dismissed'] ?? [])).ended).toBeUndefined();
  });

  it('changes by no clock', () => {
    expect(basisOf(...(states['confirmed'] ?? [])).nextMoment(SPEC_NOW)).toBeUndefined();
  });
});
