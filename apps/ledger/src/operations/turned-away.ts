import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** In a flood a line for each would be one more burden. */
const LINE_EVERY_MS = 1_000;

/** Counts what is turned away unread, and says so at most once in a second. @returns what is to be told of each */
export function watchTurnedAway(
  metrics: Pick<Metrics, 'turnedAway'>,
  logger: Pick<Logger, 'warn'>,
  now: () => number = () => performance.now(),
): (what: string) => void {
  const since = new Map<string, number>();
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (what) => {
    metrics.turnedAway(what);
    since.set(what, (since.get(what) ?? 0) + 1);
    if (now() - saidAtMs < LINE_EVERY_MS) return;
    saidAtMs = now();
    logger.warn({ turnedAway: Object.fromEntries(since) }, 'requests were turned away unread');
    since.clear();
  };
}
