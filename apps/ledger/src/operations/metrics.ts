import type { Bound } from '#kernel';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Numbers that others keep, read when the metrics are asked for. */
export interface MetricSources {
  readonly violations: () => number;
  /** Events that the read models have not taken in yet, as far as is known. */
  readonly projectionLagSeconds: () => number;
  readonly commandsWaiting: () => number;
  readonly supervisorPending: () => number;
}

type Shown = readonly { readonly what: string; readonly value: number }[];

/** What Prometheus sees. One registry for each service, so that two in one process do not mix. */
export class Metrics {
  readonly registry = new Registry();
  readonly #durations: Histogram<'method' | 'route' | 'status'>;
  readonly #durationsOf = new Map<string, { observe(seconds: number): void }>();
  readonly #commands: Counter<'type' | 'outcome'>;
  readonly #commandsOf = new Map<string, { inc(): void }>();
  readonly #appended: Counter<'stream'>;
  readonly #appendedOf = new Map<string, { inc(by: number): void }>();
  readonly #conflicts: Counter;
  readonly #snapshots: Counter<'outcome'>;
  readonly #turnedAway: Counter<'what'>;

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
    this.#commands = new Counter({
      name: 'writ_commands_total',
      help: 'Commands by what came of them: accepted, replayed, or the code of the rejection.',
      labelNames: ['type', 'outcome'],
      registers,
    });
    this.#appended = new Counter({
      name: 'writ_events_appended_total',
      help: 'Events stored, by the kind of their stream.',
      labelNames: ['stream'],
      registers,
    });
    this.#conflicts = new Counter({
      name: 'writ_append_conflicts_total',
      help: 'Appends that found another writer had come first.',
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
  }

  /** Adds what others count. */
  observe(sources: MetricSources): void {
    this.#gauge('writ_violations', 'Events in the log that break an invariant.', sources.violations);
    this.#gauge(
      'writ_projection_lag_seconds',
      'Time since the read models were last level with the log.',
      sources.projectionLagSeconds,
    );
    this.#gauge('writ_commands_waiting', 'Commands that wait or run.', sources.commandsWaiting);
    this.#gauge('writ_supervisor_pending', 'Steps that the supervisor has yet to finish.', sources.supervisorPending);
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
    const name = `${method} ${String(status)} ${route}`;
    remembered(this.#durationsOf, name, () => this.#durations.labels(method, route, String(status))).observe(seconds);
  }

  commandEnded(type: string, outcome: string): void {
    remembered(this.#commandsOf, `${type} ${outcome}`, () => this.#commands.labels(type, outcome)).inc();
  }

  appended(stream: string, events: number): void {
    const kind = stream.slice(0, stream.indexOf('-'));
    remembered(this.#appendedOf, kind, () => this.#appended.labels(kind)).inc(events);
  }

  conflicted(): void {
    this.#conflicts.inc();
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
