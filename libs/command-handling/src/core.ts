import type { EventStore } from '#event-store';
import type { Bound } from '#kernel';
import type { HomeStreamIndex } from '#replay';
import { OneStream } from './one-stream.ts';
import type { Limits, Machine } from './ports.ts';
import { RefusalLimiter } from './refusals.ts';
import { SeenLog } from './seen-log.ts';
import type { AgendaMemoryOptions } from './agenda-memory.ts';
import type { SnapshotOptions } from './snapshots.ts';
import { Streams, type CommandMetrics } from './streams.ts';

export interface CoreOptions {
  readonly store: EventStore;
  readonly index: HomeStreamIndex;
  readonly machine: Machine;
  readonly limits: Limits;
  readonly metrics?: CommandMetrics | undefined;
  readonly snapshots?: SnapshotOptions | undefined;
  /** Absent where the supervisor reads the whole log at each start. */
  readonly agendaMemory?: AgendaMemoryOptions | undefined;
}

/** What the handlers of commands and the supervisor share. */
export interface Core {
  readonly store: EventStore;
  readonly index: HomeStreamIndex;
  readonly machine: Machine;
  readonly limits: Limits;
  readonly streams: Streams;
  readonly oneStream: OneStream;
  readonly agendaMemory: AgendaMemoryOptions | undefined;
  readonly bounds: readonly Bound[];
}

export function createCore(options: CoreOptions): Core {
  const { index, machine, limits, agendaMemory } = options;
  const store = new SeenLog(options.store);
  const streams = new Streams({ ...options, store });
  const limiter = new RefusalLimiter(limits.refusalsPerMinute);
  const oneStream = new OneStream(streams, store, limiter);
  return {
    store,
    index,
    machine,
    limits,
    streams,
    oneStream,
    agendaMemory: agendaMemory && { ...agendaMemory, lastSeen: () => store.last },
    bounds: [...streams.bounds, limiter.bound],
  };
}

/** Bounds the rounds of a step over two streams that others keep changing. */
export class Rounds {
  readonly #core: Core;
  readonly #deadlineMs: number;

  constructor(core: Core) {
    this.#core = core;
    this.#deadlineMs = core.machine.clock.now() + core.limits.retryMs;
  }

  /** False when the time for another round is over. */
  goOn(): boolean {
    return this.#core.machine.clock.now() < this.#deadlineMs;
  }
}
