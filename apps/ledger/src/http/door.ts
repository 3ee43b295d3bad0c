import { Slots, type Bound } from '#kernel';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { correlationIdOf } from './headers.ts';
import { problemBody, problemKind, type Problem } from './problem.ts';
import { bareUrl } from './request.ts';
import type { Look } from './turnstile.ts';
import { Turn, Turns } from './turns.ts';

export interface DoorOptions {
  /** Most requests under way at once, of services and of all that is not said otherwise below. */
  readonly concurrencyLimit: number;
  /** True once the service takes no more requests. */
  readonly isStopping: () => boolean;
  /** Most connections at once; 5,000 if absent. */
  readonly mostConnections?: number | undefined;
  /** Most commands of services that are worked on at once; a quarter of `concurrencyLimit`, and 64 at least, if absent. */
  readonly mostAtWork?: number | undefined;
  /** For how long a command may wait for its turn, in milliseconds; 5,000 if absent. */
  readonly longestWaitMs?: number | undefined;
  /** Told of each request or connection that is turned away: by which bound, or `stopping`. */
  readonly onTurnedAway?: (what: string) => void;
}

/** Those who may be under way at once, and those who are. */
interface Room {
  readonly what: string;
  readonly most: number;
  inside: number;
  /** Of how many of those who may freeze or watch it is known whose they are. */
  readonly ofCaller: Map<string, number>;
}

/** What a request that was let in takes up. */
interface Place {
  room: Room;
  readonly account: string | undefined;
  caller?: string;
  turn?: Turn;
  isGivenBack: boolean;
}

const PLACE = Symbol('place');
const IN_LINE = Symbol('in line');

/** On the request itself: a table beside would keep the collector busy with each of them. */
interface Placed extends IncomingMessage {
  [PLACE]?: Place;
}

/** How many requests of a connection are not answered yet: on the connection itself, for the same reason. */
interface Lined extends Socket {
  [IN_LINE]?: number;
}

/** Of all requests of services, and of those that are worked on, this share may be about one account: the others must not suffer. */
const SHARE_OF_ONE_ACCOUNT = 1 / 2;
/** As many commands as this share of all requests of services are worked on at once, and others wait for their turn: see `Turns`. */
const SHARE_AT_WORK = 1 / 4;
const FEWEST_AT_WORK = 64;
/** Together with the time that a command may take it has to stay below the one after which a silent connection is closed. */
const LONGEST_WAIT_MS = 5_000;
/** There are so many places apart for those who freeze and lift, for those who look on, for health and metrics, and for all else. */
const SHARE_APART = 1 / 4;
const FEWEST_APART = 16;
/** Of the places of those who freeze, and of those who look on, one caller has this share: none keeps the others out. */
const SHARE_OF_ONE_CALLER = 1 / 2;
/** Requests of one connection that are not answered yet: nobody who takes the answers sends so many ahead of them. */
const MOST_IN_LINE = 64;

/** Each takes some 20 KB. */
const MOST_CONNECTIONS = 5_000;
/** From this share of them on, those on which nothing is under way are closed, at most once in so many milliseconds. */
const CROWDED = 0.9;
const CROWDED_EVERY_MS = 1_000;

const OVERSIGHT = /^\/v1\/(admin|audit|trial-balance)(\/|\?|$)/;
const HEALTH = /^\/(health\/|metrics(\?|$))/;
const ACCOUNTS = '/v1/accounts/';
/** The router leaves it out of a URL that is given whole. */
const ORIGIN = /^https?:\/\/.*?\//;

/**
 * Counts what is under way, and turns away what is too much as soon as its head is read: before the framework, the token and
 * the body cost anything, since a service that is asked for three times as much as it can do has no time for two refusals
 * beside each command. Requests of services, what oversight commands and what it reads, health, and what else anyone may
 * send have bounds of their own: a flood of one kind keeps out nothing of another.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #services: Room;
  /** What is commanded under `/v1/admin`, freezes above all. */
  readonly #oversightCommands: Room;
  readonly #oversight: Room;
  readonly #health: Room;
  readonly #open: Room;
  readonly #mostOfOneAccount: number;
  readonly #mostOfOneCaller: number;
  readonly #ofAccount = new Map<string, number>();
  readonly #turns: Turns;
  readonly #answering = new Slots<ServerResponse>();
  readonly #mostConnections: number;
  #connections = 0;
  #clearedAtMs = Number.NEGATIVE_INFINITY;
  #arrivedAtMs = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { concurrencyLimit } = options;
    const apart = Math.max(FEWEST_APART, Math.ceil(concurrencyLimit * SHARE_APART));
    this.#services = roomFor('requests', concurrencyLimit);
    this.#oversightCommands = roomFor('oversight-commands', apart);
    this.#oversight = roomFor('oversight-requests', apart);
    this.#health = roomFor('health-requests', apart);
    this.#open = roomFor('open-requests', apart);
    this.#mostOfOneAccount = Math.ceil(concurrencyLimit * SHARE_OF_ONE_ACCOUNT);
    this.#mostOfOneCaller = Math.ceil(apart * SHARE_OF_ONE_CALLER);
    const most = options.mostAtWork ?? Math.max(FEWEST_AT_WORK, Math.ceil(concurrencyLimit * SHARE_AT_WORK));
    this.#turns = new Turns({
      what: 'commands-at-work',
      most,
      mostOfOne: Math.ceil(most * SHARE_OF_ONE_ACCOUNT),
      longestMs: options.longestWaitMs ?? LONGEST_WAIT_MS,
    });
    this.#mostConnections = options.mostConnections ?? MOST_CONNECTIONS;
  }

  get bounds(): readonly Bound[] {
    const rooms = [this.#services, this.#oversightCommands, this.#oversight, this.#health, this.#open];
    return [
      ...rooms.map((room) => ({ what: room.what, most: room.most, inUse: () => room.inside })),
      {
        what: 'requests-of-one-account',
        most: this.#mostOfOneAccount,
        inUse: () => Math.max(0, ...this.#ofAccount.values()),
      },
      this.#turns.bound,
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
    const path = asRouted(url);
    if (this.#options.isStopping() || isOpen(path) || OVERSIGHT.test(path)) return undefined;
    const obstacle = this.#fullness(this.#services, accountOf(path));
    if (obstacle === undefined) return undefined;
    this.#options.onTurnedAway?.(obstacle.what);
    return refusalText(obstacle.problem, url, correlationId);
  };

  /** Lets a request in, or answers it, or hangs up. @returns false unless it is let in */
  enter(request: IncomingMessage, response: ServerResponse): boolean {
    const socket: Lined = request.socket;
    // What came in one piece with a request after which the connection was closed.
    if (socket.destroyed) return false;
    const inLine = socket[IN_LINE] ?? 0;
    if (inLine >= MOST_IN_LINE) {
      this.#options.onTurnedAway?.('requests-in-line');
      socket.destroy();
      return false;
    }
    socket[IN_LINE] = inLine + 1;
    const path = asRouted(request.url ?? '');
    const room = this.#roomOf(path, request.method);
    const account = room === this.#services ? accountOf(path) : undefined;
    const obstacle = this.#obstacle(room, account, response);
    const place = obstacle === undefined ? this.#letIn(room, account, request) : undefined;
    const slot = place && this.#answering.add(response);
    response.once('close', () => {
      socket[IN_LINE] = (socket[IN_LINE] ?? 1) - 1;
      if (place !== undefined) this.#giveBack(place);
      if (slot !== undefined) this.#answering.remove(slot);
    });
    if (obstacle === undefined) return true;
    turnAway(request, response, obstacle.problem);
    this.#options.onTurnedAway?.(obstacle.what);
    return false;
  }

  /**
   * Whether a request may stay now that its sender is known: a service that asks what oversight may ask, too, takes a place
   * among services, and nobody takes all places of oversight. Who has gone meanwhile has none: `inTurn` begins nothing then.
   */
  mayStay(request: IncomingMessage, caller: string, isOversight: boolean): boolean {
    const place = (request as Placed)[PLACE];
    if (place === undefined || place.isGivenBack) return true;
    if (place.room !== this.#oversight && place.room !== this.#oversightCommands) return true;
    if (isOversight) {
      const { ofCaller } = place.room;
      const inside = ofCaller.get(caller) ?? 0;
      if (inside >= this.#mostOfOneCaller) return false;
      ofCaller.set(caller, inside + 1);
      place.caller = caller;
      return true;
    }
    if (this.#services.inside >= this.#services.most) return false;
    place.room.inside -= 1;
    this.#services.inside += 1;
    place.room = this.#services;
    return true;
  }

  /**
   * Calls back when a request that has come whole is to be worked on: with what its sender is told instead when that took too
   * long, and never when he or she has gone before. Who freezes, looks on or watches waits for nobody, nor does who only
   * reads: a read may itself wait for the read models, and commands must not wait for those.
   */
  inTurn(request: IncomingMessage, begin: (obstacle?: Problem) => void): void {
    const place = (request as Placed)[PLACE];
    if (place?.isGivenBack === true) return;
    if (place?.room !== this.#services || isRead(request.method ?? '')) {
      begin();
      return;
    }
    place.turn = new Turn(place.account, (isLate) => {
      if (isLate) this.#options.onTurnedAway?.('commands-at-work');
      begin(isLate ? TOO_MUCH : undefined);
    });
    this.#turns.take(place.turn);
  }

  /** The answer is made: the next one is worked on, whether or not anyone takes it. */
  worked(request: IncomingMessage): void {
    const turn = (request as Placed)[PLACE]?.turn;
    if (turn !== undefined) this.#turns.end(turn);
  }

  /** Nothing more is done for a request that is turned down: it keeps no place, however long its answer is not taken. */
  leave(request: IncomingMessage): void {
    const place = (request as Placed)[PLACE];
    if (place !== undefined) this.#giveBack(place);
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

  #roomOf(path: string, method = 'GET'): Room {
    if (isOpen(path)) return HEALTH.test(path) ? this.#health : this.#open;
    if (!OVERSIGHT.test(path)) return this.#services;
    return isRead(method) ? this.#oversight : this.#oversightCommands;
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
      if (room !== this.#health && room !== this.#open) return { what: 'stopping', problem: STOPPING };
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

  #letIn(room: Room, account: string | undefined, request: Placed): Place {
    room.inside += 1;
    if (account !== undefined) this.#ofAccount.set(account, (this.#ofAccount.get(account) ?? 0) + 1);
    return (request[PLACE] = { room, account, isGivenBack: false });
  }

  #giveBack(place: Place): void {
    if (place.isGivenBack) return;
    place.isGivenBack = true;
    place.room.inside -= 1;
    if (place.turn !== undefined) this.#turns.end(place.turn);
    if (place.account !== undefined) oneLess(this.#ofAccount, place.account);
    if (place.caller !== undefined) oneLess(place.room.ofCaller, place.caller);
  }
}

function roomFor(what: string, most: number): Room {
  return { what, most, inside: 0, ofCaller: new Map() };
}

function oneLess(counts: Map<string, number>, name: string): void {
  const left = (counts.get(name) ?? 1) - 1;
  if (left === 0) counts.delete(name);
  else counts.set(name, left);
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

/** A URL as the router reads it, which takes many spellings of one. What it can't read is turned down as the services' is. */
function asRouted(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(ORIGIN, '/');
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path.replace(/[?#].*$/s, ''));
  } catch {
    return '/v1/';
  }
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isOpen(path: string): boolean {
  return !path.startsWith('/v1');
}

/** The account that a path names. */
function accountOf(path: string): string | undefined {
  if (!path.startsWith(ACCOUNTS)) return undefined;
  const end = path.slice(ACCOUNTS.length).search(/[/?]/);
  return end < 0 ? path.slice(ACCOUNTS.length) : path.slice(ACCOUNTS.length, ACCOUNTS.length + end);
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
