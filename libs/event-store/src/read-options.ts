import type { ReadAllOptions, ReadStreamOptions } from './port.ts';
import { parsePosition } from './position.ts';

/** A read of one stream with nothing left open: both ends inclusive, `from` the first to be answered. */
export interface StreamRange {
  readonly from: number;
  readonly to: number;
  readonly backwards: boolean;
  readonly limit: number;
}

const LAST = Number.MAX_SAFE_INTEGER;

/** Fills in the defaults. @throws RangeError for a revision or limit that is no whole number from 0 */
export function streamRange(options: ReadStreamOptions = {}): StreamRange {
  const backwards = options.direction === 'backwards';
  const { from = backwards ? LAST : 0, to = backwards ? 0 : LAST, limit = LAST } = options;
  for (const value of [from, to, limit]) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError('revisions and limits are whole numbers from 0');
  }
  return { from, to, backwards, limit };
}

/**
 * Checks what a page is asked with.
 * @returns how many events of the log come before the page
 * @throws RangeError for a limit that is no whole number from 1, or a text that is no position
 */
export function startOfPage({ after, limit }: ReadAllOptions): bigint {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('the limit of a page is a whole number from 1');
  return after === undefined ? 0n : parsePosition(after);
}
