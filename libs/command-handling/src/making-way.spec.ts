import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { LedgerWorld, TestClock } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Observable } from 'rxjs';
import { MAKE_WAY_MS, MakingWay } from './making-way.ts';
import { realMachine } from './ports.ts';

const ACCOUNT = 'account-acc-1';
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;

let store: MemoryEventStore;
let clock: TestClock;
let world: LedgerWorld;
let reachable: boolean;
let sleeping: (() => void)[];
let noted: string[];

/** The store, but for appends to accounts while these can't be reached: freezes are authorised, and not placed. */
function withoutAccounts(): EventStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...call: unknown[]): unknown =>
        name === 'append' && String(call[0]).startsWith('account-') && !reachable
          ? Promise.reject(new StoreError('store-unavailable', 'not now'))
          : Reflect.apply(value, target, call);
    },
  });
}

function makingWay(reader: EventStore = store): MakingWay {
  const sleep = (): Promise<void> => new Promise((resolve) => sleeping.push(resolve));
  return new MakingWay(reader, { ...realMachine, clock, sleep }, (stream) => noted.push(stream));
}

/** Until what was stored has come to those who follow the log. */
function delivered(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

beforeEach(async () => {
  store = new MemoryEventStore();
  clock = new TestClock();
  reachable = true;
  sleeping = [];
  noted = [];
  world = new LedgerWorld({ store: withoutAccounts(), clock });
  await world.openAccount();
  await world.putOrder();
});

describe('movements of an account make way for a freeze', () => {
  it('from its authorisation to its outcome', async () => {
    const way = makingWay();
    await way.follow();
    reachable = false;
    await world.ask(freeze, { key: 'k' });
    await delivered();
    expect(way.makesWay(ACCOUNT)).toBe(true);
    expect(way.makesWay('account-acc-2')).toBe(false);
    expect(way.bound.inUse()).toBe(1);
    reachable = true;
    await world.accept(freeze, { key: 'k' });
    await delivered();
    expect(way.makesWay(ACCOUNT)).toBe(false);
    expect(way.bound.inUse()).toBe(0);
    expect(noted).toEqual([ACCOUNT]);
    way.stop();
  });

  it('for two seconds at most', async () => {
    const way = makingWay();
    await way.follow();
    reachable = false;
    await world.ask(freeze);
    await delivered();
    clock.advance(MAKE_WAY_MS - 1);
    expect(way.makesWay(ACCOUNT)).toBe(true);
    clock.advance(1);
    expect(way.makesWay(ACCOUNT)).toBe(false);
    expect(way.bound.inUse()).toBe(0);
    way.stop();
  });

  it('not for one that was authorised before anybody looked, nor after the end', async () => {
    reachable = false;
    await world.ask(freeze);
    const way = makingWay();
    await way.follow();
    await delivered();
    expect(way.makesWay(ACCOUNT)).toBe(false);
    way.stop();
    await world.putOrder({ orderId: 'ord-2' });
    await world.ask({ ...freeze, basis: { kind: 'legal-order', id: 'ord-2' } });
    await delivered();
    expect(way.makesWay(ACCOUNT)).toBe(false);
  });

  it('also when the log could not be followed for a while', async () => {
    let isCut = true;
    const cut = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...call: unknown[]): unknown =>
          name === 'subscribeAll' && isCut
            ? new Observable((subscriber) => subscriber.error(new StoreError('store-unavailable', 'cut')))
            : Reflect.apply(value, target, call);
      },
    });
    const way = makingWay(cut);
    await way.follow();
    reachable = false;
    await world.ask(freeze);
    expect(way.makesWay(ACCOUNT)).toBe(false);
    isCut = false;
    for (const wake of sleeping) wake();
    await delivered();
    expect(way.makesWay(ACCOUNT)).toBe(true);
    way.stop();
  });
});
