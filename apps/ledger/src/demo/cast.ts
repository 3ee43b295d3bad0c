import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../auth/roles.ts';
import { toldOf, type Answer } from './answer-text.ts';
import type { LoggedEvent } from './log-figures.ts';
import type { Stage } from './stage.ts';

const REQUEST_LIMIT_MS = 20_000;
const POLL_MS = 100;

/** The body of an answer. */
export type Answered = Answer['body'];

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  /** For how long to ask again until the answer is as expected. */
  readonly withinMs?: number;
}

export const get = (path: string, withinMs = 0): Request => ({ method: 'GET', path, withinMs });
export const post = (path: string, body: object): Request => ({ method: 'POST', path, body });

/**
 * Does something, and has the stage tell it.
 * @param expected status and what `tells` comes to, or the code of a problem
 * @throws Error when the answer differs
 */
export type Actor = (what: string, request: Request, expected: string, tells?: string) => Promise<Answered>;

export interface Cast {
  /** A service of the platform. */
  readonly teller: Actor;
  /** Two people of ops. The maker may approve as well: only never what the maker asked for. */
  readonly maker: Actor;
  readonly checker: Actor;
  readonly auditor: Actor;
  /**
   * Has the service of the platform do what the story needs beforehand, told as one line.
   * @throws Error when one of the answers is a problem
   */
  readonly prepare: (what: string, requests: readonly Request[]) => Promise<void>;
  /** Has ops do what all acts need, untold. @throws Error when one of the answers is a problem */
  readonly begin: (requests: readonly Request[]) => Promise<void>;
  /** Looks at something that is not told. @throws Error when the answer is a problem */
  readonly look: (path: string) => Promise<Answered>;
  /** The whole log, as the auditor reads it. */
  readonly log: () => Promise<readonly LoggedEvent[]>;
}

/** The service that the story is played on. */
export interface Place {
  readonly url: string;
  readonly token: (sub: string, roles: readonly Role[]) => Promise<string>;
}

/** Those who act, each with a token of its own. */
export async function castFor(place: Place, stage: Stage): Promise<Cast> {
  const [teller, maker, checker, auditor] = await Promise.all([
    personOf(place, 'teller', 'service'),
    personOf(place, 'maker', 'ops', 'approver'),
    personOf(place, 'checker', 'approver'),
    personOf(place, 'auditor', 'auditor'),
  ]);
  return {
    teller: actor(teller, stage),
    maker: actor(maker, stage),
    checker: actor(checker, stage),
    auditor: actor(auditor, stage),
    prepare: async (what, requests) => {
      let answer: Answer = { status: 0, body: {}, correlationId: '' };
      for (const request of requests) answer = wellDone(request, await send(teller, request));
      const tells = `the last of ${String(requests.length)}`;
      stage.tell({ who: 'teller', what, answer, tells, expected: `${String(answer.status)} ${tells}` });
    },
    begin: async (requests) => {
      for (const request of requests) wellDone(request, await send(maker, request));
    },
    look: async (path) => wellDone(get(path), await send(auditor, get(path))).body,
    log: () => readLog(auditor),
  };
}

interface Person extends Pick<Place, 'url'> {
  readonly who: string;
  readonly token: string;
  commands: number;
}

async function personOf({ url, token }: Place, who: string, ...roles: readonly Role[]): Promise<Person> {
  return { url, who, token: await token(who, roles), commands: 0 };
}

function actor(person: Person, stage: Stage): Actor {
  return async (what, request, expected, tells) => {
    let answer = await send(person, request);
    const deadlineMs = Date.now() + (request.withinMs ?? 0);
    while (toldOf(answer, tells) !== expected && Date.now() < deadlineMs) {
      await delay(POLL_MS);
      answer = await send(person, request);
    }
    stage.tell({ who: person.who, what, answer, tells, expected });
    return answer.body;
  };
}

async function send(person: Person, { method, path, body }: Request): Promise<Answer> {
  person.commands += 1;
  const key = `demo-${person.who}-${String(person.commands)}`;
  const command = { 'content-type': 'application/json', 'idempotency-key': key };
  const response = await ask(person, path, {
    method,
    headers: { 'x-correlation-id': key, ...(method === 'POST' ? command : {}) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), correlationId: key };
}

async function readLog(person: Person): Promise<readonly LoggedEvent[]> {
  const response = await ask(person, 'audit/events', { headers: { accept: 'application/x-ndjson' } });
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  if (!response.ok) throw new Error(`The log can't be read: ${String(response.status)} ${lines.join(' ')}`);
  return lines.map((line) => JSON.parse(line) as LoggedEvent);
}

function ask({ url, token }: Person, path: string, request: RequestInit & { headers: object }): Promise<Response> {
  return fetch(`${url}/v1/${path}`, {
    ...request,
    headers: { ...request.headers, authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
}

function wellDone({ method, path }: Request, answer: Answer): Answer {
  if (answer.status < 300) return answer;
  throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
}
