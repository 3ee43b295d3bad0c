import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemBody, problemKind, type Problem } from './problem.ts';
import { pathOf } from './request.ts';

/** Answers with a problem, and with the headers that belong to it. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  const { status, retryAfterS } = problemKind(problem.code);
  const body = problemBody(problem, { instance: pathOf(request), correlationId: request.id });
  if (retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS ?? retryAfterS));
  // Bytes: of a text Fastify would say its charset, which this media type does not have.
  reply
    .code(status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(body)));
}

/** The `ETag` of a stream's revision. */
export function etagOf(revision: number): string {
  return `"${String(revision)}"`;
}
