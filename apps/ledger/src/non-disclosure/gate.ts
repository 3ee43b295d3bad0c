import { systemClock, toTimestamp, type Bound, type Timestamp } from '#kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mustNotBeTold } from '../auth/roles.ts';
import { callerOf } from '../http/request.ts';
import type { NonDisclosure } from './non-disclosure.ts';
import { WITHHELD_ORDER } from './withheld.dto.ts';

type Done = (error: Error | null, payload?: unknown) => void;

/**
 * Stands behind every GET: no route can forget it, whatever comes to be shown. Answers to commands are whole: they tell
 * their sender what he or she did.
 */
export class NonDisclosureGate {
  readonly #nonDisclosure: NonDisclosure;

  constructor(nonDisclosure: NonDisclosure) {
    this.#nonDisclosure = nonDisclosure;
  }

  get bound(): Bound {
    return this.#nonDisclosure.bound;
  }

  /**
   * The hook for `preHandler`. A path that names an order under non-disclosure answers that it is a legal order, whatever
   * else the path asks of it: neither its revision nor what there is of it can be found out.
   */
  readonly preHandler = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void => {
    const orderId = textOf(request.params, 'orderId');
    if (orderId === undefined || !isWithheldFrom(request)) {
      next();
      return;
    }
    this.#nonDisclosure.isSecret(orderId).then((secret) => {
      if (secret) reply.send(WITHHELD_ORDER);
      else next();
    }, next);
  };

  /** The hook for `preSerialization`. What a filter must not find is left out by who asks the queries: `disclosedAt`. */
  readonly preSerialization = (request: FastifyRequest, _reply: FastifyReply, payload: unknown, done: Done): void => {
    // What `preHandler` answered shows nothing, whatever the query adds to the path.
    if (payload === WITHHELD_ORDER || !isWithheldFrom(request)) {
      done(null, payload);
      return;
    }
    this.#nonDisclosure.withheld(payload).then((shown) => {
      done(null, shown);
    }, done);
  };

  /** As an answer of the request would show it: for what is sent piece by piece. */
  shown(request: FastifyRequest, value: unknown): Promise<unknown> {
    if (!isWithheldFrom(request)) return Promise.resolve(value);
    return this.#nonDisclosure.withheld(value);
  }
}

/**
 * For the filters of lists: the time at which an order has to be disclosed so that one may find it; undefined for who may be
 * told of all. It is asked within the query, so that neither a page nor a cursor shows that anything was left out.
 */
export function disclosedAt(request: FastifyRequest): Timestamp | undefined {
  return isWithheldFrom(request) ? toTimestamp(systemClock.now()) : undefined;
}

function isWithheldFrom(request: FastifyRequest): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && request.caller !== null && mustNotBeTold(callerOf(request));
}

function textOf(values: unknown, name: string): string | undefined {
  const value: unknown = (Object(values) as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}
