import type { EventStore } from '#event-store';
import { LedgerWorld, lengthen, watched, type Watched } from '#testing';
import { STREAM_PAGE_EVENTS as PAGE } from '#replay';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ORDER = 'legalOrder-ord-1';

let watch: Watched;
beforeEach(async () => {
  const world = new LedgerWorld();
  await world.openAccount();
  await world.putOrder();
  await lengthen(world.store, ORDER, 2 * PAGE, () => ({ type: 'Unknown', data: {} }));
  watch = watched(world.store);
});
afterEach(() => watch.end());

/** Says that the order was read in its three pages, with a turn between them, and never more of it at once. */
function expectPages(): void {
  const reads = watch.reads.filter(({ stream, events }) => stream === ORDER && events > 1);
  expect(Math.max(...reads.map(({ events }) => events))).toBe(PAGE);
  expect(new Set(reads.slice(0, 3).map(({ turn }) => turn)).size).toBe(3);
}

const worldOf = (store: EventStore): LedgerWorld => new LedgerWorld({ store });

describe('a stream of several pages', () => {
  it('is read in pages for its state as of a revision, and others have their turn in between', async () => {
    const state = await worldOf(watch.store).ledger.stateAsOf('legalOrder', ORDER, 2 * PAGE + 1);
    expect(state).toMatchObject({ state: 'verified' });
    expectPages();
  });

  it('is read in pages before something is decided on it', async () => {
    const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
    await worldOf(watch.store).accept(freeze);
    expectPages();
  });
});
