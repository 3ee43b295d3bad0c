import type { RecordedEvent } from '#kernel';
import type { LogForger } from '#testing';
import { DatabaseSync } from 'node:sqlite';

/** Writes into the log's file with nothing of the service in between. */
export function forgerOf(path: string): LogForger & { close(): void } {
  const db = new DatabaseSync(path);
  const read = db.prepare('SELECT * FROM events WHERE stream = ? ORDER BY revision');
  const insert = db.prepare(
    'INSERT INTO events (stream, revision, id, type, schema_version, data, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  return {
    read: (stream) =>
      Promise.resolve(
        read.all(stream).map((row) => {
          const { revision, id, type, data, metadata } = row as Record<string, string>;
          const parsed = {
            data: JSON.parse(String(data)) as unknown,
            metadata: JSON.parse(String(metadata)) as unknown,
          };
          return {
            stream,
            revision: Number(revision),
            id,
            type,
            position: '',
            schemaVersion: 1,
            ...parsed,
          } as RecordedEvent;
        }),
      ),
    write: (stream, expected, events) => {
      for (const [at, { id, type, schemaVersion, data, metadata }] of events.entries()) {
        const revision = (expected === 'no-stream' ? 0 : expected + 1) + at;
        insert.run(stream, revision, id, type, schemaVersion, JSON.stringify(data), JSON.stringify(metadata));
      }
      return Promise.resolve();
    },
    close: () => {
      db.close();
    },
  };
}
