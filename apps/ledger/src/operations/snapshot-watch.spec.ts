import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { Metrics } from './metrics.ts';
import { watchSnapshots } from './snapshot-watch.ts';

function watched(): {
  readonly watch: ReturnType<typeof watchSnapshots>;
  readonly lines: string[];
  readonly metrics: Metrics;
} {
  const lines: string[] = [];
  const metrics = new Metrics();
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  return { watch: watchSnapshots(metrics, logger), lines, metrics };
}

describe('what becomes of snapshots', () => {
  it('is counted', async () => {
    const { watch, metrics, lines } = watched();
    watch('used', 'account-a');
    watch('used', 'account-b');
    watch('written', 'account-a');
    watch('not-written', 'account-a');
    const text = await metrics.registry.metrics();
    expect(text).toContain('writ_snapshots_total{outcome="used"} 2');
    expect(text).toContain('writ_snapshots_total{outcome="written"} 1');
    expect(text).toContain('writ_snapshots_total{outcome="not-written"} 1');
    expect(lines).toEqual([]);
  });

  it.each([
    ['damaged', 40],
    ['other-log', 40],
    ['other-version', 30],
    ['ahead-of-index', 30],
  ] as const)('is told when one is ignored: %s', (outcome, level) => {
    const { watch, lines } = watched();
    watch(outcome, 'account-a');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ level, stream: 'account-a' }]);
  });

  it('is told once while the disk takes none, and once more when that comes again', () => {
    const { watch, lines } = watched();
    const full = new Error('ENOSPC');
    watch('not-written', 'account-a', full);
    watch('not-written', 'account-b', full);
    expect(lines).toHaveLength(1);
    watch('written', 'account-a');
    watch('not-written', 'account-a', full);
    expect(lines).toHaveLength(2);
  });
});
