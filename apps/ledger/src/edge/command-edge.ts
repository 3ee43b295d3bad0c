import type {
  CommandRequest,
  FailedPart,
  FreezeAllNamed,
  LedgerCommand,
  LedgerCommands,
  Outcome,
  OutcomeOfAll,
} from '#command-handling';
import type { Rejection } from '#kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { etagOf, sendProblem } from '../http/answer.ts';
import { logFailure } from '../http/failure-log.ts';
import { idempotencyKeyOf, ifMatchOf } from '../http/headers.ts';
import { malformedRequest, problemBody, ProblemError, type Problem } from '../http/problem.ts';
import { callerOf, pathOf, routeOf } from '../http/request.ts';
import { problemOfThrown } from '../http/thrown-problem.ts';
import { Metrics } from '../operations/metrics.ts';
import { commandHash } from './command-hash.ts';
import { EDGE_OPTIONS, LEDGER, LOGGER, METRICS } from './tokens.ts';

export type Accepted = Extract<Outcome, { status: 'accepted' }>;
type Rejected = Extract<Outcome, { status: 'rejected' }>;

/** Bounds of the edge. */
export interface EdgeOptions {
  /** How long a command may take before its caller is told to ask again. */
  readonly requestTimeoutMs: number;
}

/** Takes one command from its request to its answer; what each command means is the core's affair. */
@Injectable()
export class CommandEdge {
  readonly ledger: LedgerCommands;
  readonly #metrics: Metrics;
  readonly #options: EdgeOptions;
  readonly #logger: Logger;

  constructor(
    @Inject(LEDGER) ledger: LedgerCommands,
    @Inject(METRICS) metrics: Metrics,
    @Inject(EDGE_OPTIONS) options: EdgeOptions,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.ledger = ledger;
    this.#metrics = metrics;
    this.#options = options;
    this.#logger = logger;
  }

  /**
   * Runs a command and answers its request.
   * @param body as the DTO pipe gave it: its content belongs to the command's identity
   * @param describe makes the answer's named member from the recorded events
   */
  async run(
    request: FastifyRequest,
    reply: FastifyReply,
    body: object,
    command: LedgerCommand,
    describe: (accepted: Accepted) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>,
  ): Promise<void> {
    const outcome = await this.#inTime(this.ledger.execute(requestOf(request, body, command)));
    this.#metrics.commandEnded(command.type, nameOf(outcome));
    if (outcome.replayed) reply.header('idempotent-replayed', 'true');
    if (outcome.revision !== undefined) reply.header('etag', etagOf(outcome.revision));
    if (outcome.status === 'rejected') {
      sendProblem(request, reply, problemOf(outcome));
      return;
    }
    const named = await describe(outcome);
    reply.code(routeOf(request).created ? 201 : 200).send({ ...stepOf(outcome), ...named });
  }

  /**
   * Freezes all that a basis names and answers the request: with an outcome for each account, which is what the freeze of
   * that account by itself would have answered.
   * @param describe as above, for each freeze
   */
  async runAll(
    request: FastifyRequest,
    reply: FastifyReply,
    body: object,
    command: FreezeAllNamed,
    describe: (accepted: Accepted) => Promise<Readonly<Record<string, unknown>>>,
  ): Promise<void> {
    const outcome = await this.#inTime(this.ledger.freezeAllNamed(requestOf(request, body, command)));
    this.#metrics.commandEnded(command.type, nameOf(outcome));
    if (outcome.replayed) reply.header('idempotent-replayed', 'true');
    if (outcome.status === 'rejected') {
      if (outcome.revision !== undefined) reply.header('etag', etagOf(outcome.revision));
      sendProblem(request, reply, problemOf(outcome));
      return;
    }
    const outcomes: object[] = [];
    for (const { accountId, outcome: part } of outcome.parts) {
      const shown =
        part.status === 'accepted'
          ? { status: 201, ...stepOf(part), ...(await describe(part)) }
          : problemBody(this.#problemOfPart(request, part), { instance: pathOf(request), correlationId: request.id });
      outcomes.push({ accountId, ...shown });
    }
    reply.code(200).send({ outcomes });
  }

  #problemOfPart(request: FastifyRequest, part: Rejected | FailedPart): Problem {
    if (part.status === 'rejected') return problemOf(part);
    const problem = problemOfThrown(part.error);
    logFailure(this.#logger, request, part.error, problem);
    return problem;
  }

  #inTime<Result>(execution: Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => reject(new ProblemError(TOOK_TOO_LONG)), this.#options.requestTimeoutMs);
      const settle =
        <Value>(answer: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          answer(value);
        };
      execution.then(settle(resolve), settle(reject));
    });
  }
}

function requestOf<Command>(request: FastifyRequest, body: object, command: Command): CommandRequest<Command> {
  demandNoQuery(request);
  const caller = callerOf(request);
  return {
    idempotencyKey: idempotencyKeyOf(request.headers),
    ifMatch: ifMatchOf(request.headers),
    command,
    actor: { id: caller.id, roles: caller.roles },
    correlationId: request.id,
    commandHash: commandHash(request.method, pathOf(request), body),
  };
}

function problemOf({ rejection, correlationId }: Rejected): Problem {
  return { ...rejection, correlationId, retryAfterS: retryAfterS(rejection) };
}

const TOOK_TOO_LONG = {
  code: 'overloaded',
  detail: 'The command is taking too long. Send it again with the same Idempotency-Key to learn what came of it.',
} as const;

/** When it is known how long to wait, as after too many refusals, the header says so too. */
function retryAfterS({ extra }: Rejection): number | undefined {
  const seconds = extra['retryAfterSeconds'];
  return typeof seconds === 'number' ? seconds : undefined;
}

function stepOf({ revision, position, authorisation, events }: Accepted): Readonly<Record<string, unknown>> {
  const all = authorisation === undefined ? events : [authorisation, ...events];
  return { streamRevision: String(revision), position, events: all.map(({ id, type }) => ({ id, type })) };
}

function nameOf(outcome: Outcome | OutcomeOfAll): string {
  if (outcome.replayed) return 'replayed';
  return outcome.status === 'rejected' ? outcome.rejection.code : outcome.status;
}

function demandNoQuery(request: FastifyRequest): void {
  const names = Object.keys(request.query as object);
  if (names.length === 0) return;
  const message = 'is not a parameter of a command';
  throw new ProblemError(malformedRequest(names.slice(0, 10).map((name) => ({ field: name.slice(0, 100), message }))));
}
