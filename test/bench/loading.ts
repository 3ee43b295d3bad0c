import { createLedger, foldRules, SnapshotFiles, type Ledger, type SnapshotOutcome } from '#command-handling';
import { MAX_APPEND_EVENTS, type EventStore, type ExpectedRevision } from '#event-store';
import { SqliteEventStore } from '#event-store/sqlite';
import { canonicalJson, sealEvent, sha256Hex, uuidv7, type EventMetadata, type SealedEvent } from '#kernel';
import type { HomeStreamIndex } from '#replay';
import { join } from 'node:path';
import { inFolder } from './folder.ts';
import { median } from './rounds.ts';

const STREAM = 'account-acc-1';
/** Events from one snapshot to the next, as the service has it by default. */
export const EVERY = 250;
const ROUNDS = 20;
/** Below the store's bound of bytes: some 600 for each event. */
const APPEND = Math.min(MAX_APPEND_EVENTS, 1_000);

/** Milliseconds until a command on an account has its answer, when nothing of the account is in memory. */
export interface Loading {
  readonly fromFirstEventMs: number;
  /** Just after the snapshot was made. */
  readonly fromSnapshotMs: number;
  /** Just before the next one is made. */
  readonly fromOldSnapshotMs: number;
}

/** Loads an account of so many events, with a snapshot and without. */
export function loading(events: number): Promise<Loading> {
  return inFolder(async (folder) => {
    const store = await SqliteEventStore.open({ path: join(folder, 'events.db') });
    try {
      const log = new DepositLog(store);
      await log.append(events);
      const files = new SnapshotFiles({ folder: join(folder, 'snapshots') });
      const index = indexUpTo(events - 1);
      const fromFirstEventMs = await firstCommand(ledgerOf(store, index, files));
      await files.idle();
      const fromSnapshotMs = await rounds(store, index, files);
      await log.append(EVERY - 1);
      return { fromFirstEventMs, fromSnapshotMs, fromOldSnapshotMs: await rounds(store, index, files) };
    } finally {
      await store.close();
    }
  });
}

/** Each on a command side of its own, as after a start. */
async function rounds(store: EventStore, index: HomeStreamIndex, files: SnapshotFiles): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const outcomes: SnapshotOutcome[] = [];
    took.push(await firstCommand(ledgerOf(store, index, files, outcomes)));
    if (outcomes.join() !== 'used') throw new Error(`the snapshot was not used: ${outcomes.join()}`);
  }
  return median(took);
}

function ledgerOf(
  store: EventStore,
  index: HomeStreamIndex,
  files: SnapshotFiles,
  outcomes: SnapshotOutcome[] = [],
): Ledger {
  const watch = (outcome: SnapshotOutcome): void => void outcomes.push(outcome);
  const snapshots = { store: files, everyEvents: EVERY, rules: foldRules(), watch };
  const failed = (_item: unknown, error: unknown): void => {
    throw error;
  };
  return createLedger({ store, index, snapshots, watch: { failed } });
}

/** Settles a withdrawal that is not there: whoever says so has looked at the whole account, and appends nothing. */
async function firstCommand(ledger: Ledger): Promise<number> {
  const command = { type: 'SettleWithdrawal', accountId: 'acc-1', withdrawalId: 'none', reference: 'r' } as const;
  const start = performance.now();
  const outcome = await ledger.execute({
    command,
    actor: { id: 'payments', roles: ['service'] },
    correlationId: 'bench',
    idempotencyKey: 'bench',
    commandHash: sha256Hex(canonicalJson(command)),
    ifMatch: undefined,
  });
  const took = performance.now() - start;
  if (outcome.status !== 'rejected' || outcome.rejection.code !== 'withdrawal-not-found') {
    throw new Error(`unexpected: ${JSON.stringify(outcome)}`);
  }
  return took;
}

/** The index as it is when the projections have come so far; nobody asks it for a name that is there. */
function indexUpTo(revision: number): HomeStreamIndex {
  return {
    indexedRevision: () => revision,
    lookup: () => undefined,
    accountOfFreeze: () => undefined,
    hitsOf: () => [],
    partiesControlling: () => [],
    isLegal: () => false,
    checkpoint: () => undefined,
  };
}

/** One account and its deposits, put into the store as they would be by commands, in large appends. */
class DepositLog {
  readonly #store: EventStore;
  #revision = -1;
  #hash: string | null = null;

  constructor(store: EventStore) {
    this.#store = store;
  }

  async append(count: number): Promise<void> {
    for (let left = count; left > 0; left -= APPEND) {
      const expected: ExpectedRevision = this.#revision < 0 ? 'no-stream' : this.#revision;
      const events = Array.from({ length: Math.min(left, APPEND) }, () => this.#next());
      await this.#store.append(STREAM, expected, events);
    }
  }

  #next(): SealedEvent {
    const revision = this.#revision + 1;
    const unsealed = {
      id: uuidv7(),
      schemaVersion: 1,
      ...(revision === 0 ? opened : deposited(revision)),
      metadata: this.#metadata(revision),
    };
    const { hash } = sealEvent(STREAM, revision, unsealed);
    this.#revision = revision;
    this.#hash = hash;
    return { ...unsealed, metadata: { ...unsealed.metadata, hash } };
  }

  #metadata(revision: number): Omit<EventMetadata, 'hash'> {
    return {
      actor: { id: 'payments', roles: ['service'] },
      correlationId: 'bench',
      causationId: null,
      key: { caller: 'payments', homeStream: STREAM, value: `key-${String(revision)}` },
      commandHash: 'a'.repeat(64),
      recordedAt: '2022-02-15T12:00:00.000Z',
      previousHash: this.#hash,
    };
  }
}

const opened = {
  type: 'AccountOpened',
  data: { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] },
};

function deposited(revision: number): Pick<SealedEvent, 'type' | 'data'> {
  const data = {
    accountId: 'acc-1',
    depositId: `d-${String(revision)}`,
    asset: 'BTC',
    amount: '150000000',
    source: { kind: 'onchain', reference: `tx-${String(revision)}`, chain: 'bitcoin' },
  };
  return { type: 'FundsDeposited', data };
}
