import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listAt, textAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  clearanceOf,
  freezeUnderHit,
  Ledger,
  OPS,
  SERVICE,
  until,
  wellDone,
  type Body,
  type Person,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const BOTH: Person = { sub: 'second', roles: ['ops', 'approver'] };
const NOBODY = {
  accountId: null,
  partyId: null,
  basis: null,
  freezeId: null,
  changeId: null,
  clearanceId: null,
  requestId: null,
  transferId: null,
};

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

/** What waits for somebody, as the filter narrows it, newest first. */
async function waiting(waitsFor: string, filter: string): Promise<readonly Body[]> {
  return listAt(await ledger.read(OPS, `/v1/admin/tasks?waitsFor=${waitsFor}&${filter}`), 'items') as Body[];
}

/** True once the supervisor has done all that follows from what was done: naming parties comes after a verification. */
async function idle(): Promise<true | undefined> {
  return (await waiting('supervisor', 'limit=500')).length === 0 ? true : undefined;
}

/** What waits for a person. */
async function tasks(filter: string): Promise<readonly Body[]> {
  await until('the supervisor to be done', idle);
  return waiting('person', filter);
}

const kindsOf = (found: readonly Body[]): readonly unknown[] => found.map(({ kind }) => kind);
const order = (id: string): Body => ({ kind: 'legal-order', id });

async function post(as: Person, path: string, body: Body): Promise<unknown> {
  return wellDone(await ledger.post(as, `/v1/admin/${path}`, body), path).body;
}

describe('what waits for a person', () => {
  it('an order, until it is verified or rejected', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeOrder({ accounts: [accountId] });
    const [task, ...others] = await tasks(`basisId=${orderId}`);
    expect(others).toEqual([]);
    const registered = await ledger.events(`legalOrder-${orderId}`);
    expect(task).toEqual({
      ...NOBODY,
      taskId: `verify-legal-order/${String(registered[0]?.id)}`,
      kind: 'verify-legal-order',
      waitsFor: 'person',
      basis: order(orderId),
      since: registered[0]?.metadata['recordedAt'],
      position: registered[0]?.position,
    });
    await ledger.verify(orderId);
    expect(kindsOf(await tasks(`basisId=${orderId}`))).toEqual(['freeze-account']);
    const rejected = await ledger.makeOrder({ accounts: [accountId] });
    await post(APPROVER, `legal-orders/${rejected}/rejection`, { reason: 'no seal' });
    expect(await tasks(`basisId=${rejected}`)).toEqual([]);
  });

  it('a change, until it is decided or the order has ended', async () => {
    const accountId = await ledger.makeAccount();
    const expiresAt = '2098-01-01T00:00:00Z';
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { expiresAt } });
    await ledger.freeze(accountId, orderId);
    const [rejected, verified] = [await ledger.proposeEnding(orderId), await ledger.proposeEnding(orderId)];
    const extension = { changeId: 'ext-1', kind: 'extension', expiresAt: '2099-01-01T00:00:00Z' };
    const document = { documentSha256: 'b'.repeat(64), issuedAt: '2022-04-01T00:00:00Z', reference: 'r' };
    await post(OPS, `legal-orders/${orderId}/changes`, { ...extension, ...document });
    const changes = async (): Promise<unknown> =>
      (await tasks(`basisId=${orderId}&kind=decide-change`)).map(({ changeId }) => changeId);
    expect(await changes()).toEqual(['ext-1', verified, rejected]);
    await post(APPROVER, `legal-orders/${orderId}/changes/${rejected}/rejection`, { reason: 'forged' });
    expect(await changes()).toEqual(['ext-1', verified]);
    await post(APPROVER, `legal-orders/${orderId}/changes/${verified}/verification`, { method: 'called' });
    expect(await changes()).toEqual([]);
  });

  it('a hit and its clearance', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId });
    const hitId = await ledger.makeHit(partyId);
    const basis = { kind: 'sanctions-hit', id: hitId };
    expect(await tasks(`partyId=${partyId}`)).toMatchObject([
      { ...NOBODY, kind: 'decide-sanctions-hit', partyId, basis },
    ]);
    await post(APPROVER, `sanctions-hits/${hitId}/confirmation`, {});
    expect(await tasks(`partyId=${partyId}`)).toMatchObject([{ kind: 'freeze-account', accountId, partyId, basis }]);
    await post(OPS, `accounts/${accountId}/freezes`, freezeUnderHit(hitId));
    expect(await tasks(`partyId=${partyId}`)).toEqual([]);
    await post(OPS, `sanctions-hits/${hitId}/clearances`, clearanceOf('clr-a'));
    await post(OPS, `sanctions-hits/${hitId}/clearances`, clearanceOf('clr-b'));
    const clearances = await tasks(`basisId=${hitId}`);
    expect(clearances).toMatchObject([{ clearanceId: 'clr-b' }, { clearanceId: 'clr-a', kind: 'decide-clearance' }]);
    await post(APPROVER, `sanctions-hits/${hitId}/clearances/clr-a/approval`, {});
    expect(await tasks(`basisId=${hitId}`)).toEqual([]);
  });

  it('a lift request, and after it the account that its basis still names', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    const requestId = await ledger.requestLift(freezeId);
    const task = { ...NOBODY, kind: 'decide-lift-request', accountId, freezeId, requestId, basis: order(orderId) };
    expect(await tasks(`accountId=${accountId}`)).toMatchObject([task]);
    const approved = await post(APPROVER, `freezes/${freezeId}/lift-requests/${requestId}/approval`, {});
    const position = textAt(approved, 'position');
    expect(await tasks(`accountId=${accountId}`)).toMatchObject([{ kind: 'freeze-account', accountId, position }]);
    await ledger.freeze(accountId, orderId);
    expect(await tasks(`accountId=${accountId}`)).toEqual([]);
  });

  it('a lift request is moot once the freeze has ended otherwise', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    await ledger.requestLift(await ledger.freeze(accountId, orderId));
    await ledger.discharge(orderId);
    expect(await tasks(`accountId=${accountId}`)).toEqual([]);
  });

  it('a letter, until it is answered', async () => {
    const requestId = await ledger.makeAuthorityRequest();
    const open = async (): Promise<unknown> =>
      (await tasks('kind=answer-authority-request')).map((task) => task['requestId']);
    expect(await open()).toEqual([requestId]);
    await post(APPROVER, `authority-requests/${requestId}/answer`, { outcome: 'refused', reason: 'no instrument' });
    expect(await open()).toEqual([]);
  });
});

describe('an account that a basis in force names', () => {
  it('waits to be frozen once, in however many ways it is named', async () => {
    const [one, other] = [await ledger.makeParty(), await ledger.makeParty()];
    const accountId = ledger.id('acc');
    const holders = [one, other].map((partyId) => ({ partyId, capacity: 'joint' }));
    wellDone(await ledger.post(SERVICE, '/v1/accounts', { accountId, holders }), 'an account');
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], parties: [one, other] });
    const itself = { kind: 'freeze-account', accountId, partyId: null, basis: order(orderId) };
    for (const filter of [`basisId=${orderId}`, `accountId=${accountId}`, `partyId=${one}`, `partyId=${other}`]) {
      expect([filter, await tasks(filter)]).toMatchObject([filter, [itself]]);
    }
    const through = await ledger.makeVerifiedOrder({ parties: [one, other] });
    const [task, ...others] = await tasks(`basisId=${through}`);
    expect(others).toEqual([]);
    expect([one, other]).toContain(task?.['partyId']);
    await ledger.freeze(accountId, orderId);
    expect(await tasks(`basisId=${orderId}`)).toEqual([]);
    expect(await tasks(`basisId=${through}`)).toEqual([task]);
    await ledger.freeze(accountId, through);
    expect(await tasks(`accountId=${accountId}`)).toEqual([]);
  });

  it('waits no longer when the basis has ended', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], parties: [holder] });
    expect(kindsOf(await tasks(`basisId=${orderId}`))).toEqual(['freeze-account']);
    await ledger.discharge(orderId);
    expect(await tasks(`basisId=${orderId}`)).toEqual([]);
  });

  it('waits from when the order is effective until its time has run out', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const effectiveAt = new Date(Date.now() + 2_000).toISOString();
    const expiresAt = new Date(Date.now() + 6_000).toISOString();
    const more = { effectiveAt, expiresAt };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more });
    expect(await tasks(`basisId=${orderId}`)).toEqual([]);
    const due = await until('the order to be effective', async () => (await tasks(`basisId=${orderId}`))[0]);
    expect(due).toMatchObject({ kind: 'freeze-account', accountId, since: effectiveAt });
    await until('the order to run out', async () =>
      (await tasks(`basisId=${orderId}`)).length === 0 ? true : undefined,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  });

  it('of a hit for a lesser measure does not wait', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const entry = { uid: '1', sha256: 'c'.repeat(64), name: 'X', programmes: ['P'], measure: 'trading-ban' };
    await ledger.makeConfirmedHit(holder, { entry });
    expect(await tasks(`accountId=${accountId}`)).toEqual([]);
  });

  it('through an address that its holder controls', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const address = { chain: 'bitcoin', address: `bc1q${holder}` };
    const link = { ...address, role: 'holder-controlled' };
    wellDone(await ledger.post(SERVICE, `/v1/parties/${holder}/addresses`, link), 'a link');
    const hitId = await ledger.makeConfirmedHit(holder, { subject: { kind: 'address', ...address } });
    const found = await until('the naming', async () => (await tasks(`basisId=${hitId}`))[0]);
    expect(found).toMatchObject({ kind: 'freeze-account', accountId, partyId: holder });
  });
});

describe('what waits for the supervisor', () => {
  it('is done soon after each step', async () => {
    const [from, to] = [await ledger.makeAccount({ btc: '1' }), await ledger.makeAccount()];
    const transfer = { transferId: 't-1', to, asset: 'BTC', amount: '1' };
    wellDone(await ledger.post(SERVICE, `/v1/accounts/${from}/transfers`, transfer), 'a transfer');
    expect(await until('nothing to be left', idle)).toBe(true);
    const path = `/v1/accounts/${from}/transfers/t-1`;
    expect(await ledger.read(OPS, path)).toMatchObject({ state: 'received' });
  });
});

describe('the list of tasks', () => {
  it('comes in pages, newest first, and each is there once', async () => {
    const parties = [await ledger.makeParty(), await ledger.makeParty()];
    const accounts: string[] = [];
    for (const holder of [...parties, ...parties]) accounts.push(await ledger.makeAccount({ holder }));
    const orderId = await ledger.makeVerifiedOrder({ accounts, parties });
    await until('the supervisor to be done', idle);
    const whole = await ledger.readAllPages(OPS, `/v1/admin/tasks?basisId=${orderId}`, 500);
    expect(whole.map((task) => textAt(task, 'accountId')).sort()).toEqual([...accounts].sort());
    expect(await ledger.readAllPages(OPS, `/v1/admin/tasks?basisId=${orderId}`, 3)).toEqual(whole);
    const positions = (await ledger.readAllPages(OPS, '/v1/admin/tasks', 2)).map((task) => textAt(task, 'position'));
    expect(positions).toEqual([...positions].sort().reverse());
  });

  it('narrows to who has to do it, and to a kind', async () => {
    const all = listAt(await ledger.read(AUDITOR, '/v1/admin/tasks?limit=500'), 'items') as Body[];
    const toFreeze = all.filter(({ kind }) => kind === 'freeze-account');
    expect(toFreeze.length).toBeGreaterThan(0);
    expect(await tasks('kind=freeze-account&limit=500')).toEqual(toFreeze);
    expect(await waiting('supervisor', 'kind=freeze-account')).toEqual([]);
  });

  it.each([
    ['kind', 'kind=anything'],
    ['waitsFor', 'waitsFor=nobody'],
    ['state', 'state=open'],
    ['accountId', 'accountId=-'],
    ['partyId', 'partyId='],
    ['basisId', 'basisId=a%20b'],
    ['limit', 'limit=0'],
    ['limit', 'limit=501'],
    ['cursor', 'cursor=nonsense'],
    ['atLeast', 'atLeast=1'],
  ])('says what is wrong with %s: %s', async (field, query) => {
    const answer = await ledger.get(BOTH, `/v1/admin/tasks?${query}`);
    expectProblem(answer, 400, 'malformed-request');
    expect(listAt(answer.body, 'errors')).toMatchObject([{ field }]);
  });

  it('is for people of oversight alone', async () => {
    expectProblem(await ledger.get(SERVICE, '/v1/admin/tasks'), 403, 'forbidden');
    for (const as of [OPS, APPROVER, AUDITOR]) expect((await ledger.get(as, '/v1/admin/tasks')).status).toBe(200);
  });
});
