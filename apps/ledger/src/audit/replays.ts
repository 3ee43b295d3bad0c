import type { Bound } from '#kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeOptions } from '../edge/command-edge.ts';
import { EDGE_OPTIONS } from '../edge/tokens.ts';
import { ProblemError } from '../http/problem.ts';
import { callerOf } from '../http/request.ts';

/** Each takes a second of the one thread that commands run on, where hundreds of accounts are frozen: they share it in turns. */
const MOST = 4;
/** One caller leaves places to the others. */
const MOST_OF_ONE_CALLER = MOST / 2;

/** Counts the replays of the log under way, and ends those for which nobody waits any more. */
@Injectable()
export class Replays {
  readonly #options: EdgeOptions;
  #underWay = 0;
  /** Of each caller who has any. */
  readonly #ofCaller = new Map<string, number>();

  constructor(@Inject(EDGE_OPTIONS) options: EdgeOptions) {
    this.#options = options;
  }

  get bound(): Bound {
    return { what: 'audit-replays', most: MOST, inUse: () => this.#underWay };
  }

  /**
   * Runs a replay, and counts it until it is over itself, which may be after its answer.
   * @param replay its signal is aborted when its caller has gone, and when it takes longer than a request may
   * @throws ProblemError `overloaded`, also as soon as it takes too long
   */
  async run<Result>(
    request: FastifyRequest,
    { raw: response }: FastifyReply,
    replay: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    // Nobody would tell of it a second time.
    if (response.destroyed) throw overloaded(NOBODY_WAITS);
    const caller = callerOf(request).id;
    if (this.#underWay >= MOST || (this.#ofCaller.get(caller) ?? 0) >= MOST_OF_ONE_CALLER) throw overloaded(TOO_MANY);
    this.#count(caller, 1);
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const controller = new AbortController();
    const end = (detail: string): void => {
      const problem = overloaded(detail);
      controller.abort(problem);
      reject(problem);
    };
    const timer = setTimeout(end, this.#options.requestTimeoutMs, TOOK_TOO_LONG);
    const gone = (): void => end(NOBODY_WAITS);
    response.once('close', gone);
    const work = replay(controller.signal).finally(() => {
      clearTimeout(timer);
      response.off('close', gone);
      this.#count(caller, -1);
    });
    return Promise.race([work, ended]);
  }

  #count(caller: string, by: 1 | -1): void {
    this.#underWay += by;
    const ofCaller = (this.#ofCaller.get(caller) ?? 0) + by;
    if (ofCaller === 0) this.#ofCaller.delete(caller);
    else this.#ofCaller.set(caller, ofCaller);
  }
}

const TOO_MANY = 'Too many replays of the log are under way. Ask again later.';
const TOOK_TOO_LONG = 'The replay is taking too long. Ask again later, for a smaller page where there are pages.';
const NOBODY_WAITS = 'Whoever asked has gone.';

function overloaded(detail: string): ProblemError {
  return new ProblemError({ code: 'overloaded', detail });
}
