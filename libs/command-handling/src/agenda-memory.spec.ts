import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { sha256Hex } from '#kernel';
import { LedgerWorld, putHit, sampleAddress, service, TestClock } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SnapshotOutcome, SnapshotStore } from './snapshots.ts';

const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const DAY_MS = 86_400_000;

let store: MemoryEventStore;
let clock: TestClock;
let texts: Map<string, string>;
let outcomes: SnapshotOutcome[];
let started: LedgerWorld[];
beforeEach(() => {
  store = new MemoryEventStore();
  clock = new TestClock();
  texts = new Map();
  outcomes = [];
  started = [];
});
afterEach(async () => {
  for (const { ledger } of started) await ledger.supervisor.stop();
});

/** The command side as after a start of the process, its supervisor not yet at work. */
function newProcess(over: EventStore = store): LedgerWorld {
  const kept: SnapshotStore = {
    read: (stream) => Promise.resolve(texts.get(stream)),
    put: (stream, text) => void texts.set(stream, text),
  };
  const watch = (outcome: SnapshotOutcome): void => void outcomes.push(outcome);
  const world = new LedgerWorld({ store: over, clock, agendaMemory: { store: kept, watch } });
  started.push(world);
  return world;
}

/** The store, with what its readers were given of the whole log; where it `dies`, no freeze is taken, after what that waits for. */
function watched(
  inner: EventStore,
  dies?: () => Promise<void>,
): { readonly over: EventStore; readonly given: () => number } {
  let given = 0;
  const over = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'readAll') {
        return async (...call: Parameters<EventStore['readAll']>) => {
          const page = await inner.readAll(...call);
          given += page.events.length;
          return page;
        };
      }
      if (name === 'append' && dies !== undefined) {
        return async (...call: Parameters<EventStore['append']>) => {
          const isFreeze = call[2].some(({ type }) => type === 'AccountFrozen');
          if (isFreeze) {
            await dies();
            throw new StoreError('store-unavailable', 'the process died');
          }
          return inner.append(...call);
        };
      }
      return value.bind(target) as unknown;
    },
  });
  return { over, given: () => given };
}

async function typesOn(stream: string): Promise<string[]> {
  return (await store.read(stream)).map(({ type }) => type);
}

/** A process that worked, and stopped in order. */
async function firstRun(): Promise<void> {
  const world = newProcess();
  await world.openAccount();
  await world.putOrder({ expiresAt: '2022-03-01T00:00:00.000Z' });
  await world.ledger.supervisor.start();
  await world.ledger.supervisor.stop();
}

/** A process that died between the two halves of a freeze. */
async function halfAFreeze(): Promise<void> {
  const dying = newProcess(watched(store, () => Promise.resolve()).over);
  expect(await dying.ask(freeze, { key: 'f' })).toMatchObject({ rejection: { code: 'store-unavailable' } });
}

describe('what the supervisor remembers', () => {
  it('spares the next start what was read before, and loses nothing that came since', async () => {
    await firstRun();
    await halfAFreeze();
    const { over, given } = watched(store);
    const world = newProcess(over);
    await world.ledger.supervisor.start();
    expect(outcomes).toEqual(['used']);
    // The authorisation, and the freeze that now follows it.
    expect(given()).toBeLessThanOrEqual(2);
    expect(await typesOn('account-acc-1')).toEqual(['AccountOpened', 'AccountFrozen']);
  });

  it('has in it what a stop cut short, also in the first pass', async () => {
    const first = newProcess();
    await first.openAccount();
    // Without an end: only what is left to do keeps it in mind.
    await first.putOrder();
    await halfAFreeze();
    let stopped: Promise<void> | undefined;
    const stopIt = async (): Promise<void> => {
      stopped ??= world.ledger.supervisor.stop();
      // Whatever it does without waiting for what is under way, it has done by then.
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const world = newProcess(watched(store, stopIt).over);
    await world.ledger.supervisor.start();
    expect(stopped).toBeDefined();
    await stopped;
    await newProcess().ledger.supervisor.start();
    expect(outcomes).toEqual(['used']);
    expect(await typesOn('account-acc-1')).toEqual(['AccountOpened', 'AccountFrozen']);
  });

  it('keeps what time alone will bring', async () => {
    await firstRun();
    clock.advance(30 * DAY_MS);
    const world = newProcess();
    await world.ledger.supervisor.start();
    expect(outcomes).toEqual(['used']);
    expect((await typesOn('legalOrder-ord-1')).at(-1)).toBe('LegalOrderExpired');
  });

  it.each([
    ['ends before it', () => Promise.resolve()],
    ['has gone on without it', () => newProcess().openAccount('acc-2', 'p-2')],
  ])('does not take for done what a log that went back does not have, which %s', async (_, goOn) => {
    const before = newProcess();
    await before.openAccount();
    await before.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    await before.ledger.supervisor.start();
    await before.endOrder();
    await before.ledger.supervisor.pass();
    await before.ledger.supervisor.stop();
    const log = (await store.readAll({ limit: 1_000 })).events;
    // It tells the supervisor of nothing to do, so it is none of the events that an agenda takes in.
    expect(log.at(-1)?.type).toBe('PartyNoLongerNamed');
    store = new MemoryEventStore({ log: log.slice(0, -1) });
    await goOn();
    const world = newProcess();
    await world.ledger.supervisor.start();
    expect(outcomes).toEqual(['other-log']);
    expect((await typesOn('party-p-1')).at(-1)).toBe('PartyNoLongerNamed');
  });

  it('keeps which bases name an address', async () => {
    const before = newProcess();
    await before.openAccount();
    await putHit(before, { subject: sampleAddress });
    await before.ledger.supervisor.start();
    await before.ledger.supervisor.stop();
    const world = newProcess();
    await world.ledger.supervisor.start();
    const link = { type: 'LinkAddress', partyId: 'p-1', chain: 'bitcoin', role: 'holder-controlled' } as const;
    await world.accept({ ...link, address: sampleAddress.address }, { actor: service });
    await world.ledger.supervisor.pass();
    expect(outcomes).toEqual(['used']);
    expect((await typesOn('party-p-1')).at(-1)).toBe('PartyNamed');
  });

  it.each<[what: string, spoil: () => Promise<void> | void, outcome: SnapshotOutcome]>([
    ['is damaged', () => void texts.set('supervisor', `${texts.get('supervisor') ?? ''} `), 'damaged'],
    ['is of other code', () => void texts.set('supervisor', rewritten('rules', 'others')), 'other-version'],
    ['is of another log', otherLog, 'other-log'],
  ])('is left aside when it %s: all is read again', async (_, spoil, outcome) => {
    await firstRun();
    await spoil();
    outcomes = [];
    await halfAFreeze();
    const world = newProcess();
    await world.ledger.supervisor.start();
    expect(outcomes).toEqual([outcome]);
    expect(await typesOn('account-acc-1')).toEqual(['AccountOpened', 'AccountFrozen']);
  });

  /** The same text but for one member, and well sealed. */
  function rewritten(name: string, value: string): string {
    const text = texts.get('supervisor') ?? '';
    const content = JSON.stringify({ ...(JSON.parse(text.slice(65)) as object), [name]: value });
    return `${sha256Hex(content)}\n${content}`;
  }

  /** Restored from a backup that is older, and grown since: other events stand at the same places. */
  async function otherLog(): Promise<void> {
    const remembered = texts.get('supervisor') ?? '';
    store = new MemoryEventStore();
    await firstRun();
    texts.set('supervisor', remembered);
  }
});
