import type { EventToAppend, ExpectedRevision } from '#event-store';
import type { RecordedEvent } from '#kernel';
import type { LogForger } from '#testing';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { openStore, serverOfServices } from './store.ts';

interface Forger extends LogForger {
  /** Texts are written as they are, whatever the event says. */
  write(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<void>;
  close(): Promise<void>;
}

/** Writes into the log of a data folder with nothing of the service in between, while none runs on it. */
export async function forgerOf(dataDir: string): Promise<Forger> {
  return serverOfServices === undefined ? forgerOfFile(join(dataDir, 'events.db')) : forgerOnServer(dataDir);
}

/** As whoever else may append to the server. */
async function forgerOnServer(dataDir: string): Promise<Forger> {
  const store = await openStore(dataDir);
  return {
    read: (stream) => store.read(stream),
    write: async (stream, expected, events) => {
      await store.append(stream, expected, events);
    },
    close: () => store.close(),
  };
}

function forgerOfFile(path: string): Forger {
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
      for (const [at, { id, type, schemaVersion, data, metadata, texts }] of events.entries()) {
        const revision = (expected === 'no-stream' ? 0 : expected + 1) + at;
        const written = texts ?? { data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
        insert.run(stream, revision, id, type, schemaVersion, written.data, written.metadata);
      }
      return Promise.resolve();
    },
    close: () => {
      db.close();
      return Promise.resolve();
    },
  };
}
