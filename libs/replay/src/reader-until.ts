import type { EventReader } from '#event-store';

/**
 * The reader, for as long as anyone waits for what is made of it: once the signal is aborted each further read fails with its
 * reason. A replay reads again for each page and each stream, so it ends soon after, wherever it is.
 */
export function readerUntil(signal: AbortSignal | undefined, reader: EventReader): EventReader {
  if (signal === undefined) return reader;
  return {
    read: async (stream, options) => {
      signal.throwIfAborted();
      return reader.read(stream, options);
    },
    readAll: async (options) => {
      signal.throwIfAborted();
      return reader.readAll(options);
    },
    head: () => reader.head(),
    subscribeAll: (options) => reader.subscribeAll(options),
    close: () => reader.close(),
  };
}
