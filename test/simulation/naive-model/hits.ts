import { hitBasis } from './bases.ts';
import { endFreezesUnder } from './freezes.ts';
import { subjectsOf } from './orders.ts';
import type { Expected, NaiveHit, NaiveState } from './state.ts';
import type { Step } from './step.ts';

/** One entry makes one hit for one subject, and another once that is cleared. */
export function raise(state: NaiveState, step: Step): Expected {
  if (state.hits.has(step.id)) return 'already-exists';
  const subjects = subjectsOf(state, onSubject(step));
  const isSame = (hit: NaiveHit): boolean =>
    hit.state !== 'cleared' && hit.entry === step.amount && JSON.stringify(hit.subjects) === JSON.stringify(subjects);
  if ([...state.hits.values()].some(isSame)) return 'already-exists';
  state.hits.set(step.id, {
    state: 'raised',
    subjects,
    entry: step.amount,
    freezes: step.measure === 'asset-freeze',
    clearances: new Map(),
  });
  return 'accepted';
}

/** A hit names an address or a party, and only one. */
function onSubject(step: Step): Step {
  return { ...step, names: step.names === 'address' ? 'address' : 'holder' };
}

/** Confirmed or dismissed by another person than who raised it. */
export function decideHit({ hits }: NaiveState, { id, asMaker }: Step, to: 'confirmed' | 'dismissed'): Expected {
  const hit = hits.get(id);
  if (hit === undefined) return 'sanctions-hit-not-found';
  if (hit.state !== 'raised') return 'invalid-transition';
  if (asMaker) return 'maker-is-checker';
  hit.state = to;
  return 'accepted';
}

export function proposeClearance({ hits }: NaiveState, { id, change }: Step): Expected {
  const hit = hits.get(id);
  if (hit === undefined) return 'sanctions-hit-not-found';
  if (hit.clearances.has(change)) return 'already-exists';
  if (hit.state !== 'confirmed') return 'invalid-transition';
  hit.clearances.set(change, 'proposed');
  return 'accepted';
}

/** What is approved clears the hit, and ends its freezes. */
export function decideClearance(state: NaiveState, step: Step, to: 'approved' | 'rejected'): Expected {
  const hit = state.hits.get(step.id);
  if (hit === undefined) return 'sanctions-hit-not-found';
  const clearance = hit.clearances.get(step.change);
  if (clearance === undefined) return 'clearance-not-found';
  if (clearance !== 'proposed' || hit.state !== 'confirmed') return 'invalid-transition';
  if (step.asMaker) return 'maker-is-checker';
  hit.clearances.set(step.change, to);
  if (to === 'rejected') return 'accepted';
  hit.state = 'cleared';
  endFreezesUnder(state, hitBasis(step.id));
  return 'accepted';
}
