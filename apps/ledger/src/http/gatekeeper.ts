import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/roles.ts';
import { Unauthenticated, type TokenVerifier } from '../auth/token-verifier.ts';
import { isLoopback } from '../config/config.ts';
import { sendProblem } from './answer.ts';
import { protect } from './protective-headers.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Problem } from './problem.ts';
import { routeOf } from './request.ts';

export interface GatekeeperOptions {
  readonly verifier: TokenVerifier;
  readonly rateLimiter: RateLimiter;
  /** Most requests under way at once. */
  readonly concurrencyLimit: number;
  /** True once the service takes no more requests. */
  readonly isStopping: () => boolean;
  readonly onEnd: (request: FastifyRequest, reply: FastifyReply, startedMs: number) => void;
}

/** Routes that anyone may ask, by the path under which they are registered. */
const OPEN_ROUTES = /^\/(health\/.*|openapi\.json|docs(\/.*)?)$/;

/**
 * Stands before every route, before a body is read: counts what is under way, and lets through who has a valid token, a role
 * that the route takes, and has not asked too often. A route that says nothing of itself is closed.
 */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  #underWay = 0;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** The hook for `onRequest`. */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, next: () => void): void => {
    const startedMs = performance.now();
    this.#underWay += 1;
    reply.raw.on('close', () => {
      this.#underWay -= 1;
      this.#options.onEnd(request, reply, startedMs);
    });
    reply.header('x-correlation-id', request.id);
    protect(reply, routeOf(request).url);
    if (isOpen(request)) next();
    else if (this.#options.isStopping()) sendProblem(request, reply, STOPPING);
    else if (this.#underWay > this.#options.concurrencyLimit) sendProblem(request, reply, TOO_MUCH);
    else this.#authenticate(request, reply, next);
  };

  /** For requests that no route gets to see: answers for them only to those who may ask. */
  authenticated(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
    if (isUnderV1(request)) this.#authenticate(request, reply, next);
    else next();
  }

  #authenticate(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
    const verified = this.#options.verifier.verify(request.headers.authorization);
    if (!(verified instanceof Promise)) {
      this.#admit(verified, request, reply, next);
      return;
    }
    void verified.then((caller) => {
      this.#admit(caller, request, reply, next);
    });
  }

  #admit(caller: Caller | Unauthenticated, request: FastifyRequest, reply: FastifyReply, next: () => void): void {
    const problem = caller instanceof Unauthenticated ? challenge(caller, reply) : this.#objection(caller, request);
    if (problem !== undefined) {
      sendProblem(request, reply, problem);
      return;
    }
    if (!(caller instanceof Unauthenticated)) request.caller = caller;
    next();
  }

  #objection(caller: Caller, request: FastifyRequest): Problem | undefined {
    const retryAfterS = this.#options.rateLimiter.take(caller.id);
    if (retryAfterS !== undefined) {
      return { code: 'rate-limited', detail: 'The caller sends more requests a second than it may.', retryAfterS };
    }
    if (request.is404 || mayUse(caller, request)) return undefined;
    const { roles } = routeOf(request);
    const detail = roles.length === 0 ? 'A role is needed.' : `One of these roles is needed: ${roles.join(', ')}.`;
    return { code: 'forbidden', detail };
  }
}

const STOPPING: Problem = {
  code: 'shutting-down',
  detail: 'The service is stopping. Ask another, or again in a while.',
};
const TOO_MUCH: Problem = { code: 'overloaded', detail: 'Too many requests are under way. Ask again in a while.' };

/** The path as registered decides, not as it was written: there are many ways to write one. */
function isOpen(request: FastifyRequest): boolean {
  if (request.is404) return !isUnderV1(request);
  const { url = '' } = routeOf(request);
  return OPEN_ROUTES.test(url) || (url === '/metrics' && isLoopback(request.socket.remoteAddress ?? ''));
}

function isUnderV1(request: FastifyRequest): boolean {
  return request.url.startsWith('/v1');
}

function mayUse(caller: Caller, request: FastifyRequest): boolean {
  const { url, roles } = routeOf(request);
  if (url === '/metrics') return caller.roles.length > 0;
  return roles.some((role) => (caller.roles as readonly string[]).includes(role));
}

function challenge({ detail, tokenGiven }: Unauthenticated, reply: FastifyReply): Problem {
  reply.header('www-authenticate', tokenGiven ? 'Bearer realm="writ", error="invalid_token"' : 'Bearer realm="writ"');
  return { code: 'unauthenticated', detail };
}
