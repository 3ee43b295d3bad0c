import { uuidv7 } from '#kernel';
import { startEventStoreDbServer } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { putOrder } from './freeze.ts';
import { depositing, depositOf } from './http.ts';
import { latencyLine, median, perSecond } from './rounds.ts';
import { openAccounts, withService, type Served } from './service.ts';

/** In all, divided over those that serve. */
const CONNECTIONS = 60;
const ACCOUNTS = 240;
const HAMMERED = 'acc-0';
const ROUNDS = 3;
const ROUND_SECONDS = 3;
const WARM_UP_SECONDS = 3;
/** In each round, one after the other, while all hammer the account. */
const FREEZES = 4;
const REST_MS = 300;
const IDLE_LIMIT_MS = 30_000;
const CAUGHT_UP_LIMIT_MS = 60_000;

interface Instance extends Served {
  readonly number: number;
  /** May do everything but verify. */
  readonly maker: string;
  readonly checker: string;
}

/** What came of a while of load. */
interface Figures {
  readonly perSecond: number;
  readonly appendsPerCommand: number;
  readonly conflictsPerAppend: number;
  /** Answers that were no 201. */
  readonly refused: number;
}

/** Which account the nth deposit of an instance goes to, of so many: the same when it is alone. */
type Choice = (n: number, instance: number, instances: number) => string;

const KINDS: readonly (readonly [string, Choice])[] = [
  [
    'accounts spread, each on one instance',
    (n, own, count) => account(own + count * (n % Math.floor(ACCOUNTS / count))),
  ],
  ['accounts shared, each on all instances', (n) => account(n % ACCOUNTS)],
  ['one account, hammered by all', () => HAMMERED],
];

function account(n: number): string {
  return `acc-${String(n)}`;
}

/**
 * So many services on one server, that of WRIT_EVENTSTOREDB_URL or of the tests, against one of them while the others stand
 * still. All share the processors of this machine, with the server and with whoever asks them.
 */
export async function instances(count: number, say: (text: string) => void): Promise<void> {
  const given = process.env['WRIT_EVENTSTOREDB_URL'];
  const server = given === undefined ? await startEventStoreDbServer({ inMemory: true }) : undefined;
  const environment = {
    WRIT_STORE: 'eventstoredb',
    WRIT_EVENTSTOREDB_URL: given ?? server?.connectionString,
    WRIT_EVENTSTOREDB_PREFIX: `writ-bench-${uuidv7()}-`,
  };
  try {
    await withInstances(count, environment, [], (all) => measure(all, say));
  } finally {
    await server?.stop();
  }
}

function withInstances(
  count: number,
  environment: NodeJS.ProcessEnv,
  started: readonly Instance[],
  work: (all: readonly Instance[]) => Promise<void>,
): Promise<void> {
  if (started.length === count) return work(started);
  return withService(async (served) => {
    const [maker, checker] = await Promise.all([
      served.token('maker', 'service,ops'),
      served.token('checker', 'approver'),
    ]);
    const next = { ...served, number: started.length, maker, checker };
    return withInstances(count, environment, [...started, next], work);
  }, environment);
}

async function measure(all: readonly Instance[], say: (text: string) => void): Promise<void> {
  const [first] = all;
  if (first === undefined) throw new Error('there is no instance');
  await openAccounts(first, first.maker, ACCOUNTS);
  const of =
    (choice: Choice) =>
    (n: number, instance: number): string =>
      choice(n, instance, all.length);
  for (const [, choice] of KINDS) await load(all, of(choice), WARM_UP_SECONDS);
  say(
    `${''.padEnd(48)} ${`${String(all.length)} instances`.padStart(12)} ${'one alone'.padStart(12)}   ratio   appends/command   conflicts/append   refused`,
  );
  for (const [what, choice] of KINDS) {
    const rounds: { readonly ours: Figures; readonly base: Figures }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const base = await alone(all, () => load([first], of(choice), ROUND_SECONDS));
      rounds.push({ base, ours: await load(all, of(choice), ROUND_SECONDS) });
    }
    say(lineOf(what, rounds));
  }
  const [aloneMs, togetherMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    aloneMs.push(...(await alone(all, () => freezes([first], `one-${String(round)}`))));
    togetherMs.push(...(await freezes(all, `all-${String(round)}`)));
  }
  say(latencyLine('freeze of the hammered account, instances / one alone', median(togetherMs), median(aloneMs), {}));
  say(latencyLine('the slowest of these', Math.max(...togetherMs), Math.max(...aloneMs), { atMostMs: 2_000 }));
}

/** Does something while all but the first stand still; then they catch up. */
async function alone<Result>([first, ...others]: readonly Instance[], work: () => Promise<Result>): Promise<Result> {
  if (first === undefined) throw new Error('there is no instance');
  for (const { pid } of others) process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    for (const { pid } of others) process.kill(pid, 'SIGCONT');
    const last = await deposit(first, HAMMERED);
    for (const other of others) await caughtUp(other, last);
  }
}

async function caughtUp({ url, maker }: Instance, position: string): Promise<void> {
  const endMs = performance.now() + CAUGHT_UP_LIMIT_MS;
  while (performance.now() < endMs) {
    const response = await fetch(`${url}/v1/accounts/${HAMMERED}?atLeast=${position}`, {
      headers: { authorization: `Bearer ${maker}` },
    });
    await response.arrayBuffer();
    if (response.ok) return;
    await delay(REST_MS);
  }
  throw new Error('an instance does not catch up');
}

/** @returns the position of a deposit */
async function deposit({ url, maker }: Instance, accountId: string): Promise<string> {
  const id = `once-${uuidv7()}`;
  const response = await fetch(`${url}/v1/accounts/${accountId}/deposits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${maker}`, 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify(depositOf(id)),
  });
  return ((await response.json()) as { readonly position: string }).position;
}

/** Deposits to all of them for a while. */
async function load(
  all: readonly Instance[],
  choice: (n: number, instance: number) => string,
  seconds: number,
): Promise<Figures> {
  const before = await doneBy(all);
  const results = await Promise.all(
    all.map((instance) => depositingOn(instance, Math.ceil(CONNECTIONS / all.length), choice, seconds)),
  );
  const after = await doneBy(all);
  const sum = (figures: readonly number[]): number => figures.reduce((one, other) => one + other, 0);
  const accepted = after.accepted - before.accepted;
  const conflicts = after.conflicts - before.conflicts;
  const appends = after.stored - before.stored + conflicts;
  return {
    perSecond: sum(results.map((result) => result['2xx'] / result.duration)),
    appendsPerCommand: appends / accepted,
    conflictsPerAppend: conflicts / appends,
    refused: sum(results.map((result) => result.non2xx + result.errors)),
  };
}

/** Its own share of the deposits. */
function depositingOn(
  { url, maker: token, number }: Instance,
  connections: number,
  choice: (n: number, instance: number) => string,
  seconds: number,
): Promise<Awaited<ReturnType<typeof depositing>>> {
  let n = 0;
  return depositing(url, { token, connections, seconds }, () => choice((n += 1), number));
}

interface Done {
  readonly accepted: number;
  readonly stored: number;
  readonly conflicts: number;
}

/** What the instances say that they did, once they are through with what was sent: also with what nobody waits for any more. */
async function doneBy(all: readonly Instance[]): Promise<Done> {
  const done = { accepted: 0, stored: 0, conflicts: 0 };
  for (const { url } of all) {
    const valueOf = await idle(url);
    done.accepted += valueOf('writ_commands_total{type="Deposit",outcome="accepted"}');
    done.stored += valueOf('writ_appends_total');
    done.conflicts += valueOf('writ_append_conflicts_total');
  }
  return done;
}

/** @returns the values of its metrics, when no command waits */
async function idle(url: string): Promise<(name: string) => number> {
  const endMs = performance.now() + IDLE_LIMIT_MS;
  while (performance.now() < endMs) {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    const valueOf = (name: string): number =>
      Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0);
    if (valueOf('writ_commands_waiting') === 0) return valueOf;
    await delay(REST_MS);
  }
  throw new Error('an instance is not through with what it was sent');
}

/** Freezes the account that all of them hammer, by each in turn. @returns how long each took */
async function freezes(all: readonly Instance[], name: string): Promise<readonly number[]> {
  const [first] = all;
  if (first === undefined) throw new Error('there is no instance');
  const orders = Array.from({ length: FREEZES }, (_, n) => `ord-${name}-${String(n)}`);
  for (const orderId of orders) await putOrder(first, first.maker, first.checker, { orderId, account: HAMMERED });
  const hammering = load(all, () => HAMMERED, ROUND_SECONDS);
  const tookMs: number[] = [];
  for (const [n, id] of orders.entries()) {
    await delay(REST_MS);
    const instance = all[n % all.length] ?? first;
    const startMs = performance.now();
    const basis = { kind: 'legal-order', id };
    await instance.post(instance.maker, `/v1/admin/accounts/${HAMMERED}/freezes`, { basis });
    tookMs.push(performance.now() - startMs);
  }
  await hammering;
  return tookMs;
}

function lineOf(what: string, rounds: readonly { readonly ours: Figures; readonly base: Figures }[]): string {
  const ours = (figure: (figures: Figures) => number): number => median(rounds.map((round) => figure(round.ours)));
  const base = median(rounds.map((round) => round.base.perSecond));
  const ratio = median(rounds.map((round) => round.ours.perSecond / round.base.perSecond));
  return [
    what.padEnd(48),
    perSecond(ours((figures) => figures.perSecond)).padStart(12),
    perSecond(base).padStart(12),
    ratio.toFixed(2).padStart(7),
    ours((figures) => figures.appendsPerCommand)
      .toFixed(3)
      .padStart(17),
    ours((figures) => figures.conflictsPerAppend)
      .toFixed(3)
      .padStart(18),
    String(rounds.reduce((sum, round) => sum + round.ours.refused, 0)).padStart(9),
  ].join(' ');
}
