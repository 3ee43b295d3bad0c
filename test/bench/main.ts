import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { decider } from './decider.ts';
import { eventStoreDb } from './eventstoredb.ts';
import { freezeAgainstDeposit } from './freeze.ts';
import { deposits } from './http.ts';
import { instances } from './instances.ts';
import { EVERY, loading } from './loading.ts';
import { moving } from './moving.ts';
import { overload } from './overload.ts';
import { latencyLine, line, perSecond } from './rounds.ts';
import { size } from './size.ts';
import { manyCallers, oneCaller } from './store.ts';

/**
 * Prints how fast it is: ratios of one run, medians of rounds that take turns. Judges nothing: machines are noisy.
 * `--accounts` measures only what is about single accounts; `--events` says how long the one is that is loaded.
 * `--size` measures only what a large log costs: one of `--events` that it makes, or the one in the folder `--data`.
 * `--moving` measures only what a copy of a log costs.
 * `--eventstoredb` measures only the store on EventStoreDB: against the test server, or the one of WRIT_EVENTSTOREDB_URL.
 * `--instances N` measures only what so many services on one server of EventStoreDB do, against one of them alone.
 * `--overload` measures only what becomes of too much load, `--minutes` of it (default 1).
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'boolean', default: false },
    size: { type: 'boolean', default: false },
    overload: { type: 'boolean', default: false },
    eventstoredb: { type: 'boolean', default: false },
    moving: { type: 'boolean', default: false },
    instances: { type: 'string' },
    events: { type: 'string' },
    data: { type: 'string' },
    minutes: { type: 'string', default: '1' },
  },
});
/** The whole is to be done in a few minutes: the long account is for those who ask for it. */
const EVENTS = Number(values.events ?? (values.size ? 5_000_000 : values.accounts ? 1_000_000 : 100_000));
/** Of a large log, for each account. */
const EVENTS_OF_ONE = 100;
const MAX_EVENTS = 10_000_000;
const MAX_MINUTES = 60;
const MAX_INSTANCES = 16;
if (!Number.isSafeInteger(EVENTS) || EVENTS < 1 || EVENTS > MAX_EVENTS) {
  throw new RangeError(`--events must be a whole number from 1 to ${String(MAX_EVENTS)}`);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

say(`Node ${process.version}, ${String(cpus().length)} x ${cpus()[0]?.model ?? 'unknown processor'}\n`);
if (values.size) {
  await size({ accounts: Math.ceil(EVENTS / EVENTS_OF_ONE), events: EVENTS, dataDir: values.data, say });
} else if (values.moving) {
  await moving(say);
} else if (values.eventstoredb) {
  await eventStoreDb(say);
} else if (values.instances !== undefined) {
  const count = Number(values.instances);
  if (!Number.isInteger(count) || count < 2 || count > MAX_INSTANCES) {
    throw new RangeError(`--instances must be a whole number from 2 to ${String(MAX_INSTANCES)}`);
  }
  await instances(count, say);
} else if (values.overload) {
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) throw new RangeError(`--minutes must be up to ${String(MAX_MINUTES)}`);
  await overload(minutes, say);
} else {
  await speed();
}

async function speed(): Promise<void> {
  say(`${''.padEnd(58)} ${'Writ'.padStart(12)} ${'base'.padStart(12)}   ratio`);
  if (!values.accounts) await throughput();
  await accounts();
}

async function throughput(): Promise<void> {
  const { ours, least } = await deposits();
  say(line('deposits over HTTP, 64 connections / bare Fastify handler', ours, 0.4));
  say(line('  the same handler with one sealed event, and no more / bare', least));
  say(line('store, one event from each of 64 callers / plain, no keys', await manyCallers(false), 0.5));
  say(line('store, one event from each of 64 callers / plain, same keys', await manyCallers(true), 0.5));
  say(line('store, 1,000 events from one caller / plain inserts', await oneCaller(), 0.5));
  const figure = decider();
  say(
    `${'account decider with evolve, commands'.padEnd(58)} ${perSecond(figure).padStart(12)} ${''.padStart(12)} ${''.padStart(7)}   (target 500,000/s)`,
  );
}

async function accounts(): Promise<void> {
  const { freezeMs, depositMs, ratio } = await freezeAgainstDeposit();
  say(latencyLine('freeze, two appends / deposit, 16 depositing beside', freezeMs, depositMs, { ratio, atMost: 3 }));
  const { fromSnapshotMs, fromOldSnapshotMs, fromFirstEventMs } = await loading(EVENTS);
  const events = EVENTS.toLocaleString('en');
  const atMostMs = 20;
  say(
    latencyLine(`account of ${events} events, snapshot / first event`, fromSnapshotMs, fromFirstEventMs, { atMostMs }),
  );
  say(
    latencyLine(`the same, ${String(EVERY - 1)} events after the snapshot`, fromOldSnapshotMs, fromFirstEventMs, {
      atMostMs,
    }),
  );
}
