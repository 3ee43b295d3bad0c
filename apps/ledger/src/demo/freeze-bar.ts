import { memberText } from './answer-text.ts';
import type { Answered, Cast } from './cast.ts';
import type { Bar } from './story.ts';

/**
 * The bar of a freeze, from what the service answers about it now.
 * @param endedOn the day on which its basis ended in history; only for one that is lifted
 * @throws Error when it is lifted and no day is given, or the other way round
 */
export async function freezeBar(
  { look }: Cast,
  label: string,
  frozen: Answered,
  atLeast: string,
  endedOn?: string,
): Promise<Bar> {
  const freeze = await look(`admin/freezes/${memberText(frozen, 'freeze.freezeId')}?atLeast=${atLeast}`);
  const state = memberText(freeze, 'state');
  if ((state === 'lifted') !== (endedOn !== undefined))
    throw new Error(`${label} is ${state}: not as the story has it`);
  const told = state === 'lifted' ? `lifted: ${memberText(freeze, 'lift.ground')}` : 'in force';
  return { kind: 'bar', label, from: memberText(freeze, 'blockedFrom').slice(0, 10), to: endedOn, told };
}
