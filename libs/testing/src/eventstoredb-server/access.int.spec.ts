import { EventStoreDBClient, jsonEvent, START } from '@eventstore/db-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import {
  type ConnectionStringOptions,
  type EventStoreDbServer,
  type EventStoreDbUser,
  OTHER_TEST_CA_FILE,
  startEventStoreDbServer,
  TEST_CA_FILE,
} from './index.ts';
import { collect, describeError, event, type Thrown, thrownBy, until } from './spec-support.ts';

const LEDGER: EventStoreDbUser = { name: 'ledger', password: 'pass:word/ä', groups: ['writers'] };
const AUDITOR: EventStoreDbUser = { name: 'auditor', password: 'read', groups: ['auditors'] };
const OPERATOR: EventStoreDbUser = { name: 'operator', password: 'all', groups: ['$admins'] };

let server: EventStoreDbServer;
const clients: EventStoreDBClient[] = [];
let admin: EventStoreDBClient;

beforeAll(async () => {
  server = await startEventStoreDbServer({ tls: true, users: [LEDGER, AUDITOR, OPERATOR] });
  admin = EventStoreDBClient.connectionString(server.connectionString);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
});

afterAll(async () => {
  await admin.dispose();
  await server.stop();
});

function connect(options: ConnectionStringOptions): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(server.connectionStringFor(options));
  clients.push(client);
  return client;
}

const DENIED = { name: 'AccessDeniedError', type: 'access-denied' };

/** The settings of a store that only the ledger writes, and that auditors read. */
const SETTINGS = {
  $userStreamAcl: {
    $r: ['ledger', 'auditors'],
    $w: 'ledger',
    $d: '$admins',
    $mr: ['ledger', 'auditors'],
    $mw: '$admins',
  },
  $systemStreamAcl: {
    $r: ['$admins', 'ledger', 'auditors'],
    $w: '$admins',
    $d: '$admins',
    $mr: '$admins',
    $mw: '$admins',
  },
};

async function applySettings(settings: object): Promise<void> {
  await admin.appendToStream('$settings', jsonEvent({ type: '$settings', data: { ...settings } }));
}

const streamName = (): string => `account-${randomUUID()}`;

describe('TLS', () => {
  it('is spoken with a certificate that the CA of the tests has signed', async () => {
    const { nextExpectedRevision } = await connect({ user: LEDGER }).appendToStream(streamName(), event(0));

    expect(nextExpectedRevision).toBe(0n);
  });

  it('is refused by a client that trusts another CA, or that speaks without', async () => {
    const distrusting = connect({ caFile: OTHER_TEST_CA_FILE });
    const plain = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${server.ports[0] ?? 0}?tls=false`);
    clients.push(plain);

    const thrown = await thrownBy(distrusting.appendToStream(streamName(), event(0)));
    expect(thrown).toMatchObject({ code: 14 });
    expect(thrown.message).toMatch(/certificate|self-signed|issuer/u);
    expect(await thrownBy(plain.appendToStream(streamName(), event(0)))).toMatchObject({ code: 14 });
  });
});

describe('credentials', () => {
  it.each([
    ['a wrong password', { ...LEDGER, password: 'wrong' }],
    ['an unknown name', { name: 'nobody', password: 'none' }],
  ])('with %s are refused with code 16, whatever is asked', async (_, user) => {
    const client = connect({ user });

    for (const call of [() => client.appendToStream(streamName(), event(0)), () => collect(client.readAll())]) {
      expect(await thrownBy(call())).toMatchObject({
        ...DENIED,
        code: 16,
        message: '16 UNAUTHENTICATED: Unauthenticated',
      });
    }
  });

  it('may be missing for nothing but discovery', async () => {
    const anonymous = EventStoreDBClient.connectionString(server.connectionString.replace(/\/\/.*@/u, '//'));
    clients.push(anonymous);

    expect(await thrownBy(collect(anonymous.readStream('any')))).toMatchObject({ ...DENIED, code: 7 });
    expect(await thrownBy(anonymous.appendToStream('any', event(0)))).toMatchObject(DENIED);
  });
});

describe('a user over HTTP, on the same port', () => {
  const NEW: EventStoreDbUser = { name: 'made-later', password: 'later', groups: ['auditors'] };

  async function make(user: unknown, as: EventStoreDbUser): Promise<number | undefined> {
    const asked = request(`https://localhost:${server.ports[0] ?? 0}/users/`, {
      method: 'POST',
      ca: readFileSync(TEST_CA_FILE),
      auth: `${as.name}:${as.password}`,
    });
    asked.end(JSON.stringify(user));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  it('is made by an admin, once, and comes in with what groups it was given', async () => {
    const { name: loginName, password, groups } = NEW;
    const asked = { loginName, password, groups, fullName: loginName };
    const root = { name: 'admin', password: 'changeit' };
    expect(await thrownBy(connect({ user: NEW }).appendToStream(streamName(), event(0)))).toMatchObject({ code: 16 });
    expect(await make(asked, LEDGER)).toBe(401);
    expect(await make(asked, { ...root, password: 'wrong' })).toBe(401);
    expect(await make('no user', root)).toBe(400);
    expect(await make(asked, root)).toBe(201);
    expect(await make(asked, root)).toBe(409);
    await connect({ user: NEW }).appendToStream(streamName(), event(0));
    const [made] = await collect(admin.readStream(`$user-${loginName}`));
    expect(made?.event?.data).toMatchObject({ loginName, groups });
  });
});

describe('the default ACL', () => {
  it('lets whoever is known do anything to streams, also delete them and set their metadata', async () => {
    const [ledger, auditor, stream] = [connect({ user: LEDGER }), connect({ user: AUDITOR }), streamName()];
    await ledger.appendToStream(stream, event(0));
    await auditor.setStreamMetadata(stream, { maxCount: 5 });
    await auditor.appendToStream(stream, event(1));

    expect(await collect(auditor.readStream(stream))).toHaveLength(2);
    await auditor.tombstoneStream(stream);
  });

  it('keeps all events and the streams of the system for admins', async () => {
    const [ledger, operator] = [connect({ user: LEDGER }), connect({ user: OPERATOR })];

    for (const call of [
      () => collect(ledger.readAll()),
      () => collect(ledger.subscribeToAll({ fromPosition: START })),
      () => collect(ledger.readStream('$settings')),
      () => collect(ledger.readStream(`$user-${LEDGER.name}`)),
    ]) {
      expect(await thrownBy(call())).toMatchObject({
        ...DENIED,
        code: 7,
        message: '7 PERMISSION_DENIED: Access Denied',
      });
    }
    expect((await collect(operator.readAll())).length).toBeGreaterThan(0);
  });

  it('shows admins who is in which group', async () => {
    const groups = await Promise.all(
      [LEDGER, OPERATOR].map(
        async ({ name }) => (await collect(admin.readStream(`$user-${name}`))).at(-1)?.event?.data,
      ),
    );

    expect(groups).toMatchObject([
      { loginName: 'ledger', groups: ['writers'], disabled: false },
      { loginName: 'operator', groups: ['$admins'] },
    ]);
  });
});

describe('ACLs that were set', () => {
  it('in $settings are honoured for reads, appends, deletes and metadata, of streams and of all events', async () => {
    const [ledger, auditor, stream] = [connect({ user: LEDGER }), connect({ user: AUDITOR }), streamName()];
    await applySettings(SETTINGS);

    await ledger.appendToStream(stream, event(0));
    expect(await collect(auditor.readStream(stream))).toHaveLength(1);
    expect((await collect(auditor.readAll({ maxCount: 1 }))).length).toBe(1);
    expect(await ledger.getStreamMetadata(stream)).toEqual({ streamName: stream });
    const refused: readonly (() => Promise<unknown>)[] = [
      () => auditor.appendToStream(stream, event(1)),
      () => ledger.deleteStream(stream),
      () => ledger.tombstoneStream(stream),
      () => ledger.setStreamMetadata(stream, { maxCount: 1 }),
      () => ledger.appendToStream('$settings', jsonEvent({ type: '$settings', data: {} })),
      () => admin.deleteStream(`$$${stream}`),
    ];
    for (const call of refused) expect(await thrownBy(call())).toMatchObject(DENIED);
    expect(await collect(ledger.readStream(stream))).toHaveLength(1);

    await applySettings({});
    await auditor.appendToStream(stream, event(1));
  });

  it('for one stream go before the others; a right that it leaves out is that of the next', async () => {
    const [ledger, auditor, stream] = [connect({ user: LEDGER }), connect({ user: AUDITOR }), streamName()];
    await admin.appendToStream(stream, event(0));
    await admin.setStreamMetadata(stream, { acl: { readRoles: ['writers'] } });

    expect(await collect(ledger.readStream(stream))).toHaveLength(1);
    expect(await thrownBy(collect(auditor.readStream(stream)))).toMatchObject({ ...DENIED, code: 7 });
    await auditor.appendToStream(stream, event(1));
  });

  it('for all events are set as metadata of $all; nobody appends there', async () => {
    const ledger = connect({ user: LEDGER });
    await admin.setStreamMetadata('$all', { acl: { readRoles: ['writers'] } });

    expect((await collect(ledger.readAll({ maxCount: 1 }))).length).toBe(1);
    expect(await thrownBy(admin.appendToStream('$all', event(0)))).toMatchObject(DENIED);
    await admin.setStreamMetadata('$all', {});
  });

  it('take a subscription from whoever has lost the right', async () => {
    const [ledger, stream] = [connect({ user: LEDGER }), streamName()];
    const subscription = ledger.subscribeToStream(stream);
    const thrown: Thrown[] = [];
    subscription.on('error', (error) => thrown.push(describeError(error)));
    await new Promise((resolve) => subscription.on('data', () => undefined).once('caughtUp', resolve));
    await admin.setStreamMetadata(stream, { acl: { readRoles: ['$admins'] } });
    await until(() => thrown.length > 0);

    expect(thrown).toMatchObject([{ ...DENIED, code: 7 }]);
  });
});
