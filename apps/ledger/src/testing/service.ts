import { accountView } from '#accounts';
import { createLedger, type Ledger, type LedgerCommands, type Limits } from '#command-handling';
import { isLogPosition, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { startProjections, type Projections } from '#projections';
import { replayAccount, replayFreezes } from '#replay';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { LightMyRequestResponse } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { fixedKeys } from '../auth/key-source.ts';
import { TokenVerifier } from '../auth/token-verifier.ts';
import { Door } from '../http/door.ts';
import { createServer, type Patience } from '../http/server.ts';
import type { Health } from '../operations/health.ts';
import { createLogger } from '../operations/logging.ts';
import { Metrics } from '../operations/metrics.ts';

const ISSUER = 'https://id.example';
const AUDIENCE = 'writ';

export interface TestServiceOptions {
  readonly rateLimit?: number;
  readonly bodyLimitBytes?: number;
  readonly concurrencyLimit?: number;
  readonly mostConnections?: number;
  readonly mostAtWork?: number;
  readonly longestWaitMs?: number;
  readonly patience?: Partial<Patience>;
  readonly requestTimeoutMs?: number;
  readonly health?: Partial<Health>;
  /** Puts something between the edge and the core. */
  readonly wrap?: (ledger: LedgerCommands) => LedgerCommands;
  /** Puts something between the core and the store, which has other writers, too, from then on. */
  readonly share?: (store: MemoryEventStore) => EventStore;
  readonly limits?: Partial<Limits>;
}

/** The edge over the real core, on a store in memory. Requests are injected: no socket is opened unless it listens. */
export interface TestService {
  readonly app: NestFastifyApplication;
  readonly store: MemoryEventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  /** Lines that were logged. */
  readonly log: readonly string[];
  readonly state: { stopping: boolean };
  readonly door: Door;
  /** Opens a port, on loopback. @returns its address */
  listen(): Promise<string>;
  token(sub: string, ...roles: readonly string[]): Promise<string>;
  /** Sends a request as `sub` with these roles; a command gets a key of its own unless `headers` brings one. */
  send(request: TestRequest): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

export interface TestRequest {
  readonly method?: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS';
  readonly url: string;
  readonly as?: readonly [sub: string, ...roles: readonly string[]];
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const store = new MemoryEventStore({ singleWriter: options.share === undefined });
  const projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  const shared = options.share?.(store) ?? store;
  const ledger = createLedger({
    store: shared,
    index: projections.index,
    limits: options.limits,
    watch: { failed: () => undefined },
  });
  const keys = await generateKeyPair('ES256', { extractable: true });
  const log: string[] = [];
  const state = { stopping: false };
  const metrics = new Metrics();
  const door = new Door({
    concurrencyLimit: options.concurrencyLimit ?? 100,
    mostConnections: options.mostConnections,
    mostAtWork: options.mostAtWork,
    longestWaitMs: options.longestWaitMs,
    isStopping: () => state.stopping,
    onTurnedAway: (what) => metrics.turnedAway(what),
  });
  const app = await createServer(
    {
      ledger: options.wrap?.(ledger) ?? ledger,
      queries: projections.queries,
      reader: shared,
      isPosition: isLogPosition,
      replayAccount: async (accountId, at, signal) => {
        const asOf = await replayAccount(shared, accountId, at, signal);
        return asOf === undefined ? undefined : accountView(asOf.state, asOf);
      },
      replayFreezes: (at, page, signal) => replayFreezes(shared, at, page, signal),
      health: { ...HEALTHY, ...options.health },
      metrics,
      options: { requestTimeoutMs: options.requestTimeoutMs ?? 5_000 },
    },
    {
      verifier: await verifierOf(keys.publicKey),
      rateLimit: options.rateLimit ?? 0,
      bodyLimitBytes: options.bodyLimitBytes ?? 64 * 1024,
      door,
      bounds: [...ledger.bounds, ...projections.bounds],
      ...(options.patience === undefined ? {} : { patience: options.patience }),
      logger: createLogger('trace', { write: (line) => log.push(line) }),
    },
  );
  await projections.caughtUp(5_000);
  let sent = 0;
  const token = (sub: string, ...roles: readonly string[]): Promise<string> => signToken(keys.privateKey, sub, roles);
  return {
    app,
    store,
    ledger,
    projections,
    log,
    state,
    door,
    token,
    async listen() {
      await app.listen({ port: 0, host: '127.0.0.1' });
      return app.getUrl();
    },
    async send({ method, url, as, body, text, headers }) {
      const key = `key-${String((sent += 1))}`;
      const isCommand = body !== undefined || text !== undefined || method === 'POST';
      return app.inject({
        method: method ?? (isCommand ? 'POST' : 'GET'),
        url,
        headers: {
          ...(as === undefined ? {} : { authorization: `Bearer ${await token(...as)}` }),
          ...(isCommand ? { 'idempotency-key': key, 'content-type': 'application/json' } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
        ...(text === undefined ? {} : { payload: text }),
      });
    },
    async close() {
      await app.close();
      await ledger.supervisor.stop();
      await projections.close();
      await store.close();
    },
  };
}

const HEALTHY: Health = {
  stopping: () => undefined,
  store: () => Promise.resolve(undefined),
  clock: () => undefined,
  projections: () => undefined,
  supervisor: () => undefined,
};

async function verifierOf(publicKey: CryptoKey): Promise<TokenVerifier> {
  const keys = fixedKeys([{ ...(await exportJWK(publicKey)), kid: 'test' }]);
  return new TokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE });
}

function signToken(privateKey: CryptoKey, sub: string, roles: readonly string[]): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .setSubject(sub)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .sign(privateKey);
}
