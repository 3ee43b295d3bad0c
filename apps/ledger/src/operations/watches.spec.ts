import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CommandRequest, LedgerCommands, Outcome } from '#command-handling';
import { reject, RejectionError } from '#kernel';
import { pino } from 'pino';
import { ClockWatch } from './clock-watch.ts';
import { readiness, type Health } from './health.ts';
import { LagWatch } from './lag-watch.ts';
import { watchSupervisor } from './supervisor-watch.ts';

describe('LagWatch', () => {
  it('counts from the moment at which the read models fell behind', () => {
    let now = 0;
    const lag = new LagWatch(() => now);
    expect(lag.seconds()).toBe(0);
    lag.appended('01');
    now = 2_000;
    lag.appended('02');
    expect(lag.seconds()).toBe(2);
    lag.takenIn('01');
    now = 3_000;
    expect(lag.seconds()).toBe(1);
    lag.takenIn('02');
    expect(lag.seconds()).toBe(0);
  });
});

describe('ClockWatch', () => {
  const AT_MS = Date.parse('2022-02-15T12:00:00.000Z');
  let now: number;
  let clockMs: number;
  let lines: string[];
  let watch: ClockWatch;
  beforeEach(() => {
    [now, clockMs, lines] = [0, AT_MS, []];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    watch = new ClockWatch({ logger, clock: { now: () => clockMs }, now: () => now });
  });

  it('remembers a clock that was found behind, for a while', async () => {
    let outcome: Outcome = { status: 'rejected', replayed: false, rejection: reject('account-closed', '') };
    const ledger = { execute: () => Promise.resolve(outcome) } as unknown as LedgerCommands;
    const watched = watch.watching(ledger);
    await watched.execute({} as CommandRequest);
    expect(watch.problem()).toBeUndefined();
    outcome = { status: 'rejected', replayed: false, rejection: reject('clock-unreliable', '') };
    expect(await watched.execute({} as CommandRequest)).toBe(outcome);
    expect(watch.problem()).toMatch(/clock/);
    now = 11_000;
    expect(watch.problem()).toBeUndefined();
  });

  it('says by how much the clock is behind the latest time that was recorded', () => {
    expect(watch.behindSeconds()).toBe(0);
    watch.recorded('2022-02-15T12:00:03.500Z');
    watch.recorded('2022-02-15T12:00:01.000Z');
    watch.recorded(undefined);
    watch.recorded('no time at all');
    expect(watch.behindSeconds()).toBe(3.5);
    clockMs += 10_000;
    expect(watch.behindSeconds()).toBe(0);
  });

  it('tells once that the clock is more than 5 s behind, is not ready for a while, and tells once that it is over', () => {
    const said = (): unknown[] => lines.map((line) => (JSON.parse(line) as { level: unknown }).level);
    watch.recorded('2022-02-15T12:00:05.000Z');
    watch.look();
    expect([watch.problem(), lines]).toEqual([undefined, []]);
    watch.recorded('2022-02-15T15:00:00.000Z');
    watch.look();
    watch.look();
    expect([watch.problem(), said()]).toEqual([expect.stringMatching(/clock/), [50]]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ behindSeconds: 10_800 });
    // What was recorded too late must not keep the service away for hours.
    now = 11_000;
    watch.look();
    expect([watch.problem(), watch.behindSeconds()]).toEqual([undefined, 10_800]);
    // On its way out of it, as with another instance that is ahead, it may come and go: over is over.
    clockMs = Date.parse('2022-02-15T14:59:58.000Z');
    watch.look();
    expect(said()).toEqual([50]);
    clockMs += 2_000;
    watch.look();
    watch.look();
    expect(said()).toEqual([50, 30]);
  });

  it('counts what the supervisor puts off as well', () => {
    const supervised = watchSupervisor(pino({ enabled: false }), watch);
    const item = { kind: 'party', id: 'p-1' } as const;
    supervised.failed(item, new RejectionError(reject('store-unavailable', '')));
    expect(watch.problem()).toBeUndefined();
    supervised.failed(item, new RejectionError(reject('clock-unreliable', '')));
    expect(watch.problem()).toMatch(/clock/);
  });
});

describe('readiness', () => {
  const healthy: Health = {
    stopping: () => undefined,
    store: () => Promise.resolve(undefined),
    clock: () => undefined,
    projections: () => undefined,
    supervisor: () => undefined,
  };

  it('is there when nothing is wrong', async () => {
    const checks = { stopping: 'ok', store: 'ok', clock: 'ok', projections: 'ok', supervisor: 'ok' };
    expect(await readiness(healthy)).toEqual({ problem: undefined, checks });
  });

  it.each([
    ['store', 'store-unavailable'],
    ['projections', 'read-model-behind'],
    ['supervisor', 'overloaded'],
    ['clock', 'clock-unreliable'],
    ['stopping', 'shutting-down'],
  ] as const)('is not there without %s', async (name, code) => {
    const { problem, checks } = await readiness({ ...healthy, [name]: () => 'is missing' });
    expect(problem).toEqual({ code, detail: 'is missing' });
    expect(Object.values(checks).filter((check) => check !== 'ok')).toEqual(['is missing']);
  });

  it('names the cause before what follows from it', async () => {
    const { problem } = await readiness({
      ...healthy,
      projections: () => 'behind',
      store: () => Promise.resolve('away'),
    });
    expect(problem?.code).toBe('store-unavailable');
  });
});
