import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What a write-ahead log is found to be, before SQLite reads it: SQLite lets go of whatever it can't read, and says nothing. */
export type WalState =
  /** There is nothing in it, or all that is in it can be read. */
  | { readonly kind: 'whole'; readonly pages: WalPages }
  /** Its end can't be read, as after a power cut in the middle of a write: nothing of that was acknowledged. */
  | { readonly kind: 'torn'; readonly pages: WalPages; readonly lostBytes: number }
  /** Something was committed, and so synced and acknowledged, behind what can't be read. */
  | { readonly kind: 'damaged'; readonly atByte: number };

/** What the transactions that can be read make of the database. */
export interface WalPages {
  /** Page numbers that stand in the log. */
  readonly numbers: ReadonlySet<number>;
  /** Pages of the database after the last transaction; undefined when there is none in the log. */
  readonly databasePages: number | undefined;
  readonly pageBytes: number;
}

/** The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The lowest bit says whether the sums are over words with the highest byte first. */
const MAGIC = 0x377f0682;
const USUAL_PAGE_BYTES = 4096;

interface Sum {
  readonly first: number;
  readonly second: number;
}

interface Frame {
  readonly page: number;
  /** Pages of the database after the transaction that this frame ends; 0 for a frame that ends none. */
  readonly commits: number;
  /** The log's own two numbers: frames from before the log was begun anew have others. */
  readonly salts: string;
  /** The sum over the log up to here, as the frame has it. */
  readonly sum: Sum;
  readonly bytes: DataView;
}

/** Reads a write-ahead log as SQLite would, and looks beyond where SQLite would stop. Changes nothing. */
export function inspectWal(path: string): WalState {
  const file = openSync(path, 'r');
  try {
    return new Inspection(file).run();
  } finally {
    closeSync(file);
  }
}

class Inspection {
  readonly #file: number;
  readonly #sizeBytes: number;
  readonly #numbers = new Set<number>();
  #databasePages: number | undefined;
  #pageBytes = USUAL_PAGE_BYTES;
  #littleEndian = true;

  constructor(file: number) {
    this.#file = file;
    this.#sizeBytes = fstatSync(file).size;
  }

  run(): WalState {
    if (this.#sizeBytes <= HEADER_BYTES) return { kind: 'whole', pages: this.#pages() };
    const header = this.#read(0, HEADER_BYTES);
    const salts = this.#takeHeader(header);
    if (salts === undefined) return this.#withoutHeader(header);
    const { index, lastCommit, before } = this.#readable(salts, sumAt(header, 24));
    const end = this.#offset(lastCommit + 1);
    if (this.#goesOnBehind(index, salts, before)) return { kind: 'damaged', atByte: this.#offset(index) };
    const unfinished = index > lastCommit + 1 || this.#isOfThisLog(index, salts);
    if (!unfinished) return { kind: 'whole', pages: this.#pages() };
    return { kind: 'torn', pages: this.#pages(), lostBytes: this.#sizeBytes - end };
  }

  /** @returns the salts; undefined when the header is none */
  #takeHeader(header: DataView): string | undefined {
    const magic = header.getUint32(0);
    const pageBytes = header.getUint32(8);
    if ((magic & ~1) >>> 0 !== MAGIC || pageBytes < 512 || pageBytes > 65_536) return undefined;
    this.#littleEndian = (magic & 1) === 0;
    const sum = added({ first: 0, second: 0 }, header, 0, 24, this.#littleEndian);
    if (!isSame(sum, sumAt(header, 24))) return undefined;
    this.#pageBytes = pageBytes;
    return saltsAt(header, 16);
  }

  /** SQLite takes such a log for empty. One that was never synced may be nothing but zeros; any other was more than that. */
  #withoutHeader(header: DataView): WalState {
    let zeros = true;
    for (let at = 0; at < HEADER_BYTES; at += 4) zeros &&= header.getUint32(at) === 0;
    let hasFrames = false;
    for (const { page } of this.#chained(1)) hasFrames ||= page > 0;
    if (hasFrames || !zeros) return { kind: 'damaged', atByte: 0 };
    return { kind: 'torn', pages: this.#pages(), lostBytes: this.#sizeBytes };
  }

  /** Follows the frames as long as each fits those before it. @returns the first that does not, and the sum up to there */
  #readable(salts: string, sum: Sum): { readonly index: number; readonly lastCommit: number; readonly before: Sum } {
    let before = sum;
    let lastCommit = -1;
    let open: number[] = [];
    for (let index = 0; ; index += 1) {
      const frame = this.#frame(index);
      if (frame?.salts !== salts || frame.page === 0 || !this.#fits(frame, before))
        return { index, lastCommit, before };
      before = frame.sum;
      open.push(frame.page);
      if (frame.commits === 0) continue;
      lastCommit = index;
      this.#databasePages = frame.commits;
      for (const page of open) this.#numbers.add(page);
      open = [];
    }
  }

  /**
   * Whether another transaction follows the one that the frame at `index` belongs to. It was begun when that one was on
   * disk: then what can't be read was on disk, too, and did not get lost in a power cut.
   */
  #goesOnBehind(index: number, salts: string, before: Sum): boolean {
    const unreadable = this.#frame(index);
    if (unreadable === undefined) return false;
    let committed = unreadable.salts === salts && unreadable.commits > 0 && !this.#fits(unreadable, before);
    for (const frame of this.#chained(index + 1)) {
      if (frame.salts !== salts) continue;
      if (committed) return true;
      committed = frame.commits > 0;
    }
    return false;
  }

  #isOfThisLog(index: number, salts: string): boolean {
    if (this.#offset(index) >= this.#sizeBytes) return false;
    const frame = this.#frame(index);
    return frame === undefined || frame.salts === salts;
  }

  /** The frames from `first` on that go on from the sum that the frame before them has. */
  *#chained(first: number): Generator<Frame> {
    let before = this.#frame(first - 1)?.sum;
    for (let index = first; before !== undefined; index += 1) {
      const frame = this.#frame(index);
      if (frame !== undefined && this.#fits(frame, before)) yield frame;
      before = frame?.sum;
    }
  }

  #fits(frame: Frame, before: Sum): boolean {
    const head = added(before, frame.bytes, 0, 8, this.#littleEndian);
    const whole = added(head, frame.bytes, FRAME_HEADER_BYTES, frame.bytes.byteLength, this.#littleEndian);
    return isSame(whole, frame.sum);
  }

  /** @returns undefined behind the last whole frame */
  #frame(index: number): Frame | undefined {
    const start = this.#offset(index);
    const length = FRAME_HEADER_BYTES + this.#pageBytes;
    if (start + length > this.#sizeBytes) return undefined;
    const bytes = this.#read(start, length);
    return {
      page: bytes.getUint32(0),
      commits: bytes.getUint32(4),
      salts: saltsAt(bytes, 8),
      sum: sumAt(bytes, 16),
      bytes,
    };
  }

  #offset(index: number): number {
    return HEADER_BYTES + index * (FRAME_HEADER_BYTES + this.#pageBytes);
  }

  #read(start: number, length: number): DataView {
    const bytes = new Uint8Array(length);
    readSync(this.#file, bytes, 0, length, start);
    return new DataView(bytes.buffer);
  }

  #pages(): WalPages {
    return { numbers: this.#numbers, databasePages: this.#databasePages, pageBytes: this.#pageBytes };
  }
}

/** SQLite's sum over pairs of words, continued. */
function added({ first, second }: Sum, bytes: DataView, start: number, end: number, littleEndian: boolean): Sum {
  let one = first;
  let two = second;
  for (let at = start; at < end; at += 8) {
    one = (one + bytes.getUint32(at, littleEndian) + two) >>> 0;
    two = (two + bytes.getUint32(at + 4, littleEndian) + one) >>> 0;
  }
  return { first: one, second: two };
}

function sumAt(bytes: DataView, offset: number): Sum {
  return { first: bytes.getUint32(offset), second: bytes.getUint32(offset + 4) };
}

function saltsAt(bytes: DataView, offset: number): string {
  return `${String(bytes.getUint32(offset))} ${String(bytes.getUint32(offset + 4))}`;
}

function isSame(one: Sum, other: Sum): boolean {
  return one.first === other.first && one.second === other.second;
}
