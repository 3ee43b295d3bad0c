import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/roles.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a route that needs a token runs. */
    caller: Caller | null;
    /** Filled by `routeOf`, once a request. */
    route: Route | null;
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

/** What requests ask of their route. */
export interface Route {
  /** The path as registered; undefined for a path that is no route's. */
  readonly url: string | undefined;
  readonly segments: readonly string[];
  readonly roles: readonly string[];
  readonly created: boolean;
}

const routes = new Map<string, Route>();
const NO_ROUTE: Route = { url: undefined, segments: [], roles: [], created: false };

/** The request's route. Fastify makes its description anew each time it is asked: it is asked once. */
export function routeOf(request: FastifyRequest): Route {
  request.route ??= describeRoute(request.routeOptions);
  return request.route;
}

function describeRoute({ method, url, config }: FastifyRequest['routeOptions']): Route {
  if (url === undefined) return NO_ROUTE;
  const name = `${String(method)} ${url}`;
  let route = routes.get(name);
  if (route === undefined) {
    route = { url, segments: url.split('/'), roles: config.roles ?? [], created: config.created === true };
    routes.set(name, route);
  }
  return route;
}

const MAX_UNKNOWN_PATH_LENGTH = 256;

/** A path as it came, up to a bound, without what is asked of it. */
export function bareUrl(url: string): string {
  return url.replace(/[?#].*$/s, '').slice(0, MAX_UNKNOWN_PATH_LENGTH);
}

/**
 * The request's path in its one form: two ways to write one path (percent-encoding, a full URL) are the same. A path that
 * is no route's is shown as it came, up to a bound.
 */
export function pathOf(request: FastifyRequest): string {
  const { url, segments } = routeOf(request);
  if (url === undefined) return bareUrl(request.url);
  const parameters = request.params as Readonly<Record<string, string | undefined>>;
  return segments
    .map((segment) => (segment.startsWith(':') ? encodeURIComponent(parameters[segment.slice(1)] ?? '') : segment))
    .join('/');
}
