import type { SnapshotOutcome, SnapshotWatch } from '#command-handling';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** Why a snapshot was ignored, for whoever reads the log. It is replaced at once, so each is told of once. */
const IGNORED: Readonly<Partial<Record<SnapshotOutcome, { readonly level: 'info' | 'warn'; readonly why: string }>>> = {
  damaged: { level: 'warn', why: 'it is damaged' },
  'other-log': { level: 'warn', why: 'it was not made of this log' },
  'other-version': { level: 'info', why: 'another version of the service made it' },
  'ahead-of-index': { level: 'info', why: 'the read models have not come so far' },
};

/** Counts what becomes of snapshots, and tells of what is wrong with one; of a disk that takes none, when that begins. */
export function watchSnapshots(metrics: Pick<Metrics, 'snapshot'>, logger: Logger): SnapshotWatch {
  let failing = false;
  return (outcome, stream, error) => {
    metrics.snapshot(outcome);
    const ignored = IGNORED[outcome];
    if (ignored !== undefined) {
      logger[ignored.level](
        { stream },
        `a snapshot is ignored, as ${ignored.why}: the account is folded from its first event`,
      );
    }
    if (error !== undefined && !failing) logger.warn({ stream, err: error }, 'snapshots can not be written');
    if (error !== undefined) failing = true;
    if (outcome === 'written') failing = false;
  };
}
