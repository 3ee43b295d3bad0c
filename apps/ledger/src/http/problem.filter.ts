import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { sendProblem } from './answer.ts';
import { logFailure } from './failure-log.ts';
import { problemOfThrown } from './thrown-problem.ts';

/** Turns whatever a handler, a pipe or the framework throws into a problem. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = problemOfThrown(thrown);
    logFailure(this.#logger, request, thrown, problem);
    // A stream that broke off in the middle of its answer: all that is left is to break off as well.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    // A body that is not read to its end has the framework close the connection, which would cut off who is still sending
    // before the answer is read. What comes yet is let go instead, for as long as a request may take to arrive.
    if (!request.raw.complete) reply.removeHeader('connection');
    sendProblem(request, reply, problem);
  }
}
