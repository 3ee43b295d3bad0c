import { MemoryEventStore } from '#event-store/memory';
import { failingAt, LedgerWorld, varyOrder } from '#testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';

const HOUR_MS = 3_600_000;
const TURNS = 500;
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const party = (partyId: string): { readonly kind: 'party'; readonly partyId: string } => ({ kind: 'party', partyId });

let world: LedgerWorld;
afterEach(() => world.ledger.supervisor.stop());

/** What stands on the party's stream then can't be followed by anything until the clock is there again. */
async function linkAnAddressAhead(partyId: string): Promise<void> {
  const link = { chain: 'bitcoin', address: 'bc1q', role: 'deposit-address' } as const;
  world.clock.advance(3 * HOUR_MS);
  await world.accept({ type: 'LinkAddress', partyId, ...link });
  world.clock.advance(-3 * HOUR_MS);
}

const logged = async (): Promise<string[]> => (await world.log()).map(({ stream, type }) => `${stream} ${type}`);

async function comes(what: string): Promise<boolean> {
  for (let turns = 0; turns < TURNS; turns += 1) {
    if ((await logged()).includes(what)) return true;
    await turn();
  }
  return false;
}

describe('after a clock that ran ahead for a while', () => {
  it('a party that can not be named keeps no other from it, and no freeze from being lifted', async () => {
    world = new LedgerWorld();
    await world.openAccount('acc-1', 'p-0');
    await world.openAccount('acc-2', 'p-1');
    await world.openAccount('acc-3', 'p-2');
    await linkAnAddressAhead('p-1');
    await world.putOrder({ subjects: [{ kind: 'account', accountId: 'acc-1' }, party('p-1'), party('p-2')] });
    await world.accept(freeze);
    await varyOrder(world, { subjects: [party('p-1'), party('p-2')] });
    await world.ledger.supervisor.pass();
    expect(await logged()).toEqual(expect.arrayContaining(['party-p-2 PartyNamed', 'account-acc-1 AccountUnfrozen']));
    expect(await logged()).not.toContain('party-p-1 PartyNamed');
  });

  it('what was recorded on a party before it still ties an account to an order', async () => {
    world = new LedgerWorld();
    await world.openAccount('acc-1', 'p-1');
    await linkAnAddressAhead('p-1');
    await world.putOrder({ subjects: [party('p-1')] });
    await world.accept(freeze);
  });

  it('a step that failed meanwhile is tried again at once', async () => {
    const store = new MemoryEventStore();
    let fails = true;
    world = new LedgerWorld({ store: failingAt('AccountUnfrozen', store, () => fails) });
    await world.openAccount('acc-1', 'p-1');
    await world.putOrder();
    await world.accept(freeze);
    await world.ledger.supervisor.start();
    await world.endOrder();
    world.clock.advance(3 * HOUR_MS);
    for (let turns = 0; turns < TURNS && world.ledger.supervisor.failing === 0; turns += 1) await turn();
    fails = false;
    world.clock.advance(-3 * HOUR_MS);
    expect(await comes('account-acc-1 AccountUnfrozen')).toBe(true);
  });
});
