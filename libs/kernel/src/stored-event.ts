import { canonicalJson } from './canonical.ts';
import type { EventMetadata, Position, RecordedEvent } from './envelope.ts';

/**
 * Most objects and lists that may stand one in another. What JSON parses may nest without end, and whoever writes, copies or
 * compares it then runs out of stack; what is written by the service nests a few deep.
 */
const MAX_DEPTH = 1_000;

/** JSON of the two open parts of an event. */
export interface EventTexts {
  readonly data: string;
  readonly metadata: string;
}

/**
 * An event as it was read from a log, which remembers the texts that it was read from: to look at those is cheaper than to
 * write them again. A copy of it does not, because it may be changed.
 */
export class StoredEvent implements RecordedEvent {
  declare readonly id: string;
  declare readonly type: string;
  declare readonly schemaVersion: number;
  declare readonly data: unknown;
  declare readonly metadata: EventMetadata;
  declare readonly stream: string;
  declare readonly revision: number;
  declare readonly position: Position;
  readonly #texts: EventTexts;
  /** Once somebody asked for them. */
  #metadata: unknown;

  /**
   * Whoever reads a whole log hardly ever looks at the metadata: they are parsed when somebody does. To whoever copies,
   * compares or lists the members of an event they are one like any other.
   */
  static readonly #metadataWhenAsked: PropertyDescriptor = {
    enumerable: true,
    get(this: StoredEvent): unknown {
      return (this.#metadata ??= parseOrKeep(this.#texts.metadata));
    },
  };

  /** A text that is not JSON, or nests deeper than anything may, was put there by other means: it is given back as it stands. */
  constructor(
    { id, type, schemaVersion, data, metadata }: Pick<RecordedEvent, 'id' | 'type' | 'schemaVersion'> & EventTexts,
    { stream, revision, position }: Pick<RecordedEvent, 'stream' | 'revision' | 'position'>,
  ) {
    this.id = id;
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.data = parseOrKeep(data);
    Object.defineProperty(this, 'metadata', StoredEvent.#metadataWhenAsked);
    this.stream = stream;
    this.revision = revision;
    this.position = position;
    this.#texts = { data, metadata };
  }

  /** The texts of the data and metadata of an event; undefined for one that was not read, or was copied since. */
  static textsOf(event: RecordedEvent): EventTexts | undefined {
    return #texts in event ? event.#texts : undefined;
  }
}

/**
 * True when the texts that an event was read from are what writing its content gives: as canonical JSON, or as the first
 * version wrote it. In others a member may stand twice, of which each reader takes another, and only one was hashed.
 */
export function isAsWritten(event: RecordedEvent): boolean {
  const texts = StoredEvent.textsOf(event);
  return texts === undefined || (isWritten(texts.data, event.data) && isWritten(texts.metadata, event.metadata));
}

function isWritten(text: string, content: unknown): boolean {
  try {
    return JSON.stringify(content) === text || canonicalJson(content) === text;
  } catch {
    // Content that has no canonical form, such as half of a surrogate pair.
    return false;
  }
}

function parseOrKeep(text: string): unknown {
  if (nestsTooDeep(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function nestsTooDeep(text: string): boolean {
  // Each that is opened is closed again: most texts are too short to look at.
  if (text.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0, isQuoted = false; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) at += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
