import { sealEvent, uuidv7 } from '#kernel';
import { type EventStoreDbServer, startEventStoreDbServer, TEST_CA_FILE } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, type StreamMetadata } from '@eventstore/db-client';
import { EventStoreDbEventStore, type EventStoreDbSettings } from '../index.ts';
import { type AccessRole, checkAccess } from './check-access.ts';
import { setAccess } from './set-access.ts';

const SERVICE = { name: 'writ', password: 'writ-secret' };
const AUDITOR = { name: 'eve', password: 'eve-secret', groups: ['auditors'] };
const CARELESS = { name: 'careless', password: 'careless-secret', groups: ['$admins'] };
const STRANGER = { name: 'other', password: 'other-secret' };
const GRANT = { service: SERVICE.name, auditors: ['auditors'] };

let server: EventStoreDbServer;
beforeEach(async () => {
  server = await startEventStoreDbServer({ inMemory: true, tls: true, users: [SERVICE, AUDITOR, CARELESS, STRANGER] });
});
afterEach(() => server.stop());

/** @param user default: the admin */
function as(user?: typeof SERVICE): EventStoreDbSettings {
  const connectionString = server.connectionStringFor(user === undefined ? {} : { user });
  return { connectionString, caFile: TEST_CA_FILE, streamKinds: ['account-', 'party-'] };
}

const codes = async (user: typeof SERVICE, role: AccessRole = 'service'): Promise<string[]> =>
  (await checkAccess(as(user), role)).map(({ code }) => code);

async function asAdmin(work: (client: EventStoreDBClient) => Promise<unknown>): Promise<void> {
  const client = EventStoreDBClient.connectionString(server.connectionString);
  await work(client);
  await client.dispose();
}

async function appendOne(stream: string): Promise<void> {
  const store = await EventStoreDbEventStore.open(as(SERVICE));
  const unsealed = {
    actor: { id: 'test', roles: [] },
    correlationId: 'c',
    causationId: null,
    key: null,
    commandHash: null,
    recordedAt: '2022-02-15T12:00:00.000Z',
    previousHash: null,
  };
  const event = { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data: {}, metadata: unsealed };
  const { hash } = sealEvent(stream, 0, event);
  await store.append(stream, 'no-stream', [{ ...event, metadata: { ...unsealed, hash } }]);
  await store.close();
}

describe('access, as the server comes', () => {
  it('is too much for some, and not enough to follow the log', async () => {
    expect(await codes(SERVICE)).toEqual(['may-not-read', 'may-delete', 'may-set-metadata']);
    expect(await codes(AUDITOR, 'auditor')).toEqual(['may-not-read', 'may-append', 'may-delete', 'may-set-metadata']);
    expect(await codes(CARELESS)).toEqual(['may-delete', 'may-set-metadata', 'may-change-access']);
  });

  it('leaves no trace of having been checked', async () => {
    const before = await server.counts();
    await checkAccess(as(CARELESS), 'service');
    await asAdmin(async (client) => {
      for await (const { event } of client.readAll()) expect(event?.type).not.toBe('access-check');
    });
    expect((await server.counts()).appends - before.appends).toBeGreaterThan(0);
  });
});

describe('access, once it was set', () => {
  beforeEach(() => setAccess(as(), GRANT, { replace: false }));

  it('is what each needs, and no more', async () => {
    expect(await checkAccess(as(SERVICE), 'service')).toEqual([]);
    expect(await checkAccess(as(AUDITOR), 'auditor')).toEqual([]);
    expect(await codes(AUDITOR, 'service')).toEqual(['may-not-append']);
    expect(await codes(SERVICE, 'auditor')).toEqual(['may-append']);
    expect(await codes(STRANGER, 'service')).toEqual(['may-not-read', 'may-not-append']);
    expect(await codes(CARELESS)).toEqual(['may-delete', 'may-set-metadata', 'may-change-access']);
    await appendOne('account-1');
  });

  it('is not set again', async () => {
    expect(await setAccess(as(), GRANT, { replace: false })).toEqual([]);
  });

  it('is overwritten only where that was said, and what else the metadata of $all say stays', async () => {
    const other = { ...GRANT, service: 'other' };
    await expect(setAccess(as(), other, { replace: false })).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('has another rule already'),
    });
    expect(await codes(SERVICE)).toEqual([]);
    await asAdmin((client) => client.setStreamMetadata('$all', { note: 'kept' }));
    const changes = await setAccess(as(), other, { replace: true });
    expect(changes.map(({ stream }) => stream)).toEqual(['$$$all', '$settings']);
    expect(changes[0]).toMatchObject({ before: { note: 'kept' }, after: { note: 'kept', $acl: { $d: ['$admins'] } } });
    expect(await codes(STRANGER)).toEqual([]);
  });

  it.each([
    ['writ', SERVICE],
    ['eve', AUDITOR],
  ])('is not for %s to set', async (_, user) => {
    await expect(setAccess(as(user), GRANT, { replace: true })).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it.each<[string, StreamMetadata, string]>([
    ['$maxAge', { maxAge: 60 }, 'limited'],
    ['$maxCount', { maxCount: 2 }, 'limited'],
    ['$tb', { truncateBefore: 1 }, 'limited'],
    ['an $acl', { acl: { deleteRoles: ['writ'] } }, 'access-of-its-own'],
  ])('finds %s on a stream of ours, until it is taken back', async (name, metadata, code) => {
    await appendOne('account-1');
    await asAdmin((client) => client.setStreamMetadata('account-1', metadata));
    const [finding, ...others] = await checkAccess(as(SERVICE), 'service');
    expect(finding).toMatchObject({ code, detail: expect.stringContaining(name.replace('an ', '')) });
    expect(finding?.detail).toMatch(/^account-1 /);
    expect(others).toEqual([]);
    await asAdmin((client) => client.setStreamMetadata('account-1', {}));
    expect(await codes(SERVICE)).toEqual([]);
  });

  it('finds nothing more of a stream that was deleted, and brought back by taking its metadata back twice', async () => {
    await appendOne('account-1');
    await asAdmin((client) => client.deleteStream('account-1'));
    expect(await codes(SERVICE)).toEqual(['limited']);
    await asAdmin((client) => client.setStreamMetadata('account-1', {}));
    expect(await checkAccess(as(SERVICE), 'service')).toMatchObject([{ detail: expect.stringContaining('$tb 1:') }]);
    await asAdmin((client) => client.setStreamMetadata('account-1', {}));
    expect(await codes(SERVICE)).toEqual([]);
    const store = await EventStoreDbEventStore.open(as(SERVICE));
    expect(await store.read('account-1')).toHaveLength(1);
    await store.close();
  });

  it('finds streams of ours that were deleted, for good or not', async () => {
    for (const stream of ['account-1', 'party-1', 'stranger-1']) {
      if (stream === 'stranger-1')
        await asAdmin((client) => client.appendToStream(stream, jsonEvent({ type: 'x', data: {} })));
      else await appendOne(stream);
    }
    await asAdmin(async (client) => {
      await client.deleteStream('account-1');
      await client.tombstoneStream('party-1');
      await client.tombstoneStream('stranger-1');
    });
    expect((await checkAccess(as(AUDITOR), 'auditor')).map(({ code, detail }) => [code, detail.split(' ')[0]])).toEqual(
      [
        ['limited', 'account-1'],
        ['deleted', 'party-1'],
      ],
    );
  });
});

it('says so where the server asks nobody who he is', async () => {
  const open = await startEventStoreDbServer({ inMemory: true });
  const found = await checkAccess({ connectionString: open.connectionString }, 'service');
  expect(found.map(({ code }) => code)).toEqual(['may-delete', 'may-set-metadata', 'may-change-access']);
  await open.stop();
});

it('says what is wrong with the connection, and never the password', async () => {
  const wrong = checkAccess(as({ name: 'writ', password: 'hunter2' }), 'service');
  await expect(wrong).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringContaining('refuses the password of writ'),
  });
  await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
});
