import { describe, expect, it } from '@jest/globals';
import {
  at,
  authorisedUnderHit,
  clearedHit,
  confirmedHit,
  dismissedHit,
  hitOfMeasure,
  proposedClearance,
  raisedHit,
  rejectedClearance,
  SAMPLE_HIT_STREAM,
  SAMPLE_MAKER,
  sampleAddress,
  SPEC_ACTOR,
  SPEC_NOW,
  specFor,
  specPointer,
} from '#testing';
import {
  checkSanctionsHit,
  decideSanctionsHit,
  evolveSanctionsHit,
  type HIT_SCOPE,
  initialSanctionsHitState,
  sanctionsHitEvents,
  type SanctionsHitContext,
  type SanctionsHitEvent,
} from './index.ts';

const context: SanctionsHitContext = { now: SPEC_NOW, actor: SPEC_ACTOR };
const { given } = specFor({
  initialState: initialSanctionsHitState,
  evolve: evolveSanctionsHit,
  check: checkSanctionsHit,
  decide: decideSanctionsHit,
  events: sanctionsHitEvents,
  stream: SAMPLE_HIT_STREAM,
  context,
});

const confirmed: SanctionsHitEvent[] = [raisedHit(), confirmedHit()];
const proposed: SanctionsHitEvent[] = [...confirmed, proposedClearance()];
const cleared: SanctionsHitEvent[] = [...proposed, clearedHit()];
const beyond = { direction: 'credit', assets: 'all' } as unknown as typeof HIT_SCOPE;

/** The last event is the illegal one. */
const illegal: [string, RegExp, SanctionsHitEvent[]][] = [
  ['a hit raised twice', /raised already/, [raisedHit(), raisedHit()]],
  ['a hit raised on the stream of another', /stream/, [raisedHit({ hitId: 'hit-2' })]],
  ['a confirmation of nothing', /never raised/, [confirmedHit()]],
  ['a dismissal of nothing', /never raised/, [dismissedHit()]],
  ['a clearance proposed for nothing', /never raised/, [proposedClearance()]],
  ['an authorisation by nothing', /never raised/, [authorisedUnderHit()]],

  ['a confirmation by who raised it', /also decided/, [raisedHit(), confirmedHit(SAMPLE_MAKER)]],
  ['a dismissal by who raised it', /also decided/, [raisedHit(), dismissedHit(SAMPLE_MAKER)]],
  ['a second confirmation', /decided before/, [...confirmed, confirmedHit('third')]],
  ['a confirmation after the dismissal', /decided before/, [raisedHit(), dismissedHit(), confirmedHit()]],
  ['a dismissal after the confirmation', /decided before/, [...confirmed, dismissedHit()]],
  ['a confirmation after the clearance', /decided before/, [...cleared, confirmedHit()]],

  ['a clearance before confirmation', /no clearance is proposed/, [raisedHit(), proposedClearance()]],
  ['a clearance of a dismissed hit', /no clearance is proposed/, [raisedHit(), dismissedHit(), proposedClearance()]],
  ['a clearance after the clearance', /no clearance is proposed/, [...cleared, proposedClearance('clr-2')]],
  ['two clearances of one id', /proposed already/, [...proposed, proposedClearance()]],
  ['a clearance of a rejected id', /proposed already/, [...proposed, rejectedClearance(), proposedClearance()]],

  ['an approval without proposal', /never proposed/, [...confirmed, clearedHit()]],
  ['an approval by the proposer', /also decided/, [...proposed, clearedHit({ approvedBy: SAMPLE_MAKER })]],
  ['an approval of what was rejected', /decided before/, [...proposed, rejectedClearance(), clearedHit()]],
  ['an approval twice', /decided before/, [...cleared, clearedHit()]],
  ['an approval for another cause', /not the one/, [...proposed, clearedHit({ cause: 'mistaken-identity' })]],
  ['an approval that names another proposer', /not the one/, [...proposed, clearedHit({ proposedBy: 'third' })]],
  [
    'a second clearance by another proposal',
    /moot/,
    [...proposed, proposedClearance('clr-2'), clearedHit(), clearedHit({ clearanceId: 'clr-2' })],
  ],
  [
    'a rejected clearance of a hit that is cleared',
    /moot/,
    [...proposed, proposedClearance('clr-2'), clearedHit(), rejectedClearance('clr-2')],
  ],
  ['a rejection of no clearance', /never proposed/, [...confirmed, rejectedClearance()]],
  ['a rejection by the proposer', /also decided/, [...proposed, rejectedClearance('clr-1', SAMPLE_MAKER)]],
  ['a rejection twice', /decided before/, [...proposed, rejectedClearance(), rejectedClearance()]],

  ['an authorisation before confirmation', /not confirmed/, [raisedHit(), authorisedUnderHit()]],
  ['an authorisation after dismissal', /dismissed/, [raisedHit(), dismissedHit(), authorisedUnderHit()]],
  ['an authorisation while a clearance is proposed', /proposed/, [...proposed, authorisedUnderHit()]],
  ['an authorisation after the clearance', /cleared/, [...cleared, authorisedUnderHit()]],
  [
    'an authorisation under a lesser measure',
    /freezes no property/,
    [raisedHit(hitOfMeasure('trading-ban')), confirmedHit(), authorisedUnderHit()],
  ],
  [
    'an authorisation through another party',
    /names no holder/,
    [...confirmed, authorisedUnderHit({ partyId: 'p-2', namedBy: specPointer('party-p-2', 2) })],
  ],
  [
    'an authorisation under a hit on an address, without the link',
    /names no holder/,
    [raisedHit({ subject: sampleAddress }), confirmedHit(), authorisedUnderHit()],
  ],
];

describe('checkSanctionsHit', () => {
  it.each(illegal)('finds %s', (_, reason, events) => {
    const last = events.length - 1;
    expect(() => given(...events.slice(0, last)).state()).not.toThrow();
    const found = new RegExp(`at revision ${String(last)} is illegal: .*${reason.source}`);
    expect(() => given(...events).state()).toThrow(found);
  });

  it.each<[string, SanctionsHitEvent[]]>([
    ['raised', [raisedHit()]],
    ['confirmed', confirmed],
    ['dismissed', [raisedHit(), dismissedHit()]],
    ['to be cleared', proposed],
    ['not cleared', [...proposed, rejectedClearance()]],
    ['cleared', cleared],
    ['the basis of a freeze', [...confirmed, authorisedUnderHit()]],
  ])('finds that a hit was %s in the name of another (invariant 9)', (_, events) => {
    const last = events.length - 1;
    const forged = [
      ...events.slice(0, last),
      at(events[last] as SanctionsHitEvent, { actor: { id: 'somebody', roles: [] } }),
    ];
    expect(() => given(...events).state()).not.toThrow();
    expect(() => given(...forged).state()).toThrow(`at revision ${String(last)} is illegal: another acted`);
  });

  it('finds an authorisation of more than debits', () => {
    const state = given(...confirmed).state();
    const event = {
      type: 'FreezeAuthorised',
      data: authorisedUnderHit({ scope: beyond }).data,
      stream: SAMPLE_HIT_STREAM,
    };
    const metadata = { recordedAt: SPEC_NOW, actor: { id: SAMPLE_MAKER, roles: [] } };
    const recorded = { ...event, metadata } as unknown as Parameters<typeof checkSanctionsHit>[1];
    expect(checkSanctionsHit(state, recorded)).toMatch(/cover more/);
  });
});
