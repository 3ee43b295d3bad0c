import { foundInAll, freezeView, type AccountFrozen, type FreezeVaried, type FreezeView } from '#freezes';
import type { EventReader } from '#event-store';
import type { Position, Recorded } from '#kernel';
import { StreamFold } from './fold.ts';
import { foldStream } from './fold-stream.ts';
import { isUpTo, type Moment } from './moment.ts';
import { readerUntil } from './reader-until.ts';
import { CitationResolver } from './resolver.ts';
import { StreamNames } from './stream-names.ts';

/** Freezes that were in force at a moment, in the order of their placing. */
export interface FreezesAsOf {
  readonly items: readonly FreezeView[];
  /** Where the next page begins; undefined when there is no more. */
  readonly next: Position | undefined;
}

/** Accounts that one page replays at most, and events of the log that it looks through at once. */
const MAX_ACCOUNTS = 200;
const READ_AT_ONCE = 200;

/**
 * The freezes that were in force at a moment, by replay of every account that was ever frozen, and of what its freezes
 * cite. What does not resolve is not among them. No read model is asked.
 *
 * @param after the end of the page before; from the beginning if undefined
 * @param limit most items. There are fewer, and there is a next page, when 200 accounts were replayed for this one
 * @param signal ends the replay at its next read, with its reason
 */
export async function replayFreezes(
  log: EventReader,
  at: Moment | undefined,
  { after, limit }: { readonly after?: Position | undefined; readonly limit: number },
  signal?: AbortSignal,
): Promise<FreezesAsOf> {
  const reader = readerUntil(signal, log);
  const accounts = new Accounts(reader, at);
  const items: FreezeView[] = [];
  let scanned = after;
  for (;;) {
    const page = await reader.readAll({
      limit: READ_AT_ONCE,
      filter: { types: ['AccountFrozen'], streamPrefixes: ['account-'] },
      ...(scanned === undefined ? {} : { after: scanned }),
    });
    for (const event of page.events) {
      if (accounts.replayed >= MAX_ACCOUNTS && !accounts.has(event.stream)) return { items, next: scanned };
      const placed = (await accounts.freezesOf(event.stream)).get(event.revision);
      if (placed !== undefined && items.length === limit) return { items, next: scanned };
      if (placed !== undefined) items.push(placed);
      scanned = event.position;
    }
    scanned = page.scannedTo ?? scanned;
    if (page.atEnd || isBeyond(scanned, at)) return { items, next: undefined };
  }
}

function isBeyond(scanned: Position | undefined, at: Moment | undefined): boolean {
  return at !== undefined && 'position' in at && scanned !== undefined && scanned >= at.position;
}

/** The accounts that a page has replayed so far. */
class Accounts {
  readonly #reader: EventReader;
  readonly #at: Moment | undefined;
  readonly #resolver: CitationResolver;
  readonly #known = new Map<string, ReadonlyMap<number, FreezeView>>();

  constructor(reader: EventReader, at: Moment | undefined) {
    this.#reader = reader;
    this.#at = at;
    this.#resolver = new CitationResolver(reader);
  }

  get replayed(): number {
    return this.#known.size;
  }

  has(stream: string): boolean {
    return this.#known.has(stream);
  }

  /** Those in force at the moment, by the revision of the event that placed them. */
  async freezesOf(stream: string): Promise<ReadonlyMap<number, FreezeView>> {
    const known = this.#known.get(stream) ?? (await this.#replay(stream));
    this.#known.set(stream, known);
    return known;
  }

  async #replay(stream: string): Promise<ReadonlyMap<number, FreezeView>> {
    const fold = new StreamFold(stream, this.#resolver, new StreamNames(stream, { onlyCited: true }));
    const placed: Recorded<AccountFrozen>[] = [];
    const varied: Recorded<FreezeVaried>[] = [];
    await foldStream(this.#reader, fold, {
      isWanted: (recorded) => isUpTo(recorded, this.#at),
      onFolded: ({ event }) => {
        if (event?.type === 'AccountFrozen') placed.push(event);
        if (event?.type === 'FreezeVaried') varied.push(event);
      },
    });
    const freezes = new Map<number, FreezeView>();
    if (fold.contents?.kind !== 'account') return freezes;
    const { inForce } = fold.contents.state.freezes;
    for (const event of placed) {
      const freeze = inForce.get(event.data.freezeId);
      if (freeze === undefined) continue;
      const variations = varied.filter(({ data }) => data.freezeId === freeze.freezeId);
      const { recordedAt: updatedAt } = (variations.at(-1) ?? event).metadata;
      const found = foundInAll([event, ...variations].map(({ data }) => data));
      freezes.set(event.revision, { ...freezeView(event), ...freeze, ...found, updatedAt });
    }
    return freezes;
  }
}
