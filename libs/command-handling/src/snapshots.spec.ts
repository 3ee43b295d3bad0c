import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { sha256Hex, type Rejection } from '#kernel';
import { decodeSnapshot, type HomeStreamIndex } from '#replay';
import { danglingFreeze, emptyIndex, forceIn, LedgerWorld, service } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerCommand } from './ledger-api.ts';
import type { SnapshotOutcome, SnapshotStore } from './snapshots.ts';

const STREAM = 'account-acc-1';
const source = { kind: 'bank', reference: 'r' } as const;
const destination = { kind: 'bank', reference: 'r' } as const;

function deposit(n: number): LedgerCommand {
  return { type: 'Deposit', accountId: 'acc-1', depositId: `d-${String(n)}`, asset: 'BTC', amount: '1', source };
}

let store: EventStore;
let texts: Map<string, string>;
let outcomes: SnapshotOutcome[];
beforeEach(() => {
  store = new MemoryEventStore({ singleWriter: true });
  texts = new Map();
  outcomes = [];
});

interface Start {
  readonly index?: HomeStreamIndex;
  readonly rules?: string;
  readonly over?: EventStore;
}

/** The command side as after a start. */
function start({ index = emptyIndex, rules = 'rules', over = store }: Start = {}): LedgerWorld {
  const kept: SnapshotStore = {
    read: (stream) => Promise.resolve(texts.get(stream)),
    put: (stream, text) => void texts.set(stream, text),
  };
  const watch = (outcome: SnapshotOutcome): void => void outcomes.push(outcome);
  return new LedgerWorld({ store: over, index, snapshots: { store: kept, everyEvents: 5, rules, watch } });
}

async function openAndDeposit(count: number, world = start()): Promise<void> {
  await world.openAccount();
  for (let n = 1; n <= count; n += 1) await add(n, world);
}

async function add(n: number, world: LedgerWorld): Promise<void> {
  await world.accept(deposit(n), { actor: service, key: `d-${String(n)}` });
}

/** The revision of the snapshot that is kept, or -1. */
function keptRevision(): number {
  const text = texts.get(STREAM);
  if (text === undefined) return -1;
  const snapshot = decodeSnapshot(text, STREAM, 'rules');
  return typeof snapshot === 'string' ? -1 : snapshot.folded.revision;
}

/** Counts what is read of the account. */
function counting(inner: EventStore): { readonly over: EventStore; readonly events: () => number } {
  let events = 0;
  const read: EventStore['read'] = async (stream, options) => {
    const found = await inner.read(stream, options);
    if (stream === STREAM) events += found.length;
    return found;
  };
  const over = new Proxy(inner, {
    get: (target, name) => {
      if (name === 'read') return read;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { over, events: () => events };
}

describe('snapshots', () => {
  it('are made of accounts alone, when so many events came since the last', async () => {
    await openAndDeposit(3);
    expect(keptRevision()).toBe(-1);
    const world = start();
    await add(4, world);
    expect(keptRevision()).toBe(4);
    for (let n = 5; n <= 8; n += 1) await add(n, world);
    expect(keptRevision()).toBe(4);
    await add(9, world);
    expect(keptRevision()).toBe(9);
    expect([...texts.keys()]).toEqual([STREAM]);
  });

  it('spare the account from being read from its first event', async () => {
    await openAndDeposit(11);
    const { over, events } = counting(store);
    await add(12, start({ over }));
    expect(outcomes).toEqual(['used']);
    // The event of the snapshot, and the two after it.
    expect(events()).toBe(3);
  });

  it('are made of an account that was just folded from its first event', async () => {
    await openAndDeposit(7, new LedgerWorld({ store }));
    await start().ask({ ...deposit(1), accountId: 'acc-1', amount: '2' } as LedgerCommand);
    expect(keptRevision()).toBe(7);
  });

  it('know the keys and ids of what came before them', async () => {
    await openAndDeposit(9);
    const world = start();
    const again = await world.ask(deposit(2), { actor: service, key: 'd-2' });
    expect(again).toMatchObject({ status: 'accepted', replayed: true });
    expect(await world.ask(deposit(2))).toMatchObject({ rejection: { code: 'already-exists' } });
    expect(outcomes).toEqual(['used']);
  });

  it('keep a freeze that stands, and a forged one out', async () => {
    await openAndDeposit(2);
    await start().putOrder();
    await start().accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } });
    await forceIn(store, STREAM, danglingFreeze('acc-1'));
    await add(3, start());
    expect(keptRevision()).toBe(4);
    const withdrawal = { type: 'ReserveWithdrawal', accountId: 'acc-1', withdrawalId: 'w-1', asset: 'BTC' } as const;
    const refused = await start().ask({ ...withdrawal, amount: '1', destination }, { actor: service });
    const [freezeId, ...more] = (refused as { rejection: Rejection }).rejection.extra['freezeIds'] as string[];
    expect(freezeId).toEqual(expect.any(String));
    expect(more).toEqual([]);
    expect(refused).toMatchObject({ rejection: { code: 'account-frozen' } });
    expect(outcomes.at(-1)).toBe('used');
  });

  it.each([
    ['damaged', (): void => void texts.set(STREAM, `${texts.get(STREAM) ?? ''} `)],
    ['other-log', (): void => void texts.set(STREAM, texts.get('account-acc-2') ?? '')],
  ] as const)('that are %s are ignored, told of once and replaced', async (outcome, spoil) => {
    await openAndDeposit(9);
    texts.set('account-acc-2', (texts.get(STREAM) ?? '').replaceAll('acc-1', 'acc-2'));
    texts.set('account-acc-2', resealed(texts.get('account-acc-2') ?? ''));
    spoil();
    await add(10, start());
    await add(11, start());
    expect(outcomes).toEqual([outcome, 'used']);
  });

  it('that other code made are ignored and replaced', async () => {
    await openAndDeposit(9);
    await add(10, start({ rules: 'other rules' }));
    await add(11, start({ rules: 'other rules' }));
    expect(outcomes).toEqual(['other-version', 'used']);
  });

  it('of a longer log than there is are ignored: the account is what the log says', async () => {
    await openAndDeposit(9);
    const [longer, kept] = [store, texts.get(STREAM)];
    store = new MemoryEventStore({ singleWriter: true });
    texts = new Map();
    for (const { stream, position: _position, ...event } of (await longer.readAll({ limit: 1_000 })).events) {
      const { revision, ...sealed } = event;
      if (stream !== STREAM || revision < 3)
        await store.append(stream, revision === 0 ? 'no-stream' : revision - 1, [sealed]);
    }
    texts.set(STREAM, kept ?? '');
    const world = start();
    expect(await world.ask(deposit(3), { actor: service, key: 'new' })).toMatchObject({ status: 'accepted' });
    expect(outcomes).toEqual(['other-log']);
    expect(keptRevision()).toBe(2);
  });

  it('are not used while the index has not taken in what they leave to it', async () => {
    let indexed = -1;
    const known = new Map<string, number>();
    const index: HomeStreamIndex = {
      ...emptyIndex,
      indexedRevision: (stream) => (stream === STREAM ? indexed : -1),
      lookup: (_stream, kind, id) => {
        const revision = known.get(`${kind} ${id}`);
        return revision === undefined ? undefined : { revision, value: '' };
      },
    };
    const world = start({ index });
    await world.openAccount();
    for (let n = 1; n <= 9; n += 1) {
      indexed = n - 1;
      await add(n, world);
      known.set(`deposit d-${String(n)}`, n);
    }
    indexed = -1;
    expect(await start({ index }).ask(deposit(2))).toMatchObject({ rejection: { code: 'already-exists' } });
    expect(outcomes).toEqual(['ahead-of-index']);
    // The next leaves nothing to the index, as there was none.
    indexed = 9;
    expect(await start({ index }).ask(deposit(2))).toMatchObject({ rejection: { code: 'already-exists' } });
    expect(outcomes).toEqual(['ahead-of-index', 'used']);
  });

  it('are never ahead of the store', async () => {
    await openAndDeposit(3);
    const failing = new Proxy(store, {
      get: (target, name) => {
        if (name === 'append') return () => Promise.reject(new StoreError('store-unavailable', 'full'));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    expect(await start({ over: failing }).ask(deposit(4))).toMatchObject({ rejection: { code: 'store-unavailable' } });
    expect(texts.size).toBe(0);
  });

  it('fail no command when they can not be kept', async () => {
    const thrown = new Error('no room');
    const errors: unknown[] = [];
    const world = new LedgerWorld({
      store,
      snapshots: {
        store: {
          read: () => Promise.resolve(undefined),
          put: () => {
            throw thrown;
          },
        },
        everyEvents: 1,
        rules: 'rules',
        watch: (outcome, _stream, error) => void errors.push([outcome, error]),
      },
    });
    await openAndDeposit(1, world);
    expect(errors).toEqual([
      ['not-written', thrown],
      ['not-written', thrown],
    ]);
  });
});

/** With the checksum of what it says. */
function resealed(text: string): string {
  const content = text.slice(text.indexOf('\n') + 1);
  return `${sha256Hex(content)}\n${content}`;
}
