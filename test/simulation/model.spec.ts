import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { SqliteEventStore } from '#event-store/sqlite';
import { toTimestamp, type Scope } from '#kernel';
import { replayAccount } from '#replay';
import { checkLog, describeBreaches } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, runs } from './effort.ts';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reservedIn } from './naive-model/accounts.ts';
import { accountName } from './naive-model/command.ts';
import { NaiveModel } from './naive-model/model.ts';
import type { NaiveScope } from './naive-model/scope.ts';
import type { NaiveAccount } from './naive-model/state.ts';
import type { Step } from './naive-model/step.ts';
import { script, take, worldOfScripts } from './scripts.ts';

const UNITS = 100_000_000;

/** Plays a script through the real core and through the model, and compares every answer and every account. */
async function play(store: EventStore, steps: readonly Step[]): Promise<void> {
  const world = await worldOfScripts(store);
  const model = new NaiveModel();
  for (const [at, step] of steps.entries()) {
    const asked = model.command(step);
    if (asked === undefined) continue;
    const { came, freezeIds, outcome } = await take(world, asked, `step-${at}`);
    expect({ at, step, came }).toEqual({ at, step, came: model.apply(step, freezeIds) });
    if (outcome === undefined || !came.includes('accepted')) continue;
    // Idempotent for good (invariant 7).
    const events = (await world.log()).length;
    const again = await take(world, asked, `step-${at}`);
    if (outcome.status === 'accepted') expect(again.outcome).toEqual({ ...outcome, replayed: true });
    expect({ ...again, outcome: again.outcome?.replayed }).toEqual({ came, freezeIds, outcome: true });
    expect(await world.log()).toHaveLength(events);
  }
  for (const [index, account] of model.state.accounts) {
    expect(await accountIn(store, index)).toEqual(accountAsModelled(account));
  }
  expect(world.failures).toEqual([]);
  const log = await world.log();
  const now = toTimestamp(world.clock.now());
  expect(describeBreaches(checkLog(log, { quiescent: true, now }), log)).toBe('');
}

function accountAsModelled(account: NaiveAccount): unknown {
  const { available, held, closed, freezes } = account;
  const inForce = [...freezes.values()].filter(({ ended }) => !ended);
  const scopes = new Map(inForce.map(({ freezeId, scope }) => [freezeId, scope]));
  return { available, held, reserved: reservedIn(account), closed, scopes };
}

/** What the log says of an account, in the words of the model. */
async function accountIn(store: EventStore, index: number): Promise<unknown> {
  const { state } = (await replayAccount(store, accountName(index), undefined)) ?? {};
  const { available, held, reserved } = state?.balances.get('BTC') ?? { available: 0n, held: 0n, reserved: 0n };
  const scopes = new Map([...(state?.freezes.inForce ?? [])].map(([id, { scope }]) => [id, asModelled(scope)]));
  const units = { available: Number(available), held: Number(held), reserved: Number(reserved) };
  const whole = Object.fromEntries(Object.entries(units).map(([name, amount]) => [name, amount / UNITS]));
  return { ...whole, closed: state?.closed, scopes };
}

function asModelled({ direction, assets, limits = {} }: Scope): NaiveScope {
  const limit = limits['BTC'] === undefined ? Infinity : Number(limits['BTC']) / UNITS;
  return { debit: direction !== 'credit', credit: direction !== 'debit', bitcoin: assets === 'all', limit };
}

describe('any script of commands', () => {
  it(
    'comes to what a naive model says, over memory',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, (steps) => play(new MemoryEventStore(), steps)),
        { numRuns: runs(100) },
      );
    },
    LIMIT_MS,
  );

  it(
    'comes to what a naive model says, over SQLite',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, async (steps) => {
          const folder = await mkdtemp(join(tmpdir(), 'writ-model-'));
          const store = await SqliteEventStore.open({ path: join(folder, 'events.sqlite') });
          try {
            await play(store, steps);
          } finally {
            await store.close();
            await rm(folder, { recursive: true });
          }
        }),
        { numRuns: runs(25) },
      );
    },
    LIMIT_MS,
  );
});
