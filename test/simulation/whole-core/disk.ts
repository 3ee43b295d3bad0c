import type { SnapshotStore } from '#command-handling';
import type { EventReader } from '#event-store';
import { sealEvent, type DomainEvent, type RecordedEvent } from '#kernel';
import { CitationResolver, encodeSnapshot, StreamFold } from '#replay';
import { testId } from '#testing';
import type { DiskFault } from './plan.ts';
import type { SimulatedTime } from './time.ts';

/** Names the code that folds, which is the same in all lives of an instance. */
export const RULES = 'the rules of this run';
/** Events of an account from one snapshot to the next: so few that most loads go on from one. */
export const SNAPSHOT_EVERY = 3;
const MOST_NAMES = 10_000;
const READ_MS = 2;
const WRITE_MS = 40;
/** The id of an event that another log has. */
const FOREIGN_ID = 99_999;

/** The snapshots of one instance: what was written outlives its crashes, what was about to be does not. */
export class Disk {
  readonly #time: SimulatedTime;
  readonly #texts = new Map<string, string>();

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** As one life of the instance sees it. */
  during(isAlive: () => boolean): SnapshotStore {
    return {
      read: (stream) =>
        new Promise((resolve) => {
          this.#time.after(READ_MS, () => {
            if (isAlive()) resolve(this.#texts.get(stream));
          });
        }),
      put: (stream, text) => {
        this.#time.after(WRITE_MS, () => {
          if (isAlive()) this.#texts.set(stream, text);
        });
      },
    };
  }

  /** @param reader of the log as it is */
  async spoil(fault: DiskFault, reader: EventReader): Promise<void> {
    for (const [stream, text] of [...this.#texts]) {
      const spoilt = fault === 'snapshots-damaged' ? text.slice(0, -1) : await ofAnotherLog(stream, reader);
      if (spoilt !== undefined) this.#texts.set(stream, spoilt);
    }
  }
}

/** Of a log that is this one, but for the last event of the stream: there something else was paid in. */
async function ofAnotherLog(stream: string, reader: EventReader): Promise<string | undefined> {
  const events = await reader.read(stream);
  const last = events.at(-1);
  if (last === undefined || last.revision === 0) return undefined;
  const fold = new StreamFold(stream, new CitationResolver(reader));
  for (const event of events.slice(0, -1)) await fold.apply(event);
  await fold.apply(inPlaceOf(last));
  return encodeSnapshot(fold, RULES, MOST_NAMES);
}

function inPlaceOf({ stream, revision, position, metadata }: RecordedEvent): RecordedEvent {
  const source = { kind: 'bank', reference: 'r' };
  const data = { accountId: stream.slice('account-'.length), depositId: 'd-elsewhere', asset: 'BTC', source };
  const paid: DomainEvent = { type: 'FundsDeposited', data: { ...data, amount: '700000000' } };
  const { hash: _, ...unsealed } = { ...metadata, key: null, commandHash: null };
  const event = { ...paid, id: testId(FOREIGN_ID), schemaVersion: 1 };
  const { hash } = sealEvent(stream, revision, { ...event, metadata: unsealed });
  return { ...event, stream, revision, position, metadata: { ...unsealed, hash } };
}
