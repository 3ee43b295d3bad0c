import { basisObstacle } from './bases.ts';
import type { Expected, NaiveState } from './state.ts';
import { basisOf, type Step } from './step.ts';

export function registerLetter({ letters }: NaiveState, { id }: Step): Expected {
  if (letters.has(id)) return 'already-exists';
  letters.set(id, false);
  return 'accepted';
}

/** How a step answers a letter. What is granted cites a basis. */
export function answerOf({ amount }: Pick<Step, 'amount'>): 'refused' | 'withdrawn' | 'granted' {
  if (amount === 1) return 'refused';
  return amount === 2 ? 'withdrawn' : 'granted';
}

/** A letter freezes nothing, however it is answered. */
export function answerLetter(state: NaiveState, step: Step): Expected {
  const isAnswered = state.letters.get(step.id);
  if (isAnswered === undefined) return 'authority-request-not-found';
  if (isAnswered) return 'invalid-transition';
  if (step.asMaker) return 'maker-is-checker';
  const obstacle = answerOf(step) === 'granted' ? basisObstacle(state, basisOf(step, step.other)) : undefined;
  if (obstacle !== undefined) return obstacle;
  state.letters.set(step.id, true);
  return 'accepted';
}
