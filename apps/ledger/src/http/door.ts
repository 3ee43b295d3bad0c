import { Slots, type Bound } from '#kernel';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { correlationIdOf } from './headers.ts';
import { problemBody, problemKind, type Problem } from './problem.ts';
import { bareUrl } from './request.ts';
import type { Look } from './turnstile.ts';

export interface DoorOptions {
  /** Most requests under way at once, of services and of all that is not said otherwise below. */
  readonly concurrencyLimit: number;
  /** True once the service takes no more requests. */
  readonly isStopping: () => boolean;
  /** Most connections at once; 5,000 if absent. */
  readonly mostConnections?: number;
  /** Told of each request or connection that is turned away: by which bound, or `stopping`. */
  readonly onTurnedAway?: (what: string) => void;
}

/** Those who may be under way at once, and those who are. */
interface Room {
  readonly what: string;
  readonly most: number;
  inside: number;
}

interface Place {
  room: Room;
}

/** Of all requests of services, this share may be about one account: the others must not suffer for it. */
const SHARE_OF_ONE_ACCOUNT = 1 / 2;
/** For those who freeze, lift and watch there are so many places apart, and so many for health and metrics. */
const SHARE_APART = 1 / 4;
const FEWEST_APART = 16;

/** Each takes some 20 KB. */
const MOST_CONNECTIONS = 5_000;
/** From this share of them on, those on which nothing is under way are closed, at most once in so many milliseconds. */
const CROWDED = 0.9;
const CROWDED_EVERY_MS = 1_000;

const OVERSIGHT = /^\/v1\/(admin|audit|trial-balance)(\/|\?|$)/;
const ACCOUNTS = '/v1/accounts/';

/**
 * Counts what is under way, and turns away what is too much as soon as its head is read: before the framework, the token and
 * the body cost anything, since a service that is asked for three times as much as it can do has no time for two refusals
 * beside each command. Requests of services, of oversight, and those that anyone may send have bounds of their own: a flood
 * of one kind keeps out nothing of another.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #services: Room;
  readonly #oversight: Room;
  readonly #open: Room;
  readonly #mostOfOneAccount: number;
  readonly #ofAccount = new Map<string, number>();
  readonly #places = new WeakMap<IncomingMessage, Place>();
  readonly #answering = new Slots<ServerResponse>();
  readonly #mostConnections: number;
  #connections = 0;
  #clearedAtMs = Number.NEGATIVE_INFINITY;
  #arrivedAtMs = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { concurrencyLimit } = options;
    const apart = Math.max(FEWEST_APART, Math.ceil(concurrencyLimit * SHARE_APART));
    this.#services = { what: 'requests', most: concurrencyLimit, inside: 0 };
    this.#oversight = { what: 'oversight-requests', most: apart, inside: 0 };
    this.#open = { what: 'open-requests', most: apart, inside: 0 };
    this.#mostOfOneAccount = Math.ceil(concurrencyLimit * SHARE_OF_ONE_ACCOUNT);
    this.#mostConnections = options.mostConnections ?? MOST_CONNECTIONS;
  }

  get bounds(): readonly Bound[] {
    const rooms = [this.#services, this.#oversight, this.#open];
    return [
      ...rooms.map((room) => ({ what: room.what, most: room.most, inUse: () => room.inside })),
      {
        what: 'requests-of-one-account',
        most: this.#mostOfOneAccount,
        inUse: () => Math.max(0, ...this.#ofAccount.values()),
      },
      { what: 'connections', most: this.#mostConnections, inUse: () => this.#connections },
    ];
  }

  /** Counts the connections of a server, and closes those that are too many: first those that only wait. */
  guard(server: Server): void {
    server.maxConnections = this.#mostConnections;
    server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => (this.#connections -= 1));
      const nowMs = performance.now();
      if (this.#connections < this.#mostConnections * CROWDED || nowMs - this.#clearedAtMs < CROWDED_EVERY_MS) return;
      this.#clearedAtMs = nowMs;
      server.closeIdleConnections();
    });
    server.on('drop', () => this.#options.onTurnedAway?.('connections'));
  }

  /** Answers what is certainly too much, before it is read as a request. All else `enter` decides. */
  readonly look: Look = ({ url, correlationId = randomUUID() }) => {
    if (this.#options.isStopping() || this.#roomOf(url) !== this.#services) return undefined;
    const obstacle = this.#fullness(this.#services, accountOf(url));
    if (obstacle === undefined) return undefined;
    this.#options.onTurnedAway?.(obstacle.what);
    return refusalText(obstacle.problem, url, correlationId);
  };

  /** Lets a request in, or answers it. @returns false when it is answered */
  enter(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '' } = request;
    const room = this.#roomOf(url);
    const account = room === this.#services ? accountOf(url) : undefined;
    const obstacle = this.#obstacle(room, account, response);
    if (obstacle !== undefined) {
      turnAway(request, response, obstacle.problem);
      this.#options.onTurnedAway?.(obstacle.what);
      return false;
    }
    this.#letIn(room, account, request, response);
    return true;
  }

  /**
   * Whether a request may stay now that its sender is known: a service that asks what oversight may ask, too, takes a place
   * among services.
   */
  mayStay(request: IncomingMessage, isOversight: boolean): boolean {
    const place = this.#places.get(request);
    if (isOversight || place?.room !== this.#oversight) return true;
    if (this.#services.inside >= this.#services.most) return false;
    this.#oversight.inside -= 1;
    this.#services.inside += 1;
    place.room = this.#services;
    return true;
  }

  /**
   * Waits until all that is under way is answered, and nothing has come for a while. Streams that are being sent don't count.
   * Every answer from now on tells its sender that the connection ends with it.
   */
  async drained({ quietMs, limitMs }: { readonly quietMs: number; readonly limitMs: number }): Promise<void> {
    const endMs = performance.now() + limitMs;
    let busyAtMs = performance.now();
    for (const response of this.#answering.items()) response.shouldKeepAlive = false;
    while (performance.now() < endMs) {
      if (this.#answering.items().some(isAwaited)) busyAtMs = performance.now();
      if (performance.now() - Math.max(busyAtMs, this.#arrivedAtMs) >= quietMs) return;
      await delay(quietMs / 4);
    }
  }

  #roomOf(url: string): Room {
    if (!url.startsWith('/v1')) return this.#open;
    return OVERSIGHT.test(url) ? this.#oversight : this.#services;
  }

  #obstacle(
    room: Room,
    account: string | undefined,
    response: ServerResponse,
  ): { readonly what: string; readonly problem: Problem } | undefined {
    if (this.#options.isStopping()) {
      response.shouldKeepAlive = false;
      this.#arrivedAtMs = performance.now();
      // Health is told to the last.
      if (room !== this.#open) return { what: 'stopping', problem: STOPPING };
    }
    return this.#fullness(room, account);
  }

  #fullness(room: Room, account: string | undefined): { readonly what: string; readonly problem: Problem } | undefined {
    if (room.inside >= room.most) return { what: room.what, problem: TOO_MUCH };
    if (account !== undefined && (this.#ofAccount.get(account) ?? 0) >= this.#mostOfOneAccount) {
      return { what: 'requests-of-one-account', problem: TOO_MUCH_OF_ONE };
    }
    return undefined;
  }

  #letIn(room: Room, account: string | undefined, request: IncomingMessage, response: ServerResponse): void {
    const place: Place = { room };
    room.inside += 1;
    if (room === this.#oversight) this.#places.set(request, place);
    if (account !== undefined) this.#ofAccount.set(account, (this.#ofAccount.get(account) ?? 0) + 1);
    const slot = this.#answering.add(response);
    response.once('close', () => {
      place.room.inside -= 1;
      this.#answering.remove(slot);
      if (account === undefined) return;
      const left = (this.#ofAccount.get(account) ?? 1) - 1;
      if (left === 0) this.#ofAccount.delete(account);
      else this.#ofAccount.set(account, left);
    });
  }
}

const STOPPING: Problem = {
  code: 'shutting-down',
  detail: 'The service is stopping. Ask another, or again in a while.',
};
export const TOO_MUCH: Problem = {
  code: 'overloaded',
  detail: 'Too many requests are under way. Ask again in a while.',
};
const TOO_MUCH_OF_ONE: Problem = {
  code: 'overloaded',
  detail: 'Too many requests about this account are under way. Ask again in a while.',
};

/** The account that a path names, as it is written there. */
function accountOf(url: string): string | undefined {
  if (!url.startsWith(ACCOUNTS)) return undefined;
  const end = url.slice(ACCOUNTS.length).search(/[/?]/);
  return end < 0 ? url.slice(ACCOUNTS.length) : url.slice(ACCOUNTS.length, ACCOUNTS.length + end);
}

/** False for what is sent piece by piece: its head is sent, and more is to come. */
function isAwaited(response: ServerResponse): boolean {
  return !response.headersSent || response.writableEnded;
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The same answer as of any other problem, by a shorter way. */
function refusalOf(problem: Problem, url: string, correlationId: string): Refusal {
  const { status, retryAfterS } = problemKind(problem.code);
  const body = JSON.stringify(problemBody(problem, { instance: bareUrl(url), correlationId }));
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'retry-after': String(retryAfterS),
    'x-correlation-id': correlationId,
  };
  return { status, headers, body };
}

function turnAway(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const { status, headers, body } = refusalOf(problem, request.url ?? '', correlationIdOf(request.headers));
  response.writeHead(status, headers).end(body);
}

/** As a server would write it. */
function refusalText(problem: Problem, url: string, correlationId: string): string {
  const { status, headers, body } = refusalOf(problem, url, correlationId);
  const all = { ...headers, date: new Date().toUTCString(), connection: 'keep-alive' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
