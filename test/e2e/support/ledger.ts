import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { developmentKey, developmentToken } from '../../../apps/ledger/src/auth/development-key.ts';
import { Contract } from './contract.ts';
import { HttpClient, type Answer } from './http.ts';
import { listAt, textAt, valueAt } from './json.ts';
import { startService, type RunningService, type ServiceOptions } from './service.ts';

/** Whoever sends a request. */
export interface Person {
  readonly sub: string;
  readonly roles: readonly Role[];
  /** The scope claim of the token, if it has one. */
  readonly scope?: string;
}
export type Role = 'service' | 'ops' | 'approver' | 'auditor';

export const SERVICE: Person = { sub: 'payments', roles: ['service'] };
export const OPS: Person = { sub: 'ops-1', roles: ['ops'] };
export const APPROVER: Person = { sub: 'approver-1', roles: ['approver'] };
export const AUDITOR: Person = { sub: 'auditor-1', roles: ['auditor'] };

export interface Asked {
  readonly as?: Person;
  readonly method?: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly content?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The idempotency key; a new one if absent, none if null. */
  readonly key?: string | null;
}

export interface LoggedEvent {
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

type Environment = Readonly<Record<string, string>>;

/** The id of an account (a new one if absent), who holds it (a new party), and the BTC in it (none). */
export interface AccountOptions {
  readonly accountId?: string;
  readonly holder?: string;
  readonly btc?: string;
}

/** Which accounts and parties an order names, and whatever else differs from the usual one. */
export interface OrderOptions {
  /** A new one if absent. */
  readonly orderId?: string;
  readonly accounts?: readonly string[];
  readonly parties?: readonly string[];
  readonly more?: Readonly<Record<string, unknown>>;
}

export const SHA256 = 'a'.repeat(64);
export const DEBIT_OF_ALL = { direction: 'debit', assets: 'all' } as const;

/**
 * A running service and those who use it. Every answer is held against the service's own OpenAPI document. What `make…`
 * and the like set up must go well: they throw when it does not.
 */
export class Ledger {
  readonly dataDir: string;
  readonly #environment: Environment;
  readonly #tokens = new Map<string, Promise<string>>();
  #service: RunningService;
  #http: HttpClient;
  #contract: Contract | undefined;
  #count = 0;
  #seenTo: string | undefined;
  /** That a write was answered with. */
  #newestPosition: string | undefined;

  private constructor(dataDir: string, environment: Environment, service: RunningService) {
    this.dataDir = dataDir;
    this.#environment = environment;
    this.#service = service;
    this.#http = new HttpClient(service.url);
  }

  /**
   * Starts a service, on a new folder, that knows BTC (8 decimals) and EUR (2).
   * @param environment its settings
   * @param parent of the folder
   */
  static async start(environment: Environment = {}, parent = tmpdir()): Promise<Ledger> {
    const dataDir = mkdtempSync(join(parent, 'writ-e2e-'));
    const ledger = new Ledger(dataDir, environment, await startService({ dataDir, env: environment }));
    try {
      ledger.#contract = new Contract((await ledger.ask({ path: '/openapi.json' })).body);
      await ledger.makeAsset('BTC', 8);
      await ledger.makeAsset('EUR', 2);
    } catch (error) {
      // Nobody else could stop the service.
      await ledger.end();
      throw error;
    }
    return ledger;
  }

  /** Starts one more service, on a folder of its own, over a store that another ledger is on. */
  static async join(environment: Environment, parent = tmpdir()): Promise<Ledger> {
    const dataDir = mkdtempSync(join(parent, 'writ-e2e-'));
    const ledger = new Ledger(dataDir, environment, await startService({ dataDir, env: environment }));
    ledger.#contract = new Contract((await ledger.ask({ path: '/openapi.json' })).body);
    return ledger;
  }

  get service(): RunningService {
    return this.#service;
  }

  get contract(): Contract {
    if (this.#contract === undefined) throw new Error('the document was not read yet');
    return this.#contract;
  }

  /** A position that the log never reaches. */
  get farPosition(): string {
    return this.#positionLike('f'.repeat(16));
  }

  /** A position before all that is in the log. */
  get firstPosition(): string {
    return this.#positionLike('0'.repeat(16));
  }

  /** Each kind of store has a form of its own. */
  #positionLike(number: string): string {
    if (this.#newestPosition === undefined) throw new Error('nothing was written yet');
    return this.#newestPosition.replaceAll(/[0-9a-f]{16}/g, number);
  }

  /** Starts the service again, after it was stopped or killed, on the same folder. */
  async startAgain(options: Pick<ServiceOptions, 'fileLimitKiB'> = {}): Promise<void> {
    this.#http.close();
    this.#service = await startService({ ...options, dataDir: this.dataDir, env: this.#environment });
    this.#http = new HttpClient(this.#service.url);
  }

  /** Stops the service for good. */
  async end(): Promise<void> {
    this.#http.close();
    await this.#service.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #withPositionSeen(method: string, answer: Answer): Answer {
    if (method !== 'GET' && answer.status < 300) {
      const position = valueAt(answer.body, 'position');
      if (typeof position === 'string' && position > (this.#newestPosition ?? '')) this.#newestPosition = position;
    }
    return answer;
  }

  /** An id that nothing has yet. */
  id(prefix: string): string {
    this.#count += 1;
    return `${prefix}-${String(this.#count)}`;
  }

  token({ sub, roles, scope }: Person): Promise<string> {
    const name = JSON.stringify([sub, roles, scope]);
    let token = this.#tokens.get(name);
    if (token === undefined) {
      token = developmentKey(this.dataDir).then((key) => developmentToken(key, { sub, roles, scope }));
      this.#tokens.set(name, token);
    }
    return token;
  }

  /** @throws Error when the answer is not as the OpenAPI document says */
  async ask({ as, method = 'GET', path, body, content, headers, key }: Asked): Promise<Answer> {
    const sent = body === undefined ? content : JSON.stringify(body);
    const given = key === undefined && method === 'POST' ? this.id('key') : key;
    const answer = await this.#http.send({
      method,
      path,
      content: sent,
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${await this.token(as)}` }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...(typeof given === 'string' ? { 'idempotency-key': given } : {}),
        ...headers,
      },
    });
    const objections = this.#contract?.objections(method, path, answer) ?? [];
    if (objections.length === 0) return this.#withPositionSeen(method, answer);
    throw new Error(`${method} ${path}: ${objections.join('; ')}\n${answer.text}`);
  }

  get(as: Person, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask({ as, path, headers });
  }

  post(as: Person, path: string, body: unknown, more: Pick<Asked, 'headers' | 'key'> = {}): Promise<Answer> {
    return this.ask({ as, method: 'POST', path, body, ...more });
  }

  /**
   * What was found, once everything up to `atLeast` is in it: the newest position that a write was answered with, unless
   * another is given.
   * @throws Error when it was not found
   */
  async read(as: Person, path: string, atLeast = this.#newestPosition): Promise<unknown> {
    const separator = path.includes('?') ? '&' : '?';
    const isReplay = path.startsWith('/v1/audit/accounts/');
    const waits = !isReplay && atLeast !== undefined;
    const answer = await this.get(as, waits ? `${path}${separator}atLeast=${atLeast}` : path);
    return wellDone(answer, path).body;
  }

  /** All items of a list, page by page. */
  async readAllPages(as: Person, path: string, limit: number): Promise<readonly unknown[]> {
    const items: unknown[] = [];
    const separator = path.includes('?') ? '&' : '?';
    for (let cursor: string | null = ''; cursor !== null;) {
      const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await this.read(as, `${path}${separator}limit=${String(limit)}${next}`);
      const found = listAt(page, 'items');
      if (found.length > limit) throw new Error(`${path} gave ${String(found.length)} items, not ${String(limit)}`);
      items.push(...found);
      const nextCursor = valueAt(page, 'nextCursor');
      if (items.length > 10_000) throw new Error(`${path} has no end`);
      cursor = nextCursor === null ? null : textAt(page, 'nextCursor');
    }
    return items;
  }

  /** The events of a stream, in order; none when there is no such stream. Read from the store: never behind. */
  events(stream: string): Promise<readonly LoggedEvent[]> {
    return this.log(`?stream=${stream}`);
  }

  /** What came into the log since this was asked last. */
  async newEvents(): Promise<readonly LoggedEvent[]> {
    const events = await this.log(this.#seenTo === undefined ? '' : `?after=${this.#seenTo}`);
    this.#seenTo = events.at(-1)?.position ?? this.#seenTo;
    return events;
  }

  /** The log, as the query narrows it. */
  async log(query = ''): Promise<readonly LoggedEvent[]> {
    const answer = await this.get(AUDITOR, `/v1/audit/events${query}`, { accept: 'application/x-ndjson' });
    return wellDone(answer, 'the log')
      .text.split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LoggedEvent);
  }

  /** The account as of now, by replay: never behind. */
  replayed(accountId: string): Promise<unknown> {
    return this.read(AUDITOR, `/v1/audit/accounts/${accountId}`);
  }

  async makeAsset(code: string, scale: number): Promise<void> {
    wellDone(await this.post(OPS, '/v1/assets', { code, scale, kind: scale > 2 ? 'crypto' : 'fiat' }), 'an asset');
  }

  /** @returns the id of a party, identified */
  async makeParty(partyId = this.id('p')): Promise<string> {
    const party = { partyId, kind: 'person', externalRef: `crm:${partyId}` };
    wellDone(await this.post(SERVICE, '/v1/parties', party), 'a party');
    const identification = { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-05T00:00:00Z' };
    wellDone(await this.post(SERVICE, `/v1/parties/${partyId}/identification`, identification), 'an identification');
    return partyId;
  }

  /** @returns the id of an account, open, with so much BTC in it */
  async makeAccount({ accountId = this.id('acc'), holder, btc }: AccountOptions = {}): Promise<string> {
    const holders = [{ partyId: holder ?? (await this.makeParty()), capacity: 'owner' }];
    wellDone(await this.post(SERVICE, '/v1/accounts', { accountId, holders }), 'an account');
    if (btc !== undefined) await this.makeDeposit(accountId, btc);
    return accountId;
  }

  /** @returns the position of the deposit */
  async makeDeposit(accountId: string, amount: string, asset = 'BTC'): Promise<string> {
    const deposit = depositOf(this.id('dep'), amount, asset);
    const { body } = wellDone(await this.post(SERVICE, `/v1/accounts/${accountId}/deposits`, deposit), 'a deposit');
    return textAt(body, 'position');
  }

  /** @returns the id of a withdrawal, reserved */
  async makeWithdrawal(accountId: string, amount: string, asset = 'BTC'): Promise<string> {
    const withdrawalId = this.id('wd');
    const body = withdrawalOf(withdrawalId, amount, asset);
    wellDone(await this.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, body), 'a withdrawal');
    return withdrawalId;
  }

  async dispatch(accountId: string, withdrawalId: string): Promise<void> {
    const path = `/v1/accounts/${accountId}/withdrawals/${withdrawalId}/dispatch`;
    wellDone(await this.post(SERVICE, path, { reference: 'tx-1' }), 'a dispatch');
  }

  /** @returns the id of an order, registered by OPS */
  async makeOrder(options: OrderOptions): Promise<string> {
    const { orderId = this.id('ord') } = options;
    wellDone(await this.post(OPS, '/v1/admin/legal-orders', orderOf(orderId, options)), 'an order');
    return orderId;
  }

  /** @returns the id of an order, registered by OPS and verified by APPROVER */
  async makeVerifiedOrder(options: OrderOptions): Promise<string> {
    const orderId = await this.makeOrder(options);
    await this.verify(orderId);
    return orderId;
  }

  async verify(orderId: string): Promise<void> {
    const path = `/v1/admin/legal-orders/${orderId}/verification`;
    wellDone(await this.post(APPROVER, path, { method: 'called the court' }), 'a verification');
  }

  /** @returns the id of an ending, proposed by OPS */
  async proposeEnding(orderId: string): Promise<string> {
    const changeId = this.id('chg');
    wellDone(await this.post(OPS, `/v1/admin/legal-orders/${orderId}/changes`, endingOf(changeId)), 'a change');
    return changeId;
  }

  /** Two people discharge an order. */
  async discharge(orderId: string): Promise<void> {
    const path = `/v1/admin/legal-orders/${orderId}/changes/${await this.proposeEnding(orderId)}/verification`;
    wellDone(await this.post(APPROVER, path, { method: 'read the court file' }), 'an ending');
  }

  /** @returns the id of a hit, raised by OPS */
  async makeHit(partyId: string, more: Body = {}): Promise<string> {
    const hitId = this.id('hit');
    wellDone(await this.post(OPS, '/v1/admin/sanctions-hits', hitOf(hitId, partyId, more)), 'a hit');
    return hitId;
  }

  /** @returns the id of a hit, raised by OPS and confirmed by APPROVER */
  async makeConfirmedHit(partyId: string, more: Body = {}): Promise<string> {
    const hitId = await this.makeHit(partyId, more);
    wellDone(await this.post(APPROVER, `/v1/admin/sanctions-hits/${hitId}/confirmation`, {}), 'a confirmation');
    return hitId;
  }

  /** @returns the id of a clearance, proposed by OPS */
  async proposeClearance(hitId: string): Promise<string> {
    const clearanceId = this.id('clr');
    const path = `/v1/admin/sanctions-hits/${hitId}/clearances`;
    wellDone(await this.post(OPS, path, clearanceOf(clearanceId)), 'a clearance');
    return clearanceId;
  }

  /** @returns the id of a freeze that OPS placed */
  async freeze(accountId: string, orderId: string, scope?: object): Promise<string> {
    const body = freezeOf(orderId, scope);
    const answer = wellDone(await this.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, body), 'a freeze');
    return textAt(answer.body, 'freeze.freezeId');
  }

  /** @returns the id of a letter, registered by OPS */
  async makeAuthorityRequest(): Promise<string> {
    const requestId = this.id('req');
    wellDone(await this.post(OPS, '/v1/admin/authority-requests', letterOf(requestId)), 'a letter');
    return requestId;
  }

  /** @returns the id of a lift request, asked for by OPS */
  async requestLift(freezeId: string): Promise<string> {
    const requestId = this.id('lift');
    const path = `/v1/admin/freezes/${freezeId}/lift-requests`;
    wellDone(await this.post(OPS, path, liftRequestOf(requestId)), 'a lift request');
    return requestId;
  }
}

/** A body of some request. */
export type Body = Readonly<Record<string, unknown>>;

export function depositOf(depositId: string, amount: string, asset = 'BTC'): Body {
  return { depositId, asset, amount, source: { kind: 'onchain', reference: `tx:${depositId}`, chain: 'bitcoin' } };
}

export function withdrawalOf(withdrawalId: string, amount: string, asset = 'BTC'): Body {
  return { withdrawalId, asset, amount, destination: { kind: 'onchain', chain: 'bitcoin', address: 'bc1qexample' } };
}

export function transferOf(transferId: string, to: string, amount: string, asset = 'BTC'): Body {
  return { transferId, to, asset, amount };
}

export function orderOf(orderId: string, { accounts = [], parties = [], more = {} }: OrderOptions): Body {
  return {
    orderId,
    kind: 'freezing-order',
    authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
    caseReference: 'CL-2022-000123',
    statute: 'Senior Courts Act 1981 s.37',
    subjects: [
      ...accounts.map((accountId) => ({ kind: 'account', accountId })),
      ...parties.map((partyId) => ({ kind: 'party', partyId })),
    ],
    scope: DEBIT_OF_ALL,
    issuedAt: '2022-02-14T00:00:00Z',
    receivedAt: '2022-02-15T00:00:00Z',
    effectiveAt: '2022-02-15T00:00:00Z',
    documentSha256: SHA256,
    ...more,
  };
}

export function endingOf(changeId: string): Body {
  const document = { documentSha256: SHA256, issuedAt: '2022-04-01T00:00:00Z', reference: 'CL-2022-000123/2' };
  return { changeId, kind: 'ending', how: 'discharged', ...document };
}

export function freezeOf(orderId: string, scope?: object): Body {
  return { basis: { kind: 'legal-order', id: orderId }, ...(scope === undefined ? {} : { scope }) };
}

/** A hit on a party, with whatever differs from the usual one. */
export function hitOf(hitId: string, partyId: string, more: Body = {}): Body {
  return {
    hitId,
    list: { id: 'ofac-sdn', version: '2022-04-06', sha256: SHA256 },
    entry: entryOf(SHA256),
    subject: { kind: 'party', partyId },
    match: {
      field: 'name',
      value: 'EXAMPLE EXCHANGE',
      algorithm: 'exact',
      algorithmVersion: '1',
      score: 1,
      explanation: 'the same text',
    },
    ...more,
  };
}

export function entryOf(sha256: string, measure = 'asset-freeze'): Body {
  const entry = { uid: '36216', sha256, name: 'EXAMPLE EXCHANGE', programmes: ['RUSSIA-EO14024'], measure };
  return { ...entry, listedOn: '2022-04-05' };
}

export function clearanceOf(clearanceId: string): Body {
  const authority = { kind: 'list-version', reference: 'ofac-sdn of 2022-04-22', sha256: SHA256 };
  return { clearanceId, cause: 'delisted', authority };
}

export function freezeUnderHit(hitId: string): Body {
  return { basis: { kind: 'sanctions-hit', id: hitId } };
}

export function letterOf(requestId: string): Body {
  return {
    requestId,
    kind: 'disclosure',
    authority: { name: 'Financial intelligence unit', jurisdiction: 'UA' },
    reference: '22/01-2',
    subject: 'the holders of some addresses',
    receivedAt: '2022-02-28T09:00:00Z',
    documentSha256: SHA256,
  };
}

export function grantUnder(orderId: string): Body {
  return { outcome: 'granted', reason: 'the order demands it', basis: { kind: 'legal-order', id: orderId } };
}

export function liftRequestOf(requestId: string): Body {
  return { requestId, ground: 'placed-in-error', note: 'the wrong account was named' };
}

/** @throws Error when the answer is a problem */
export function wellDone(answer: Answer, what: string): Answer {
  if (answer.status < 300) return answer;
  throw new Error(`${what}: ${String(answer.status)} ${answer.text}`);
}

const POLL_MS = 50;

/**
 * Asks again and again until there is something.
 * @throws Error when there is nothing within `limitMs`
 */
export async function until<Found>(
  what: string,
  find: () => Promise<Found | undefined>,
  limitMs = 15_000,
): Promise<Found> {
  const deadlineMs = Date.now() + limitMs;
  while (Date.now() < deadlineMs) {
    const found = await find();
    if (found !== undefined) return found;
    await delay(POLL_MS);
  }
  throw new Error(`waited in vain for ${what}`);
}
