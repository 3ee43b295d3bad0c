import type { FastifyReply, FastifyRequest } from 'fastify';
import { OVERSIGHT, type Caller } from '../auth/roles.ts';
import { Unauthenticated, type TokenVerifier } from '../auth/token-verifier.ts';
import { isLoopback } from '../config/config.ts';
import { sendProblem } from './answer.ts';
import { TOO_MUCH, type Door } from './door.ts';
import { protect } from './protective-headers.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Problem } from './problem.ts';
import { routeOf } from './request.ts';

export interface GatekeeperOptions {
  readonly verifier: TokenVerifier;
  readonly rateLimiter: RateLimiter;
  readonly door: Door;
  readonly onEnd: (request: FastifyRequest, reply: FastifyReply, startedMs: number) => void;
}

/** Routes that anyone may ask, by the path under which they are registered. */
const OPEN_ROUTES = /^\/(health\/.*|openapi\.json|docs(\/.*)?)$/;

/**
 * Stands before every route, before a body is read: lets through who has a valid token, a role that the route takes, and has
 * not asked too often. A route that says nothing of itself is closed.
 */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** The hook for `onRequest`. */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, next: () => void): void => {
    const startedMs = performance.now();
    reply.raw.on('close', () => {
      this.#options.onEnd(request, reply, startedMs);
    });
    reply.header('x-correlation-id', request.id);
    protect(reply, routeOf(request).url);
    if (isOpen(request)) next();
    else this.#authenticate(request, reply, next);
  };

  /** The hook for `preHandler`: the body is there, and nothing was done with it yet. */
  readonly preHandler = (request: FastifyRequest, reply: FastifyReply, next: () => void): void => {
    this.#options.door.inTurn(request.raw, (obstacle) => {
      if (obstacle === undefined) next();
      else sendProblem(request, reply, obstacle);
    });
  };

  /** The hook for `onSend`. */
  readonly onSend = (request: FastifyRequest, _reply: FastifyReply, _payload: unknown, next: () => void): void => {
    this.#options.door.worked(request.raw);
    next();
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
      this.#options.door.leave(request.raw);
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
    if (request.is404) return undefined;
    if (mayUse(caller, request))
      return this.#options.door.mayStay(request.raw, caller.id, isOversight(caller)) ? undefined : TOO_MUCH;
    const { roles } = routeOf(request);
    const detail = roles.length === 0 ? 'A role is needed.' : `One of these roles is needed: ${roles.join(', ')}.`;
    return { code: 'forbidden', detail };
  }
}

/** The path as registered decides, not as it was written: there are many ways to write one. */
function isOpen(request: FastifyRequest): boolean {
  if (request.is404) return !isUnderV1(request);
  const { url = '' } = routeOf(request);
  return OPEN_ROUTES.test(url) || (url === '/metrics' && isLoopback(request.socket.remoteAddress ?? ''));
}

function isOversight(caller: Caller): boolean {
  return OVERSIGHT.some((role) => caller.roles.includes(role));
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
