import { type EventMetadata, uuidv7 } from '#kernel';
import { type EventStoreDbServer, OTHER_TEST_CA_FILE, startEventStoreDbServer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { EventStoreDbEventStore, type EventStoreDbSettings } from './index.ts';

const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));
const PASSWORD = 's3cret-pass';
const READER = { name: 'reader', password: PASSWORD };

/** @returns why the store was not opened, after making sure that the password is nowhere in it */
async function refusal(settings: EventStoreDbSettings): Promise<string> {
  let failure: unknown;
  try {
    const store = await EventStoreDbEventStore.open({ callTimeoutMs: 2_000, ...settings });
    await store.close();
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ name: 'StoreError', code: 'store-unavailable' });
  const { message } = failure as Error;
  expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
  expect(message).not.toContain('\n');
  return message;
}

describe('opening EventStoreDB', () => {
  let server: EventStoreDbServer;
  let secure: EventStoreDbServer;
  beforeAll(async () => {
    server = await startEventStoreDbServer({ inMemory: true });
    secure = await startEventStoreDbServer({ inMemory: true, tls: true, users: [READER] });
  });
  afterAll(() => Promise.all([server.stop(), secure.stop()]));

  it('says that nobody answers, and where', async () => {
    const message = await refusal({ connectionString: 'esdb://127.0.0.1:1?tls=false' });
    expect(message).toMatch(/^the event store at 127\.0\.0\.1:1 can't be reached: .*ECONNREFUSED/);
    const cluster = await refusal({
      connectionString: 'esdb://127.0.0.1:1,127.0.0.1:2?tls=false&maxDiscoverAttempts=1',
    });
    expect(cluster).toContain('127.0.0.1:1, 127.0.0.1:2');
  });

  it('says that a server hangs', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(await refusal({ connectionString: `esdb://127.0.0.1:${port}?tls=false`, callTimeoutMs: 500 })).toContain(
      `127.0.0.1:${port} can't be reached: no answer`,
    );
    silent.close();
    for (const socket of sockets) socket.destroy();
  });

  it('says that the certificate is of somebody else, or the CA file is none', async () => {
    const [port] = secure.ports;
    const connectionString = `esdb://admin:${PASSWORD}@127.0.0.1:${port ?? 0}`;
    expect(await refusal({ connectionString, caFile: OTHER_TEST_CA_FILE })).toMatch(
      /^TLS with the event store .*certificate/,
    );
    expect(await refusal({ connectionString })).toMatch(/^TLS with the event store/);
    expect(await refusal({ connectionString, caFile: '/nowhere/ca.pem' })).toContain('/nowhere/ca.pem can');
    expect(await refusal({ connectionString, caFile: fileURLToPath(import.meta.url) })).toContain(
      'no certificate or key',
    );
  });

  it('says that the two do not agree on TLS', async () => {
    const [plain, encrypted] = [server.ports[0] ?? 0, secure.ports[0] ?? 0];
    expect(await refusal({ connectionString: `esdb://127.0.0.1:${plain}` })).toMatch(/^TLS with the event store/);
    expect(await refusal({ connectionString: `esdb://127.0.0.1:${encrypted}?tls=false` })).toContain('may want TLS');
  });

  it('says that the password is wrong, or that there is none', async () => {
    const wrong = secure.connectionStringFor({ user: { name: 'admin', password: PASSWORD } });
    expect(await refusal({ connectionString: wrong })).toContain('refuses the password of admin');
    const none = secure.connectionString.replace('admin:changeit@', '');
    expect(await refusal({ connectionString: none })).toContain('wants a user and password');
  });

  it('says that a user has no permission to read, or to append', async () => {
    const connectionString = secure.connectionStringFor({ user: READER });
    expect(await refusal({ connectionString })).toContain('gives reader no permission');
    await secure.inject({ kind: 'deny', calls: ['append'] });
    expect(await refusal({ connectionString: secure.connectionString })).toContain('gives admin no permission');
  });

  it('opens what is right, stores nothing by that, and shows no password', async () => {
    const connectionString = secure.connectionString.replace(/^esdb:/, 'kurrentdb:');
    await secure.resetCounts();
    const store = await EventStoreDbEventStore.open({ connectionString, streamPrefix: 'own-' });
    expect(await secure.counts()).toMatchObject({ storedAppends: 0, storedEvents: 0 });
    const metadata = { correlationId: 'c' } as EventMetadata;
    await store.append('account-1', 'no-stream', [{ id: uuidv7(), type: 'T', schemaVersion: 1, data: {}, metadata }]);
    expect(await store.read('account-1')).toHaveLength(1);
    expect(inspect(store, { depth: 9, showHidden: true })).not.toContain('changeit');
    await store.close();
  });

  it.each(['read', 'append'] as const)('waits for a node that is not ready yet to take a call: %s', async (call) => {
    await server.inject({ kind: 'not-ready', calls: [call], times: 3 });
    const store = await EventStoreDbEventStore.open({ connectionString: server.connectionString });
    await store.close();
  });

  it('leaves nothing open that would keep a process', async () => {
    const program = `
      import { EventStoreDbEventStore } from '#event-store/eventstoredb';
      import { uuidv7 } from '#kernel';
      const store = await EventStoreDbEventStore.open({ connectionString: process.argv[1], streamPrefix: 'child-' });
      store.subscribeAll({}).subscribe();
      const event = { id: uuidv7(), type: 'T', schemaVersion: 1, data: {}, metadata: {} };
      await store.append('account-1', 'no-stream', [event]);
      await store.read('account-1');
      await store.close();
      console.log('closed');
    `;
    const flags = ['--conditions=writ-source', '--input-type=module', '-e', program, server.connectionString];
    const child = spawn(process.execPath, flags, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(killer);
    expect([printed.trim(), code]).toEqual(['closed', 0]);
  });
});
