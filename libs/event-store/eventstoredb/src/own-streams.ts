import type { EventFilter } from '#event-store';
import type { EventStoreDbSettings } from './settings.ts';

/** What of the log the server is asked for: events whose stream, or type, begins so or matches. */
export type ServerFilter =
  | { readonly by: 'stream' | 'type'; readonly prefixes: readonly string[] }
  | { readonly by: 'stream'; readonly regex: string };

/** Everything but the server's own streams. */
const NOT_SYSTEM: ServerFilter = { by: 'stream', regex: '^[^$]' };

/** Which streams of the server are ours, and what they are called here. */
export class OwnStreams {
  readonly #prefix: string;
  readonly #kinds: readonly string[] | undefined;

  constructor({ streamPrefix = '', streamKinds }: Pick<EventStoreDbSettings, 'streamPrefix' | 'streamKinds'>) {
    if (streamPrefix.startsWith('$')) throw new RangeError('$ begins the names of the own streams of the server');
    this.#prefix = streamPrefix;
    this.#kinds = streamKinds;
  }

  /** @throws RangeError for a stream that would be taken for a stranger's */
  toServer(stream: string): string {
    const name = this.#prefix + stream;
    if (!this.#isOwn(name)) throw new RangeError('a stream that is none of ours');
    return name;
  }

  /** @returns the stream as it is called here, or undefined for one that is not ours */
  fromServer(name: string): string | undefined {
    return this.#isOwn(name) ? name.slice(this.#prefix.length) : undefined;
  }

  /** A stream that could be ours and never has an event. */
  get neverUsed(): string {
    return `${this.#prefix}${this.#kinds?.[0] ?? ''}access-check`;
  }

  /**
   * The server filters by streams or by types, not both: by types where some are asked for, since most events are not of
   * them. Who reads looks again at what comes.
   * @returns undefined when nothing can match
   */
  serverFilter({ streamPrefixes, types }: EventFilter = {}): ServerFilter | undefined {
    if (types?.length === 0) return undefined;
    const prefixes = this.#prefixes(streamPrefixes);
    if (prefixes?.length === 0) return undefined;
    if (types !== undefined) return { by: 'type', prefixes: types };
    return prefixes === undefined ? NOT_SYSTEM : { by: 'stream', prefixes };
  }

  #isOwn(name: string): boolean {
    if (name.startsWith('$') || !name.startsWith(this.#prefix)) return false;
    return this.#kinds?.some((kind) => name.startsWith(kind, this.#prefix.length)) ?? true;
  }

  /** Undefined for all streams. */
  #prefixes(wanted: readonly string[] | undefined): readonly string[] | undefined {
    const kinds = this.#kinds ?? [''];
    const narrowed = wanted === undefined ? kinds : kinds.flatMap((kind) => wanted.flatMap((each) => both(kind, each)));
    const prefixes = [...new Set(narrowed)].map((prefix) => this.#prefix + prefix);
    return prefixes.includes('') ? undefined : prefixes;
  }
}

/** What begins with both: the longer of the two, if it begins with the other. */
function both(one: string, other: string): string[] {
  if (one.startsWith(other)) return [one];
  return other.startsWith(one) ? [other] : [];
}

export function matches(event: { readonly stream: string; readonly type: string }, filter: EventFilter = {}): boolean {
  const streamFits = filter.streamPrefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true;
  return streamFits && (filter.types?.includes(event.type) ?? true);
}
