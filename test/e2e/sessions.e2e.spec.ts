import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Answer } from './support/http.ts';
import { canonical, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  depositOf,
  endingOf,
  freezeOf,
  Ledger,
  OPS,
  SERVICE,
  until,
  withdrawalOf,
  type LoggedEvent,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

/** A freeze does not outlive its basis by more than this (invariant 13), and the machine may be busy. */
const SECONDS_MS = 5_000;

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

async function untilTime(time: string): Promise<void> {
  await until('a time', () => Promise.resolve(Date.now() > Date.parse(time) ? true : undefined));
}

const withdraw = (accountId: string, amount = '1'): Promise<Answer> =>
  ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(ledger.id('wd'), amount));

/** Expects that the freeze was lifted by the service itself, and cites the expiry of its order. */
async function expectLiftedByExpiry(freezeId: string, orderId: string, expiresAt: string): Promise<void> {
  const [expiry, ...more] = (await ledger.events(`legalOrder-${orderId}`)).filter(
    ({ type }) => type === 'LegalOrderExpired',
  );
  expect(more).toEqual([]);
  expect(expiry?.metadata['actor']).toEqual({ id: 'system:supervisor', roles: [] });
  const freeze = await ledger.read(AUDITOR, `/v1/admin/freezes/${freezeId}`);
  expect(freeze).toMatchObject({
    state: 'lifted',
    lift: {
      ground: 'basis-ended',
      citation: { stream: `legalOrder-${orderId}`, revision: expiry?.revision, eventId: expiry?.id },
      requestedBy: 'system:supervisor',
      approvedBy: 'system:supervisor',
    },
  });
  expect(Date.parse(textAt(freeze, 'lift.liftedAt'))).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  expect(await ledger.read(AUDITOR, `/v1/admin/legal-orders/${orderId}`)).toMatchObject({ state: 'expired' });
}

describe('an extension', () => {
  const extensionOf = (changeId: string, expiresAt: string): object => ({
    ...endingOf(changeId),
    how: undefined,
    kind: 'extension',
    expiresAt,
  });

  it('is asked for by one person and given by another, and the order shows its new time', async () => {
    const accountId = await ledger.makeAccount();
    const [before, after] = [inMs(3_600_000), inMs(7_200_000)];
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { expiresAt: before } });
    const order = `/v1/admin/legal-orders/${orderId}`;
    const late = await ledger.post(OPS, `${order}/changes`, extensionOf('ext-0', before));
    expectFieldRefused(late, 'expiresAt');
    const proposed = await ledger.post(OPS, `${order}/changes`, extensionOf('ext-1', after));
    expect(proposed.status).toBe(201);
    expect(proposed.body).toMatchObject({ change: { kind: 'extension', expiresAt: after, state: 'proposed' } });
    const both = { sub: OPS.sub, roles: ['ops', 'approver'] } as const;
    const own = await ledger.post(both, `${order}/changes/ext-1/verification`, { method: 'm' });
    expectProblem(own, 422, 'maker-is-checker');
    const given = await ledger.post(APPROVER, `${order}/changes/ext-1/verification`, { method: 'm' });
    expect(given.status).toBe(200);
    const shown = await ledger.read(AUDITOR, order, textAt(given.body, 'position'));
    expect(shown).toMatchObject({ state: 'verified', expiresAt: after });
  });

  it('is not for an order that never expires', async () => {
    const orderId = await ledger.makeVerifiedOrder({ accounts: [await ledger.makeAccount()] });
    const path = `/v1/admin/legal-orders/${orderId}/changes`;
    expectFieldRefused(await ledger.post(OPS, path, extensionOf('ext-1', inMs(3_600_000))), 'expiresAt');
  });
});

describe('time', () => {
  it('ends an order that expires, and the freeze with it, within seconds and not before', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId, btc: '2' });
    const expiresAt = inMs(3_000);
    const orderId = await ledger.makeVerifiedOrder({ parties: [partyId], more: { expiresAt } });
    const freezeId = await ledger.freeze(accountId, orderId);
    await until('the order to expire', async () => {
      const answer = await withdraw(accountId, '0.00000001');
      if (Date.now() >= Date.parse(expiresAt)) return true;
      expectProblem(answer, 423, 'account-frozen', { freezeIds: [freezeId] });
      return undefined;
    });
    await until('the lift', async () => {
      const freeze = await ledger.read(AUDITOR, `/v1/admin/freezes/${freezeId}`);
      return valueAt(freeze, 'state') === 'lifted' ? freeze : undefined;
    });
    expect(Date.now() - Date.parse(expiresAt)).toBeLessThan(SECONDS_MS);
    await expectLiftedByExpiry(freezeId, orderId, expiresAt);
    expect((await withdraw(accountId)).status).toBe(201);
    const again = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    expectProblem(again, 422, 'basis-not-in-force');
    const types = async (): Promise<readonly string[]> =>
      (await ledger.events(`party-${partyId}`)).map(({ type }) => type);
    await until('the party to be free', async () =>
      (await types()).includes('PartyNoLongerNamed') ? true : undefined,
    );
    expect(await ledger.makeAccount({ holder: partyId })).toMatch(/./);
  });

  it('ends an order that expired while the service was down, before it says that it is ready', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const expiresAt = inMs(2_500);
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { expiresAt } });
    const freezeId = await ledger.freeze(accountId, orderId);
    expect(await ledger.service.stop()).toBe(0);
    await untilTime(expiresAt);
    await ledger.startAgain();
    const { position = '' } = (await ledger.events(`account-${accountId}`)).at(-1) ?? {};
    await ledger.read(AUDITOR, '/v1/assets', position);
    await expectLiftedByExpiry(freezeId, orderId, expiresAt);
    expect((await withdraw(accountId)).status).toBe(201);
  });

  it('puts an order into force when it becomes effective, and not before', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId, btc: '1' });
    const effectiveAt = inMs(2_500);
    const orderId = await ledger.makeVerifiedOrder({ parties: [partyId], more: { effectiveAt } });
    const freeze = (): Promise<Answer> =>
      ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    const early = await freeze();
    expect(Date.now()).toBeLessThan(Date.parse(effectiveAt));
    expectProblem(early, 422, 'basis-not-in-force');
    expect(await ledger.makeAccount({ holder: partyId })).toMatch(/./);
    await untilTime(effectiveAt);
    expect((await freeze()).status).toBe(201);
    await until('the party to be named', async () =>
      (await ledger.events(`party-${partyId}`)).find(({ type }) => type === 'PartyNamed'),
    );
    const account = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
    expectProblem(await ledger.post(SERVICE, '/v1/accounts', account), 422, 'party-named-by-basis');
  });
});

describe('a correlation id', () => {
  it('is taken over, returned, recorded and logged', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const headers = { 'x-correlation-id': '!order-4711/~' };
    const path = `/v1/accounts/${accountId}/deposits`;
    const accepted = await ledger.post(SERVICE, path, depositOf('dep', '1'), { headers });
    expect(accepted.headers['x-correlation-id']).toBe('!order-4711/~');
    const recorded = (await ledger.events(`account-${accountId}`)).at(-1);
    expect(recorded?.metadata['correlationId']).toBe('!order-4711/~');

    const refused = await ledger.post(SERVICE, path, depositOf('dep', '1'), { headers });
    expectProblem(refused, 409, 'already-exists', { correlationId: '!order-4711/~' });
    await until('the line', () =>
      Promise.resolve(ledger.service.logs().includes('"correlationId":"!order-4711/~"') ? true : undefined),
    );
  });

  it('is made where there is none, or none that is fit', async () => {
    for (const given of ['', ' ', 'two words', 'x'.repeat(129), 'caf\u00e9']) {
      const { headers } = await ledger.get(OPS, '/v1/assets', { 'x-correlation-id': given });
      expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    const longest = 'x'.repeat(128);
    const { headers } = await ledger.get(OPS, '/v1/assets', { 'x-correlation-id': longest });
    expect(headers['x-correlation-id']).toBe(longest);
    const { headers: open } = await ledger.ask({ path: '/health/live' });
    expect(open['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('of a freeze stands in both streams, and in what the service does because of it', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    await ledger.makeWithdrawal(accountId, '1');
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const headers = { 'x-correlation-id': 'freeze-1' };
    await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId), { headers });
    const ofFreeze = (await ledger.log()).filter(({ metadata }) => metadata['correlationId'] === 'freeze-1');
    expect(ofFreeze.map(({ type }) => type)).toEqual(['FreezeAuthorised', 'AccountFrozen', 'WithdrawalStopped']);
    expect(ofFreeze.map(({ metadata }) => metadata['causationId'])).toEqual([null, ofFreeze[0]?.id, ofFreeze[1]?.id]);
  });
});

describe('a stop under load', () => {
  /** What came of one request: an answer, or none because nobody listened any more. */
  interface Sent {
    readonly depositId: string;
    readonly answer: Answer | undefined;
  }

  it('answers all that it took, which is in the log, takes no more, and ends in order', async () => {
    const accounts = await Promise.all(Array.from({ length: 8 }, () => ledger.makeAccount()));
    const sent: Sent[] = [];
    let stopped = false;
    const send = async (accountId: string): Promise<void> => {
      while (!stopped) {
        const depositId = ledger.id('load');
        const asked = ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(depositId, '1'));
        sent.push({ depositId, answer: await asked.catch(() => undefined) });
      }
    };
    const senders = accounts.flatMap((accountId) => [send(accountId), send(accountId), send(accountId)]);
    await until('some load', () => Promise.resolve(sent.length > 200 ? true : undefined));
    const startedMs = Date.now();
    const code = await ledger.service.stop('SIGTERM');
    stopped = true;
    await Promise.all(senders);
    expect(code).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(10_000);

    const answered = sent.filter(({ answer }) => answer !== undefined);
    const accepted = answered.filter(({ answer }) => answer?.status === 201);
    for (const { answer } of answered) {
      if (answer !== undefined && answer.status !== 201) expectProblem(answer, 503, 'shutting-down');
    }
    expect(accepted.length).toBeGreaterThan(200);
    await ledger.startAgain();
    const inLog = (await ledger.log('?types=FundsDeposited'))
      .map(({ data }) => String(data['depositId']))
      .filter((depositId) => depositId.startsWith('load-'));
    expect(inLog.sort()).toEqual(accepted.map(({ depositId }) => depositId).sort());
  });

  it('lets a request that is under way come to its end', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    // Waits for two seconds, unless the service hangs up.
    const waiting = ledger.get(OPS, `/v1/accounts/${accountId}?atLeast=${ledger.farPosition}`);
    // By the time that a few later ones are answered, it is under way.
    for (let count = 0; count < 5; count += 1) await ledger.ask({ path: '/health/live' });
    const stopped = ledger.service.stop();
    expectProblem(await waiting, 503, 'read-model-behind');
    expect(await stopped).toBe(0);
    await ledger.startAgain();
  });

  it('is the same for SIGINT, and leaves a folder to start from', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    expect(await ledger.service.stop('SIGINT')).toBe(0);
    await ledger.startAgain();
    expect((await ledger.ask({ path: '/health/ready' })).status).toBe(200);
    expect(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`)).toEqual(await ledger.replayed(accountId));
  });
});

describe('after a kill', () => {
  it('all that was acknowledged is there, and the read models with it', async () => {
    const accountId = await ledger.makeAccount();
    for (let count = 0; count < 20; count += 1) await ledger.makeDeposit(accountId, '1');
    const before = await ledger.log();
    await ledger.service.kill();
    await ledger.startAgain();
    expect(await ledger.log()).toEqual(before);
    expect(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`)).toMatchObject({
      streamRevision: '20',
      balances: [{ available: '20.00000000' }],
    });
  });
});

describe('the log', () => {
  /** What the hash of an event must be: over all of it but the hash itself and its position. */
  function hashOf({ stream, revision, id, type, schemaVersion, data, metadata }: LoggedEvent): string {
    const { hash: _, ...hashed } = metadata;
    const text = canonical({ stream, revision, id, type, schemaVersion, data, metadata: hashed });
    return createHash('sha256').update(text, 'utf8').digest('hex');
  }

  it('is one chain of hashes for each stream, without gaps, in one order', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({
      accounts: [accountId],
      more: { caseReference: 'Ärger № 7 “\u{1f512}” \u2028', statute: 'line\nbreak\ttab \\ "quote" /' },
    });
    await ledger.freeze(accountId, orderId);
    await withdraw(accountId);
    await ledger.discharge(orderId);
    const log = await ledger.log();
    expect(log.length).toBeGreaterThan(300);
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
    expect(log.map(({ position }) => position)).toEqual(log.map(({ position }) => position).sort());
    expect(new Set(log.map(({ position }) => position)).size).toBe(log.length);
    for (const events of Map.groupBy(log, ({ stream }) => stream).values()) {
      let previousHash: unknown = null;
      for (const [index, event] of events.entries()) {
        expect([event.stream, event.revision, event.metadata['previousHash']]).toEqual([
          event.stream,
          String(index),
          previousHash,
        ]);
        expect(event.metadata['hash']).toBe(hashOf(event));
        previousHash = event.metadata['hash'];
      }
    }
    const kinds = new Set(log.map(({ stream }) => stream.replace(/-.*$/, '')));
    expect([...kinds].sort()).toEqual(['account', 'asset', 'legalOrder', 'party']);
  });

  it('holds times that never go back within a stream, and breaks no invariant', async () => {
    for (const events of Map.groupBy(await ledger.log(), ({ stream }) => stream).values()) {
      const times = events.map(({ metadata }) => textAt(metadata, 'recordedAt'));
      expect(times).toEqual([...times].sort());
    }
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toEqual({ items: [], nextCursor: null });
  });
});
