import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  DEBIT_OF_ALL,
  endingOf,
  freezeOf,
  grantUnder,
  Ledger,
  OPS,
  orderOf,
  SERVICE,
  SHA256,
  wellDone,
  withdrawalOf,
  type Body,
  type Person,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

const ORDERS = '/v1/admin/legal-orders';
const BOTH: Person = { sub: 'one-person', roles: ['ops', 'approver'] };
const NOWHERE = '01900000-0000-7000-8000-000000000000';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

function releaseOf(orderId: string, releases: Body, more: Body = {}): Body {
  const { subjects: _, scope: __, ...rest } = orderOf(orderId, {});
  return { ...rest, effect: 'release', releases, ...more };
}
async function makeRelease(releases: Body, { verified = true, ...more }: Body = {}): Promise<string> {
  const orderId = ledger.id('rel');
  wellDone(await ledger.post(OPS, ORDERS, releaseOf(orderId, releases, more)), 'an order of release');
  if (verified === true) await ledger.verify(orderId);
  return orderId;
}
async function frozenAccount(): Promise<{
  readonly accountId: string;
  readonly freezeId: string;
  readonly basis: string;
}> {
  const accountId = await ledger.makeAccount({ btc: '1' });
  const basis = await ledger.makeVerifiedOrder({ accounts: [accountId] });
  return { accountId, basis, freezeId: await ledger.freeze(accountId, basis) };
}
const liftPath = (freezeId: string): string => `/v1/admin/freezes/${freezeId}/lift-requests`;
function ask(freezeId: string, orderId: string, more: Body = {}): Promise<Answer> {
  const requestId = ledger.id('lift');
  return ledger.post(OPS, liftPath(freezeId), { requestId, ground: 'release-ordered', orderId, ...more });
}
function approve(freezeId: string, requested: Answer, as = APPROVER): Promise<Answer> {
  const requestId = textAt(wellDone(requested, 'a request').body, 'liftRequest.requestId');
  return ledger.post(as, `${liftPath(freezeId)}/${requestId}/approval`, {});
}
async function withdrawalStatus(accountId: string): Promise<number> {
  const body = withdrawalOf(ledger.id('wd'), '0.1');
  return (await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, body)).status;
}
async function expectGroundRefused(answer: Answer, accountId: string, orderId: string): Promise<void> {
  expectProblem(answer, 422, 'ground-not-established');
  expect((await ledger.events(`account-${accountId}`)).at(-1)).toMatchObject({
    type: 'CommandRefused',
    data: { code: 'ground-not-established', decidedOn: { stream: `legalOrder-${orderId}` } },
  });
}

describe('an order of release', () => {
  it('lifts the freeze that it names, when two people act on it', async () => {
    const { accountId, freezeId, basis } = await frozenAccount();
    const orderId = await makeRelease({ freezeIds: [freezeId] });
    const requested = await ask(freezeId, orderId, { note: 'see the file' });
    expect(requested).toMatchObject({
      status: 201,
      body: {
        liftRequest: {
          ground: 'release-ordered',
          orderId,
          note: 'see the file',
          state: 'requested',
          requestedBy: OPS.sub,
        },
      },
    });
    expect(await withdrawalStatus(accountId)).toBe(423);
    const approved = await approve(freezeId, requested);
    expect(approved).toMatchObject({
      status: 200,
      body: { liftRequest: { ground: 'release-ordered', orderId, state: 'approved', decidedBy: APPROVER.sub } },
    });
    expect(await withdrawalStatus(accountId)).toBe(201);
    const [registered, verified] = await ledger.events(`legalOrder-${orderId}`);
    expect(registered?.data).toMatchObject({ effect: 'release', releases: { freezeIds: [freezeId] } });
    const citation = { stream: `legalOrder-${orderId}`, revision: '1', eventId: verified?.id };
    const lift = { ground: 'release-ordered', citation, requestedBy: OPS.sub, approvedBy: APPROVER.sub };
    expect(await ledger.read(OPS, `/v1/admin/freezes/${freezeId}`)).toMatchObject({ state: 'lifted', lift });
    const requestId = textAt(requested.body, 'liftRequest.requestId');
    expect(await ledger.read(OPS, `${liftPath(freezeId)}/${requestId}`)).toMatchObject({ state: 'approved', orderId });
    expect(await ledger.read(OPS, `${ORDERS}/${basis}`)).toMatchObject({ state: 'verified' });
    expectProblem(await ask(freezeId, orderId), 422, 'invalid-transition', { state: 'lifted' });
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
  });

  it('lifts any freeze of the account that it names, one by one, and no other', async () => {
    const { accountId, freezeId } = await frozenAccount();
    const second = await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const other = await frozenAccount();
    const orderId = await makeRelease({ accountIds: [accountId] });
    expect((await approve(freezeId, await ask(freezeId, orderId))).status).toBe(200);
    expect(await withdrawalStatus(accountId)).toBe(423);
    expect((await approve(second, await ask(second, orderId))).status).toBe(200);
    expect(await withdrawalStatus(accountId)).toBe(201);
    await expectGroundRefused(await ask(other.freezeId, orderId), other.accountId, orderId);
    expect(await withdrawalStatus(other.accountId)).toBe(423);
  });

  it('establishes nothing before it is verified, or is effective, nor after it expired or ended', async () => {
    const { accountId, freezeId } = await frozenAccount();
    const names = { freezeIds: [freezeId] };
    for (const more of [
      { verified: false },
      { effectiveAt: '2098-01-01T00:00:00Z' },
      { expiresAt: '2022-02-16T00:00:00Z' },
    ]) {
      const orderId = await makeRelease(names, more);
      await expectGroundRefused(await ask(freezeId, orderId), accountId, orderId);
    }
    const ended = await makeRelease(names);
    await ledger.discharge(ended);
    await expectGroundRefused(await ask(freezeId, ended), accountId, ended);
    const rejected = await makeRelease(names, { verified: false });
    wellDone(await ledger.post(APPROVER, `${ORDERS}/${rejected}/rejection`, { reason: 'no seal' }), 'a rejection');
    await expectGroundRefused(await ask(freezeId, rejected), accountId, rejected);
    await expectGroundRefused(await ask(freezeId, 'ord-nowhere'), accountId, 'ord-nowhere');
    const restraint = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    await expectGroundRefused(await ask(freezeId, restraint), accountId, restraint);
  });

  it('has to establish the ground still when the lift is approved', async () => {
    const { accountId, freezeId } = await frozenAccount();
    const orderId = await makeRelease({ freezeIds: [freezeId] });
    const requested = await ask(freezeId, orderId);
    const changeId = await ledger.proposeEnding(orderId);
    await expectGroundRefused(await approve(freezeId, requested), accountId, orderId);
    const path = `${ORDERS}/${orderId}/changes/${changeId}`;
    wellDone(await ledger.post(APPROVER, `${path}/rejection`, { reason: 'another case' }), 'a rejection');
    expect((await approve(freezeId, requested)).status).toBe(200);
    expect(await withdrawalStatus(accountId)).toBe(201);
    // What was lifted stays lifted when the order of release ends.
    await ledger.discharge(orderId);
    expect(await withdrawalStatus(accountId)).toBe(201);
  });

  it('is asked for and approved by two people, and answers a repeat as it did', async () => {
    const { accountId, freezeId } = await frozenAccount();
    const orderId = await makeRelease({ accountIds: [accountId] });
    const body = { requestId: ledger.id('lift'), ground: 'release-ordered', orderId };
    const requested = wellDone(await ledger.post(BOTH, liftPath(freezeId), body, { key: 'r' }), 'a request');
    expectProblem(await approve(freezeId, requested, BOTH), 422, 'maker-is-checker');
    const path = `${liftPath(freezeId)}/${body.requestId}/approval`;
    const approved = await ledger.post(APPROVER, path, {}, { key: 'a' });
    await ledger.discharge(orderId);
    expect(await ledger.post(BOTH, liftPath(freezeId), body, { key: 'r' })).toMatchObject({ body: requested.body });
    expect(await ledger.post(APPROVER, path, {}, { key: 'a' })).toMatchObject({ status: 200, body: approved.body });
  });

  it('is no basis: nothing is frozen or granted under it, and it names nobody', async () => {
    const { accountId } = await frozenAccount();
    const orderId = await makeRelease({ accountIds: [accountId] });
    const freeze = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    expectProblem(freeze, 422, 'basis-not-in-force');
    expectProblem(await ledger.post(OPS, `${ORDERS}/${orderId}/freezes`, {}), 422, 'basis-not-in-force');
    const requestId = await ledger.makeAuthorityRequest();
    const answer = await ledger.post(APPROVER, `/v1/admin/authority-requests/${requestId}/answer`, grantUnder(orderId));
    expectProblem(answer, 422, 'basis-not-in-force');
    const holder = valueAt(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`), 'holders.0.partyId');
    expect(await ledger.read(OPS, `/v1/parties/${String(holder)}`)).toMatchObject({ namedBy: [] });
  });

  it('is shown with what it releases, and found by the account', async () => {
    const { accountId, freezeId } = await frozenAccount();
    const releases = { freezeIds: [freezeId], accountIds: [accountId] };
    const orderId = ledger.id('rel');
    const registered = await ledger.post(OPS, ORDERS, releaseOf(orderId, releases));
    expect(registered).toMatchObject({ status: 201, body: { legalOrder: { orderId, effect: 'release', releases } } });
    const shown = await ledger.read(OPS, `${ORDERS}/${orderId}`);
    expect(shown).toEqual(valueAt(registered.body, 'legalOrder'));
    expect(shown).not.toHaveProperty('subjects');
    expect(shown).not.toHaveProperty('scope');
    for (const query of [`accountId=${accountId}`, `accountId=${accountId}&basisId=${orderId}`]) {
      const items = listAt(await ledger.read(OPS, `${ORDERS}?${query}`), 'items');
      expect(items.map((item) => valueAt(item, 'orderId'))).toContain(orderId);
    }
  });

  it('runs longer, and ends, as any order; but is not varied', async () => {
    const { accountId } = await frozenAccount();
    const orderId = await makeRelease({ accountIds: [accountId] }, { expiresAt: '2098-01-01T00:00:00Z' });
    const document = { documentSha256: SHA256, issuedAt: '2022-04-01T00:00:00Z', reference: 'r' };
    const extension = { changeId: 'longer', kind: 'extension', expiresAt: '2099-01-01T00:00:00Z', ...document };
    wellDone(await ledger.post(OPS, `${ORDERS}/${orderId}/changes`, extension), 'an extension');
    const path = `${ORDERS}/${orderId}/changes/longer/verification`;
    wellDone(await ledger.post(APPROVER, path, { method: 'called' }), 'an extension');
    expect(await ledger.read(OPS, `${ORDERS}/${orderId}`)).toMatchObject({ expiresAt: '2099-01-01T00:00:00.000Z' });
    const variation = { changeId: 'varied', kind: 'variation', scope: DEBIT_OF_ALL, ...document };
    const varied = await ledger.post(OPS, `${ORDERS}/${orderId}/changes`, variation);
    expect([400, 422]).toContain(varied.status);
    wellDone(await ledger.post(OPS, `${ORDERS}/${orderId}/changes`, endingOf('over')), 'an ending');
  });
});

describe('an order of release that is not right', () => {
  const wrong: [string, (accountId: string, freezeId: string) => Body, string][] = [
    ['releases nothing', () => ({ releases: {} }), 'releases.freezeIds'],
    ['says nothing of releases', () => ({ releases: undefined }), 'releases'],
    ['has an empty list', () => ({ releases: { accountIds: [] } }), 'releases.accountIds'],
    ['has a list of no ids', () => ({ releases: { accountIds: ['a b'] } }), 'releases.accountIds'],
    ['has freezes of no id', () => ({ releases: { freezeIds: ['fr-1'] } }), 'releases.freezeIds'],
    ['names an account twice', (id) => ({ releases: { accountIds: [id, id] } }), 'releases.accountIds'],
    ['releases a list', () => ({ releases: [] }), 'releases'],
    ['has a scope', () => ({ scope: DEBIT_OF_ALL }), 'scope'],
    ['has subjects', (accountId) => ({ subjects: [{ kind: 'account', accountId }] }), 'subjects'],
    ['has a claim group', () => ({ claimGroup: 'g' }), 'claimGroup'],
    ['has another effect', () => ({ effect: 'permit' }), 'effect'],
    ['restrains', () => ({ effect: 'restrain' }), 'subjects'],
    ['has no effect', () => ({ effect: undefined }), 'subjects'],
    ['expires before it is effective', () => ({ expiresAt: '2022-01-01T00:00:00Z' }), 'expiresAt'],
  ];
  it.each(wrong)('%s: 400', async (_name, more, field) => {
    const { accountId, freezeId } = await frozenAccount();
    const before = (await ledger.log()).length;
    const body = releaseOf(ledger.id('rel'), { accountIds: [accountId] }, more(accountId, freezeId));
    expectFieldRefused(await ledger.post(OPS, ORDERS, body), field);
    expect((await ledger.log()).length).toBe(before);
  });

  it('names a freeze or an account that there is not: 404', async () => {
    const post = (releases: Body): Promise<Answer> => ledger.post(OPS, ORDERS, releaseOf(ledger.id('rel'), releases));
    expectProblem(await post({ freezeIds: [NOWHERE] }), 404, 'freeze-not-found');
    expectProblem(await post({ accountIds: ['acc-nowhere'] }), 404, 'account-not-found');
  });

  it('a request names an order for this ground, a note for the other, and each only there', async () => {
    const { freezeId } = await frozenAccount();
    const post = (body: Body): Promise<Answer> => ledger.post(OPS, liftPath(freezeId), { requestId: 'r', ...body });
    expectFieldRefused(await post({ ground: 'release-ordered' }), 'orderId');
    expectFieldRefused(await post({ ground: 'release-ordered', orderId: 7 }), 'orderId');
    expectFieldRefused(await post({ ground: 'placed-in-error' }), 'note');
    expectFieldRefused(await post({ ground: 'placed-in-error', note: 'n', orderId: 'o' }), 'orderId');
    expectFieldRefused(await post({ ground: 'basis-ended', note: 'n' }), 'ground');
  });
});
