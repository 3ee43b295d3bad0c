import type { Bound } from '#kernel';
import type { RebuildCause } from '#projections';
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { COMMAND_TYPES } from './command-types.ts';
import { readiness, type Health } from './health.ts';

/** Numbers that others keep, read when the metrics are asked for. */
export interface MetricSources {
  readonly violations: () => number;
  /** Events that the read models have not taken in yet, as far as is known. */
  readonly projectionLagSeconds: () => number;
  /** 1 while something keeps the read models from going on. */
  readonly projectionFailing: () => number;
  /** 1 once a page of the log was found damaged: nothing is recorded any more. */
  readonly logDamaged: () => number;
  /** By how much the clock is behind what is recorded. */
  readonly clockBehindSeconds: () => number;
  readonly commandsWaiting: () => number;
  readonly supervisorPending: () => number;
  /** Steps that failed when they were last tried. */
  readonly supervisorFailing: () => number;
  /** Since the keys of the identity provider were read. */
  readonly keySetAgeSeconds: () => number;
}

/** Outcomes of commands that alerts wait for: an increase is seen of a series only that was there before. */
const ALARMING_OUTCOMES = ['store-unavailable', 'clock-unreliable'] as const;

type Shown = readonly { readonly what: string; readonly value: number }[];

/** What Prometheus sees. One registry for each service, so that two in one process do not mix. */
export class Metrics {
  readonly registry = new Registry();
  readonly #durations: Histogram<'method' | 'route' | 'status'>;
  readonly #internalErrors: Counter;
  readonly #durationsOf = new Map<string, { observe(seconds: number): void }>();
  readonly #commands: Counter<'type' | 'outcome'>;
  readonly #commandsOf = new Map<string, { inc(): void }>();
  readonly #appended: Counter<'stream'>;
  readonly #appends: Counter;
  readonly #appendedOf = new Map<string, { inc(by: number): void }>();
  readonly #conflicts: Counter;
  readonly #madeWay: Counter;
  readonly #snapshots: Counter<'outcome'>;
  readonly #turnedAway: Counter<'what'>;
  readonly #rebuilds: Counter<'cause'>;
  readonly #missing: Gauge;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#durations = new Histogram({
      name: 'writ_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer, by route.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#internalErrors = new Counter({
      name: 'writ_internal_errors_total',
      help: 'Requests that were answered 500.',
      registers,
    });
    this.#commands = new Counter({
      name: 'writ_commands_total',
      help: 'Commands by what came of them: accepted, replayed, or the code of the rejection.',
      labelNames: ['type', 'outcome'],
      registers,
    });
    for (const type of COMMAND_TYPES) {
      for (const outcome of ALARMING_OUTCOMES) this.#commands.inc({ type, outcome }, 0);
    }
    this.#appended = new Counter({
      name: 'writ_events_appended_total',
      help: 'Events stored, by the kind of their stream.',
      labelNames: ['stream'],
      registers,
    });
    this.#appends = new Counter({
      name: 'writ_appends_total',
      help: 'Appends stored: commands of one stream that wait at the same time share one.',
      registers,
    });
    this.#conflicts = new Counter({
      name: 'writ_append_conflicts_total',
      help: 'Appends that found another writer had come first.',
      registers,
    });
    this.#madeWay = new Counter({
      name: 'writ_made_way_total',
      help: 'Authorised freezes for which movements of their accounts were held back, where there are many instances.',
      registers,
    });
    this.#turnedAway = new Counter({
      name: 'writ_turned_away_total',
      help: 'Requests and connections turned away unread, by the bound that they met, or stopping.',
      labelNames: ['what'],
      registers,
    });
    this.#snapshots = new Counter({
      name: 'writ_snapshots_total',
      help: 'Snapshots of accounts: used, written, not-written, or why one was ignored.',
      labelNames: ['outcome'],
      registers,
    });
    this.#rebuilds = new Counter({
      name: 'writ_read_model_rebuilds_total',
      help: 'Read models built from the first event of the log, by why that was needed.',
      labelNames: ['cause'],
      registers,
    });
    this.#missing = new Gauge({
      name: 'writ_events_missing',
      help: 'Acknowledged events, at least so many, that the read models had taken in and the log does not have.',
      registers,
    });
  }

  /** Adds whether each of the checks of `/health/ready` is well. */
  observeHealth(health: Health): void {
    new Gauge({
      name: 'writ_ready',
      help: '1 when a check of /health/ready is well, 0 when it is not, by check.',
      labelNames: ['check'],
      registers: [this.registry],
      async collect() {
        const { checks } = await readiness(health);
        for (const [check, said] of Object.entries(checks)) this.set({ check }, said === 'ok' ? 1 : 0);
      },
    });
  }

  /** Adds what the log takes of its disk, and what is left of that. @param log path of the log */
  observeDisk(log: string): void {
    this.#gauge('writ_log_size_bytes', 'Size of the log and of its write-ahead log.', () =>
      [log, `${log}-wal`].reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0),
    );
    this.#gauge('writ_disk_available_bytes', 'Free on the disk that the log is on.', () => {
      const { bavail, bsize } = statfsSync(dirname(log));
      return bavail * bsize;
    });
  }

  /** Adds what others count. */
  observe(sources: MetricSources): void {
    this.#gauge('writ_violations', 'Events in the log that break an invariant.', sources.violations);
    this.#gauge(
      'writ_projection_lag_seconds',
      'Time since the read models were last level with the log.',
      sources.projectionLagSeconds,
    );
    this.#gauge(
      'writ_projection_failing',
      '1 while something keeps the read models from going on.',
      sources.projectionFailing,
    );
    this.#gauge('writ_log_damaged', '1 once a page of the log was found damaged.', sources.logDamaged);
    this.#gauge(
      'writ_clock_behind_seconds',
      'By how much the clock is behind the latest time that was recorded; 0 when it is not.',
      sources.clockBehindSeconds,
    );
    this.#gauge('writ_commands_waiting', 'Commands that wait or run.', sources.commandsWaiting);
    this.#gauge('writ_supervisor_pending', 'Steps that the supervisor has yet to finish.', sources.supervisorPending);
    this.#gauge(
      'writ_supervisor_failing',
      'Steps of the supervisor that failed when they were last tried.',
      sources.supervisorFailing,
    );
    this.#gauge(
      'writ_key_set_age_seconds',
      'Time since the keys of the identity provider were read; 0 in development mode.',
      sources.keySetAgeSeconds,
    );
  }

  /** Shows of each bound how much there may be, and how much is in use: the same two metrics for all. */
  observeBounds(bounds: readonly Bound[]): void {
    const most = (): Shown => bounds.map(({ what, most: value }) => ({ what, value }));
    const inUse = (): Shown => bounds.map(({ what, inUse: value }) => ({ what, value: value() }));
    this.#gaugeOfBounds('writ_bound', 'How much there may be of what is bounded.', most);
    this.#gaugeOfBounds('writ_in_use', 'How much there is of what is bounded.', inUse);
  }

  #gaugeOfBounds(name: string, help: string, read: () => Shown): void {
    new Gauge({
      name,
      help,
      labelNames: ['what'],
      registers: [this.registry],
      collect() {
        for (const { what, value } of read()) this.set({ what }, value);
      },
    });
  }

  turnedAway(what: string): void {
    this.#turnedAway.inc({ what });
  }

  requestEnded(method: string, route: string, status: number, seconds: number): void {
    if (status === 500) this.#internalErrors.inc();
    const name = `${method} ${String(status)} ${route}`;
    remembered(this.#durationsOf, name, () => this.#durations.labels(method, route, String(status))).observe(seconds);
  }

  commandEnded(type: string, outcome: string): void {
    remembered(this.#commandsOf, `${type} ${outcome}`, () => this.#commands.labels(type, outcome)).inc();
  }

  appended(stream: string, events: number): void {
    const kind = stream.slice(0, stream.indexOf('-'));
    remembered(this.#appendedOf, kind, () => this.#appended.labels(kind)).inc(events);
    this.#appends.inc();
  }

  conflicted(): void {
    this.#conflicts.inc();
  }

  madeWay(): void {
    this.#madeWay.inc();
  }

  rebuild(cause: RebuildCause | 'missing'): void {
    this.#rebuilds.inc({ cause });
  }

  /** Says that the log lacks events that were in it. */
  eventsMissing(atLeast: number): void {
    this.#missing.set(atLeast);
  }

  snapshot(outcome: string): void {
    this.#snapshots.inc({ outcome });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}

/** Labels are looked up once: every request comes through here. */
function remembered<Labelled>(known: Map<string, Labelled>, name: string, look: () => Labelled): Labelled {
  let labelled = known.get(name);
  if (labelled === undefined) {
    labelled = look();
    known.set(name, labelled);
  }
  return labelled;
}
