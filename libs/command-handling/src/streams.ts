import type { EventStore } from '#event-store';
import { basisState, isBasisContents, type BasisContents } from '#freezes';
import { reject, RejectionError, type BasisEnd, type BasisState, type Bound, type Loss, type Position } from '#kernel';
import {
  CitationResolver,
  foldStream,
  idOfStream,
  StreamCache,
  StreamFold,
  StreamNames,
  type HomeStreamIndex,
  type StateOfKind,
  type StreamState,
} from '#replay';
import { HomeStream, type HomeStreamOptions } from './home-stream.ts';
import { Lane, type LaneHost } from './lane.ts';
import { MakingWay } from './making-way.ts';
import type { Task, Turn, View } from './plan.ts';
import type { Limits, Machine } from './ports.ts';
import { SharedStreams } from './shared-streams.ts';
import { Snapshots, type SnapshotOptions } from './snapshots.ts';

/** What command handling tells those who watch it. */
export interface CommandMetrics {
  /** Events were stored. */
  appended(stream: string, events: number): void;
  /** Another writer came first. */
  conflicted(stream: string): void;
  /** Movements of an account make way for a freeze that was authorised. */
  madeWay?(stream: string): void;
}

export interface StreamsOptions {
  readonly store: EventStore;
  readonly machine: Machine;
  readonly limits: Limits;
  readonly index: HomeStreamIndex;
  readonly metrics?: CommandMetrics | undefined;
  /** Absent for no snapshots. */
  readonly snapshots?: SnapshotOptions | undefined;
}

/** All streams that this process decides on: a lane for each that is busy, and a bounded cache of their folds. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #resolver: CitationResolver;
  readonly #lanes = new Map<string, Lane>();
  readonly #cache: StreamCache<HomeStream>;
  readonly #home: HomeStreamOptions;
  readonly #host: LaneHost;
  readonly #makingWay: MakingWay;
  readonly #leave = (): void => {
    this.#waiting -= 1;
  };
  #waiting = 0;

  constructor(options: StreamsOptions) {
    this.#options = options;
    const { snapshots, index, limits } = options;
    const folded = (stream: string): StreamFold | undefined => this.#cache.peek(stream)?.fold;
    const wasLegal = (position: Position): boolean => index.isLegal(position);
    this.#resolver = new CitationResolver(options.store, { index, folded, demandsWhole: true, wasLegal });
    const { cachedStreams, cachedEntries, cachedEntriesInAll } = limits;
    this.#cache = new StreamCache({
      streams: cachedStreams,
      names: cachedEntriesInAll,
      namesOf: ({ fold }) => fold.names,
    });
    this.#home = {
      resolver: this.#resolver,
      names: { index, most: cachedEntries, count: this.#cache.count },
      snapshots: snapshots === undefined ? undefined : new Snapshots(snapshots, index),
    };
    const { store, machine, metrics } = options;
    this.#makingWay = new MakingWay(store, machine, (stream) => metrics?.madeWay?.(stream));
    this.#host = {
      shared: new SharedStreams(machine.clock),
      makesWay: (stream) => this.#makingWay.makesWay(stream),
      store: options.store,
      machine: options.machine,
      limits: options.limits,
      cached: (stream) => this.#cached(stream),
      idle: (lane) => this.#lanes.delete(lane.stream),
      discard: (stream) => {
        this.#cache.delete(stream);
      },
      appended: (stream, events) => options.metrics?.appended(stream, events),
      conflicted: (stream) => options.metrics?.conflicted(stream),
    };
  }

  /** Commands that wait or run now. */
  get waiting(): number {
    return this.#waiting;
  }

  get cachedStreams(): number {
    return this.#cache.size;
  }

  /** What waits or is kept in memory, and how much of it there may be. */
  get bounds(): readonly Bound[] {
    const { limits } = this.#options;
    const { queuedInAll, reservedInAll, queuedPerStream, reservedPerStream } = limits;
    return [
      { what: 'commands-waiting', most: queuedInAll + reservedInAll, inUse: () => this.#waiting },
      {
        what: 'commands-of-one-stream',
        most: queuedPerStream + reservedPerStream,
        inUse: () => largest([...this.#lanes.values()].map(({ queued }) => queued)),
      },
      { what: 'streams-in-memory', most: limits.cachedStreams, inUse: () => this.#cache.size },
      { what: 'names-in-memory', most: limits.cachedEntriesInAll, inUse: () => this.#cache.count.names },
      this.#host.shared.bound,
      this.#makingWay.bound,
      ...this.#resolver.bounds,
    ];
  }

  /**
   * Where other instances write too: sees from now on which freezes they are about to place, and makes way.
   * @throws StoreError when the end of the log can't be read
   */
  async followOthers(): Promise<void> {
    if (!this.#options.store.singleWriter) await this.#makingWay.follow();
  }

  stopFollowing(): void {
    this.#makingWay.stop();
  }

  /** Decides on one stream, in its turn, at its exact end. @param turn `in-line` for movements of funds only */
  decide<Result>(stream: string, task: Task<Result>, turn: Turn = 'ahead'): Promise<Result> {
    const { queuedInAll, reservedInAll } = this.#options.limits;
    if (this.#waiting >= queuedInAll + (turn === 'ahead' ? reservedInAll : 0)) {
      return Promise.reject(new RejectionError(reject('overloaded', 'too many commands are waiting')));
    }
    this.#waiting += 1;
    const result = this.#lane(stream).run(task, turn);
    // First to be told, so that whoever has the answer does not find the command waiting still.
    result.then(this.#leave, this.#leave);
    return result;
  }

  /**
   * Takes facts out of another stream, in its turn and as of its end: nothing is seen that is not stored, and what was
   * acknowledged is seen. `extract` must copy what it keeps. Allowed from within a task of an account's stream on streams
   * of bases and parties, from within a task of an authority request's on that of a basis, and nowhere else within a task:
   * a task that waits for a lane that waits for it would never end.
   */
  inspect<Result>(stream: string, extract: (view: View) => Result, turn?: Turn): Promise<Result> {
    return this.decide(stream, (view) => ({ result: extract(view) }), turn);
  }

  /** The stream as it was after the event at a revision, by replay. */
  async asOf(stream: string, revision: number): Promise<StreamFold> {
    const fold = new StreamFold(stream, this.#resolver, new StreamNames(stream, { onlyCited: true }));
    await foldStream(this.#options.store, fold, { to: revision });
    return fold;
  }

  /**
   * The first of some variations that ended what rests on an authorisation, as a citation is judged. It stays so.
   * @param losses as a basis told of them that is stored: never from within its own turn
   */
  firstLoss(losses: readonly Loss[], holders: readonly string[]): Promise<BasisEnd | undefined> {
    return this.#resolver.firstLoss(losses, holders);
  }

  #lane(stream: string): Lane {
    const existing = this.#lanes.get(stream);
    if (existing !== undefined) return existing;
    const lane = new Lane(stream, this.#host);
    this.#lanes.set(stream, lane);
    return lane;
  }

  #cached(stream: string): HomeStream {
    const known = this.#cache.get(stream);
    if (known !== undefined) return known;
    const home = new HomeStream(stream, this.#home);
    this.#cache.set(stream, home);
    return home;
  }
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), 0);
}

/** A view of the stream of a basis, of whatever kind. @throws Error for a stream of anything else: a bug. */
export function basisOf(view: View): BasisState {
  return basisState(basisContents(view), idOfStream(view.stream));
}

/** The state itself, to decide on. @throws as `basisOf` */
export function basisContents({ stream, contents }: View): BasisContents {
  if (!isBasisContents(contents)) throw new Error(`no basis lives on ${stream}`);
  return contents;
}

/** The state of a view, or of a fold, of a known kind. @throws Error for another kind: a bug. */
export function stateOf<Kind extends StreamState['kind']>(
  { stream, contents }: { readonly stream: string; readonly contents: StreamState | undefined },
  kind: Kind,
): StateOfKind<Kind> {
  if (contents?.kind !== kind) throw new Error(`${stream} is not a stream of kind ${kind}`);
  return contents.state as StateOfKind<Kind>;
}
