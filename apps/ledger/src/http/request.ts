import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/roles.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a route that needs a token runs. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** Who may use the route: any of these. Without them only an open route answers. */
    readonly roles?: readonly string[];
    /** Status of a command's answer: 201 where a new id comes to be. */
    readonly created?: boolean;
  }
}

/** Whoever sent the request. @throws Error on a route that needs no token: a bug */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('the route has no caller');
  return request.caller;
}

const templates = new Map<string, readonly string[]>();
const MAX_UNKNOWN_PATH_LENGTH = 256;

/**
 * The request's path in its one form: two ways to write one path (percent-encoding, a full URL) are the same. A path that
 * is no route's is shown as it came, up to a bound.
 */
export function pathOf(request: FastifyRequest): string {
  const { url } = request.routeOptions;
  if (url === undefined) return request.url.replace(/[?#].*$/s, '').slice(0, MAX_UNKNOWN_PATH_LENGTH);
  let segments = templates.get(url);
  if (segments === undefined) {
    segments = url.split('/');
    templates.set(url, segments);
  }
  const parameters = request.params as Readonly<Record<string, string | undefined>>;
  return segments
    .map((segment) => (segment.startsWith(':') ? encodeURIComponent(parameters[segment.slice(1)] ?? '') : segment))
    .join('/');
}
