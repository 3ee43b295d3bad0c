import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a file once from its beginning to its end, for the system to keep it in memory. SQLite asks for its pages one by one,
 * here and there: of a file that was not read for long, each would be waited for. A file larger than the memory that is
 * there is left alone: its end would push out its beginning.
 * @param signal ends it early
 * @throws the error of the system, when the file can't be read: whoever reads it in earnest will see the same
 */
export async function readAhead(path: string, signal: AbortSignal): Promise<void> {
  await using file = await open(path);
  const { size } = await file.stat();
  if (size > process.availableMemory()) return;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let from = 0; from < size && !signal.aborted; from += CHUNK_BYTES) await file.read(chunk, 0, CHUNK_BYTES, from);
}
