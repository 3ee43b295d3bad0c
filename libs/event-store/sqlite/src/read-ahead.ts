import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a file once from its beginning to its end, for the system to keep it in memory. SQLite asks for its pages one by one,
 * here and there: of a file that was not read for long, each would be waited for. A file larger than the memory that is
 * there is left alone: its end would push out its beginning.
 * The file stays open: to close it would drop the locks that SQLite holds on it in this process (POSIX, fcntl).
 * @param signal ends it early
 * @returns what closes the file: call it when this process has no connection to it any more
 * @throws the error of the system, when the file can't be opened: whoever reads it in earnest will see the same
 */
export async function readAhead(path: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const end = size > process.availableMemory() ? 0 : size;
    for (let from = 0; from < end && !signal.aborted; from += CHUNK_BYTES) await file.read(chunk, 0, CHUNK_BYTES, from);
  } catch {
    // A part that can't be read is found by who reads it in earnest.
  }
  return () => file.close();
}
