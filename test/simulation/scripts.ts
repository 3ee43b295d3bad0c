import type { EventStore } from '#event-store';
import { LedgerWorld } from '#testing';
import fc from 'fast-check';
import { NaiveModel, ORDER_SCOPES, STEP_KINDS, type Step } from './naive-model.ts';

/** Accounts that scripts are about: `acc-0` of `p-0`, and so on. */
export const ACCOUNTS = 2;

export const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...STEP_KINDS),
  account: fc.nat(ACCOUNTS - 1),
  id: fc.integer({ min: 1, max: 3 }),
  amount: fc.integer({ min: 1, max: 4 }),
  scope: fc.constantFrom(...ORDER_SCOPES),
  asMaker: fc.boolean(),
});

/** Steps as they come, most of them possible where they stand. */
export const script: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 20, maxLength: 60 });

/** The real core over a store, with the accounts open. Refusals are recorded however many there are. */
export async function worldOfScripts(store: EventStore): Promise<LedgerWorld> {
  const world = new LedgerWorld({ store, limits: { refusalsPerMinute: 0 } });
  for (let index = 0; index < ACCOUNTS; index += 1)
    await world.openAccount(`acc-${String(index)}`, `p-${String(index)}`);
  return world;
}

/** Plays a script and leaves its log in the store. */
export async function playInto(store: EventStore, steps: readonly Step[]): Promise<void> {
  const world = await worldOfScripts(store);
  const model = new NaiveModel(ACCOUNTS);
  for (const each of steps) {
    const asked = model.command(each);
    if (asked === undefined) continue;
    const outcome = await world.ask(asked.command, { actor: asked.actor });
    // The model knows which freezes there are: later steps are about them.
    model.apply(each, outcome.status === 'accepted' ? (outcome.authorisation?.id ?? '') : '');
    if (asked.command.type === 'SendTransfer') await world.ledger.supervisor.pass();
  }
}
