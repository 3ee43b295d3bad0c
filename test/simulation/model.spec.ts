import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { SqliteEventStore } from '#event-store/sqlite';
import { replayAccount } from '#replay';
import { checkLog } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, runs } from './effort.ts';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NaiveModel, type Step } from './naive-model.ts';
import { ACCOUNTS, script, worldOfScripts } from './scripts.ts';

/** Plays a script through the real core and through the model, and compares every answer and every balance. */
async function play(store: EventStore, steps: readonly Step[]): Promise<void> {
  const world = await worldOfScripts(store);
  const model = new NaiveModel(ACCOUNTS);
  for (const [at, each] of steps.entries()) {
    const asked = model.command(each);
    if (asked === undefined) continue;
    const key = `step-${String(at)}`;
    const outcome = await world.ask(asked.command, { actor: asked.actor, key });
    const freezeId = outcome.status === 'accepted' ? (outcome.authorisation?.id ?? '') : '';
    const came = outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code;
    expect({ at, step: each, came }).toEqual({ at, step: each, came: model.apply(each, freezeId) });
    // The model knows nothing that is under way: a transfer ends before the next step.
    if (asked.command.type === 'SendTransfer') await world.ledger.supervisor.pass();
    if (outcome.status === 'accepted') {
      // Idempotent for good (invariant 7).
      expect(await world.ask(asked.command, { actor: asked.actor, key })).toEqual({ ...outcome, replayed: true });
    }
  }
  for (const [index, account] of model.accounts.entries()) {
    const replayed = await replayAccount(store, `acc-${String(index)}`, undefined);
    const { available, held } = replayed?.state.balances.get('BTC') ?? { available: 0n, held: 0n };
    expect(available).toBe(BigInt(account.available) * 100_000_000n);
    expect(held).toBe(BigInt(account.held) * 100_000_000n);
    expect(replayed?.state.closed).toBe(account.closed);
    expect(replayed?.state.freezes.inForce.size).toBe(account.freezes.size);
  }
  expect(world.failures).toEqual([]);
  expect(checkLog(await world.log(), { quiescent: true })).toEqual([]);
}

describe('any script of commands', () => {
  it(
    'comes to what a naive model says, over memory',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, (steps) => play(new MemoryEventStore(), steps)),
        { numRuns: runs(150) },
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
