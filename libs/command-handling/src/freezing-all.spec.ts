import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { LedgerWorld, varyOrder } from '#testing';
import { describe, expect, it } from '@jest/globals';

/** A store in which something happens once, before a stream is read. */
function meanwhile(inner: EventStore, stream: string, happens: () => Promise<void>): EventStore {
  let isDue = true;
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'read') return value.bind(target) as unknown;
      return async (...call: Parameters<EventStore['read']>) => {
        const isNow = isDue && call[0] === stream;
        if (isNow) isDue = false;
        if (isNow) await happens();
        return inner.read(...call);
      };
    },
  });
}

describe('a freeze of all that an order names, while the order is varied', () => {
  it('freezes with the scope that the order has by then, and is not refused for the one that it had', async () => {
    const store = new MemoryEventStore();
    const other = new LedgerWorld({ store });
    await other.openAccount();
    await other.putOrder();
    const vary = (): Promise<void> => varyOrder(other, { scope: { direction: 'credit', assets: 'all' } });
    const world = new LedgerWorld({ store: meanwhile(store, 'account-acc-1', vary) });
    const outcome = await world.freezeAll({ basis: { kind: 'legal-order', id: 'ord-1' } });
    expect(outcome).toMatchObject({ status: 'answered', parts: [{ outcome: { status: 'accepted' } }] });
    expect((await store.read('account-acc-1')).at(-1)).toMatchObject({
      type: 'AccountFrozen',
      data: { scope: { direction: 'credit', assets: 'all' } },
    });
    expect((await store.read('legalOrder-ord-1')).map(({ type }) => type)).not.toContain('CommandRefused');
  });
});
