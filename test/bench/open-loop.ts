/**
 * Sends deposits at a rate that does not depend on the answers, as many callers do who know nothing of each other. A
 * process of its own: `node open-loop.ts '<job as JSON>'` prints what came of it as one line of JSON.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Latencies, type Summary } from './latencies.ts';

export interface Job {
  /** 0 for a socket of this process that refuses whatever comes, unread: the least that sending and refusing can cost. */
  readonly port: number;
  /** With the role service. */
  readonly token: string;
  /** Tells the ids of one run from those of another. */
  readonly run: string;
  readonly seconds: number;
  /** Ends before when so many were sent. */
  readonly requests?: number;
  /** Requests a second; 0 to send on each connection as soon as its answer is there. */
  readonly perSecond: number;
  /** Opened before the clock starts; requests for which none is free are counted as not sent. */
  readonly connections: number;
  /** The deposits go to so many accounts in turn, from `acc-0` or, as `npm run load` counts, from `acc-1` on. */
  readonly accounts: number;
  readonly firstAccount: 0 | 1;
  /** Of so many requests one goes to `acc-hot` instead; 0 for none. */
  readonly hotOneIn: number;
}

/** What became of the requests of one kind. */
export interface Answers {
  readonly accepted: Summary;
  /** 429 and 503. */
  readonly refused: Summary;
  readonly withoutRetryAfter: number;
  readonly others: Readonly<Record<string, number>>;
}

export interface Report {
  readonly seconds: number;
  readonly sent: number;
  readonly notSent: number;
  readonly broken: number;
  /** How late requests were sent, for want of time of this process; the times of answers include it. */
  readonly late: Summary;
  /** How long this process did not look at its sockets: answers may have been there for so long. */
  readonly busy: Summary;
  /** Processor time of this process since the clock started. */
  readonly cpuSeconds: number;
  readonly hot: Answers;
  readonly rest: Answers;
}

class Kind {
  readonly #accepted = new Latencies();
  readonly #refused = new Latencies();
  readonly #others = new Map<string, number>();
  #withoutRetryAfter = 0;

  note(answer: string, ms: number): void {
    const status = answer.slice(9, 12);
    if (status === '201') this.#accepted.add(ms);
    else if (status === '503' || status === '429') {
      this.#refused.add(ms);
      if (!/\r\nretry-after: /i.test(answer)) this.#withoutRetryAfter += 1;
    } else this.#others.set(status, (this.#others.get(status) ?? 0) + 1);
  }

  report(): Answers {
    return {
      accepted: this.#accepted.summary(),
      refused: this.#refused.summary(),
      withoutRetryAfter: this.#withoutRetryAfter,
      others: Object.fromEntries(this.#others),
    };
  }
}

interface Request {
  readonly kind: Kind;
  /** When it was due, whether or not it could be sent then. */
  readonly dueMs: number;
}

interface Connection {
  readonly socket: Socket;
  request: Request | undefined;
  received: string;
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const hot = new Kind();
const rest = new Kind();
const idle: Connection[] = [];
const late = new Latencies();
const busy = new Latencies();
let open = 0;
let due = 0;
let sent = 0;
let notSent = 0;
let broken = 0;
let over = false;
const mostSent = job.requests ?? Infinity;
const port = job.port === 0 ? await refuser() : job.port;

const head = [
  'HTTP/1.1',
  'Host: 127.0.0.1',
  `Authorization: Bearer ${job.token}`,
  'Content-Type: application/json',
  '',
].join('\r\n');

function textOf(account: string, id: string): string {
  const body = `{"depositId":"${id}","asset":"BTC","amount":"0.5","source":{"kind":"onchain","reference":"tx-${id}"}}`;
  const length = String(body.length);
  return `POST /v1/accounts/${account}/deposits ${head}Idempotency-Key: ${id}\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

function send(connection: Connection, dueMs: number): void {
  sent += 1;
  const isHot = job.hotOneIn > 0 && sent % job.hotOneIn === 0;
  const account = isHot ? 'acc-hot' : `acc-${String(job.firstAccount + (sent % job.accounts))}`;
  connection.request = { kind: isHot ? hot : rest, dueMs };
  connection.socket.write(textOf(account, `${job.run}-${String(sent)}`), 'latin1');
}

/** @returns the port where every piece that comes, as long as a request, has the shortest answer that counts as a refusal */
async function refuser(): Promise<number> {
  const answer = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', () => socket.write(answer, 'latin1')).on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function openConnection(): Connection {
  open += 1;
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  const connection: Connection = { socket, request: undefined, received: '' };
  socket.on('data', (text: string) => take(connection, text));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open -= 1;
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    if (connection.request !== undefined) broken += 1;
    connection.request = undefined;
    if (job.perSecond === 0 && !over && sent < mostSent) send(openConnection(), performance.now());
  });
  return connection;
}

function take(connection: Connection, text: string): void {
  connection.received += text;
  const endOfHead = connection.received.indexOf('\r\n\r\n');
  if (endOfHead < 0) return;
  const length = /\r\ncontent-length: (\d+)/i.exec(connection.received)?.[1];
  if (connection.received.length < endOfHead + 4 + Number(length ?? 0)) return;
  const { request, received } = connection;
  connection.request = undefined;
  connection.received = '';
  const nowMs = performance.now();
  request?.kind.note(received.slice(0, endOfHead), nowMs - request.dueMs);
  if (/\r\nconnection: close/i.test(received)) return;
  if (job.perSecond === 0 && !over && sent < mostSent) send(connection, nowMs);
  else idle.push(connection);
}

async function run(): Promise<Report> {
  const connections = Array.from({ length: job.connections }, () => openConnection());
  await Promise.all(connections.map(({ socket }) => once(socket, 'connect')));
  if (job.perSecond > 0) idle.push(...connections);
  const before = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + job.seconds * 1000;
  if (job.perSecond === 0) for (const connection of connections) send(connection, startMs);
  while (performance.now() < endMs && (sent < mostSent || idle.length < open)) {
    if (job.perSecond > 0) sendDue(startMs);
    const pausedAtMs = performance.now();
    await delay(PAUSE_MS);
    busy.add(Math.max(0, performance.now() - pausedAtMs - PAUSE_MS));
  }
  over = true;
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    seconds,
    sent,
    notSent,
    broken,
    late: late.summary(),
    busy: busy.summary(),
    cpuSeconds: (user + system) / 1e6,
    hot: hot.report(),
    rest: rest.report(),
  };
}

function sendDue(startMs: number): void {
  const nowMs = performance.now();
  const dueByNow = Math.floor(((nowMs - startMs) / 1000) * job.perSecond);
  for (; due < dueByNow; due += 1) {
    const dueMs = startMs + (due * 1000) / job.perSecond;
    // The one that was used last: those that are not needed stay idle.
    const connection = idle.pop() ?? (open < job.connections ? openConnection() : undefined);
    if (connection === undefined) notSent += 1;
    else {
      late.add(performance.now() - dueMs);
      send(connection, dueMs);
    }
  }
}

const PAUSE_MS = 2;
const report = await run();
if (!process.stdout.write(`${JSON.stringify(report)}\n`)) await once(process.stdout, 'drain');
process.exit(0);
