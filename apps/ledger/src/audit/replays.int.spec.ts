import { storeWith } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { startTestService, type TestService } from '../testing/service.ts';

/** The store answers when it is let go, and counts what is asked of it. */
const store = { reads: 0, held: undefined as Promise<void> | undefined, letGo: (): void => undefined };

function hold(): void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  store.held = promise;
  store.letGo = () => {
    store.held = undefined;
    resolve(undefined);
  };
}

/** Turns of the event loop until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

let service: TestService;

async function start(requestTimeoutMs: number): Promise<void> {
  service = await startTestService({
    requestTimeoutMs,
    share: (inner) =>
      storeWith(inner, {
        read: async (...asked) => {
          store.reads += 1;
          await store.held;
          return inner.read(...asked);
        },
      }),
  });
  const as = ['ada', 'service'] as const;
  const send = async (url: string, body: object): Promise<void> => {
    expect((await service.send({ method: 'POST', url, as, body })).statusCode).toBeLessThan(300);
  };
  await send('/v1/parties', { partyId: 'p-1', kind: 'person', externalRef: 'p-1' });
  const evidence = { evidenceSha256: 'ab'.repeat(32), identifiedAt: '2022-01-01T00:00:00Z' };
  await send('/v1/parties/p-1/identification', { method: 'passport', ...evidence });
  await send('/v1/accounts', { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] });
}

const URL_OF_ACCOUNT = '/v1/audit/accounts/acc-1';
const replayAs = (sub: string): ReturnType<TestService['send']> =>
  service.send({ url: URL_OF_ACCOUNT, as: [sub, 'auditor'] });

async function inUse(): Promise<string | undefined> {
  const { body } = await service.send({ url: '/metrics', as: ['ada', 'auditor'] });
  return /^writ_in_use\{what="audit-replays"\} (\d+)$/m.exec(body)?.[1];
}

beforeEach(() => {
  store.reads = 0;
  store.letGo();
});
afterEach(async () => {
  store.letGo();
  await service.close();
});

describe('replays of the log for auditors', () => {
  it('run few at once, and are all answered', async () => {
    await start(60_000);
    hold();
    store.reads = 0;
    const asked = ['ada', 'ada', 'ada', 'bob', 'bob', 'eve'].map((sub) => replayAs(sub));
    await until(() => store.reads === 4);
    expect(await inUse()).toBe('4');
    expect(store.reads).toBe(4);
    store.letGo();
    for (const answer of asked) expect((await answer).statusCode).toBe(200);
    expect(await inUse()).toBe('0');
    expect((await replayAs('eve')).statusCode).toBe(200);
  });

  it('are answered 503 when they take too long', async () => {
    await start(1_000);
    hold();
    store.reads = 0;
    const answer = await replayAs('ada');
    expect([answer.statusCode, answer.json()]).toMatchObject([
      503,
      { code: 'overloaded', detail: expect.stringMatching(/taking too long/) },
    ]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    store.letGo();
    expect(await inUse()).toBe('0');
  });

  it('end when their caller has hung up', async () => {
    await start(60_000);
    const url = await service.listen();
    const authorization = `Bearer ${await service.token('ada', 'auditor')}`;
    hold();
    store.reads = 0;
    const asked = httpRequest(`${url}${URL_OF_ACCOUNT}`, { headers: { authorization }, agent: false });
    asked.on('error', () => undefined);
    asked.end();
    await until(() => store.reads === 1);
    expect(await inUse()).toBe('1');
    asked.destroy();
    await until(() => service.log.some((line) => line.includes('Whoever asked has gone.')));
    store.letGo();
    expect(await inUse()).toBe('0');
    expect(service.log.join('')).not.toContain('a request failed');
  });
});
