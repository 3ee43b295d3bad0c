import { SqliteEventReader } from '#event-store/sqlite';
import type { RecordedEvent } from '#kernel';
import { checkLog } from '#testing';
import { afterAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../e2e/support/http.ts';
import {
  APPROVER,
  depositOf,
  endingOf,
  freezeOf,
  Ledger,
  OPS,
  SERVICE,
  type Person,
  wellDone,
  withdrawalOf,
} from '../e2e/support/ledger.ts';

const ROUNDS = 5;
const CALLERS = 16;
/** Answers to wait for before the kill: the kill falls somewhere into the load, not after a time. */
const ANSWERS_BEFORE_KILL = 150;

/** What a caller was told before the process died. */
interface Acknowledged {
  readonly path: string;
  readonly key: string;
  readonly status: number;
  readonly body: unknown;
}

/** Mixed load until the process is gone; notes every answer that came. */
class Load {
  readonly acknowledged: Acknowledged[] = [];
  readonly #ledger: Ledger;
  readonly #round: number;
  #over = false;

  constructor(ledger: Ledger, round: number) {
    this.#ledger = ledger;
    this.#round = round;
  }

  stop(): void {
    this.#over = true;
  }

  async run(caller: number): Promise<void> {
    const accountId = `acc-${String(caller % 4)}`;
    for (let n = 0; !this.#over; n += 1) {
      const id = `${String(this.#round)}-${String(caller)}-${String(n)}`;
      try {
        await this.#step(n, id, accountId);
      } catch {
        return; // The process is gone.
      }
    }
  }

  async #step(n: number, id: string, accountId: string): Promise<void> {
    const account = `/v1/accounts/${accountId}`;
    switch (n % 5) {
      case 0:
      case 1:
        await this.#send(SERVICE, `${account}/deposits`, depositOf(`d-${id}`, '1'), `d-${id}`);
        break;
      case 2:
        await this.#send(SERVICE, `${account}/withdrawals`, withdrawalOf(`w-${id}`, '1'), `w-${id}`);
        break;
      case 3:
        await this.#ledger.makeVerifiedOrder({ orderId: `ord-${id}`, accounts: [accountId] });
        await this.#send(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(`ord-${id}`), `f-${id}`);
        break;
      default:
        await this.#endOrder(previous(id), id);
    }
  }

  async #endOrder(orderOf: string, id: string): Promise<void> {
    const changes = `/v1/admin/legal-orders/ord-${orderOf}/changes`;
    wellDone(await this.#ledger.post(OPS, changes, endingOf('chg-1')), 'a change');
    await this.#send(APPROVER, `${changes}/chg-1/verification`, { method: 'gazette' }, `e-${id}`);
  }

  async #send(person: Person, path: string, body: unknown, key: string): Promise<void> {
    this.#note(path, key, await this.#ledger.post(person, path, body, { key }));
  }

  #note(path: string, key: string, { status, body }: Answer): void {
    if (status === 200 || status === 201) this.acknowledged.push({ path, key, status, body });
  }
}

/** The id of the step before. */
function previous(id: string): string {
  const at = id.lastIndexOf('-') + 1;
  return id.slice(0, at) + String(Number(id.slice(at)) - 1);
}

async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await condition()) return;
    await delay(20);
  }
  throw new Error('what was waited for did not come in time');
}

async function readLog(dataDir: string): Promise<readonly RecordedEvent[]> {
  const reader = new SqliteEventReader(join(dataDir, 'events.db'));
  try {
    return (await reader.readAll({ limit: 1_000_000 })).events;
  } finally {
    await reader.close();
  }
}

describe('kill -9 in the middle of load', () => {
  let ledger: Ledger;
  afterAll(() => ledger.end());

  it(`loses nothing that was acknowledged and leaves nothing half done, ${String(ROUNDS)} times`, async () => {
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round === 0) {
        // Every load after a kill goes on from a snapshot.
        ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '5' });
        for (let n = 0; n < 4; n += 1) await ledger.makeAccount({ accountId: `acc-${String(n)}` });
      } else {
        await ledger.startAgain();
      }
      const load = new Load(ledger, round);
      const callers = Array.from({ length: CALLERS }, (_, caller) => load.run(caller));
      await until(() => load.acknowledged.length >= ANSWERS_BEFORE_KILL, 60_000);
      await ledger.service.kill();
      load.stop();
      await Promise.all(callers);
      acknowledged.push(...load.acknowledged);
    }

    await ledger.startAgain();
    // Ready means that what was left open is finished.
    const log = await readLog(ledger.dataDir);
    expect(checkLog(log, { quiescent: true, now: new Date().toISOString() })).toEqual([]);
    const ids = new Set(log.map((event) => event.id));
    for (const { body } of acknowledged) {
      for (const { id } of (body as { events: { id: string }[] }).events) expect(ids).toContain(id);
    }
    for (const { path, key, status, body } of acknowledged.filter((_, at) => at % 10 === 0)) {
      if (!path.endsWith('/deposits')) continue;
      const repeated = await ledger.post(SERVICE, path, depositOf(key, '1'), { key });
      expect({ status: repeated.status, body: repeated.body }).toEqual({ status, body });
      expect(repeated.headers['idempotent-replayed']).toBe('true');
    }
  }, 240_000);
});
