import { randomUUID } from 'node:crypto';
import type { Answer, RunningService } from './service.ts';

/** The parts that people and services play in the tests. */
export const CAST = {
  service: { sub: 'payments', roles: ['service'] },
  maker: { sub: 'maker', roles: ['ops'] },
  checker: { sub: 'checker', roles: ['approver'] },
  auditor: { sub: 'auditor', roles: ['auditor'] },
} as const;
export type Part = keyof typeof CAST;

/** A body that tests look into. */
export type Body = Readonly<Record<string, unknown>>;

/** Speaks to a running service in the words of the domain. */
export class LedgerClient {
  readonly service: RunningService;

  constructor(service: RunningService) {
    this.service = service;
  }

  async post(part: Part, path: string, body: unknown, key: string = randomUUID()): Promise<Answer> {
    const token = await this.service.token(CAST[part]);
    return this.service.request('POST', path, { token, body, headers: { 'idempotency-key': key } });
  }

  async get(part: Part, path: string): Promise<Answer> {
    return this.service.request('GET', path, { token: await this.service.token(CAST[part]) });
  }

  /** Posts what has to be accepted. */
  async accept(part: Part, path: string, body: unknown, key?: string): Promise<Body> {
    const answer = await this.post(part, path, body, key);
    if (answer.status !== 200 && answer.status !== 201)
      throw new Error(`${path}: ${String(answer.status)} ${answer.text}`);
    return answer.body as Body;
  }

  /** Reads what has to be there, at least as far as an earlier answer. */
  async read(part: Part, path: string): Promise<Body> {
    const answer = await this.get(part, path);
    if (answer.status !== 200) throw new Error(`${path}: ${String(answer.status)} ${answer.text}`);
    return answer.body as Body;
  }

  async registerBitcoin(): Promise<void> {
    await this.post('maker', '/v1/assets', { code: 'BTC', scale: 8, kind: 'crypto' }, 'asset-btc');
  }

  /** An identified party and its open account. */
  async openAccount(accountId: string, partyId = `p-${accountId}`): Promise<void> {
    await this.accept('service', '/v1/parties', { partyId, kind: 'person', externalRef: partyId });
    const identification = { method: 'passport', evidenceSha256: 'a'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
    await this.accept('service', `/v1/parties/${partyId}/identification`, identification);
    await this.accept('service', '/v1/accounts', { accountId, holders: [{ partyId, capacity: 'owner' }] });
  }

  deposit(accountId: string, depositId: string, amount: string, key?: string): Promise<Answer> {
    const body = { depositId, asset: 'BTC', amount, source: { kind: 'bank', reference: depositId } };
    return this.post('service', `/v1/accounts/${accountId}/deposits`, body, key);
  }

  reserve(accountId: string, withdrawalId: string, amount: string, key?: string): Promise<Answer> {
    const body = { withdrawalId, asset: 'BTC', amount, destination: { kind: 'bank', reference: withdrawalId } };
    return this.post('service', `/v1/accounts/${accountId}/withdrawals`, body, key);
  }

  /** Registers an order that names these accounts, and verifies it unless told otherwise. */
  async putOrder(orderId: string, accountIds: readonly string[], verified = true): Promise<void> {
    const subjects = accountIds.map((accountId) => ({ kind: 'account', accountId }));
    await this.accept('maker', '/v1/admin/legal-orders', order(orderId, { subjects }));
    if (verified)
      await this.accept('checker', `/v1/admin/legal-orders/${orderId}/verification`, { method: 'call-back' });
  }

  freeze(accountId: string, orderId: string, key?: string): Promise<Answer> {
    const body = { basis: { kind: 'legal-order', id: orderId } };
    return this.post('maker', `/v1/admin/accounts/${accountId}/freezes`, body, key);
  }
}

/** The body that registers an order in force since 2022, with what a test wants otherwise. */
export function order(orderId: string, changes: Body = {}): Body {
  return {
    orderId,
    kind: 'freezing-order',
    authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
    caseReference: 'CL-2022-000123',
    statute: 'Senior Courts Act 1981 s.37',
    subjects: [],
    scope: { direction: 'debit', assets: 'all' },
    issuedAt: '2022-02-14T09:00:00Z',
    receivedAt: '2022-02-15T09:00:00Z',
    effectiveAt: '2022-02-14T09:00:00Z',
    documentSha256: 'b'.repeat(64),
    ...changes,
  };
}
