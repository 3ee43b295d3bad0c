import {
  basisStream,
  firstWithout,
  namedSince,
  type Basis,
  type BasisState,
  type EventPointer,
  type IsNamed,
} from '#kernel';
import type { PartyEvent } from './events.ts';
import { isNamedBy, type Naming, type PartyState } from './state.ts';

/**
 * The event of the basis that undoes a naming: the first variation after it that drops the party, whatever comes later, or
 * the end of the basis. Undefined while the naming stands.
 */
export function undoneBy(
  { citation }: Pick<Naming, 'citation'>,
  { terms, ended }: Pick<BasisState, 'terms' | 'ended'>,
  isNamed: IsNamed,
): EventPointer | undefined {
  return firstWithout(terms, citation, isNamed)?.since ?? ended?.pointer;
}

/** A basis, as far as it was read, and what it does to the parties that it names. */
export interface NamingBasis extends Pick<BasisState, 'terms' | 'ended'> {
  readonly basis: Basis;
  /** It names its parties now: it is effective and has not ended. */
  readonly inForce: boolean;
}

/**
 * What is due on the stream of a party because of a basis, in one append: a naming that was undone ends, and a party that the
 * basis names, anew or for the first time, is named. Nothing, where all stands as it should.
 */
export function followBasis(party: PartyState, { basis, terms, ended, inForce }: NamingBasis): readonly PartyEvent[] {
  const { registered } = party;
  if (registered === undefined) return [];
  const { partyId } = registered;
  const isNamed: IsNamed = (subjects) => isNamedBy(party, subjects);
  const naming = party.named.get(basisStream(basis));
  const undoing = naming && undoneBy(naming, { terms, ended }, isNamed);
  const events: PartyEvent[] = [];
  if (undoing !== undefined) events.push({ type: 'PartyNoLongerNamed', data: { partyId, basis, citation: undoing } });
  const since = inForce ? namedSince(terms, isNamed) : undefined;
  const isFree = naming === undefined || undoing !== undefined;
  if (since !== undefined && isFree) events.push({ type: 'PartyNamed', data: { partyId, basis, citation: since } });
  return events;
}
