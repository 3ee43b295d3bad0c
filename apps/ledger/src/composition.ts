import { accountView } from '#accounts';
import { createLedger, foldRules, SnapshotFiles, type Ledger } from '#command-handling';
import { makeFolderDurably } from '#event-store/sqlite';
import type { Position } from '#kernel';
import { startProjections, type Projections } from '#projections';
import { replayAccount, replayFreezes } from '#replay';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { filesIn } from './data-folder.ts';
import { Door } from './http/door.ts';
import { createServer } from './http/server.ts';
import { openIdentity } from './identity.ts';
import { ClockWatch } from './operations/clock-watch.ts';
import { projectionProblem, type Health } from './operations/health.ts';
import { LagWatch } from './operations/lag-watch.ts';
import { Metrics } from './operations/metrics.ts';
import { watchProjections } from './operations/projection-watch.ts';
import { watchSnapshots } from './operations/snapshot-watch.ts';
import { watchSupervisor } from './operations/supervisor-watch.ts';
import { watchTurnedAway } from './operations/turned-away.ts';
import { openServiceLog, type ServiceLog } from './store/service-log.ts';

const HEALTH_TIMEOUT_MS = 2_000;
const ANSWERED = 'answered';
const SUPERVISOR_RETRY_MS = 1_000;
const CATCH_UP_POLL_MS = 1_000;
/** After so many looks the supervisor starts without the read models. */
const CATCH_UP_LOOKS = 3;
/**
 * A stop: until nothing has come for so long, and no longer than so long in all, everything is answered, what was taken and
 * what is turned away; what still hangs on then (a client that does not send on, or takes no answer) is cut off.
 */
const QUIET_MS = 100;
const DRAIN_LIMIT_MS = 5_000;
const CUT_OFF_MS = 500;

/** The whole service, wired. */
export interface Service {
  readonly app: NestFastifyApplication;
  /** Starts to listen, and to finish what the last run left open. @returns the address */
  listen(): Promise<string>;
  /** Resolves when what was left open is finished. */
  readonly ready: Promise<void>;
  /** Resolves with why, when it can be of no use any more before it is started again. */
  readonly broken: Promise<string>;
  /** Takes no more commands, finishes those taken, and closes the store. Call once. */
  stop(): Promise<void>;
}

/**
 * Opens the store, starts the read models and the core, and puts the HTTP side before them.
 * @throws whatever `describeStartFailure` describes; nothing is left open then
 */
export async function compose(config: Config, logger: Logger): Promise<Service> {
  makeFolderDurably(config.dataDir);
  const { verifier, keys } = await openIdentity(config, logger);
  const files = filesIn(config.dataDir);
  const rules = foldRules();
  const log = await openServiceLog(config, logger);
  const { store } = log;
  const metrics = new Metrics();
  const lag = new LagWatch();
  const clock = new ClockWatch({ logger });
  const projections = startProjections({
    kind: 'worker',
    log: log.source,
    readModelFile: files.readModels,
    limits: { streams: config.streamsInMemory },
    onEvent: watchProjections(metrics, { lag, clock }, logger),
  });
  const stopFollowingLog = log.onAppended((head: Position) => {
    lag.appended(head);
    projections.notify();
  });
  const stopWatchingClock = clock.start();
  const stopFollowing = (): void => {
    stopFollowingLog();
    stopWatchingClock();
  };
  const watch = watchSnapshots(metrics, logger);
  const snapshotFiles = new SnapshotFiles({ folder: files.snapshots, watch });
  const agendaFiles = new SnapshotFiles({ folder: files.supervisor });
  const everyEvents = config.snapshotEvery;
  const ledger = createLedger({
    store,
    index: projections.index,
    limits: {
      refusalsPerMinute: config.refusalLimit,
      waitMs: config.requestTimeoutMs,
      cachedStreams: config.streamsInMemory,
      ...(log.resendMs !== undefined && { resendMs: log.resendMs }),
    },
    metrics,
    snapshots: everyEvents === 0 ? undefined : { store: snapshotFiles, everyEvents, rules, watch },
    agendaMemory: {
      store: agendaFiles,
      watch: (outcome) => {
        if (outcome !== 'used')
          logger.info({ outcome }, 'what the supervisor remembers does not fit: it reads the whole log');
      },
    },
    watch: watchSupervisor(logger, clock),
  });
  const state = { stopping: false, supervised: false };
  const door = new Door({
    concurrencyLimit: config.concurrencyLimit,
    isStopping: () => state.stopping,
    onTurnedAway: watchTurnedAway(metrics, logger),
  });
  metrics.observe({
    violations: violationCounter(projections),
    projectionLagSeconds: () => lag.seconds(),
    projectionFailing: () => (projections.status().failure === undefined ? 0 : 1),
    logDamaged: () => (log.damage() === undefined ? 0 : 1),
    clockBehindSeconds: () => clock.behindSeconds(),
    commandsWaiting: () => ledger.waiting,
    supervisorPending: () => ledger.supervisor.pending,
    supervisorFailing: () => ledger.supervisor.failing,
    keySetAgeSeconds: () => keys.ageSeconds(),
  });
  const health = healthOf(log, projections, clock, state);
  metrics.observeHealth(health);
  if (log.file !== undefined) metrics.observeDisk(log.file);
  try {
    const app = await createServer(
      {
        ledger: clock.watching(ledger),
        queries: projections.queries,
        reader: store,
        isPosition: (text) => log.isPosition(text),
        replayAccount: async (accountId, at, signal) => {
          const asOf = await replayAccount(store, accountId, at, signal);
          return asOf === undefined ? undefined : accountView(asOf.state, asOf);
        },
        replayFreezes: (at, page, signal) => replayFreezes(store, at, page, signal),
        health,
        metrics,
        options: { requestTimeoutMs: config.requestTimeoutMs },
      },
      {
        verifier,
        rateLimit: config.rateLimit,
        bodyLimitBytes: config.bodyLimitBytes,
        door,
        bounds: [...ledger.bounds, ...snapshotFiles.bounds, ...log.bounds, ...projections.bounds],
        logger,
      },
    );
    return new RunningService({
      app,
      config,
      logger,
      log,
      projections,
      ledger,
      state,
      door,
      stopFollowing,
      snapshotFiles,
      agendaFiles,
    });
  } catch (error) {
    stopFollowing();
    await projections.close();
    await log.close();
    throw error;
  }
}

interface Parts {
  readonly app: NestFastifyApplication;
  readonly config: Config;
  readonly logger: Logger;
  readonly log: ServiceLog;
  readonly projections: Projections;
  readonly ledger: Ledger;
  readonly state: { stopping: boolean; supervised: boolean };
  readonly door: Door;
  readonly stopFollowing: () => void;
  readonly snapshotFiles: SnapshotFiles;
  readonly agendaFiles: SnapshotFiles;
}

class RunningService implements Service {
  readonly app: NestFastifyApplication;
  readonly ready: Promise<void>;
  readonly broken: Promise<string>;
  readonly #parts: Parts;
  #beReady: () => void = () => undefined;

  constructor(parts: Parts) {
    this.app = parts.app;
    this.#parts = parts;
    this.broken = parts.log.broken;
    this.ready = new Promise((resolve) => (this.#beReady = resolve));
  }

  async listen(): Promise<string> {
    const { app, config } = this.#parts;
    try {
      await app.listen({ port: config.port, host: config.host });
    } catch (error) {
      await this.stop();
      throw error;
    }
    void this.#supervise();
    return app.getUrl();
  }

  /**
   * The supervisor asks the index, so the read models come first. Where they take long, or can't be written, it does not wait
   * for them: what needs no index is finished, and what does is tried again until it can be.
   */
  async #supervise(): Promise<void> {
    const { projections, ledger, state, logger } = this.#parts;
    let looks = 0;
    while (!state.stopping && looks < CATCH_UP_LOOKS && !(await projections.caughtUp(CATCH_UP_POLL_MS))) looks += 1;
    while (!state.stopping) {
      try {
        await ledger.supervisor.start();
        state.supervised = true;
        this.#beReady();
        return;
      } catch (error) {
        logger.warn({ err: error }, 'the supervisor could not start, and will be tried again');
        await delay(SUPERVISOR_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  async stop(): Promise<void> {
    const { app, door, state, ledger, projections, log, stopFollowing, snapshotFiles, agendaFiles } = this.#parts;
    state.stopping = true;
    // A connection that seems idle may have a request on its way: until it is quiet, nobody is hung up on.
    await door.drained({ quietMs: QUIET_MS, limitMs: DRAIN_LIMIT_MS });
    const cutOff = setTimeout(() => {
      app.getHttpServer().closeAllConnections();
    }, CUT_OFF_MS);
    await app.close().finally(() => {
      clearTimeout(cutOff);
    });
    await ledger.supervisor.stop();
    await snapshotFiles.close();
    await agendaFiles.close();
    stopFollowing();
    await projections.close();
    await log.close();
  }
}

function healthOf(
  { store, damage, sealed }: Pick<ServiceLog, 'store' | 'damage' | 'sealed'>,
  projections: Projections,
  clock: ClockWatch,
  state: { readonly stopping: boolean; readonly supervised: boolean },
): Health {
  return {
    stopping: () => (state.stopping ? 'The service is stopping.' : undefined),
    store: async () => {
      if (damage() !== undefined) return 'The event log is damaged: nothing is recorded any more.';
      const said = await Promise.race([
        Promise.all([sealed(), store.head()]).then(
          ([moved]) => moved ?? ANSWERED,
          () => undefined,
        ),
        delay(HEALTH_TIMEOUT_MS, undefined, { ref: false }),
      ]);
      return said === ANSWERED ? undefined : (said ?? 'The store does not answer.');
    },
    clock: () => clock.problem(),
    projections: () => projectionProblem(projections.status()),
    supervisor: () => (state.supervised ? undefined : 'What the last run left open is not finished yet.'),
  };
}

/** While the read models are being built, the number is the last that was known. */
function violationCounter(projections: Projections): () => number {
  let known = 0;
  return () => {
    if (projections.status().state === 'live') known = projections.queries.violationCount();
    return known;
  };
}
