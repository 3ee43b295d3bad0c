import { StoreError, type EventStore } from '#event-store';
import type { MemoryEventStore } from '#event-store/memory';
import { checkLog, LedgerWorld, orderNaming } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '../../apps/ledger/src/testing/service.ts';
import { HttpClient, type Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import { depositOf } from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

/** The embedded store has one writer, and no bugs. Here something comes before each append of the service to a stream. */
class SharedStore {
  /** What comes first, by stream: another instance that writes there, or what should never be. */
  readonly contested = new Map<string, () => Promise<unknown>>();

  before(store: MemoryEventStore): EventStore {
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'append') return this.#append(target);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  #append(store: MemoryEventStore): EventStore['append'] {
    return async (stream, expected, events) => {
      await this.contested.get(stream)?.();
      return store.append(stream, expected, events);
    };
  }
}

const SERVICE = ['payments', 'service'] as const;
const OPS = ['alice', 'ops'] as const;
const APPROVER = ['bob', 'approver'] as const;
type Person = readonly [sub: string, role: string];

describe('a store that is not as the embedded one', () => {
  let service: TestService;
  let client: HttpClient;
  let shared: SharedStore;
  let keys = 0;

  const post = async ([sub, role]: Person, path: string, body: object, key?: string): Promise<Answer> => {
    const headers = {
      authorization: `Bearer ${await service.token(sub, role)}`,
      'content-type': 'application/json',
      'idempotency-key': key ?? `key-${String((keys += 1))}`,
    };
    return client.send({ method: 'POST', path, headers, content: JSON.stringify(body) });
  };
  const done = async (...call: Parameters<typeof post>): Promise<void> => {
    const { status, text } = await post(...call);
    if (status > 201) throw new Error(`${call[1]}: ${text}`);
  };
  const typesOf = async (stream: string): Promise<readonly string[]> =>
    (await service.store.read(stream)).map(({ type }) => type);

  beforeEach(async () => {
    shared = new SharedStore();
    service = await startTestService({ share: (store) => shared.before(store), limits: { retryMs: 2_000 } });
    await service.app.listen(0, '127.0.0.1');
    client = new HttpClient(await service.app.getUrl());
    await done(OPS, '/v1/assets', { code: 'BTC', scale: 8, kind: 'crypto' });
    await done(SERVICE, '/v1/parties', { partyId: 'p-1', kind: 'person', externalRef: 'crm:1' });
    const evidence = { evidenceSha256: 'e'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
    await done(SERVICE, '/v1/parties/p-1/identification', { method: 'passport', ...evidence });
    await done(SERVICE, '/v1/accounts', { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] });
  });
  afterEach(async () => {
    client.close();
    await service.close();
  });

  /** From now on, until `contested` is cleared, another instance deposits before each append of the service to acc-1. */
  function contestAccount(): void {
    const rival = new LedgerWorld({ store: service.store });
    rival.clock.advance(Date.now() - rival.clock.now());
    let deposits = 0;
    const source = { kind: 'bank', reference: 'r' } as const;
    shared.contested.set('account-acc-1', () => {
      const depositId = `rival-${String((deposits += 1))}`;
      return rival.accept({ type: 'Deposit', accountId: 'acc-1', depositId, asset: 'BTC', amount: '1', source });
    });
  }

  async function expectSoundLog(): Promise<void> {
    expect(checkLog((await service.store.readAll({ limit: 10_000 })).events)).toEqual([]);
  }

  it('409 revision-conflict where others are always first: appends nothing, names no time to wait, and the same key does it once when they have stopped', async () => {
    contestAccount();
    const deposit = (): Promise<Answer> => post(SERVICE, '/v1/accounts/acc-1/deposits', depositOf('d-1', '2'), 'd-1');
    const refused = await deposit();
    expectProblem(refused, 409, 'revision-conflict', { instance: '/v1/accounts/acc-1/deposits' });
    expect(refused.headers['retry-after']).toBeUndefined();
    expect(refused.headers['idempotent-replayed']).toBeUndefined();
    const before = await service.store.read('account-acc-1');
    const deposits = before.flatMap(({ data }) => valueAt(data, 'depositId') ?? []);
    expect(deposits).toEqual(deposits.map((_, index) => `rival-${String(index + 1)}`));
    expect(deposits.length).toBeGreaterThan(0);

    shared.contested.clear();
    const accepted = await deposit();
    expect([accepted.status, accepted.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect(accepted.body).toMatchObject({ streamRevision: String(before.length) });
    const again = await deposit();
    expect([again.status, again.headers['idempotent-replayed'], again.text]).toEqual([201, 'true', accepted.text]);
    expect(await service.store.read('account-acc-1')).toHaveLength(before.length + 1);
    await expectSoundLog();
  });

  it('409 revision-conflict of a freeze: leaves no more than its authorisation, and the same key resumes it', async () => {
    const { orderId, kind, effect, ...rest } = orderNaming();
    await done(OPS, '/v1/admin/legal-orders', { orderId, kind, effect, ...rest });
    await done(APPROVER, `/v1/admin/legal-orders/${orderId}/verification`, { method: 'called the court' });
    contestAccount();
    const freeze = (): Promise<Answer> =>
      post(OPS, '/v1/admin/accounts/acc-1/freezes', { basis: { kind: 'legal-order', id: orderId } }, 'f-1');
    expectProblem(await freeze(), 409, 'revision-conflict');
    const onOrder = ['LegalOrderRegistered', 'LegalOrderVerified', 'FreezeAuthorised'];
    expect(await typesOf(`legalOrder-${orderId}`)).toEqual(onOrder);
    expect(await typesOf('account-acc-1')).not.toContain('AccountFrozen');

    shared.contested.clear();
    expect((await freeze()).status).toBe(201);
    expect(await typesOf(`legalOrder-${orderId}`)).toEqual(onOrder);
    expect((await typesOf('account-acc-1')).filter((type) => type === 'AccountFrozen')).toHaveLength(1);
    await expectSoundLog();
  });

  it('500 internal-error for what should never be: tells nothing of it, appends nothing, and goes on', async () => {
    shared.contested.set('account-acc-1', () =>
      Promise.reject(new TypeError('SELECT /srv/writ/store.ts:17 is undefined')),
    );
    const deposit = (): Promise<Answer> => post(SERVICE, '/v1/accounts/acc-1/deposits', depositOf('d-1', '2'), 'd-1');
    const failed = await deposit();
    expectProblem(failed, 500, 'internal-error', { instance: '/v1/accounts/acc-1/deposits' });
    expect(failed.text).not.toMatch(/srv|undefined/);
    // Whoever runs the service finds it under the correlation id.
    const correlationId = textAt(failed.body, 'correlationId');
    const logged = service.log
      .map((line): unknown => JSON.parse(line))
      .filter((line) => valueAt(line, 'err') !== undefined);
    const at = expect.stringMatching(/^faulty-store\.e2e\.spec\.ts:\d+$/);
    expect(logged).toMatchObject([{ correlationId, err: { name: 'TypeError', message: '(statement)', at } }]);
    expect(await typesOf('account-acc-1')).toEqual(['AccountOpened']);

    shared.contested.clear();
    expect((await deposit()).status).toBe(201);
    await expectSoundLog();
  });

  describe('a freeze of all that an order names', () => {
    const broken = new TypeError('SELECT /srv/writ/store.ts:17 is undefined');
    const away = new StoreError('store-unavailable', 'no room');
    const freezeAll = (): Promise<Answer> => post(OPS, '/v1/admin/legal-orders/ord-1/freezes', {}, 'all');
    const fails = (accountId: string, error: Error): void => {
      shared.contested.set(`account-${accountId}`, () => Promise.reject(error));
    };
    const told = (answer: Answer): readonly unknown[] => {
      expect(answer.status).toBe(200);
      return listAt(answer.body, 'outcomes').map((each) => [
        valueAt(each, 'accountId'),
        valueAt(each, 'status'),
        valueAt(each, 'code'),
      ]);
    };
    /** What was logged of requests that failed, after so many lines. */
    const failuresLogged = (lines = 0): readonly unknown[] =>
      service.log
        .slice(lines)
        .map((line): unknown => JSON.parse(line))
        .filter((line) => valueAt(line, 'msg') === 'a request failed');

    beforeEach(async () => {
      await done(SERVICE, '/v1/accounts', { accountId: 'acc-2', holders: [{ partyId: 'p-1', capacity: 'owner' }] });
      await done(OPS, '/v1/admin/legal-orders', orderNaming({ subjects: [{ kind: 'party', partyId: 'p-1' }] }));
      await done(APPROVER, '/v1/admin/legal-orders/ord-1/verification', { method: 'called the court' });
    });

    it('answers and logs of the one that fails what its freeze alone would have, and freezes the others', async () => {
      fails('acc-1', broken);
      const answer = await freezeAll();
      expect(told(answer)).toEqual([
        ['acc-1', 500, 'internal-error'],
        ['acc-2', 201, undefined],
      ]);
      expect(answer.headers['idempotent-replayed']).toBeUndefined();
      expect(answer.text).not.toMatch(/srv|SELECT/);
      const correlationId = textAt(answer.body, 'outcomes.0.correlationId');
      const logged = { code: 'internal-error', correlationId, err: { name: 'TypeError' } };
      expect(failuresLogged()).toMatchObject([logged]);

      shared.contested.clear();
      const again = await freezeAll();
      expect(told(again)).toEqual(['acc-1', 'acc-2'].map((accountId) => [accountId, 201, undefined]));
      expect(again.headers['idempotent-replayed']).toBeUndefined();
      expect((await freezeAll()).headers['idempotent-replayed']).toBe('true');
      for (const accountId of ['acc-1', 'acc-2']) {
        expect(await typesOf(`account-${accountId}`)).toEqual(['AccountOpened', 'AccountFrozen']);
      }
      await expectSoundLog();
    });

    it('is put off, or fails, as a whole where each of them does', async () => {
      for (const accountId of ['acc-1', 'acc-2']) fails(accountId, away);
      expectProblem(await freezeAll(), 503, 'store-unavailable');
      for (const accountId of ['acc-1', 'acc-2']) fails(accountId, broken);
      const lines = service.log.length;
      expectProblem(await freezeAll(), 500, 'internal-error');
      expect(failuresLogged(lines)).toHaveLength(1);
      shared.contested.clear();
      expect(told(await freezeAll())).toEqual(['acc-1', 'acc-2'].map((accountId) => [accountId, 201, undefined]));
      await expectSoundLog();
    });
  });
});
