import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  DEBIT_OF_ALL,
  endingOf,
  freezeOf,
  Ledger,
  OPS,
  SERVICE,
  withdrawalOf,
  type Person,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const ORDERS = '/v1/admin/legal-orders';
const BITCOIN = { direction: 'debit', assets: ['BTC'] } as const;
const keeping = (BTC: string): object => ({ direction: 'debit', assets: ['BTC'], limits: { BTC } });
const account = (accountId: string): object => ({ kind: 'account', accountId });

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

function propose(orderId: string, changeId: string, what: object): Promise<Answer> {
  const { how: _, ...document } = endingOf(changeId) as Record<string, unknown>;
  return ledger.post(OPS, `${ORDERS}/${orderId}/changes`, { ...document, kind: 'variation', ...what });
}
function decide(
  orderId: string,
  changeId: string,
  step: 'verification' | 'rejection',
  as: Person = APPROVER,
): Promise<Answer> {
  const body = step === 'verification' ? { method: 'sealed copy' } : { reason: 'no seal' };
  return ledger.post(as, `${ORDERS}/${orderId}/changes/${changeId}/${step}`, body);
}
async function vary(orderId: string, what: object): Promise<Answer> {
  const changeId = ledger.id('chg');
  expect((await propose(orderId, changeId, what)).status).toBe(201);
  const answer = await decide(orderId, changeId, 'verification');
  expect(answer.status).toBe(200);
  return answer;
}
const tryFreeze = (accountId: string, orderId: string): Promise<Answer> =>
  ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
const reserve = (accountId: string, amount: string): Promise<Answer> =>
  ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(ledger.id('wd'), amount));
/** What is found once all is in it that stands in the log: what follows a variation comes after its own position. */
const readNow = async (as: Person, path: string): Promise<unknown> =>
  ledger.read(as, path, (await ledger.log()).at(-1)?.position);
const readFreeze = (freezeId: string): Promise<unknown> => readNow(OPS, `/v1/admin/freezes/${freezeId}`);

describe('a verified variation', () => {
  it('that narrows is followed before the answer: the same freeze, with the scope and citation of now', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    const before = (await readFreeze(freezeId)) as { placedAt: string; blockedFrom: string; placedBy: string };
    const then = textAt(await readNow(OPS, `/v1/accounts/${accountId}`), 'position');
    expectProblem(await reserve(accountId, '0.5'), 423, 'account-frozen');
    await vary(orderId, { scope: keeping('1.5') });
    expect((await reserve(accountId, '0.5')).status).toBe(201);
    expectProblem(await reserve(accountId, '0.1'), 423, 'account-frozen');

    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '1.50000000' } };
    const { placedAt, blockedFrom, placedBy } = before;
    const shown = await readFreeze(freezeId);
    expect(shown).toMatchObject({ freezeId, state: 'in-force', scope, placedAt, blockedFrom, placedBy });
    expect(textAt(shown, 'citation.eventId')).not.toBe(freezeId);
    expect(await readNow(AUDITOR, `/v1/accounts/${accountId}`)).toMatchObject({ freezes: [{ freezeId, scope }] });
    expect(await readNow(OPS, `${ORDERS}/${orderId}`)).toMatchObject({ scope });

    const asOf = async (at: string): Promise<unknown> =>
      listAt(await readNow(AUDITOR, `/v1/audit/freezes?limit=500${at}`), 'items').find(
        (each) => valueAt(each, 'freezeId') === freezeId,
      );
    expect(await asOf(`&at=${then}`)).toMatchObject({ scope: DEBIT_OF_ALL, citation: { eventId: freezeId } });
    expect(await asOf('')).toMatchObject({ scope, citation: valueAt(shown, 'citation') });
  });

  it('that widens stops what is reserved', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: keeping('0.5') } });
    const freezeId = await ledger.freeze(accountId, orderId);
    const withdrawalId = await ledger.makeWithdrawal(accountId, '1');
    await vary(orderId, { scope: BITCOIN });
    expect(await readNow(SERVICE, `/v1/accounts/${accountId}/withdrawals/${withdrawalId}`)).toMatchObject({
      state: 'stopped',
    });
    expectProblem(await reserve(accountId, '0.1'), 423, 'account-frozen');
    expect(await readFreeze(freezeId)).toMatchObject({ scope: BITCOIN, stopped: [withdrawalId], inFlight: [] });
  });

  it('that drops an account ends its freeze, and one that restores it lets it be frozen again', async () => {
    const [accountId, other] = [await ledger.makeAccount({ btc: '2' }), await ledger.makeAccount()];
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId, other] });
    const freezeId = await ledger.freeze(accountId, orderId);
    const answer = await vary(orderId, { subjects: [account(other)] });
    const lift = { ground: 'basis-varied', requestedBy: OPS.sub, approvedBy: APPROVER.sub };
    expect(await readFreeze(freezeId)).toMatchObject({
      state: 'lifted',
      lift: { ...lift, citation: { eventId: textAt(listAt(answer.body, 'events')[0], 'id') } },
    });
    expect((await reserve(accountId, '1')).status).toBe(201);
    expectProblem(await tryFreeze(accountId, orderId), 422, 'basis-does-not-name-account');
    const names = async (id: string): Promise<number> =>
      listAt(await readNow(OPS, `${ORDERS}?accountId=${id}`), 'items').length;
    expect([await names(accountId), await names(other)]).toEqual([0, 1]);

    await vary(orderId, { subjects: [account(accountId), account(other)] });
    expect(await readFreeze(freezeId)).toMatchObject({ state: 'lifted' });
    expect(await names(accountId)).toBe(1);
    expect((await tryFreeze(accountId, orderId)).status).toBe(201);
  });

  it('that adds a party names it: no account opens for it', async () => {
    const [accountId, partyId] = [await ledger.makeAccount(), await ledger.makeParty()];
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    await vary(orderId, { subjects: [account(accountId), { kind: 'party', partyId }] });
    const opening = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
    expectProblem(await ledger.post(SERVICE, '/v1/accounts', opening), 422, 'party-named-by-basis');
    await vary(orderId, { subjects: [account(accountId)] });
    expect((await ledger.post(SERVICE, '/v1/accounts', { ...opening, accountId: ledger.id('acc') })).status).toBe(201);
  });

  it('may come before the order is effective', async () => {
    const accountId = await ledger.makeAccount();
    const more = { effectiveAt: '2099-01-01T00:00:00.000Z' };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more });
    const answer = await vary(orderId, { scope: keeping('1') });
    const change = { kind: 'variation', state: 'verified', scope: { limits: { BTC: '1.00000000' } } };
    expect(valueAt(answer.body, 'change')).toMatchObject(change);
    expectProblem(await tryFreeze(accountId, orderId), 422, 'basis-not-in-force');
  });
});

describe('a proposed variation', () => {
  it('changes nothing, and holds up no freeze', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const answer = await propose(orderId, 'chg-1', { scope: keeping('0.5') });
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '0.50000000' } };
    expect(answer).toMatchObject({ status: 201, body: { change: { kind: 'variation', state: 'proposed', scope } } });
    expect(valueAt(answer.body, 'change')).not.toHaveProperty('subjects');
    expect(await readNow(OPS, `${ORDERS}/${orderId}/changes/chg-1`)).toMatchObject({ scope });
    const freezeId = await ledger.freeze(accountId, orderId);
    expect(await readFreeze(freezeId)).toMatchObject({ scope: DEBIT_OF_ALL });
  });

  it('is verified and rejected by another person than who proposed it, and once', async () => {
    const both: Person = { sub: 'both-1', roles: ['ops', 'approver'] };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [await ledger.makeAccount()] });
    const { how: _, ...document } = endingOf('chg-1') as Record<string, unknown>;
    const body = { ...document, kind: 'variation', scope: keeping('1') };
    expect((await ledger.post(both, `${ORDERS}/${orderId}/changes`, body)).status).toBe(201);
    expectProblem(await decide(orderId, 'chg-1', 'verification', both), 422, 'maker-is-checker');
    const rejected = await decide(orderId, 'chg-1', 'rejection');
    expect(rejected).toMatchObject({ status: 200, body: { change: { state: 'rejected', reason: 'no seal' } } });
    expectProblem(await decide(orderId, 'chg-1', 'verification'), 422, 'invalid-transition');
    expect(await readNow(OPS, `${ORDERS}/${orderId}`)).toMatchObject({ scope: DEBIT_OF_ALL });
  });

  it('is not possible for an order that is not verified, has ended or has expired', async () => {
    const accounts = [await ledger.makeAccount()];
    const registered = await ledger.makeOrder({ accounts });
    const ended = await ledger.makeVerifiedOrder({ accounts });
    await ledger.discharge(ended);
    const expired = await ledger.makeVerifiedOrder({ accounts, more: { expiresAt: '2022-03-01T00:00:00.000Z' } });
    for (const [orderId, state] of [
      [registered, 'registered'],
      [ended, 'discharged'],
      [expired, 'expired'],
    ] as const) {
      const answer = await propose(orderId, 'chg-9', { scope: keeping('1') });
      expectProblem(answer, 422, 'invalid-transition');
      expect(valueAt(answer.body, 'state')).toBe(state);
    }
    expectProblem(await propose('ord-none', 'chg-1', { scope: keeping('1') }), 404, 'legal-order-not-found');
  });

  it.each<[string, object, string]>([
    ['nothing', {}, 'subjects'],
    ['nobody', { subjects: [] }, 'subjects'],
    ['one twice', { subjects: [account('acc-x'), account('acc-x')] }, 'subjects.1'],
    ['a nationality', { subjects: [{ kind: 'nationality', code: 'RU' }] }, 'subjects.0.kind'],
    ['a direction that there is not', { scope: { direction: 'sideways', assets: 'all' } }, 'scope.direction'],
    ['a limit of a credit', { scope: { direction: 'credit', assets: 'all', limits: { BTC: '1' } } }, 'scope.limits'],
    ['a limit of nothing', { scope: keeping('0') }, 'scope.limits.BTC'],
    ['too many decimals', { scope: keeping('0.123456789') }, 'scope.limits.BTC'],
    ['an expiry', { scope: keeping('1'), expiresAt: '2099-01-01T00:00:00Z' }, 'expiresAt'],
    ['an ending', { scope: keeping('1'), how: 'revoked' }, 'how'],
    ['null', { scope: null }, 'scope'],
  ])('of %s is refused by name', async (_what, body, field) => {
    const orderId = await ledger.makeVerifiedOrder({ accounts: [await ledger.makeAccount()] });
    const answer = await propose(orderId, 'chg-1', body);
    expectProblem(answer, 400, 'malformed-request');
    expect(listAt(answer.body, 'errors').map((error) => textAt(error, 'field'))).toEqual([field]);
  });

  it('names only whom there is, and is known by its id', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const subjects = [account('acc-none')];
    expectProblem(await propose(orderId, 'chg-1', { subjects }), 404, 'account-not-found');
    const unknown = { subjects: [{ kind: 'party', partyId: 'p-none' }] };
    expectProblem(await propose(orderId, 'chg-1', unknown), 404, 'party-not-found');
    const noAsset = { scope: { direction: 'debit', assets: 'all', limits: { NONE: '1' } } };
    expectProblem(await propose(orderId, 'chg-1', noAsset), 404, 'asset-not-found');
    expect((await propose(orderId, 'chg-1', { subjects: [account(accountId)] })).status).toBe(201);
    expectProblem(await propose(orderId, 'chg-1', { scope: keeping('1') }), 409, 'already-exists');
  });
});

it('leaves nothing in the log that should not be', async () => {
  expect(listAt(await readNow(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
});
