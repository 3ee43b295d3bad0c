import type { Bound } from '#kernel';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppModule, type EdgeServices } from '../app.module.ts';
import { EventExports } from '../audit/event-exports.ts';
import { Replays } from '../audit/replays.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { NonDisclosureGate } from '../non-disclosure/gate.ts';
import { nestLogger } from '../operations/logging.ts';
import { serveDocument } from '../openapi/document.ts';
import { DtoPipe } from '../validation/dto.pipe.ts';
import type { Door } from './door.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { correlationIdOf, flawOfHead } from './headers.ts';
import { parseJsonBody } from './json-body.ts';
import { malformedRequest, problemBody } from './problem.ts';
import { ProblemFilter } from './problem.filter.ts';
import { OF_ANSWERS, protect } from './protective-headers.ts';
import { RateLimiter } from './rate-limiter.ts';
import { routeOf } from './request.ts';
import { Turnstile } from './turnstile.ts';

export interface ServerOptions {
  readonly verifier: TokenVerifier;
  readonly rateLimit: number;
  readonly bodyLimitBytes: number;
  readonly door: Door;
  /** Of all that stands behind: shown with those of the edge. */
  readonly bounds: readonly Bound[];
  readonly logger: Logger;
  readonly patience?: Partial<Patience>;
}

/** For how long, and for how many, the server waits, in milliseconds. */
export interface Patience {
  /** For the head of a request, and for a whole one, from its first byte, or from the connection's beginning. */
  readonly headMs: number;
  readonly arrivalMs: number;
  /** For anything to move on a connection on which a request is under way, or its answer: longer than a command may take. */
  readonly stallMs: number;
  /** For the next request: longer than the usual idle time of load balancers, so that they close first. */
  readonly keepAliveMs: number;
  /** From one look at what is late to the next. */
  readonly checkEveryMs: number;
}

const PATIENCE: Patience = {
  headMs: 10_000,
  arrivalMs: 30_000,
  stallMs: 30_000,
  keepAliveMs: 72_000,
  checkEveryMs: 1_000,
};
/** How much longer than a command may take. */
const STALL_MARGIN_MS = 10_000;

/** Longer than any path that fits into a request's head: ids that are too long are told so like other wrong ids. */
const MAX_PARAMETER_LENGTH = 65_536;

/** Makes the HTTP side, ready to listen. */
export async function createServer(services: EdgeServices, options: ServerOptions): Promise<NestFastifyApplication> {
  const { logger } = options;
  const filter = new ProblemFilter(logger);
  const rateLimiter = new RateLimiter(options.rateLimit);
  const gatekeeper = new Gatekeeper({
    verifier: options.verifier,
    rateLimiter,
    door: options.door,
    onEnd: (request, reply, startedMs) => {
      ended(request, reply, startedMs, services, logger);
    },
  });
  const stallMs = Math.max(PATIENCE.stallMs, services.options.requestTimeoutMs + STALL_MARGIN_MS);
  const patience = { ...PATIENCE, stallMs, ...options.patience };
  const adapter = new FastifyAdapter({
    serverFactory: (handle: Handle) => httpServer(options.door, patience, handle),
    bodyLimit: options.bodyLimitBytes,
    genReqId: (request: IncomingMessage) => correlationIdOf(request.headers),
    requestIdHeader: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // Nothing uses Nest's middleware, and each request would pay for it.
    skipMiddie: true,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      reply.header('x-correlation-id', request.id);
      protect(reply, undefined);
      gatekeeper.authenticated(request, reply, () => {
        filter.answer(error, request, reply);
      });
    },
    clientErrorHandler: (_error: Error, socket: Socket) => {
      refuseUnreadable(socket);
    },
  });
  const fastify = adapter.getInstance();
  fastify.decorateRequest('caller', null);
  fastify.decorateRequest('route', null);
  fastify.addHook('onRequest', gatekeeper.onRequest);
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(flawOfHead(request.raw));
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    done(null, parseJsonBody(body as Buffer, request.headers));
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(services, logger), adapter, {
    bodyParser: false,
    logger: nestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalPipes(new DtoPipe());
  app.useGlobalFilters(filter);
  const gate = app.get(NonDisclosureGate);
  const { door, verifier, bounds } = options;
  const ofAudit = [app.get(EventExports).bound, app.get(Replays).bound];
  const ofEdge = [...door.bounds, verifier.bound, rateLimiter.bound, ...ofAudit, gate.bound];
  services.metrics.observeBounds([...ofEdge, ...bounds]);
  fastify.addHook('preHandler', gatekeeper.preHandler);
  fastify.addHook('preHandler', gate.preHandler);
  fastify.addHook('preSerialization', gate.preSerialization);
  fastify.addHook('onSend', gatekeeper.onSend);
  serveDocument(app);
  await app.init();
  return app;
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that waits for nobody without end: neither for who sends slowly nor for who does not take an answer. */
function httpServer(door: Door, patience: Patience, handle: Handle): Server {
  const { headMs, arrivalMs, stallMs, keepAliveMs, checkEveryMs } = patience;
  const turnstile = new Turnstile(door.look);
  const server = createHttpServer(
    {
      headersTimeout: headMs,
      requestTimeout: arrivalMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkEveryMs,
      // Node would answer without a word, as it would for an expectation: `flawOfHead` says what is wrong.
      requireHostHeader: false,
    },
    (request, response) => {
      response.once('close', () => turnstile.answered(request, response));
      if (door.enter(request, response)) handle(request, response);
    },
  );
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  turnstile.guard(server);
  server.setTimeout(stallMs);
  door.guard(server);
  return server;
}

function ended(
  request: FastifyRequest,
  reply: FastifyReply,
  startedMs: number,
  services: EdgeServices,
  logger: Logger,
): void {
  const { statusCode } = reply;
  const route = routeOf(request).url ?? 'unknown';
  const durationMs = performance.now() - startedMs;
  services.metrics.requestEnded(request.method, route, statusCode, durationMs / 1000);
  // What went well is for the metrics; the route says what was asked, without anyone's ids.
  const level = statusCode < 400 ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const line = {
    correlationId: request.id,
    method: request.method,
    route,
    statusCode,
    durationMs,
    sub: request.caller?.id,
  };
  logger[level](line, 'request');
}

/** What arrives is no HTTP: there is no request to answer, only a socket. */
function refuseUnreadable(socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = malformedRequest([{ field: 'request', message: 'must be HTTP/1.1, complete and in time' }]);
  const correlationId = correlationIdOf({});
  const body = JSON.stringify(problemBody(problem, { instance: '', correlationId }));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Correlation-Id: ${correlationId}`,
    ...Object.entries(OF_ANSWERS).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
