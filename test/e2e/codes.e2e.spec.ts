import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { PROBLEM_KINDS, type ProblemCode } from '../../apps/ledger/src/http/problem.ts';
import { textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  depositOf,
  endingOf,
  freezeOf,
  grantUnder,
  Ledger,
  letterOf,
  liftRequestOf,
  OPS,
  orderOf,
  SERVICE,
  SHA256,
  transferOf,
  until,
  withdrawalOf,
  type Person,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem, seenCodes } from './support/problems.ts';

const NO_FREEZE = '01900000-0000-7000-8000-000000000000';

describe('codes', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start();
  });
  afterAll(() => ledger.end());

  const person = (): object => ({ partyId: ledger.id('p'), kind: 'person', externalRef: 'crm:1' });

  describe('400', () => {
    it('malformed-request names each field and its rule', async () => {
      const answer = await ledger.post(SERVICE, '/v1/parties', { partyId: '-', kind: 'ghost', name: 'x' });
      expectProblem(answer, 400, 'malformed-request', { instance: '/v1/parties' });
      const errors = valueAt(answer.body, 'errors') as { field: string; message: string }[];
      expect(errors.map(({ field }) => field).sort()).toEqual(['externalRef', 'kind', 'name', 'partyId']);
      for (const { message } of errors) expect(message).toMatch(/./);
    });

    it('malformed-request for a header that is not as it must be', async () => {
      for (const key of ['a b', 'k\u00e9y', 'k'.repeat(256)]) {
        const answer = await ledger.ask({ as: SERVICE, method: 'POST', path: '/v1/parties', body: person(), key });
        expectFieldRefused(answer, 'Idempotency-Key');
      }
      for (const tag of ['W/"1"', '"1", "2"', '"-1"', '"01"', 'x']) {
        const answer = await ledger.post(SERVICE, '/v1/parties', person(), { headers: { 'if-match': tag } });
        expectFieldRefused(answer, 'If-Match');
      }
    });

    it('malformed-request for a query that there is not', async () => {
      expectFieldRefused(await ledger.get(OPS, '/v1/assets?colour=red'), 'colour');
      expectFieldRefused(await ledger.get(OPS, '/v1/assets?limit=1&limit=2'), 'limit');
      expectFieldRefused(await ledger.get(OPS, '/v1/accounts?__proto__=1'), '__proto__');
      expectFieldRefused(await ledger.post(SERVICE, '/v1/parties?dry=run', person()), 'dry');
    });

    it('idempotency-key-missing', async () => {
      const answer = await ledger.post(SERVICE, '/v1/parties', person(), { key: null });
      expectProblem(answer, 400, 'idempotency-key-missing');
      const empty = await ledger.post(SERVICE, '/v1/parties', person(), {
        key: null,
        headers: { 'idempotency-key': '' },
      });
      expectProblem(empty, 400, 'idempotency-key-missing');
    });
  });

  describe('401 and 403', () => {
    it('unauthenticated says how to authenticate', async () => {
      const answer = await ledger.ask({ path: '/v1/assets' });
      expectProblem(answer, 401, 'unauthenticated', { instance: '/v1/assets' });
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="writ"');
      const wrong = await ledger.ask({ path: '/v1/assets', headers: { authorization: 'Bearer x.y.z' } });
      expectProblem(wrong, 401, 'unauthenticated');
      expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
    });

    it('forbidden', async () => {
      expectProblem(await ledger.post(AUDITOR, '/v1/parties', person()), 403, 'forbidden', { instance: '/v1/parties' });
    });
  });

  describe('404', () => {
    it.each([
      ['account', '/v1/accounts/nobody'],
      ['account', '/v1/accounts/nobody/entries'],
      ['account', '/v1/accounts/nobody/deposits'],
      ['account', '/v1/accounts/nobody/withdrawals/wd-1'],
      ['account', '/v1/audit/accounts/nobody'],
      ['party', '/v1/parties/nobody'],
      ['asset', '/v1/assets/NONE'],
      ['legal-order', '/v1/admin/legal-orders/none'],
      ['legal-order', '/v1/admin/legal-orders/none/changes/chg-1'],
      ['freeze', `/v1/admin/freezes/${NO_FREEZE}`],
      ['freeze', `/v1/admin/freezes/${NO_FREEZE}/lift-requests/lift-1`],
      ['authority-request', '/v1/admin/authority-requests/none'],
      ['stream', '/v1/audit/streams/account-nobody'],
    ])('%s-not-found at GET %s', async (thing, path) => {
      expectProblem(await ledger.get(AUDITOR, path), 404, `${thing}-not-found`, { instance: path });
    });

    it('for what an account, order or freeze does not have', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
      const freezeId = await ledger.freeze(accountId, orderId);
      const atLeast = (await ledger.log()).at(-1)?.position ?? '';
      await ledger.read(OPS, `/v1/admin/freezes/${freezeId}`, atLeast);
      const missing = [
        ['deposit', `/v1/accounts/${accountId}/deposits/none`],
        ['withdrawal', `/v1/accounts/${accountId}/withdrawals/none`],
        ['transfer', `/v1/accounts/${accountId}/transfers/none`],
        ['change', `/v1/admin/legal-orders/${orderId}/changes/none`],
        ['lift-request', `/v1/admin/freezes/${freezeId}/lift-requests/none`],
      ];
      for (const [thing = '', path = ''] of missing) {
        expectProblem(await ledger.get(AUDITOR, path), 404, `${thing}-not-found`);
      }
      const changes = `/v1/admin/legal-orders/${orderId}/changes/none`;
      expectProblem(await ledger.post(APPROVER, `${changes}/verification`, { method: 'm' }), 404, 'change-not-found');
      const request = `/v1/admin/freezes/${freezeId}/lift-requests/none`;
      expectProblem(await ledger.post(APPROVER, `${request}/approval`, {}), 404, 'lift-request-not-found');
      const withdrawal = `/v1/accounts/${accountId}/withdrawals/none/settlement`;
      expectProblem(await ledger.post(SERVICE, withdrawal, { reference: 'r' }), 404, 'withdrawal-not-found');
    });

    it('for commands about what there is not', async () => {
      const accountId = await ledger.makeAccount();
      const holders = [{ partyId: 'nobody', capacity: 'owner' }];
      const identification = { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-01T00:00:00Z' };
      const orders = '/v1/admin/legal-orders';
      const asked: readonly (readonly [Person, string, object, string])[] = [
        [SERVICE, '/v1/parties/nobody/identification', identification, 'party'],
        [SERVICE, '/v1/accounts', { accountId: ledger.id('acc'), holders }, 'party'],
        [SERVICE, '/v1/accounts/nobody/deposits', depositOf('d', '1'), 'account'],
        [SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf('d', '1', 'NONE'), 'asset'],
        [SERVICE, '/v1/accounts/nobody/transfers', transferOf('t', accountId, '1'), 'account'],
        [SERVICE, `/v1/accounts/${accountId}/transfers`, transferOf('t', 'nobody', '1'), 'account'],
        [SERVICE, '/v1/accounts/nobody/closure', { reason: 'r' }, 'account'],
        [SERVICE, '/v1/accounts/nobody/deposits/d/reversal', { cause: 'mistake', reason: 'r' }, 'account'],
        [SERVICE, `/v1/accounts/${accountId}/deposits/d/reversal`, { cause: 'mistake', reason: 'r' }, 'deposit'],
        [SERVICE, '/v1/accounts/nobody/withdrawals', withdrawalOf('w', '1'), 'account'],
        [SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('w', '1', 'NONE'), 'asset'],
        [OPS, orders, orderOf(ledger.id('ord'), { accounts: ['nobody'] }), 'account'],
        [OPS, orders, orderOf(ledger.id('ord'), { parties: ['nobody'] }), 'party'],
        [APPROVER, `${orders}/none/verification`, { method: 'm' }, 'legal-order'],
        [APPROVER, `${orders}/none/rejection`, { reason: 'r' }, 'legal-order'],
        [OPS, `${orders}/none/changes`, endingOf('chg-1'), 'legal-order'],
        [OPS, '/v1/admin/accounts/nobody/freezes', freezeOf('none'), 'account'],
        [APPROVER, '/v1/admin/authority-requests/none/answer', grantUnder('none'), 'authority-request'],
        [OPS, `/v1/admin/freezes/${NO_FREEZE}/lift-requests`, liftRequestOf('lift-1'), 'freeze'],
        [APPROVER, `/v1/admin/freezes/${NO_FREEZE}/lift-requests/lift-1/rejection`, { reason: 'r' }, 'freeze'],
      ];
      for (const [as, path, body, thing] of asked) {
        expectProblem(await ledger.post(as, path, body), 404, `${thing}-not-found`, { instance: path });
      }
    });

    it('not-found for a route that there is not, whatever asks', async () => {
      for (const path of [
        '/v1/nothing',
        '/v1',
        '/v1/accounts/a/b/c/d',
        '/nothing',
        '/v1/accounts/',
        '/V1/assets',
        '//',
      ]) {
        expectProblem(await ledger.get(OPS, path), 404, 'not-found', { instance: path });
      }
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        expectProblem(await ledger.ask({ as: OPS, method, path: '/v1/assets' }), 404, 'not-found');
      }
      expectProblem(await ledger.post(SERVICE, '/v1/batches', { commands: [] }), 404, 'not-found');
      expectProblem(await ledger.ask({ path: '/v1/nothing' }), 401, 'unauthenticated');
    });
  });

  describe('409', () => {
    it('already-exists for any id given a second time under another key, whatever the content', async () => {
      const partyId = await ledger.makeParty();
      const accountId = await ledger.makeAccount({ holder: partyId });
      const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
      const changeId = await ledger.proposeEnding(orderId);
      await ledger.post(APPROVER, `/v1/admin/legal-orders/${orderId}/changes/${changeId}/rejection`, { reason: 'r' });
      const freezeId = await ledger.freeze(accountId, orderId);
      const requestId = await ledger.requestLift(freezeId);
      const letterId = await ledger.makeAuthorityRequest();
      const depositId = ledger.id('dep');
      await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(depositId, '1'));
      const other = await ledger.makeAccount({ btc: '1' });
      const withdrawalId = await ledger.makeWithdrawal(other, '1');
      const holders = [{ partyId, capacity: 'owner' }];
      const given: readonly (readonly [Person, string, object, object])[] = [
        [SERVICE, '/v1/parties', { partyId, kind: 'organisation', externalRef: 'crm:2' }, { partyId }],
        [SERVICE, '/v1/accounts', { accountId, holders }, { accountId }],
        [SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(depositId, '2'), { depositId }],
        [SERVICE, `/v1/accounts/${other}/withdrawals`, withdrawalOf(withdrawalId, '0.1'), { withdrawalId }],
        [OPS, '/v1/admin/legal-orders', orderOf(orderId, { accounts: [other] }), { orderId }],
        [OPS, `/v1/admin/legal-orders/${orderId}/changes`, endingOf(changeId), { changeId }],
        [OPS, `/v1/admin/freezes/${freezeId}/lift-requests`, liftRequestOf(requestId), { requestId }],
        [OPS, '/v1/admin/authority-requests', letterOf(letterId), { requestId: letterId }],
        [OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId), { freezeId }],
      ];
      await ledger.newEvents();
      for (const [as, path, body, more] of given) {
        expectProblem(await ledger.post(as, path, body), 409, 'already-exists', { instance: path, ...more });
      }
      const bitcoin = { code: 'BTC', scale: 8, kind: 'crypto' };
      expectProblem(await ledger.post(OPS, '/v1/assets', bitcoin), 409, 'already-exists');
      expect(await ledger.newEvents()).toEqual([]);
    });

    it('a deposit id is unique within its account only', async () => {
      const [one, other] = [await ledger.makeAccount(), await ledger.makeAccount()];
      for (const accountId of [one, other]) {
        const answer = await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf('dep', '1'));
        expect(answer.status).toBe(201);
      }
    });
  });

  describe('412, 413 and 415', () => {
    it('revision-mismatch, and acceptance of the revision that it is', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const path = `/v1/accounts/${accountId}/deposits`;
      for (const tag of ['"0"', '"2"', '7']) {
        const answer = await ledger.post(SERVICE, path, depositOf('dep', '1'), { headers: { 'if-match': tag } });
        expectProblem(answer, 412, 'revision-mismatch', { streamRevision: '1' });
      }
      const right = await ledger.post(SERVICE, path, depositOf('dep', '1'), { headers: { 'if-match': '"1"' } });
      expect([right.status, right.headers.etag]).toEqual([201, '"2"']);
    });

    it('revision-mismatch comes after what is missing and malformed, and before the rules', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const path = `/v1/accounts/${accountId}/withdrawals`;
      const headers = { 'if-match': '"9"' };
      const none = await ledger.post(SERVICE, '/v1/accounts/nobody/withdrawals', withdrawalOf('w', '1'), { headers });
      expectProblem(none, 404, 'account-not-found');
      const scale = await ledger.post(SERVICE, path, withdrawalOf('w', '0.000000001'), { headers });
      expectFieldRefused(scale, 'amount');
      const over = await ledger.post(SERVICE, path, withdrawalOf('w', '2'), { headers });
      expectProblem(over, 412, 'revision-mismatch');
      const orderId = await ledger.makeOrder({ accounts: [accountId] });
      const freeze = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId), { headers });
      expectProblem(freeze, 412, 'revision-mismatch');
      expect(await ledger.events(`account-${accountId}`)).toHaveLength(2);
    });

    it('payload-too-large', async () => {
      const content = JSON.stringify({ reference: 'r'.repeat(1024 * 1024) });
      const path = '/v1/accounts/acc/withdrawals/wd/dispatch';
      expectProblem(await ledger.ask({ as: SERVICE, method: 'POST', path, content }), 413, 'payload-too-large');
    });

    it('unsupported-media-type, a body of no type included', async () => {
      const types = [
        'application/x-www-form-urlencoded',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/xml',
      ];
      for (const type of types) {
        const answer = await ledger.post(SERVICE, '/v1/parties', person(), { headers: { 'content-type': type } });
        expectProblem(answer, 415, 'unsupported-media-type');
      }
      const bare = await ledger.post(SERVICE, '/v1/parties', person(), { headers: { 'content-type': '' } });
      expectProblem(bare, 415, 'unsupported-media-type');
      const usual = { 'content-type': 'application/json; charset=utf-8' };
      expect((await ledger.post(SERVICE, '/v1/parties', person(), { headers: usual })).status).toBe(201);
    });
  });

  describe('422 and 423', () => {
    it('insufficient-funds', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const answer = await ledger.post(
        SERVICE,
        `/v1/accounts/${accountId}/withdrawals`,
        withdrawalOf('wd', '1.00000001'),
      );
      expectProblem(answer, 422, 'insufficient-funds');
    });

    it('account-closed and account-not-empty', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const path = `/v1/accounts/${accountId}`;
      expectProblem(await ledger.post(SERVICE, `${path}/closure`, { reason: 'r' }), 422, 'account-not-empty');
      const empty = `/v1/accounts/${await ledger.makeAccount()}`;
      await ledger.post(SERVICE, `${empty}/closure`, { reason: 'r' });
      const withdrawal = await ledger.post(SERVICE, `${empty}/withdrawals`, withdrawalOf('w', '1'));
      expectProblem(withdrawal, 422, 'account-closed');
    });

    it('party-not-identified', async () => {
      const partyId = ledger.id('p');
      await ledger.post(SERVICE, '/v1/parties', { partyId, kind: 'person', externalRef: 'crm:3' });
      const account = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
      expectProblem(await ledger.post(SERVICE, '/v1/accounts', account), 422, 'party-not-identified', { partyId });
    });

    it('party-named-by-basis, of which basis it does not say', async () => {
      const partyId = await ledger.makeParty();
      const orderId = await ledger.makeVerifiedOrder({ parties: [partyId] });
      await until('the party to be named', async () =>
        (await ledger.events(`party-${partyId}`)).find(({ type }) => type === 'PartyNamed'),
      );
      const account = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
      const answer = await ledger.post(SERVICE, '/v1/accounts', account);
      expectProblem(answer, 422, 'party-named-by-basis', { partyId });
      expect(answer.text).not.toContain(orderId);
      expectProblem(await ledger.get(SERVICE, `/v1/accounts/${account.accountId}`), 404, 'account-not-found');
    });

    it('basis-not-found, -not-in-force, -does-not-name-account and scope-exceeds-basis, in this order', async () => {
      const accountId = await ledger.makeAccount();
      const other = await ledger.makeAccount();
      const freeze = (orderId: string, scope?: object) =>
        ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId, scope));
      const narrow = { more: { scope: { direction: 'debit', assets: ['BTC'] } } };
      const wide = { direction: 'debit', assets: ['BTC', 'EUR'] };
      expectProblem(await freeze('none', wide), 422, 'basis-not-found');
      const ofOther = await ledger.makeOrder({ accounts: [other], ...narrow });
      expectProblem(await freeze(ofOther, wide), 422, 'basis-not-in-force');
      await ledger.verify(ofOther);
      expectProblem(await freeze(ofOther, wide), 422, 'basis-does-not-name-account');
      const own = await ledger.makeVerifiedOrder({ accounts: [accountId], ...narrow });
      expectProblem(await freeze(own, wide), 422, 'scope-exceeds-basis');
      await ledger.freeze(accountId, own);
      expectProblem(await freeze(own, wide), 422, 'scope-exceeds-basis');
      expectProblem(await freeze(own), 409, 'already-exists');
    });

    it('the same of the basis of an answer to a letter, which it does not use up', async () => {
      const requestId = await ledger.makeAuthorityRequest();
      const answer = (body: object) => ledger.post(APPROVER, `/v1/admin/authority-requests/${requestId}/answer`, body);
      const { basis: _, ...unfounded } = grantUnder('none');
      expectFieldRefused(await answer(unfounded), 'basis');
      expectProblem(await answer(grantUnder('none')), 422, 'basis-not-found');
      const orderId = await ledger.makeOrder({ accounts: [await ledger.makeAccount()] });
      expectProblem(await answer(grantUnder(orderId)), 422, 'basis-not-in-force');
      await ledger.verify(orderId);
      const granted = await answer(grantUnder(orderId));
      expect([granted.status, granted.headers.etag]).toEqual([200, '"3"']);
      expectProblem(await answer(grantUnder('none')), 422, 'invalid-transition', { state: 'granted' });
      const decidedOn = (await ledger.events(`authorityRequest-${requestId}`)).map(({ data }) => data['decidedOn']);
      expect(decidedOn.slice(1, 3)).toEqual([
        { stream: 'legalOrder-none', revision: null },
        { stream: `legalOrder-${orderId}`, revision: '0' },
      ]);
    });

    it('a letter is no basis, by its own kind or by its id', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const requestId = await ledger.makeAuthorityRequest();
      const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
      const path = `/v1/admin/authority-requests/${requestId}/answer`;
      expect((await ledger.post(APPROVER, path, grantUnder(orderId))).status).toBe(200);
      const freeze = (kind: string) =>
        ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, { basis: { kind, id: requestId } });
      expectFieldRefused(await freeze('authority-request'), 'basis.kind');
      expectProblem(await freeze('legal-order'), 422, 'basis-not-found');
      expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [], balances: [{ frozen: '0.00000000' }] });
    });

    it('maker-is-checker', async () => {
      const orderId = ledger.id('ord');
      const both: Person = { sub: 'both', roles: ['ops', 'approver'] };
      await ledger.post(both, '/v1/admin/legal-orders', orderOf(orderId, { accounts: [await ledger.makeAccount()] }));
      const answer = await ledger.post(both, `/v1/admin/legal-orders/${orderId}/verification`, { method: 'm' });
      expectProblem(answer, 422, 'maker-is-checker');
      expect(answer.headers.etag).toBe('"1"');
    });

    it('invalid-transition says in which state it is', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      const path = `/v1/accounts/${accountId}/withdrawals/${await ledger.makeWithdrawal(accountId, '1')}`;
      const early = await ledger.post(SERVICE, `${path}/settlement`, { reference: 'r' });
      expectProblem(early, 422, 'invalid-transition', { state: 'reserved' });
      await ledger.post(SERVICE, `${path}/cancellation`, { reason: 'r' });
      for (const [step, body] of [
        ['dispatch', { reference: 'r' }],
        ['settlement', { reference: 'r' }],
        ['cancellation', { reason: 'r' }],
      ] as const) {
        const late = await ledger.post(SERVICE, `${path}/${step}`, body);
        expectProblem(late, 422, 'invalid-transition', { state: 'cancelled' });
      }
    });

    it('too-many-open-withdrawals: a thousand are open at most', async () => {
      const accountId = await ledger.makeAccount({ btc: '2' });
      const path = `/v1/accounts/${accountId}/withdrawals`;
      const reserve = (id: number) => ledger.post(SERVICE, path, withdrawalOf(`wd-${String(id)}`, '0.001'));
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => reserve(index)));
      expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
      expectProblem(await reserve(1_000), 422, 'too-many-open-withdrawals');
      await ledger.post(SERVICE, `${path}/wd-7/cancellation`, { reason: 'r' });
      expect((await reserve(1_000)).status).toBe(201);

      const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
      const freeze = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
      expect(freeze.status).toBe(201);
      expect(valueAt(freeze.body, 'freeze.stopped')).toHaveLength(1_000);
      expect(await ledger.replayed(accountId)).toMatchObject({
        balances: [{ available: '2.00000000', reserved: '0.00000000' }],
      });
    });

    it('idempotency-key-reused', async () => {
      const accountId = await ledger.makeAccount();
      const path = `/v1/accounts/${accountId}/deposits`;
      await ledger.post(SERVICE, path, depositOf('dep-1', '1'), { key: 'once' });
      const answer = await ledger.post(SERVICE, path, depositOf('dep-2', '1'), { key: 'once' });
      expectProblem(answer, 422, 'idempotency-key-reused');
    });

    it('account-frozen names the freezes that cover the asset, wins over insufficient-funds, and is no secret', async () => {
      const accountId = await ledger.makeAccount({ btc: '1' });
      await ledger.makeDeposit(accountId, '10', 'EUR');
      const reserved = await ledger.makeWithdrawal(accountId, '5', 'EUR');
      const scopeOf = (asset: string): object => ({ direction: 'debit', assets: [asset] });
      const freezeUnder = async (asset: string): Promise<string> =>
        ledger.freeze(
          accountId,
          await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: scopeOf(asset) } }),
        );
      const freezeId = await freezeUnder('BTC');
      const path = `/v1/accounts/${accountId}/withdrawals`;
      for (const amount of ['0.1', '100']) {
        const answer = await ledger.post(SERVICE, path, withdrawalOf(ledger.id('wd'), amount));
        expectProblem(answer, 423, 'account-frozen', { freezeIds: [freezeId] });
      }
      expect((await ledger.post(SERVICE, path, withdrawalOf('wd-eur', '5', 'EUR'))).status).toBe(201);
      await ledger.dispatch(accountId, reserved);
      const ofEuros = await freezeUnder('EUR');
      const answer = await ledger.post(SERVICE, path, withdrawalOf(ledger.id('wd'), '1', 'EUR'));
      expectProblem(answer, 423, 'account-frozen', { freezeIds: [ofEuros] });
      const stopped = await ledger.post(SERVICE, `${path}/wd-eur/dispatch`, { reference: 'r' });
      expectProblem(stopped, 422, 'invalid-transition', { state: 'stopped' });
    });
  });

  describe('503', () => {
    it('read-model-behind for a position that is not reached, by whatever route', async () => {
      const paths = ['/v1/assets', '/v1/assets/BTC', '/v1/admin/freezes', '/v1/audit/events', '/v1/audit/refusals'];
      const asked = [...paths.map((path) => `${path}?atLeast`), `/v1/audit/accounts/${await ledger.makeAccount()}?at`];
      const answers = await Promise.all(asked.map((path) => ledger.get(AUDITOR, `${path}=${ledger.farPosition}`)));
      for (const answer of answers) expectProblem(answer, 503, 'read-model-behind');
    });
  });

  describe('what the framework finds wrong', () => {
    it('is a problem like any other: bad percent-encoding, parameters that are too long', async () => {
      for (const path of ['/v1/accounts/%', '/v1/accounts/%zz', '/v1/accounts/%c3%28', '/v1/audit/streams/%e0%a4']) {
        expectProblem(await ledger.get(AUDITOR, path), 400, 'malformed-request');
        expectProblem(await ledger.ask({ path }), 401, 'unauthenticated');
      }
      for (const length of [65, 200, 5_000]) {
        const path = `/v1/accounts/${'a'.repeat(length)}`;
        expectFieldRefused(await ledger.get(AUDITOR, path), 'accountId');
      }
    });

    it('does not end the connection in silence for what is no HTTP, or a head that is too large', async () => {
      expect(await said('nonsense\r\n\r\n')).toMatch(
        /^HTTP\/1\.1 400 .*application\/problem\+json.*malformed-request/s,
      );
      const head = `GET /v1/assets HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(64 * 1024)}\r\n\r\n`;
      expect(await said(head)).toMatch(/^HTTP\/1\.1 4\d\d .*application\/problem\+json/s);
    });

    it('goes on after a body that broke off', async () => {
      const token = await ledger.token(SERVICE);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': '100' };
      await new Promise<void>((resolve) => {
        const request = httpRequest(`${ledger.service.url}/v1/parties`, { method: 'POST', headers });
        request.on('error', () => resolve());
        request.on('close', () => resolve());
        request.write('{"partyId":');
        request.once('socket', (socket) => socket.once('connect', () => socket.end(() => request.destroy())));
      });
      expect((await ledger.ask({ path: '/health/live' })).status).toBe(200);
    });

    /** What the service answers to bytes. */
    function said(bytes: string): Promise<string> {
      const { hostname, port } = new URL(ledger.service.url);
      return new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname);
        let text = '';
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('close', () => {
          resolve(text);
        });
        socket.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
        });
        socket.write(bytes);
      });
    }
  });
});

describe('limits', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start({ WRIT_RATE_LIMIT: '10', WRIT_REFUSAL_LIMIT: '2' });
  });
  afterAll(() => ledger.end());

  it('429 for a caller that sends too much, and for nobody else; later it may again', async () => {
    const hasty: Person = { sub: 'hasty', roles: ['service'] };
    const answers = await Promise.all(Array.from({ length: 60 }, () => ledger.get(hasty, '/v1/assets')));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(10);
    expect(refused.length).toBeGreaterThan(10);
    for (const answer of refused) expectProblem(answer, 429, 'rate-limited', { instance: '/v1/assets' });
    expect((await ledger.get({ sub: 'patient', roles: ['service'] }, '/v1/assets')).status).toBe(200);
    await until('the caller to be let in again', async () => {
      const { status } = await ledger.get(hasty, '/v1/assets');
      return status === 200 ? status : undefined;
    });
  });

  it('429 for refusals that an account has had enough of: unrecorded, and decided anew later', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const freezeId = await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const by: Person = { sub: 'retrying', roles: ['service'] };
    const reserve = (withdrawalId: string, key: string) =>
      ledger.post(by, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(withdrawalId, '1'), { key });
    expectProblem(await reserve('wd-1', 'k-1'), 423, 'account-frozen', { freezeIds: [freezeId] });
    expectProblem(await reserve('wd-2', 'k-2'), 423, 'account-frozen');
    const before = await ledger.events(`account-${accountId}`);
    const limited = await reserve('wd-3', 'k-3');
    expectProblem(limited, 429, 'rate-limited');
    // Not a second: as long as it takes until the minute has room again.
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(30);
    expect(await ledger.events(`account-${accountId}`)).toEqual(before);
    // What is on record is no new refusal.
    const again = await reserve('wd-1', 'k-1');
    expectProblem(again, 423, 'account-frozen');
    expect(again.headers['idempotent-replayed']).toBe('true');
    // Nor is anything that is not refused.
    expect((await ledger.post(by, `/v1/accounts/${accountId}/deposits`, depositOf('dep', '1'))).status).toBe(201);
    const requestId = await ledger.requestLift(freezeId);
    await ledger.post(APPROVER, `/v1/admin/freezes/${freezeId}/lift-requests/${requestId}/approval`, {});
    const later = await reserve('wd-3', 'k-3');
    expect([later.status, later.headers['idempotent-replayed']]).toEqual([201, undefined]);
  });
});

describe('a service that is small', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start({ WRIT_CONCURRENCY_LIMIT: '4', WRIT_BODY_LIMIT: '1024' });
  });
  afterAll(() => ledger.end());

  it('503 overloaded while as many requests are under way as it takes; its health it always tells', async () => {
    const waiting = Array.from({ length: 6 }, () => ledger.get(OPS, `/v1/assets?atLeast=${ledger.farPosition}`));
    const health = ledger.ask({ path: '/health/live' });
    const answers = await Promise.all(waiting);
    const codes = answers.map(({ body }) => textAt(body, 'code')).sort();
    expect(codes).toEqual(['overloaded', 'overloaded', ...Array<string>(4).fill('read-model-behind')]);
    for (const answer of answers) expectProblem(answer, 503, textAt(answer.body, 'code'));
    expect((await health).status).toBe(200);
    expect((await ledger.get(OPS, '/v1/assets')).status).toBe(200);
  });

  it('413 for a body over its limit, without reading it', async () => {
    const party = { partyId: ledger.id('p'), kind: 'person', externalRef: 'x'.repeat(1024) };
    expectProblem(await ledger.post(SERVICE, '/v1/parties', party), 413, 'payload-too-large');
    expectProblem(await ledger.ask({ method: 'POST', path: '/v1/parties', body: party }), 401, 'unauthenticated');
  });
});

/** The codes that no request of this file can bring about, and the file whose requests do. */
const ELSEWHERE: Partial<Record<ProblemCode, string>> = {
  'sanctions-hit-not-found': 'sanctions',
  'clearance-not-found': 'sanctions',
  'ground-not-established': 'release',
  'revision-conflict': 'faulty-store',
  'internal-error': 'faulty-store',
  'store-unavailable': '../recovery/full-disk',
  'clock-unreliable': 'store-and-clock',
  'shutting-down': 'sessions',
};

describe('the list of codes', () => {
  it('was gone through, here or elsewhere', () => {
    const missing = [...PROBLEM_KINDS.keys()].filter((code) => !seenCodes.has(code));
    expect(missing.sort()).toEqual(Object.keys(ELSEWHERE).sort());
    for (const [code, name] of Object.entries(ELSEWHERE)) {
      const text = readFileSync(new URL(`./${name}.e2e.spec.ts`, import.meta.url), 'utf8');
      expect(text).toMatch(new RegExp(`expectProblem\\([^;]*'${code}'`));
    }
  });
});
