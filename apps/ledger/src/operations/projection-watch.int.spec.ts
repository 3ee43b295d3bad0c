import { MemoryEventStore } from '#event-store/memory';
import { startProjections } from '#projections';
import { Judge } from '#replay';
import { LedgerWorld, tellStory } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { ClockWatch } from './clock-watch.ts';
import { projectionProblem } from './health.ts';
import { LagWatch } from './lag-watch.ts';
import { Metrics } from './metrics.ts';
import { watchProjections } from './projection-watch.ts';

const LIMIT_MS = 60_000;

function watched(): {
  readonly metrics: Metrics;
  readonly lines: string[];
  readonly watch: ReturnType<typeof watchProjections>;
} {
  const metrics = new Metrics();
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const watches = { lag: new LagWatch(), clock: new ClockWatch({ logger }) };
  return { metrics, lines, watch: watchProjections(metrics, watches, logger) };
}

describe('read models that an event keeps from going on', () => {
  it('are stuck before it, are seen to be, and take it in when the cause is gone', async () => {
    const store = new MemoryEventStore();
    await tellStory(new LedgerWorld({ store }));
    const { events } = await store.readAll({ limit: 10_000 });
    const bad = events[30];
    if (bad === undefined) throw new Error('too short a story');
    let broken = true;
    const { lines, watch } = watched();
    const projections = startProjections({
      kind: 'in-process',
      reader: store,
      readModelFile: ':memory:',
      limits: { retryMs: 5, retryMaxMs: 10, lingerMs: 0 },
      onEvent: watch,
      createJudge: () => {
        const judge = new Judge(store, { maxStreams: 1_000 });
        return {
          judge: (recorded) => {
            if (broken && recorded.id === bad.id) throw new Error('a bug');
            return judge.judge(recorded);
          },
        };
      },
    });
    expect(await projections.caughtUp(300)).toBe(false);
    expect(projectionProblem(projections.status())).toBe(`The read models are stuck at the event at ${bad.position}.`);
    const stuck = lines.filter((line) => line.includes('the read models are stuck'));
    expect(JSON.parse(stuck.at(-1) ?? '{}')).toMatchObject({
      level: 50,
      failure: { position: bad.position, message: 'a bug' },
    });
    expect(projections.status().checkpoint).toBe(events[29]?.position);

    broken = false;
    expect(await projections.caughtUp(LIMIT_MS)).toBe(true);
    expect(projectionProblem(projections.status())).toBeUndefined();
    expect(projections.status().checkpoint).toBe(events.at(-1)?.position);
    expect(lines.filter((line) => line.includes('the read models go on'))).toHaveLength(1);
    const whole = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
    expect(await whole.caughtUp(LIMIT_MS)).toBe(true);
    const page = { limit: 500 };
    expect(projections.queries.accounts({}, page)).toEqual(whole.queries.accounts({}, page));
    expect(projections.queries.freezes({}, page)).toEqual(whole.queries.freezes({}, page));
    await projections.close();
    await whole.close();
  }, 120_000);
});

describe('read models that are built anew', () => {
  it.each([
    ['asked-for', 30],
    ['projections-changed', 30],
    ['damaged', 40],
    ['other-log', 40],
  ] as const)('for the cause %s are told of, and counted', async (cause, level) => {
    const { metrics, lines, watch } = watched();
    watch({ type: 'rebuilding', cause });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ level, cause }]);
    expect(await metrics.registry.metrics()).toContain(`writ_read_model_rebuilds_total{cause="${cause}"} 1`);
  });

  it('because the log has lost events say how many, as an error', async () => {
    const { metrics, lines, watch } = watched();
    watch({ type: 'rebuilding', cause: 'ahead-of-log', missingEvents: 18 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 50, missingEvents: 18 },
      { level: 40, cause: 'ahead-of-log' },
    ]);
    expect(await metrics.registry.metrics()).toMatch(/^writ_events_missing 18$/m);
  });
});
