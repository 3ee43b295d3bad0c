import { scopeWithin, tieFits, type FreezeInQuestion, type Obstacle, type Scope, type StandingObstacle } from '#kernel';
import type { Measure } from './events.ts';
import { hitSubjects, type SanctionsHitState } from './state.ts';
import type { HitState } from './views.ts';

/** What a freeze under a hit covers, and the most that it may cover: nothing leaves, whatever the asset. */
export const HIT_SCOPE: Scope = { direction: 'debit', assets: 'all' };

const NOT_IN_FORCE: Record<Exclude<HitState, 'confirmed'>, string> = {
  raised: 'the sanctions hit is not confirmed yet',
  dismissed: 'the sanctions hit was dismissed',
  cleared: 'the sanctions hit was cleared',
};

const NO_FREEZE: Record<Exclude<Measure, 'asset-freeze'>, string> = {
  'service-restriction': 'the entry restricts services: it freezes no property',
  'trading-ban': 'the entry bans trading: it freezes no property',
  other: 'the entry asks for a measure that freezes no property',
};

/** A hit is in force while it is confirmed, if its entry asks for an asset freeze. */
export function hitInForce({
  hit,
  state,
}: SanctionsHitState): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  if (hit === undefined || state === undefined) return { ok: false, reason: 'there is no such sanctions hit' };
  if (state !== 'confirmed') return { ok: false, reason: NOT_IN_FORCE[state] };
  const { measure } = hit.entry;
  return measure === 'asset-freeze' ? { ok: true } : { ok: false, reason: NO_FREEZE[measure] };
}

/**
 * The one rule by which a hit authorises a freeze (invariant 1): used to decide, and again by whoever checks a citation.
 * Checked in this order: the hit exists, is in force with no clearance proposed, names the account, and covers the scope.
 * Of the tie it sees that it is on the stream of the right party and of the right form; what the events say that it points
 * to is for the caller to know.
 * @returns the first obstacle, or undefined when the freeze may be authorised
 */
export function mayAuthoriseUnderHit(state: SanctionsHitState, freeze: FreezeInQuestion): Obstacle | undefined {
  const { hit } = state;
  const standing = hitStandingObstacle(state);
  if (standing !== undefined || hit === undefined) return standing;
  if (freeze.tie === undefined || !tieFits(hitSubjects(state), state.raised, freeze.accountId, freeze.tie)) {
    return { code: 'basis-does-not-name-account', detail: 'the sanctions hit names no holder of the account' };
  }
  if (freeze.scope !== undefined && !scopeWithin(freeze.scope, HIT_SCOPE)) {
    return { code: 'scope-exceeds-basis', detail: 'the freeze would cover more than a sanctions hit does' };
  }
  return undefined;
}

/**
 * Why nothing new may rest on the hit, whatever it is; undefined when something may. The hit exists, is in force, and no
 * clearance of it is proposed.
 */
export function hitStandingObstacle(state: SanctionsHitState): StandingObstacle | undefined {
  if (state.hit === undefined) return { code: 'basis-not-found', detail: 'there is no such sanctions hit' };
  const force = hitInForce(state);
  if (!force.ok) return { code: 'basis-not-in-force', detail: force.reason };
  if (!hasOpenClearance(state)) return undefined;
  return {
    code: 'basis-not-in-force',
    detail: 'a clearance of the sanctions hit is proposed: until it is decided, nothing new rests on it',
  };
}

function hasOpenClearance({ clearances }: SanctionsHitState): boolean {
  return [...clearances.values()].some(({ state }) => state === 'proposed');
}
