import type { RecordedEvent } from '#kernel';
import { checkLog } from '#testing';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Ledger, until } from '../e2e/support/ledger.ts';
import { wholeLog } from '../e2e/support/whole-log.ts';
import { KILLS } from '../simulation/effort.ts';
import { type Acknowledged, MixedLoad, SHARED_ACCOUNTS } from './mixed-load.ts';

const CALLERS = 6;
/** Answers to wait for before the kill, another number in each round: it falls somewhere into the load, not after a time. */
const ANSWERS_BEFORE_KILL = 50;
const ANSWERS_APART = 37;
/** Nothing is half done any more so long after the start. */
const SETTLED_LIMIT_MS = 10_000;
/** No round is meant to come near it. */
const ROUND_LIMIT_MS = 90_000;
/** Repeats under way at once. */
const REPEATS_AT_ONCE = 12;

async function eachAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: REPEATS_AT_ONCE }, worker));
}

describe('kill -9 in the middle of load', () => {
  let ledger: Ledger;
  afterAll(() => ledger.end());

  /** Load from many callers, and no end to it but the kill. */
  async function killUnderLoad(round: number): Promise<MixedLoad> {
    const load = new MixedLoad(ledger, String(round));
    const callers = Array.from({ length: CALLERS }, (_, caller) => load.run(caller));
    const enough = ANSWERS_BEFORE_KILL + ((round * ANSWERS_APART) % ANSWERS_BEFORE_KILL);
    await until('answers', () => Promise.resolve(load.acknowledged.length >= enough ? true : undefined), 120_000);
    await ledger.service.kill();
    load.stop();
    await Promise.all(callers);
    return load;
  }

  /** Nothing is half done: what the invariants still miss, if anything, is done within the time. */
  async function demandSettled(): Promise<readonly RecordedEvent[]> {
    let breaches: unknown;
    return until(
      'everything to be finished',
      async () => {
        const log = await wholeLog(ledger.dataDir);
        breaches = checkLog(log, { quiescent: true, now: new Date().toISOString() });
        return (breaches as readonly unknown[]).length === 0 ? log : undefined;
      },
      SETTLED_LIMIT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(breaches)}`);
    });
  }

  async function repeat({ as, path, body, key, status, text }: Acknowledged): Promise<void> {
    const again = await ledger.post(as, path, body, { key });
    expect({ key, status: again.status, text: again.text }).toEqual({ key, status, text });
    expect(again.headers['idempotent-replayed']).toBe('true');
  }

  /** Each is there, once, and a repeat is told what the first was told. */
  async function demandAcknowledged(acknowledged: readonly Acknowledged[]): Promise<void> {
    const before = await wholeLog(ledger.dataDir);
    const ids = new Set(before.map((event) => event.id));
    for (const { answer } of acknowledged) {
      for (const { id } of (answer as { events?: readonly { id: string }[] }).events ?? []) expect(ids).toContain(id);
    }
    await eachAtOnce(acknowledged, repeat);
    expect((await wholeLog(ledger.dataDir)).length).toBe(before.length);
  }

  it(
    `loses nothing that was acknowledged and leaves nothing half done, ${String(KILLS)} times`,
    async () => {
      // Every load after a kill goes on from a snapshot.
      ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '5', WRIT_REFUSAL_LIMIT: '100000' });
      for (const accountId of SHARED_ACCOUNTS) await ledger.makeAccount({ accountId, btc: '100' });
      const kinds = new Set<string>();
      for (let round = 0; round < KILLS; round += 1) {
        const load = await killUnderLoad(round);
        await ledger.startAgain();
        await demandSettled();
        await demandAcknowledged(load.acknowledged);
        // Whoever was not answered asks again, and is told what is so now.
        await eachAtOnce([...load.unanswered], async ({ as, path, body, key }) => {
          expect((await ledger.post(as, path, body, { key })).status).toBeLessThan(500);
        });
        for (const { path } of load.acknowledged) kinds.add(kindOf(path));
      }
      const log = await demandSettled();
      const types = new Set(log.map(({ type }) => type));
      expect(DONE_OVER_TWO_STREAMS.filter((type) => !types.has(type))).toEqual([]);
      expect(kinds.size).toBeGreaterThan(25);
    },
    KILLS * ROUND_LIMIT_MS,
  );
});

/** What the answers and the supervisor finish; the load would be no test without them. */
const DONE_OVER_TWO_STREAMS = [
  'AccountFrozen',
  'AccountUnfrozen',
  'TransferReceived',
  'AccountOpened',
  'AccountAttached',
];

/** A route without the ids in it. */
function kindOf(path: string): string {
  return path
    .split('/')
    .filter((part) => !/\d/.test(part) || part === 'v1')
    .join('/');
}
