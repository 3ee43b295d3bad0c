import { describe, expect, it } from '@jest/globals';
import type { CommandRequest, LedgerCommands, Outcome } from '#command-handling';
import { reject } from '#kernel';
import { ClockWatch } from './clock-watch.ts';
import { readiness, type Health } from './health.ts';
import { LagWatch } from './lag-watch.ts';

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
  it('remembers a clock that was found behind, for a while', async () => {
    let now = 0;
    let outcome: Outcome = { status: 'rejected', replayed: false, rejection: reject('account-closed', '') };
    const ledger = { execute: () => Promise.resolve(outcome) } as unknown as LedgerCommands;
    const watch = new ClockWatch(() => now);
    const watched = watch.watching(ledger);
    await watched.execute({} as CommandRequest);
    expect(watch.problem()).toBeUndefined();
    outcome = { status: 'rejected', replayed: false, rejection: reject('clock-unreliable', '') };
    expect(await watched.execute({} as CommandRequest)).toBe(outcome);
    expect(watch.problem()).toMatch(/clock/);
    now = 11_000;
    expect(watch.problem()).toBeUndefined();
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
