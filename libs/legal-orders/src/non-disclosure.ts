import { toMs, type Timestamp } from '#kernel';
import type { Instrument } from './events.ts';

/**
 * True while an order forbids to tell that it is there: from its registration, whatever becomes of it, up to the time that
 * it states. An order that was rejected or has ended may have told somebody else to keep silent as well.
 */
export function isUnderNonDisclosure(
  { nonDisclosureUntil }: Pick<Instrument, 'nonDisclosureUntil'>,
  at: Timestamp,
): boolean {
  return nonDisclosureUntil !== undefined && toMs(at) < toMs(nonDisclosureUntil);
}
