import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { type LogEvent } from './log-event.ts';

/** What one append stored: all of it is in the log, or nothing. `sizeBytes` is that of one without events. */
export interface Transaction {
  readonly events: readonly Omit<LogEvent, 'index'>[];
  readonly sizeBytes: number;
}

const HEADER_BYTES = 8;

/**
 * A file of transactions, each written whole before it is answered: its length, its checksum, itself. What a kill left half
 * written at the end is cut off at the next start. It is not synced: a test kills processes, not machines.
 */
export class LogFile {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** @returns the file, open for more, and what it has. @throws what the file system throws */
  static open(folder: string): { readonly file: LogFile; readonly transactions: readonly Transaction[] } {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'eventstoredb-test.log');
    const descriptor = openSync(path, 'a+');
    const bytes = readFileSync(path);
    const transactions: Transaction[] = [];
    let end = 0;
    for (let next = readTransaction(bytes, 0); next !== undefined; next = readTransaction(bytes, end)) {
      transactions.push(next.transaction);
      end = next.end;
    }
    if (end < bytes.length) ftruncateSync(descriptor, end);
    return { file: new LogFile(descriptor), transactions };
  }

  write(transaction: Transaction): void {
    const body = serialize(transaction);
    const record = Buffer.allocUnsafe(HEADER_BYTES + body.length);
    record.writeUInt32LE(body.length, 0);
    record.writeUInt32LE(crc32(body), 4);
    record.set(body, HEADER_BYTES);
    for (let written = 0; written < record.length;) written += writeSync(this.#descriptor, record, written);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function readTransaction(
  bytes: Buffer,
  start: number,
): { readonly transaction: Transaction; readonly end: number } | undefined {
  if (bytes.length < start + HEADER_BYTES) return undefined;
  const end = start + HEADER_BYTES + bytes.readUInt32LE(start);
  const body = bytes.subarray(start + HEADER_BYTES, end);
  if (end > bytes.length || crc32(body) !== bytes.readUInt32LE(start + 4)) return undefined;
  // What only this class writes, behind a checksum.
  return { transaction: deserialize(body) as Transaction, end };
}
