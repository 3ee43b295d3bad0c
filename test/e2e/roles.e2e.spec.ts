import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, type JWK } from 'jose';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './support/http.ts';
import { textAt } from './support/json.ts';
import {
  APPROVER,
  endingOf,
  letterOf,
  Ledger,
  liftRequestOf,
  OPS,
  orderOf,
  SERVICE,
  wellDone,
  type Body,
  type Person,
  type Role,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const FREEZE = '01900000-0000-7000-8000-000000000000';
const EVERYONE: readonly Role[] = ['service', 'ops', 'approver', 'auditor'];
const OVERSIGHT: readonly Role[] = ['ops', 'approver', 'auditor'];

/** Every route with those who may use it. */
const ROUTES: readonly (readonly [method: 'GET' | 'POST', path: string, roles: readonly Role[]])[] = [
  ['POST', '/v1/assets', ['ops']],
  ['GET', '/v1/assets', EVERYONE],
  ['GET', '/v1/assets/BTC', EVERYONE],
  ['POST', '/v1/parties', ['service']],
  ['GET', '/v1/parties', EVERYONE],
  ['GET', '/v1/parties/p', EVERYONE],
  ['POST', '/v1/parties/p/identification', ['service']],
  ['POST', '/v1/parties/p/addresses', ['service']],
  ['POST', '/v1/accounts', ['service']],
  ['GET', '/v1/accounts', EVERYONE],
  ['GET', '/v1/accounts/a', EVERYONE],
  ['POST', '/v1/accounts/a/closure', ['service']],
  ['GET', '/v1/accounts/a/entries', EVERYONE],
  ['POST', '/v1/accounts/a/deposits', ['service']],
  ['GET', '/v1/accounts/a/deposits', EVERYONE],
  ['GET', '/v1/accounts/a/deposits/d', EVERYONE],
  ['POST', '/v1/accounts/a/deposits/d/reversal', ['service']],
  ['POST', '/v1/accounts/a/withdrawals', ['service']],
  ['GET', '/v1/accounts/a/withdrawals', EVERYONE],
  ['GET', '/v1/accounts/a/withdrawals/w', EVERYONE],
  ['POST', '/v1/accounts/a/withdrawals/w/dispatch', ['service']],
  ['POST', '/v1/accounts/a/withdrawals/w/settlement', ['service']],
  ['POST', '/v1/accounts/a/withdrawals/w/cancellation', ['service']],
  ['POST', '/v1/accounts/a/transfers', ['service']],
  ['GET', '/v1/accounts/a/transfers', EVERYONE],
  ['GET', '/v1/accounts/a/transfers/t', EVERYONE],
  ['POST', '/v1/admin/legal-orders', ['ops']],
  ['GET', '/v1/admin/legal-orders', OVERSIGHT],
  ['GET', '/v1/admin/legal-orders/o', OVERSIGHT],
  ['POST', '/v1/admin/legal-orders/o/verification', ['approver']],
  ['POST', '/v1/admin/legal-orders/o/rejection', ['approver']],
  ['POST', '/v1/admin/legal-orders/o/changes', ['ops']],
  ['GET', '/v1/admin/legal-orders/o/changes/c', OVERSIGHT],
  ['POST', '/v1/admin/legal-orders/o/changes/c/verification', ['approver']],
  ['POST', '/v1/admin/legal-orders/o/changes/c/rejection', ['approver']],
  ['POST', '/v1/admin/sanctions-hits', ['ops', 'service']],
  ['GET', '/v1/admin/sanctions-hits', OVERSIGHT],
  ['GET', '/v1/admin/sanctions-hits/h', OVERSIGHT],
  ['POST', '/v1/admin/sanctions-hits/h/confirmation', ['approver']],
  ['POST', '/v1/admin/sanctions-hits/h/dismissal', ['approver']],
  ['POST', '/v1/admin/sanctions-hits/h/clearances', ['ops']],
  ['GET', '/v1/admin/sanctions-hits/h/clearances/c', OVERSIGHT],
  ['POST', '/v1/admin/sanctions-hits/h/clearances/c/approval', ['approver']],
  ['POST', '/v1/admin/sanctions-hits/h/clearances/c/rejection', ['approver']],
  ['POST', '/v1/admin/accounts/a/freezes', ['ops']],
  ['POST', '/v1/admin/legal-orders/o/freezes', ['ops']],
  ['POST', '/v1/admin/sanctions-hits/h/freezes', ['ops']],
  ['GET', '/v1/admin/freezes', OVERSIGHT],
  ['GET', `/v1/admin/freezes/${FREEZE}`, OVERSIGHT],
  ['POST', `/v1/admin/freezes/${FREEZE}/lift-requests`, ['ops']],
  ['GET', `/v1/admin/freezes/${FREEZE}/lift-requests/l`, OVERSIGHT],
  ['POST', `/v1/admin/freezes/${FREEZE}/lift-requests/l/approval`, ['approver']],
  ['POST', `/v1/admin/freezes/${FREEZE}/lift-requests/l/rejection`, ['approver']],
  ['GET', '/v1/admin/lift-requests', OVERSIGHT],
  ['GET', '/v1/admin/tasks', OVERSIGHT],
  ['POST', '/v1/admin/authority-requests', ['ops']],
  ['GET', '/v1/admin/authority-requests', OVERSIGHT],
  ['GET', '/v1/admin/authority-requests/r', OVERSIGHT],
  ['POST', '/v1/admin/authority-requests/r/answer', ['approver']],
  ['GET', '/v1/trial-balance', ['ops', 'auditor']],
  ['GET', '/v1/audit/events', ['auditor']],
  ['GET', '/v1/audit/freezes', ['auditor']],
  ['GET', '/v1/audit/streams/account-a', ['auditor']],
  ['GET', '/v1/audit/accounts/a', ['auditor']],
  ['GET', '/v1/audit/refusals', ['auditor']],
  ['GET', '/v1/audit/violations', ['auditor']],
];

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const withRoles = (...roles: readonly Role[]): Person => ({ sub: `with-${roles.join('-')}`, roles });

describe.each(ROUTES)('%s %s', (method, path, roles) => {
  /** A body that is wrong: who may not ask learns nothing of that. */
  const wrongly = (as?: Person): Promise<Answer> => {
    const sent = method === 'GET' ? {} : { content: '{"unknown":' };
    return ledger.ask({ method, path, key: null, ...sent, ...(as === undefined ? {} : { as }) });
  };

  it(`is for ${roles.join(' and ')}, and for nobody else`, async () => {
    for (const role of EVERYONE) {
      const answer = await wrongly(withRoles(role));
      if (!roles.includes(role)) expectProblem(answer, 403, 'forbidden');
      else if (method === 'POST') expectProblem(answer, 400, 'malformed-request');
      else expect([200, 404]).toContain(answer.status);
    }
    const others = EVERYONE.filter((role) => !roles.includes(role));
    expectProblem(await wrongly(withRoles(...others)), 403, 'forbidden');
    // Any one of them is enough.
    expect([200, 400, 404]).toContain((await wrongly(withRoles(...others, ...roles.slice(0, 1)))).status);
  });

  it('is for nobody without a token, whatever else is wrong', async () => {
    expectProblem(await wrongly(), 401, 'unauthenticated');
    if (method === 'GET') return;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expectProblem(await ledger.ask({ method, path, content: 'a=b', headers: form }), 401, 'unauthenticated');
  });
});

describe('the table above', () => {
  it('has every route of the document under /v1', () => {
    const pattern = (template: string): RegExp => new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
    const listed = ledger.contract.routes.filter((route) => route.includes(' /v1/'));
    const missing = listed.filter(
      (route) => !ROUTES.some(([method, path]) => pattern(route).test(`${method} ${path}`)),
    );
    expect(missing).toEqual([]);
    expect(ROUTES).toHaveLength(listed.length);
  });

  it('lets auditors write nothing', () => {
    expect(ROUTES.filter(([method, , roles]) => method === 'POST' && roles.includes('auditor'))).toEqual([]);
  });
});

describe('a token', () => {
  const KEY_FILE = 'development-key.json';
  const GOOD = { iss: 'writ-development', aud: 'writ', sub: 'somebody', roles: ['ops'] };
  const nowS = Math.floor(Date.now() / 1000);
  let key: JWK;
  beforeAll(() => {
    key = JSON.parse(readFileSync(join(ledger.dataDir, KEY_FILE), 'utf8')) as JWK;
  });

  const sign = (claims: Body, by: JWK | KeyObject | Uint8Array = key, alg = 'EdDSA'): Promise<string> =>
    new SignJWT({ exp: nowS + 600, ...claims }).setProtectedHeader({ alg, kid: key.kid ?? '' }).sign(by);
  const ask = (token: string, scheme = 'Bearer'): Promise<Answer> =>
    ledger.ask({ path: '/v1/assets', headers: { authorization: `${scheme} ${token}` } });
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('is taken when all is right, in whatever case the scheme is written', async () => {
    const token = await sign(GOOD);
    expect((await ask(token)).status).toBe(200);
    expect((await ask(token, 'bearer')).status).toBe(200);
    expect((await ask(await sign({ ...GOOD, aud: ['another', 'writ'] }))).status).toBe(200);
  });

  it.each<[string, () => Promise<string> | string]>([
    ['expired', () => sign({ ...GOOD, exp: nowS - 1 })],
    ['without an expiry', () => sign({ ...GOOD, exp: undefined })],
    ['valid only later', () => sign({ ...GOOD, nbf: nowS + 300 })],
    ['of another issuer', () => sign({ ...GOOD, iss: 'https://id.example' })],
    ['of no issuer', () => sign({ ...GOOD, iss: undefined })],
    ['for another audience', () => sign({ ...GOOD, aud: 'another' })],
    ['for no audience', () => sign({ ...GOOD, aud: undefined })],
    ['of nobody', () => sign({ ...GOOD, sub: undefined })],
    ['of an empty subject', () => sign({ ...GOOD, sub: '' })],
    ['of a subject too long', () => sign({ ...GOOD, sub: 's'.repeat(129) })],
    ['of a subject that can not be printed', () => sign({ ...GOOD, sub: 'line\nbreak' })],
    ['of the service itself', () => sign({ ...GOOD, sub: 'system:supervisor' })],
    ['of another system subject', () => sign({ ...GOOD, sub: 'system:' })],
    ['of the service in capitals', () => sign({ ...GOOD, sub: 'SYSTEM:supervisor' })],
    ['of the service in wide letters', () => sign({ ...GOOD, sub: '\uff53ystem\uff1asupervisor' })],
    ['with roles that are no list', () => sign({ ...GOOD, roles: 'ops' })],
    ['with alg none', () => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded({ ...GOOD, exp: nowS + 600 })}.`],
    ['with alg None', () => `${encoded({ alg: 'None', kid: key.kid })}.${encoded({ ...GOOD, exp: nowS + 600 })}.`],
    ['signed by HMAC with the public key', () => sign(GOOD, Buffer.from(key.x ?? '', 'base64url'), 'HS256')],
    [
      'signed by HMAC with the public key as PEM',
      () => {
        const { d: _, ...publicKey } = key;
        const pem = createPublicKey({ format: 'jwk', key: publicKey }).export({ format: 'pem', type: 'spki' });
        return sign(GOOD, Buffer.from(pem), 'HS256');
      },
    ],
    ['signed by another key', () => sign(GOOD, generateKeyPairSync('ed25519').privateKey)],
    [
      'changed after it was signed',
      async () => {
        const [head, , signature] = (await sign({ ...GOOD, roles: [] })).split('.');
        return `${String(head)}.${encoded({ ...GOOD, exp: nowS + 600 })}.${String(signature)}`;
      },
    ],
    ['without its signature', async () => (await sign(GOOD)).replace(/[^.]+$/, '')],
    ['that is garbage', () => 'garbage'],
    ['that is garbage in three parts', () => 'a.b.c'],
    ['that is empty', () => ''],
    ['that is long', () => 'a'.repeat(8_000)],
  ])('%s is refused', async (_, make) => {
    const answer = await ask(await make());
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.text).not.toContain('somebody');
  });

  it('of another scheme is refused', async () => {
    expectProblem(await ask(await sign(GOOD), 'Basic'), 401, 'unauthenticated');
    expectProblem(await ask(await sign(GOOD), 'Bearer Bearer'), 401, 'unauthenticated');
  });

  it('that was taken before is refused once it has expired', async () => {
    const token = await sign({ ...GOOD, exp: Math.floor(Date.now() / 1000) + 2 });
    expect((await ask(token)).status).toBe(200);
    const deadlineMs = Date.now() + 10_000;
    let answer = await ask(token);
    while (answer.status === 200 && Date.now() < deadlineMs) answer = await ask(token);
    expectProblem(answer, 401, 'unauthenticated');
  });

  it.each<[string, unknown]>([
    ['no roles', undefined],
    ['an empty list of roles', []],
    ['roles that there are not', ['admin', 'OPS', 'ops ', 'root']],
  ])('with %s may do nothing', async (_, roles) => {
    const token = await sign({ ...GOOD, roles });
    expectProblem(await ask(token), 403, 'forbidden');
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ['/v1/accounts/a', '/v1/audit/events', '/v1/admin/freezes']) {
      expectProblem(await ledger.ask({ path, headers }), 403, 'forbidden');
    }
  });

  it('stays out of the logs, and its key is for its owner alone', async () => {
    const token = await sign(GOOD);
    await ask(token);
    await ask(`${token}x`);
    expect(ledger.service.logs()).not.toContain(token.slice(0, 60));
    expect(statSync(join(ledger.dataDir, KEY_FILE)).mode & 0o777).toBe(0o600);
  });
});

describe('whoever asked does not approve', () => {
  const BOTH: Person = { sub: 'both', roles: ['ops', 'approver'] };
  const ORDERS = '/v1/admin/legal-orders';

  /** The two ways to be maker and checker at once: one token with both roles, or two tokens of one person. */
  const WAYS: readonly (readonly [string, maker: Person, checker: Person])[] = [
    ['one token', BOTH, BOTH],
    ['two tokens', { sub: 'twice', roles: ['ops'] }, { sub: 'twice', roles: ['approver'] }],
  ];

  /** Expects the refusal, its record on the stream, and that another person can still decide. */
  async function expectRefused(
    checker: Person,
    path: string,
    body: object,
    stream: string,
    command: string,
  ): Promise<void> {
    const before = await ledger.events(stream);
    const answer = await ledger.post(checker, path, body);
    expectProblem(answer, 422, 'maker-is-checker');
    const after = await ledger.events(stream);
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)).toMatchObject({
      type: 'CommandRefused',
      data: { command, code: 'maker-is-checker' },
      metadata: { actor: { id: checker.sub } },
    });
    expect(answer.headers.etag).toBe(`"${String(after.at(-1)?.revision)}"`);
  }

  async function expectDone(as: Person, path: string, body: object): Promise<Answer> {
    return wellDone(await ledger.post(as, path, body), path);
  }

  it.each(WAYS)('of an order, its verification and its rejection: %s', async (_, maker, checker) => {
    const orderId = ledger.id('ord');
    const stream = `legalOrder-${orderId}`;
    await expectDone(maker, ORDERS, orderOf(orderId, { accounts: [await ledger.makeAccount()] }));
    await expectRefused(checker, `${ORDERS}/${orderId}/verification`, { method: 'm' }, stream, 'VerifyLegalOrder');
    await expectRefused(checker, `${ORDERS}/${orderId}/rejection`, { reason: 'r' }, stream, 'RejectLegalOrder');
    const answer = await expectDone(APPROVER, `${ORDERS}/${orderId}/verification`, { method: 'm' });
    expect(answer.body).toMatchObject({ legalOrder: { state: 'verified' } });
  });

  it.each(WAYS)('of a change, its verification and its rejection: %s', async (_, maker, checker) => {
    const orderId = await ledger.makeVerifiedOrder({ accounts: [await ledger.makeAccount()] });
    const stream = `legalOrder-${orderId}`;
    const path = `${ORDERS}/${orderId}/changes`;
    await expectDone(maker, path, endingOf('chg-1'));
    await expectRefused(checker, `${path}/chg-1/verification`, { method: 'm' }, stream, 'VerifyChange');
    await expectRefused(checker, `${path}/chg-1/rejection`, { reason: 'r' }, stream, 'RejectChange');
    const answer = await expectDone(APPROVER, `${path}/chg-1/verification`, { method: 'm' });
    expect(answer.body).toMatchObject({ change: { state: 'verified', decidedBy: APPROVER.sub } });
  });

  it.each(WAYS)('of a lift, its approval and its rejection: %s', async (_, maker, checker) => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const freezeId = await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const path = `/v1/admin/freezes/${freezeId}/lift-requests`;
    await expectDone(maker, path, liftRequestOf('lift-1'));
    await expectRefused(checker, `${path}/lift-1/approval`, {}, `account-${accountId}`, 'ApproveLift');
    await expectRefused(checker, `${path}/lift-1/rejection`, { reason: 'r' }, `account-${accountId}`, 'RejectLift');
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [{ freezeId }] });
    await expectDone(APPROVER, `${path}/lift-1/approval`, {});
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [] });
  });

  it.each(WAYS)('a letter that the same person registered: %s', async (_, maker, checker) => {
    const requestId = ledger.id('req');
    const path = '/v1/admin/authority-requests';
    await expectDone(maker, path, letterOf(requestId));
    const stream = `authorityRequest-${requestId}`;
    const answer = { outcome: 'refused', reason: 'no instrument' };
    await expectRefused(checker, `${path}/${requestId}/answer`, answer, stream, 'AnswerAuthorityRequest');
    const given = await expectDone(APPROVER, `${path}/${requestId}/answer`, answer);
    expect(given.body).toMatchObject({ authorityRequest: { state: 'refused', answer: { answeredBy: APPROVER.sub } } });
  });

  it('but who registered an order may verify its ending, when another person proposed that', async () => {
    const orderId = ledger.id('ord');
    await expectDone(BOTH, ORDERS, orderOf(orderId, { accounts: [await ledger.makeAccount()] }));
    await expectDone(APPROVER, `${ORDERS}/${orderId}/verification`, { method: 'm' });
    const changeId = await ledger.proposeEnding(orderId);
    const answer = await expectDone(BOTH, `${ORDERS}/${orderId}/changes/${changeId}/verification`, { method: 'm' });
    expect(textAt(answer.body, 'change.proposedBy')).toBe(OPS.sub);
  });

  it('and repeats of a refusal are answered from the record', async () => {
    const orderId = ledger.id('ord');
    await expectDone(BOTH, ORDERS, orderOf(orderId, { accounts: [await ledger.makeAccount()] }));
    const verify = (): Promise<Answer> =>
      ledger.post(BOTH, `${ORDERS}/${orderId}/verification`, { method: 'm' }, { key: 'own-order' });
    const [first, second] = [await verify(), await verify()];
    expect(second.text).toBe(first.text);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(await ledger.events(`legalOrder-${orderId}`)).toHaveLength(2);
  });
});

describe('whoever acts', () => {
  it('stands in the log, with the roles that the token gave', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const actors = async (stream: string): Promise<unknown[]> =>
      (await ledger.events(stream)).map(({ metadata }) => metadata['actor']);
    expect(await actors(`account-${accountId}`)).toEqual([{ id: SERVICE.sub, roles: ['service'] }]);
    expect(await actors(`legalOrder-${orderId}`)).toEqual([
      { id: OPS.sub, roles: ['ops'] },
      { id: APPROVER.sub, roles: ['approver'] },
    ]);
  });
});
