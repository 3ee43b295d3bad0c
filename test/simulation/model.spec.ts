import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { SqliteEventStore } from '#event-store/sqlite';
import { replayAccount } from '#replay';
import { checkLog, LedgerWorld } from '#testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NaiveModel, ORDER_SCOPES, STEP_KINDS, type Step } from './naive-model.ts';

const ACCOUNTS = 2;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...STEP_KINDS),
  account: fc.nat(ACCOUNTS - 1),
  id: fc.integer({ min: 1, max: 3 }),
  amount: fc.integer({ min: 1, max: 4 }),
  scope: fc.constantFrom(...ORDER_SCOPES),
  asMaker: fc.boolean(),
});

/** Plays a script through the real core and through the model, and compares every answer and every balance. */
async function play(store: EventStore, script: readonly Step[]): Promise<void> {
  const world = new LedgerWorld({ store, limits: { refusalsPerMinute: 0 } });
  for (let index = 0; index < ACCOUNTS; index += 1)
    await world.openAccount(`acc-${String(index)}`, `p-${String(index)}`);
  const model = new NaiveModel(ACCOUNTS);
  for (const [at, each] of script.entries()) {
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
  it('comes to what a naive model says, over memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), (script) =>
        play(new MemoryEventStore(), script),
      ),
      { numRuns: 150 },
    );
  }, 120_000);

  it('comes to what a naive model says, over SQLite', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (script) => {
        const folder = await mkdtemp(join(tmpdir(), 'writ-model-'));
        const store = await SqliteEventStore.open({ path: join(folder, 'events.sqlite') });
        try {
          await play(store, script);
        } finally {
          await store.close();
          await rm(folder, { recursive: true });
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
