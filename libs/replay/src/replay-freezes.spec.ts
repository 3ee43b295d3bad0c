import { MemoryEventStore } from '#event-store/memory';
import type { Position, RecordedEvent } from '#kernel';
import { danglingFreeze, forceIn, LedgerWorld, storeWith, tellStory, type ToldStory } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Moment } from './moment.ts';
import { replayAccount } from './replay-account.ts';
import { replayFreezes, type FreezesAsOf } from './replay-freezes.ts';

const store = new MemoryEventStore();
let story: ToldStory;
let log: readonly RecordedEvent[];

beforeAll(async () => {
  const world = new LedgerWorld({ store });
  story = await tellStory(world);
  await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
  await forceIn(store, 'account-acc-1', { type: 'AccountFrozen', data: { freezeId: 'none' } });
  log = await world.log();
});

function replay(at: Moment | undefined, limit = 500, after?: Position): Promise<FreezesAsOf> {
  return replayFreezes(store, at, { limit, after });
}

/** The freezes in force in each account, as a replay of that account alone has them. */
async function oneByOne(at: Moment): Promise<string[]> {
  const ids: string[] = [];
  for (const accountId of ['acc-1', 'acc-2', 'acc-3', 'acc-4', 'acc-5']) {
    const account = await replayAccount(store, accountId, at);
    ids.push(...(account?.state.freezes.inForce.keys() ?? []));
  }
  return ids.sort();
}

describe('the freezes as of a moment', () => {
  it('are those in force now, with their basis, when there is no moment', async () => {
    const { items, next } = await replay(undefined);
    expect(next).toBeUndefined();
    expect(items).toMatchObject([
      {
        freezeId: story.inForce,
        accountId: 'acc-1',
        state: 'in-force',
        basis: { kind: 'legal-order', id: 'ord-4' },
        citation: { stream: 'legalOrder-ord-4', eventId: story.inForce },
        placedBy: 'maker',
        lift: null,
      },
    ]);
  });

  it('are those of every account as of then, at every position', async () => {
    const seen = new Set<string>();
    for (const { position } of log) {
      const ids = (await replay({ position })).items.map(({ freezeId }) => freezeId);
      expect([position, ids.toSorted()]).toEqual([position, await oneByOne({ position })]);
      for (const id of ids) seen.add(id);
    }
    expect(seen).toEqual(new Set(Object.values(story)));
  });

  it('are none before the first', async () => {
    expect((await replay({ position: '0'.repeat(16) })).items).toEqual([]);
    expect((await replay({ time: '2021-12-31T00:00:00.000Z' })).items).toEqual([]);
    expect(await replayFreezes(new MemoryEventStore(), undefined, { limit: 1 })).toEqual({
      items: [],
      next: undefined,
    });
  });
});

describe('the freezes as of a time', () => {
  it('are those whose own streams had them by then', async () => {
    const timed = new MemoryEventStore();
    const world = new LedgerWorld({ store: timed });
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const subjects = ['acc-1', 'acc-2'].map((accountId) => ({ kind: 'account' as const, accountId }));
    await world.putOrder({ subjects });
    const placed: string[] = [];
    for (const { accountId } of subjects) {
      world.clock.advance(1_000);
      const basis = { kind: 'legal-order', id: 'ord-1' } as const;
      const [frozen] = await world.accept({ type: 'FreezeAccount', accountId, basis });
      placed.push((frozen?.data as { freezeId: string }).freezeId);
    }
    world.clock.advance(1_000);
    await world.endOrder();
    const at = async (time: string): Promise<string[]> =>
      (await replayFreezes(timed, { time }, { limit: 10 })).items.map(({ freezeId }) => freezeId);
    expect(await at('2022-02-15T12:00:00.999Z')).toEqual([]);
    expect(await at('2022-02-15T12:00:01.000Z')).toEqual(placed.slice(0, 1));
    expect(await at('2022-02-15T12:00:02.000Z')).toEqual(placed);
    expect(await at('2022-02-15T12:00:02.999Z')).toEqual(placed);
    expect(await at('2022-02-15T12:00:03.000Z')).toEqual([]);
  });
});

describe('pages', () => {
  /** A party with this many accounts, all of them frozen under one order. */
  async function frozenAccounts(count: number): Promise<MemoryEventStore> {
    const many = new MemoryEventStore();
    const world = new LedgerWorld({ store: many });
    await world.openAccount('acc-0');
    const holders = [{ partyId: 'p-1', capacity: 'owner' }] as const;
    for (let n = 1; n < count; n += 1) await world.accept({ type: 'OpenAccount', accountId: `acc-${n}`, holders });
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    for (let n = 0; n < count; n += 1) {
      const basis = { kind: 'legal-order', id: 'ord-1' } as const;
      await world.accept({ type: 'FreezeAccount', accountId: `acc-${n}`, basis });
    }
    return many;
  }

  async function allPages(reader: MemoryEventStore, limit: number): Promise<string[][]> {
    const pages: string[][] = [];
    let after: Position | undefined;
    do {
      const page: FreezesAsOf = await replayFreezes(reader, undefined, { limit, after });
      pages.push(page.items.map(({ accountId }) => accountId));
      after = page.next;
    } while (after !== undefined);
    return pages;
  }

  it('of any size are the same whole, in the order of placing', async () => {
    const five = await frozenAccounts(5);
    const whole = ['acc-0', 'acc-1', 'acc-2', 'acc-3', 'acc-4'];
    expect(await allPages(five, 500)).toEqual([whole]);
    expect(await allPages(five, 5)).toEqual([whole]);
    expect(await allPages(five, 2)).toEqual([whole.slice(0, 2), whole.slice(2, 4), whole.slice(4)]);
    expect(await allPages(five, 1)).toEqual(whole.map((accountId) => [accountId]));
  });

  it('replay 200 accounts at most', async () => {
    const pages = await allPages(await frozenAccounts(203), 500);
    expect(pages.map(({ length }) => length)).toEqual([200, 3]);
    expect(new Set(pages.flat()).size).toBe(203);
  });

  it('have a freeze once, also when it was forced in again', async () => {
    const forged = await frozenAccounts(2);
    const [, real] = await forged.read('account-acc-1');
    if (real === undefined) throw new Error('nothing is frozen');
    await forceIn(forged, 'account-acc-1', { type: real.type, data: real.data });
    expect(await allPages(forged, 500)).toEqual([['acc-0', 'acc-1']]);
  });
});

describe('a replay for which nobody waits any more', () => {
  /** A store that gives up, with this reason, when a stream is read for the nth time. @returns how often one was read */
  function givingUpAt(
    nth: number,
    reason: Error,
  ): { replayed: (all: boolean) => Promise<unknown>; reads: () => number } {
    const controller = new AbortController();
    let reads = 0;
    const reader = storeWith(store, {
      read: (...asked) => {
        reads += 1;
        if (reads === nth) controller.abort(reason);
        return store.read(...asked);
      },
    });
    const { signal } = controller;
    const replayed = (all: boolean): Promise<unknown> =>
      all
        ? replayFreezes(reader, undefined, { limit: 500 }, signal)
        : replayAccount(reader, 'acc-1', undefined, signal);
    return { replayed, reads: () => reads };
  }

  it.each([
    ['of all freezes', true],
    ['of an account', false],
  ])('%s ends at its next read, whichever that is', async (_name, all) => {
    const whole = givingUpAt(-1, new Error('never'));
    await whole.replayed(all);
    expect(whole.reads()).toBeGreaterThan(3);
    const gone = new Error('gone');
    for (let nth = 1; nth < whole.reads(); nth += 1) {
      const one = givingUpAt(nth, gone);
      await expect(one.replayed(all)).rejects.toBe(gone);
      expect(one.reads()).toBe(nth);
    }
  });
});
