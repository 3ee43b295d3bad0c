import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RawClient, requestText } from '../../apps/ledger/src/testing/raw-client.ts';
import { APPROVER, AUDITOR, depositOf, freezeOf, Ledger, OPS, SERVICE, until, wellDone } from './support/ledger.ts';

/** So few that a handful of clients is a flood. */
const PLACES = 8;
const CLIENTS = 40;

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start({ WRIT_CONCURRENCY_LIMIT: String(PLACES) });
});
afterAll(() => ledger.end());

interface Sent {
  readonly depositId: string;
  readonly status: string;
  readonly retryAfter: boolean;
}

/** Clients that deposit as fast as they are answered, refused or not, until they are told that the connection ends. */
class Flood {
  readonly answered: Sent[] = [];
  readonly unanswered: string[] = [];
  readonly #over: Promise<unknown>;
  #isOver = false;

  constructor(accounts: readonly string[], token: string) {
    const clients = Array.from({ length: CLIENTS }, (_, n) => this.#run(accounts[n % accounts.length] ?? '', token));
    this.#over = Promise.all(clients);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#over;
  }

  /** Resolves when every client was told so. */
  async over(): Promise<void> {
    await this.#over;
  }

  count(status: string): number {
    return this.answered.filter((sent) => sent.status === status).length;
  }

  async #run(accountId: string, token: string): Promise<void> {
    const client = await RawClient.connect(ledger.service.url);
    while (!this.#isOver) {
      const depositId = ledger.id('flood');
      const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': depositId };
      client.send(requestText('POST', `/v1/accounts/${accountId}/deposits`, headers, depositOf(depositId, '1')));
      const answer = await client.answer().catch(() => undefined);
      if (answer === undefined) {
        this.unanswered.push(depositId);
        break;
      }
      this.answered.push({ depositId, status: answer.slice(9, 12), retryAfter: /\r\nretry-after: \d/i.test(answer) });
      if (/\r\nconnection: close\r\n/i.test(answer)) break;
    }
    client.end();
  }
}

describe('a flood of deposits to one account', () => {
  it('is turned away with Retry-After, and keeps nobody from freezing it, from watching, or from other accounts', async () => {
    const hot = await ledger.makeAccount();
    const other = await ledger.makeAccount();
    const flood = new Flood([hot], await ledger.token(SERVICE));
    await until('a flood', () => Promise.resolve(flood.count('503') > 100 ? true : undefined), 60_000);

    const orderId = await ledger.makeOrder({ accounts: [hot] });
    const verified = await ledger.post(APPROVER, `/v1/admin/legal-orders/${orderId}/verification`, {
      method: 'gazette',
    });
    expect(verified.status).toBe(200);
    const freeze = await ledger.post(OPS, `/v1/admin/accounts/${hot}/freezes`, freezeOf(orderId));
    expect(freeze.status).toBe(201);
    expect((await ledger.get(AUDITOR, '/v1/audit/events?limit=1')).status).toBe(200);
    expect((await ledger.ask({ path: '/health/ready' })).status).toBe(200);
    const metrics = await ledger.ask({ path: '/metrics' });
    expect(metrics.text).toMatch(/^writ_turned_away_total\{what="requests-of-one-account"\} [1-9]/m);
    // The hot account has half of the places: for others there is room.
    wellDone(
      await ledger.post(SERVICE, `/v1/accounts/${other}/deposits`, depositOf('d-other', '1')),
      'another account',
    );

    await flood.end();
    expect(flood.unanswered).toEqual([]);
    expect(new Set(flood.answered.map(({ status }) => status))).toEqual(new Set(['201', '503']));
    expect(flood.answered.filter(({ status, retryAfter }) => (status === '503') !== retryAfter)).toEqual([]);
    const inLog = (await ledger.events(`account-${hot}`)).filter(({ type }) => type === 'FundsDeposited');
    expect(inLog).toHaveLength(flood.count('201'));
  }, 90_000);
});

describe('a stop in a flood', () => {
  it('answers whoever is there, cuts off whoever hangs on, and ends in order', async () => {
    const accounts = await Promise.all([ledger.makeAccount(), ledger.makeAccount(), ledger.makeAccount()]);
    const { url } = ledger.service;
    const token = await ledger.token(SERVICE);
    const [halfHead, halfBody, idle] = await Promise.all([url, url, url].map((to) => RawClient.connect(to)));
    if (halfHead === undefined || halfBody === undefined || idle === undefined) throw new Error('not connected');
    halfHead.send('GET /v1/assets HTTP/1.1\r\nHost: a\r\n');
    const unfinished = requestText('POST', '/v1/admin/legal-orders', { Authorization: `Bearer ${token}` }, { a: 'b' });
    halfBody.send(unfinished.slice(0, -1));
    idle.send(requestText('GET', '/health/live', {}));
    expect(await idle.answer()).toMatch(/^HTTP\/1\.1 200/);
    const waiting = ledger.get(OPS, `/v1/admin/tasks?atLeast=${ledger.farPosition}`);
    const flood = new Flood(accounts, token);
    await until('a flood', () => Promise.resolve(flood.count('201') > 100 ? true : undefined), 60_000);

    const startedMs = Date.now();
    const code = await ledger.service.stop('SIGTERM');
    expect([code, Date.now() - startedMs < 10_000]).toEqual([0, true]);
    await flood.over();
    expect((await waiting).status).toBe(503);
    for (const client of [halfHead, halfBody, idle]) await client.closed();

    expect(flood.unanswered).toEqual([]);
    expect(flood.answered.filter(({ status, retryAfter }) => (status === '503') !== retryAfter)).toEqual([]);
    await ledger.startAgain();
    const accepted = flood.answered.filter(({ status }) => status === '201').map(({ depositId }) => depositId);
    const logs = await Promise.all(accounts.map((accountId) => ledger.events(`account-${accountId}`)));
    const inLog = logs.flat().filter(({ type }) => type === 'FundsDeposited');
    expect(inLog.map(({ data }) => String(data['depositId'])).sort()).toEqual(accepted.sort());
  }, 90_000);
});
