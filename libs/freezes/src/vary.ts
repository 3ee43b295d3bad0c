import { samePointer, type BasisEnd, type EventPointer, type Recorded } from '#kernel';
import { replacesStated, type FreezeAuthorised } from './basis.ts';
import type { Freeze, FreezesState } from './state.ts';

/**
 * Which variation of a basis ended what rests on an authorisation, if one has: `BasisState.lostBy`, for the holders of the
 * account.
 */
export type LostBy = (citation: EventPointer) => BasisEnd | undefined;

/** The freeze in force that rests on this authorisation. */
export function freezeCiting({ inForce }: FreezesState, citation: EventPointer): Freeze | undefined {
  return [...inForce.values()].find((freeze) => samePointer(freeze.citation, citation));
}

/** The freeze that an authorisation varies: only one that rests on the very authorisation which it replaces. */
export function freezeToVary(freezes: FreezesState, authorisation: Recorded<FreezeAuthorised>): Freeze | undefined {
  const replaces = replacesStated(authorisation);
  return replaces === undefined ? undefined : freezeCiting(freezes, replaces);
}

/** The variation that ended a freeze before an authorisation was given, if one did: the freeze is not in its way. */
export function endedBefore(freeze: Freeze, authorisation: EventPointer, lostBy: LostBy): BasisEnd | undefined {
  const lost = lostBy(freeze.citation);
  return lost !== undefined && Number(lost.pointer.revision) < Number(authorisation.revision) ? lost : undefined;
}
