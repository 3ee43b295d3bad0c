import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Summary } from './latencies.ts';
import type { Answers, Job, Report } from './open-loop.ts';
import { putOrder } from './freeze.ts';
import { openAccounts, withService, type Served } from './service.ts';

const ACCOUNTS = 300;
const WARM_UP_SECONDS = 10;
const ROUND_SECONDS = 8;
/** Connections that find the best rate, each sending as soon as it is answered. */
const CLOSED = [64, 128, 256];
const OPEN_CONNECTIONS = 1_500;
const TIMES_CAPACITY = 3;
/** What the other accounts are asked for while one is hot: well below what the service can do. */
const OTHERS_SHARE = 0.25;
const FREEZES = 20;
const FREEZE_EVERY_MS = 250;
const SAMPLE_MS = 5_000;

type Say = (text: string) => void;

/** Prints what becomes of too much load: an open loop at three times the best rate, a hot account, a freeze of it. */
export function overload(minutes: number, say: Say): Promise<void> {
  return withService(async (served) => {
    const token = await served.token('bench', 'service,ops');
    await openAccounts(served, token, ACCOUNTS);
    const holders = [{ partyId: 'p-1', capacity: 'owner' }];
    await served.post(token, '/v1/accounts', { accountId: 'acc-hot', holders });
    const loads = new Loads(served, token);
    await loads.closed(64, WARM_UP_SECONDS);
    let best = 0;
    for (const connections of CLOSED) {
      const { rest, seconds } = await loads.closed(connections, ROUND_SECONDS);
      best = Math.max(best, rest.accepted.count / seconds);
      say(
        `${String(connections).padStart(5)} connections in a closed loop: ${rate(rest.accepted.count, seconds)} accepted`,
      );
    }
    await flood(loads, served, { best, seconds: minutes * 60 }, say);
    await hotAccount(loads, best, say);
    await freezeOfHotAccount(loads, served, { token, best }, say);
  });
}

class Loads {
  readonly #job: Omit<Job, 'run' | 'seconds' | 'perSecond' | 'connections' | 'hotOneIn'>;
  #runs = 0;

  constructor({ url }: Served, token: string) {
    this.#job = { port: Number(new URL(url).port), token, accounts: ACCOUNTS, firstAccount: 0 };
  }

  closed(connections: number, seconds: number): Promise<Report> {
    return this.#run({ connections, seconds, perSecond: 0, hotOneIn: 0 });
  }

  open(perSecond: number, seconds: number, hotOneIn = 0): Promise<Report> {
    return this.#run({ connections: OPEN_CONNECTIONS, seconds, perSecond: Math.round(perSecond), hotOneIn });
  }

  /** As `open`, to a socket that refuses all of it, unread, in the sender's own process. */
  refused(perSecond: number, seconds: number): Promise<Report> {
    return this.#run({
      port: 0,
      connections: OPEN_CONNECTIONS,
      seconds,
      perSecond: Math.round(perSecond),
      hotOneIn: 0,
    });
  }

  async #run(job: Partial<Job> & Pick<Job, 'seconds' | 'perSecond' | 'connections' | 'hotOneIn'>): Promise<Report> {
    this.#runs += 1;
    const whole: Job = { ...this.#job, ...job, run: `r${String(this.#runs)}` };
    const script = fileURLToPath(new URL('./open-loop.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(whole)]);
    return JSON.parse(stdout) as Report;
  }
}

async function flood(
  loads: Loads,
  { pid, url }: Served,
  { best, seconds }: { readonly best: number; readonly seconds: number },
  say: Say,
): Promise<void> {
  const samples = new Samples(pid);
  await eventLoopLag(url);
  const report = await loads.open(best * TIMES_CAPACITY, seconds);
  const memory = samples.end();
  const eventLoop = await eventLoopLag(url);
  const { accepted, refused, withoutRetryAfter, others } = report.rest;
  say(
    `\n${String(TIMES_CAPACITY)} times as much (${rate(report.sent, report.seconds)} sent) for ${seconds.toFixed(0)} s:`,
  );
  const share = accepted.count / report.seconds / best;
  say(`  accepted ${rate(accepted.count, report.seconds)}: ${share.toFixed(2)} of the best   (target 0.80)`);
  const refusedPerSecond = refused.count / report.seconds;
  const least = await loads.refused(refusedPerSecond, ROUND_SECONDS);
  const leastUs = (least.cpuSeconds / least.sent) * 1e6;
  const left = 1 - (refusedPerSecond * leastUs) / 1e6 / cpus().length;
  say(
    `  to send a request and refuse it unread takes ${leastUs.toFixed(0)} us at least: what is refused leaves ${left.toFixed(2)} of the processors`,
  );
  say(`  accepted in ${ms(accepted.p50Ms)} (median), ${ms(accepted.p99Ms)} (p99)`);
  say(
    `  refused ${rate(refused.count, report.seconds)} in ${ms(refused.p50Ms)}, ${ms(refused.p99Ms)} (p99)   (target 100 ms)`,
  );
  say(
    `  of that, the sender's own: sent late by ${spreadOf(report.late)}, not looking at its sockets for ${spreadOf(report.busy)}`,
  );
  say(`  the service's event loop, late by (10 ms is its pace): ${eventLoop}`);
  say(`  refused without Retry-After ${String(withoutRetryAfter)}, other answers ${JSON.stringify(others)}`);
  say(`  not sent for want of a connection ${String(report.notSent)}, connections broken ${String(report.broken)}`);
  say(`  resident memory, MiB, every ${String(SAMPLE_MS / 1000)} s: ${memory.join(' ')}`);
  const minute = Math.min(60_000 / SAMPLE_MS, Math.ceil(memory.length / 2));
  say(
    `  in its first minute ${mean(memory.slice(0, minute))}, in its last ${mean(memory.slice(-minute))}   (target: the same)`,
  );
}

function mean(values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(0);
}

function spreadOf({ p50Ms, p99Ms }: Summary): string {
  return `${ms(p50Ms)}, ${ms(p99Ms)} (p99)`;
}

/** How late the service comes to what is due, as it says itself, since it was asked last. */
async function eventLoopLag(url: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string): string => {
    const seconds = new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)`, 'm').exec(text)?.[1];
    return ms(Number(seconds) * 1000);
  };
  return `${value('p50')}, ${value('p99')} (p99)`;
}

/** The resident memory of a process from time to time. */
class Samples {
  readonly #pid: number;
  readonly #taken: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#take(), SAMPLE_MS);
    this.#take();
  }

  #take(): void {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(this.#pid)}/status`, 'utf8'))?.[1];
    this.#taken.push(Math.round(Number(kib) / 1024));
  }

  end(): readonly number[] {
    clearInterval(this.#timer);
    this.#take();
    return this.#taken;
  }
}

/** The same load on the others, alone, and while one account is asked for three times what the service can do. */
async function hotAccount(loads: Loads, best: number, say: Say): Promise<void> {
  const others = best * OTHERS_SHARE;
  const alone = await loads.open(others, ROUND_SECONDS);
  const beside = await Promise.all([
    loads.open(others, ROUND_SECONDS),
    loads.open(best * TIMES_CAPACITY, ROUND_SECONDS, 1),
  ]);
  const [rest, hot] = [beside[0].rest, beside[1].hot];
  const ratio = rest.accepted.count / beside[0].seconds / (alone.rest.accepted.count / alone.seconds);
  say(
    `\none account asked for ${String(TIMES_CAPACITY)} times what the service can do, the others for ${String(OTHERS_SHARE)} of it:`,
  );
  say(`  others alone  ${answers(alone.rest, alone.seconds)}`);
  say(`  others beside ${answers(rest, beside[0].seconds)}: ${ratio.toFixed(2)} of alone   (target 0.80)`);
  say(`  the hot one   ${answers(hot, beside[1].seconds)}`);
}

async function freezeOfHotAccount(
  loads: Loads,
  served: Served,
  { token, best }: { readonly token: string; readonly best: number },
  say: Say,
): Promise<void> {
  const checker = await served.token('checker', 'approver');
  const seconds = (FREEZES * FREEZE_EVERY_MS) / 1000 + ROUND_SECONDS;
  const under = loads.open(best * TIMES_CAPACITY, seconds, 1);
  await delay(WARM_UP_SECONDS * 300);
  const orders: number[] = [];
  const freezes: number[] = [];
  for (let n = 0; n < FREEZES; n += 1) {
    const orderId = `ord-hot-${String(n)}`;
    orders.push(await timed(() => putOrder(served, token, checker, { orderId, account: 'acc-hot' })));
    const basis = { kind: 'legal-order', id: orderId };
    freezes.push(await timed(() => served.post(token, '/v1/admin/accounts/acc-hot/freezes', { basis })));
    await delay(FREEZE_EVERY_MS);
  }
  await under;
  say(`\nfreezes of that account meanwhile: ${spread(freezes)}   (target 1,000 ms)`);
  say(`orders registered and verified meanwhile: ${spread(orders)}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((one, other) => one - other);
  return `${ms(sorted[Math.floor(sorted.length / 2)] ?? 0)} (median), ${ms(sorted.at(-1) ?? 0)} (longest of ${String(sorted.length)})`;
}

function answers({ accepted, refused }: Answers, seconds: number): string {
  const took = `${ms(accepted.p50Ms)} (median), ${ms(accepted.p99Ms)} (p99)`;
  return `${rate(accepted.count, seconds)} accepted in ${took}, ${rate(refused.count, seconds)} refused`;
}

function rate(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString('en')}/s`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} ms`;
}
