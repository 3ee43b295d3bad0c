import type { Bound } from '#kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeOptions } from '../edge/command-edge.ts';
import { EDGE_OPTIONS } from '../edge/tokens.ts';
import { ProblemError } from '../http/problem.ts';
import { callerOf } from '../http/request.ts';
import { Turn, Turns } from '../http/turns.ts';

/** Each takes a second of the one thread that commands run on, where hundreds of accounts are frozen: more would all take longer. */
const MOST = 4;
/** One caller leaves turns to the others. */
const MOST_OF_ONE_CALLER = MOST / 2;

/**
 * Runs few replays of the log at once; further ones wait for their turn, as long as a request may take. How many may wait is
 * the door's affair. A replay for which nobody waits any more is ended.
 */
@Injectable()
export class Replays {
  readonly #limitMs: number;
  /** None is late there: each has a timer of its own here, which goes on while it runs. */
  readonly #turns = new Turns({
    what: 'audit-replays',
    most: MOST,
    mostOfOne: MOST_OF_ONE_CALLER,
    longestMs: Infinity,
  });

  constructor(@Inject(EDGE_OPTIONS) { requestTimeoutMs }: EdgeOptions) {
    this.#limitMs = requestTimeoutMs;
  }

  get bound(): Bound {
    return this.#turns.bound;
  }

  /**
   * Runs a replay in its turn, and counts it until it is over itself, which may be after its answer.
   * @param replay its signal is aborted when its caller has gone, and when it takes longer than a request may
   * @throws ProblemError `overloaded`, as soon as waiting and replay together take too long
   */
  async run<Result>(
    request: FastifyRequest,
    { raw: response }: FastifyReply,
    replay: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    // Nobody would tell of it a second time.
    if (response.destroyed) throw overloaded(NOBODY_WAITS);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const controller = new AbortController();
    const turn = new Turn(callerOf(request).id, () => {
      void replay(controller.signal)
        .then(resolve, reject)
        .finally(() => this.#turns.end(turn));
    });
    const end = (detail: string): void => {
      const problem = overloaded(detail);
      controller.abort(problem);
      reject(problem);
      if (turn.line !== undefined) this.#turns.end(turn);
    };
    const gone = (): void => end(NOBODY_WAITS);
    const timer = setTimeout(end, this.#limitMs, TOOK_TOO_LONG);
    response.once('close', gone);
    try {
      this.#turns.take(turn);
      return await promise;
    } finally {
      clearTimeout(timer);
      response.off('close', gone);
    }
  }
}

const TOOK_TOO_LONG =
  'The replay is taking too long, or others before it are. Ask again later, for a smaller page where there are pages.';
const NOBODY_WAITS = 'Whoever asked has gone.';

function overloaded(detail: string): ProblemError {
  return new ProblemError({ code: 'overloaded', detail });
}
