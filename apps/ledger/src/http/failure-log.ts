import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { problemKind, type Problem } from './problem.ts';
import { routeOf } from './request.ts';

/** Logs why a request, or a part of one, could not be served: the answer tells nothing of it but the correlation id. */
export function logFailure(logger: Logger, request: FastifyRequest, thrown: unknown, { code }: Problem): void {
  const { status } = problemKind(code);
  if (status < 500) return;
  const log = { err: thrown, code, correlationId: request.id, route: routeOf(request).url };
  if (status === 500) logger.error(log, 'a request failed');
  else logger.warn(log, 'a request was put off');
}
