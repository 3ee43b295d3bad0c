import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../auth/roles.ts';
import { toldOf, type Answer, type Stage } from './stage.ts';

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
}

/** The service that the story is played on. */
export interface Place {
  readonly url: string;
  readonly token: (sub: string, roles: readonly Role[]) => Promise<string>;
}

/** Those who act, each with a token of its own. */
export async function castFor({ url, token: tokenFor }: Place, stage: Stage): Promise<Cast> {
  let commands = 0;
  const actor = async (who: string, ...roles: readonly Role[]): Promise<Actor> => {
    const token = await tokenFor(who, roles);
    return async (what, request, expected, tells) => {
      commands += 1;
      const ask = (): Promise<Answer> => send(url, token, `demo-${String(commands)}`, request);
      let answer = await ask();
      const deadlineMs = Date.now() + (request.withinMs ?? 0);
      while (toldOf(answer, tells) !== expected && Date.now() < deadlineMs) {
        await delay(POLL_MS);
        answer = await ask();
      }
      stage.tell({ who, what, answer, tells, expected });
      return answer.body;
    };
  };
  return {
    teller: await actor('teller', 'service'),
    maker: await actor('maker', 'ops', 'approver'),
    checker: await actor('checker', 'approver'),
    auditor: await actor('auditor', 'auditor'),
  };
}

async function send(url: string, token: string, key: string, { method, path, body }: Request): Promise<Answer> {
  const command = { 'content-type': 'application/json', 'idempotency-key': key };
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(method === 'POST' ? command : {}) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  return { status: response.status, body: await response.json() };
}
