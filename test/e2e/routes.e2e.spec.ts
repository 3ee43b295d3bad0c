import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  DEBIT_OF_ALL,
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
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const UUID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const POSITION = expect.stringMatching(/^[A-Za-z0-9_-]+$/);
const STAMPS = { createdAt: TIME, updatedAt: TIME };

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

/** Expects the whole answer of a command: its status, its tag, its events in order, and one named thing. */
function expectStep(
  answer: Answer,
  status: 200 | 201,
  revision: number,
  types: readonly string[],
  thing: object,
): void {
  expect(answer.body).toEqual({
    streamRevision: String(revision),
    position: POSITION,
    events: types.map((type) => ({ id: UUID, type })),
    ...thing,
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.etag).toBe(`"${String(revision)}"`);
  expect(answer.headers).not.toHaveProperty('idempotent-replayed');
}

/** Expects that a GET gives this thing, with the revision of its stream as tag, once it is there. */
async function expectFound(path: string, after: Answer, thing: unknown): Promise<void> {
  const found = await ledger.get(OPS, `${path}?atLeast=${textAt(after.body, 'position')}`);
  expect(found.body).toEqual(thing);
  expect(found.status).toBe(200);
  expect(found.headers.etag).toBe(after.headers.etag);
}

/** Expects that pages of two and of three together are the whole list, which has these ids in this order. */
async function expectPages(path: string, idName: string, ids: readonly unknown[]): Promise<void> {
  const whole = listAt(await ledger.read(AUDITOR, path), 'items');
  expect(whole.map((item) => valueAt(item, idName))).toEqual(ids);
  expect(await ledger.readAllPages(AUDITOR, path, 2)).toEqual(whole);
  expect(await ledger.readAllPages(AUDITOR, path, 3)).toEqual(whole);
}

async function times<Result>(count: number, make: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let made = 0; made < count; made += 1) results.push(await make());
  return results;
}

/** Waits until the read models hold all that is in the log. */
async function readModelsLevel(): Promise<void> {
  const last = (await ledger.log()).at(-1);
  if (last !== undefined) await ledger.read(OPS, '/v1/assets', last.position);
}

describe('assets', () => {
  it('are registered, read and listed', async () => {
    const asset = { code: 'ETH', scale: 18, kind: 'crypto' };
    const registered = await ledger.post(OPS, '/v1/assets', asset);
    expectStep(registered, 201, 0, ['AssetRegistered'], { asset: { ...asset, ...STAMPS } });
    await expectFound('/v1/assets/ETH', registered, valueAt(registered.body, 'asset'));
    expect(listAt(await ledger.read(SERVICE, '/v1/assets'), 'items')).toContainEqual({ ...asset, ...STAMPS });
  });

  it('may have no decimals: amounts then have none either', async () => {
    await ledger.makeAsset('JPY', 0);
    const accountId = await ledger.makeAccount();
    const deposit = await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf('d', '7', 'JPY'));
    expect(textAt(deposit.body, 'deposit.amount')).toBe('7');
  });
});

describe('parties', () => {
  it('are registered, identified, read and found by their reference', async () => {
    const party = { partyId: ledger.id('p'), kind: 'organisation', externalRef: ledger.id('crm') };
    const path = `/v1/parties/${party.partyId}`;
    const registered = await ledger.post(SERVICE, '/v1/parties', party);
    expectStep(registered, 201, 0, ['PartyRegistered'], { party: { ...party, identification: null, ...STAMPS } });

    const evidence = { method: 'register extract', evidenceSha256: SHA256 };
    const identified = await ledger.post(SERVICE, `${path}/identification`, {
      ...evidence,
      identifiedAt: '2022-01-05T00:00:00Z',
    });
    const identification = { ...evidence, identifiedAt: '2022-01-05T00:00:00.000Z' };
    expectStep(identified, 200, 1, ['PartyIdentified'], { party: { ...party, identification, ...STAMPS } });
    expect(textAt(identified.body, 'party.createdAt')).toBe(textAt(registered.body, 'party.createdAt'));

    const whole = { ...party, identification, ...STAMPS, accounts: [], addresses: [], namedBy: [] };
    await expectFound(path, identified, whole);
    expect(await ledger.read(OPS, `/v1/parties?externalRef=${party.externalRef}`)).toEqual({
      items: [whole],
      nextCursor: null,
    });
    expect(await ledger.read(OPS, '/v1/parties?externalRef=nobody')).toEqual({ items: [], nextCursor: null });
  });

  it('show their accounts to all, and the bases that name them not to a service', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId });
    const orderId = await ledger.makeVerifiedOrder({ parties: [partyId] });
    const path = `/v1/parties/${partyId}`;
    const basis = { kind: 'legal-order', id: orderId };
    await until('the party to be named', async () => {
      const { length } = listAt(await ledger.read(AUDITOR, path), 'namedBy');
      return length === 0 ? undefined : length;
    });
    for (const person of [OPS, APPROVER, AUDITOR]) {
      expect(await ledger.read(person, path)).toMatchObject({ accounts: [accountId], namedBy: [basis] });
    }
    const seenByService = await ledger.read(SERVICE, path);
    expect(seenByService).toMatchObject({ accounts: [accountId] });
    expect(seenByService).not.toHaveProperty('namedBy');
  });
});

describe('accounts', () => {
  it('are opened, read and listed by holder, state and freeze', async () => {
    const [one, other] = [await ledger.makeParty(), await ledger.makeParty()];
    const accountId = ledger.id('acc');
    const holders = [
      { partyId: one, capacity: 'joint' },
      { partyId: other, capacity: 'beneficial' },
    ];
    const opened = await ledger.post(SERVICE, '/v1/accounts', { accountId, holders });
    const parts = { holders, state: 'open', balances: [], freezes: [] };
    const account = { accountId, ...parts, streamRevision: '0', position: POSITION, ...STAMPS };
    expectStep(opened, 201, 0, ['AccountOpened'], { account });
    await expectFound(`/v1/accounts/${accountId}`, opened, account);

    for (const filter of [`partyId=${one}`, `partyId=${other}`, `partyId=${one}&state=open&frozen=false`]) {
      expect(await ledger.read(SERVICE, `/v1/accounts?${filter}`)).toEqual({ items: [account], nextCursor: null });
    }
    for (const filter of [`partyId=${one}&frozen=true`, `partyId=${one}&state=closed`, 'partyId=nobody']) {
      expect(await ledger.read(SERVICE, `/v1/accounts?${filter}`)).toEqual({ items: [], nextCursor: null });
    }
  });

  it('take deposits in any number of assets and answer with full-scale amounts', async () => {
    const accountId = await ledger.makeAccount();
    const path = `/v1/accounts/${accountId}/deposits`;
    const deposit = depositOf('dep-btc', '0.5');
    const answer = await ledger.post(SERVICE, path, deposit);
    const untouched = { cause: null, reason: null, taken: null, shortfall: null };
    const shown = { accountId, ...deposit, amount: '0.50000000', state: 'deposited', ...untouched, ...STAMPS };
    expectStep(answer, 201, 1, ['FundsDeposited'], { deposit: shown });
    await expectFound(`${path}/dep-btc`, answer, shown);

    const source = { kind: 'bank', reference: 'camt-1', memo: 'rent' };
    const second = await ledger.post(SERVICE, path, { ...depositOf('dep-eur', '12', 'EUR'), source });
    expect(second.body).toMatchObject({ streamRevision: '2', deposit: { amount: '12.00', source } });
    const atLeast = textAt(second.body, 'position');
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`, atLeast)).toMatchObject({
      streamRevision: '2',
      position: atLeast,
      balances: [
        { asset: 'BTC', available: '0.50000000', reserved: '0.00000000', held: '0.00000000' },
        { asset: 'EUR', available: '12.00', reserved: '0.00', held: '0.00' },
      ],
    });
  });

  it('are closed when there is nothing in them, and opened again by a deposit', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const path = `/v1/accounts/${accountId}`;
    const closed = await ledger.post(SERVICE, `${path}/closure`, { reason: 'asked by the holder' });
    const account = {
      ...{ accountId, holders: [{ partyId: holder, capacity: 'owner' }], state: 'closed', balances: [], freezes: [] },
      ...{ streamRevision: '1', position: POSITION, ...STAMPS },
    };
    expectStep(closed, 200, 1, ['AccountClosed'], { account });
    await expectFound(path, closed, valueAt(closed.body, 'account'));
    const found = { items: [valueAt(closed.body, 'account')], nextCursor: null };
    expect(await ledger.read(SERVICE, `/v1/accounts?partyId=${holder}&state=closed`)).toEqual(found);
    const listed = listAt(await ledger.read(SERVICE, '/v1/accounts?state=closed'), 'items');
    expect(listed).toContainEqual(valueAt(closed.body, 'account'));

    const deposit = await ledger.post(SERVICE, `${path}/deposits`, depositOf('dep', '1'));
    expect(await ledger.read(SERVICE, path, textAt(deposit.body, 'position'))).toMatchObject({ state: 'open' });
    expect(await ledger.read(SERVICE, `/v1/accounts?partyId=${holder}&state=closed`)).toMatchObject({ items: [] });
  });

  it('take deposits back', async () => {
    const accountId = await ledger.makeAccount();
    const path = `/v1/accounts/${accountId}/deposits`;
    await ledger.post(SERVICE, path, depositOf('dep', '0.5'));
    const why = { cause: 'bank-recall', reason: 'recalled by the bank' };
    const answer = await ledger.post(SERVICE, `${path}/dep/reversal`, why);
    const outcome = { state: 'reversed', ...why, taken: '0.50000000', shortfall: '0.00000000' };
    const shown = { accountId, ...depositOf('dep', '0.5'), amount: '0.50000000', ...outcome, ...STAMPS };
    expectStep(answer, 200, 2, ['DepositReversed'], { deposit: shown });
    await expectFound(`${path}/dep`, answer, shown);
  });

  it('reserve, dispatch, settle and cancel withdrawals, and tell it all in the statement', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const path = `/v1/accounts/${accountId}/withdrawals`;
    const settled = withdrawalOf('wd-settled', '0.75');
    const cancelled = withdrawalOf('wd-cancelled', '1');
    const steps = { reference: null, reason: null, freezeId: null, ...STAMPS };
    const shown = { accountId, ...settled, amount: '0.75000000', ...steps };

    const reserved = await ledger.post(SERVICE, path, settled);
    expectStep(reserved, 201, 2, ['WithdrawalReserved'], { withdrawal: { ...shown, state: 'reserved' } });
    const dispatched = await ledger.post(SERVICE, `${path}/wd-settled/dispatch`, { reference: 'tx-1' });
    const sent = { ...shown, state: 'dispatched', reference: 'tx-1' };
    expectStep(dispatched, 200, 3, ['WithdrawalDispatched'], { withdrawal: sent });
    await ledger.post(SERVICE, path, cancelled);
    const done = await ledger.post(SERVICE, `${path}/wd-settled/settlement`, { reference: 'block-7' });
    const left = { ...shown, state: 'settled', reference: 'block-7' };
    expectStep(done, 200, 5, ['WithdrawalSettled'], { withdrawal: left });
    const undone = await ledger.post(SERVICE, `${path}/wd-cancelled/cancellation`, { reason: 'asked by the holder' });
    const back = {
      accountId,
      ...cancelled,
      amount: '1.00000000',
      ...steps,
      state: 'cancelled',
      reason: 'asked by the holder',
    };
    expectStep(undone, 200, 6, ['WithdrawalCancelled'], { withdrawal: back });

    await expectFound(`${path}/wd-cancelled`, undone, back);
    expect(await ledger.read(SERVICE, `${path}?state=settled`)).toEqual({ items: [left], nextCursor: null });
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`)).toMatchObject({
      balances: [{ asset: 'BTC', available: '1.25000000', reserved: '0.00000000', held: '0.00000000' }],
    });
    const entries = listAt(await ledger.read(SERVICE, `/v1/accounts/${accountId}/entries`), 'items');
    const lines = entries.map((entry) =>
      ['revision', 'ledgerAccount', 'amount', 'balance'].map((name) => textAt(entry, name)).join(' '),
    );
    expect(lines).toEqual([
      '1 available 2.00000000 2.00000000',
      '2 available -0.75000000 1.25000000',
      '2 reserved 0.75000000 0.75000000',
      '4 available -1.00000000 0.25000000',
      '4 reserved 1.00000000 1.75000000',
      '5 reserved -0.75000000 1.00000000',
      '6 reserved -1.00000000 0.00000000',
      '6 available 1.00000000 1.25000000',
    ]);
    expect(entries[0]).toMatchObject({
      accountId,
      type: 'FundsDeposited',
      asset: 'BTC',
      eventId: UUID,
      recordedAt: TIME,
    });
  });
});

describe('transfers', () => {
  it('are sent, and read under their sender as they went on', async () => {
    const [from, to] = [await ledger.makeAccount({ btc: '3' }), await ledger.makeAccount()];
    const path = `/v1/accounts/${from}/transfers`;
    const sent = await ledger.post(SERVICE, path, transferOf('tr-1', to, '0.5'));
    const transfer = { accountId: from, ...transferOf('tr-1', to, '0.50000000'), reason: null, ...STAMPS };
    expectStep(sent, 201, 2, ['TransferSent'], { transfer: { ...transfer, state: 'sent' } });
    const received = await until('the other account', async () =>
      (await ledger.events(`account-${to}`)).find(({ type }) => type === 'TransferReceived'),
    );
    const shown = await ledger.get(OPS, `${path}/tr-1?atLeast=${received.position}`);
    expect(shown.body).toEqual({ ...transfer, state: 'received' });
    expect(shown.headers.etag).toBe('"2"');

    await ledger.post(SERVICE, path, transferOf('tr-2', to, '1'));
    await ledger.post(SERVICE, path, transferOf('tr-3', to, '1'));
    await readModelsLevel();
    await expectPages(path, 'transferId', ['tr-3', 'tr-2', 'tr-1']);
    const none = { items: [], nextCursor: null };
    expect(await ledger.read(SERVICE, `${path}?state=returned`)).toEqual(none);
    expect(await ledger.read(SERVICE, `/v1/accounts/${to}/transfers`)).toEqual(none);
  });
});

describe('legal orders', () => {
  it('are registered and verified by two people', async () => {
    const accountId = await ledger.makeAccount();
    const more = { underlyingRequest: 'MLA-7', expiresAt: '2099-01-01T00:00:00Z' };
    const body = orderOf(ledger.id('ord'), { accounts: [accountId], more });
    const path = `/v1/admin/legal-orders/${textAt(body, 'orderId')}`;
    const registered = await ledger.post(OPS, '/v1/admin/legal-orders', body);
    const order = {
      ...body,
      effect: 'restrain',
      issuedAt: '2022-02-14T00:00:00.000Z',
      receivedAt: '2022-02-15T00:00:00.000Z',
      effectiveAt: '2022-02-15T00:00:00.000Z',
      expiresAt: '2099-01-01T00:00:00.000Z',
      state: 'registered',
      registeredBy: OPS.sub,
      verification: null,
      rejection: null,
      endedAt: null,
      changes: [],
      ...STAMPS,
    };
    expectStep(registered, 201, 0, ['LegalOrderRegistered'], { legalOrder: order });

    const note = 'by telephone, with the clerk';
    const verified = await ledger.post(APPROVER, `${path}/verification`, { method: 'called the court', note });
    const verification = { method: 'called the court', note, verifiedBy: APPROVER.sub, verifiedAt: TIME };
    const inForce = { ...order, state: 'verified', verification };
    expectStep(verified, 200, 1, ['LegalOrderVerified'], { legalOrder: inForce });
    await expectFound(path, verified, inForce);
  });

  it('are rejected, and found by account, party, id and state', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId });
    const ofAccount = await ledger.makeOrder({ accounts: [accountId] });
    const ofParty = await ledger.makeOrder({ parties: [partyId] });
    const answer = await ledger.post(APPROVER, `/v1/admin/legal-orders/${ofParty}/rejection`, { reason: 'no seal' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      events: [{ type: 'LegalOrderRejected' }],
      legalOrder: { state: 'rejected', rejection: { reason: 'no seal', rejectedBy: APPROVER.sub, rejectedAt: TIME } },
    });
    const atLeast = textAt(answer.body, 'position');
    const found = async (filter: string): Promise<unknown[]> => {
      const page = await ledger.read(AUDITOR, `/v1/admin/legal-orders?${filter}`, atLeast);
      return listAt(page, 'items').map((item) => valueAt(item, 'orderId'));
    };
    expect(await found(`accountId=${accountId}`)).toEqual([ofParty, ofAccount]);
    expect(await found(`partyId=${partyId}`)).toEqual([ofParty]);
    expect(await found(`basisId=${ofAccount}`)).toEqual([ofAccount]);
    expect(await found(`partyId=${partyId}&state=rejected`)).toEqual([ofParty]);
    expect(await found(`basisId=${ofAccount}&state=rejected`)).toEqual([]);
  });

  it('end by a change that two people made; a rejected change leaves them in force', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const path = `/v1/admin/legal-orders/${orderId}`;
    const ending = { ...endingOf('chg-1'), how: 'set-aside' };
    const proposed = await ledger.post(OPS, `${path}/changes`, ending);
    const change = { orderId, ...ending, issuedAt: '2022-04-01T00:00:00.000Z', proposedBy: OPS.sub, ...STAMPS };
    const open = { ...change, state: 'proposed', decidedBy: null, reason: null };
    expectStep(proposed, 201, 2, ['LegalOrderChangeProposed'], { change: open });
    const rejected = await ledger.post(APPROVER, `${path}/changes/chg-1/rejection`, { reason: 'another case' });
    const turnedDown = { ...change, state: 'rejected', decidedBy: APPROVER.sub, reason: 'another case' };
    expectStep(rejected, 200, 3, ['LegalOrderChangeRejected'], { change: turnedDown });
    await expectFound(`${path}/changes/chg-1`, rejected, turnedDown);
    expect(await ledger.read(OPS, path)).toMatchObject({ state: 'verified', endedAt: null, changes: [turnedDown] });

    await ledger.post(OPS, `${path}/changes`, { ...ending, changeId: 'chg-2' });
    const verified = await ledger.post(APPROVER, `${path}/changes/chg-2/verification`, {
      method: 'read the court file',
    });
    const decided = { ...change, changeId: 'chg-2', state: 'verified', decidedBy: APPROVER.sub, reason: null };
    expectStep(verified, 200, 5, ['LegalOrderEnded'], { change: decided });
    const ended = await ledger.read(OPS, path, textAt(verified.body, 'position'));
    expect(ended).toMatchObject({ state: 'set-aside', endedAt: TIME, changes: [turnedDown, decided] });
  });
});

describe('freezes', () => {
  it('stop what is reserved, let what is dispatched settle, and are read by id and by filter', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId, btc: '3' });
    const stopped = await ledger.makeWithdrawal(accountId, '1');
    const inFlight = await ledger.makeWithdrawal(accountId, '0.5');
    await ledger.dispatch(accountId, inFlight);
    const orderId = await ledger.makeVerifiedOrder({ parties: [partyId] });

    const scope = { direction: 'debit', assets: ['BTC'] };
    const body = { ...freezeOf(orderId, scope), blockedFrom: '2022-02-15T00:00:00Z' };
    const answer = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, body);
    const freezeId = textAt(answer.body, 'freeze.freezeId');
    const freeze = {
      freezeId,
      accountId,
      state: 'in-force',
      scope,
      basis: { kind: 'legal-order', id: orderId },
      citation: { stream: `legalOrder-${orderId}`, revision: '2', eventId: freezeId },
      placedBy: OPS.sub,
      placedAt: TIME,
      blockedFrom: '2022-02-15T00:00:00.000Z',
      balancesAtFreeze: [{ asset: 'BTC', available: '1.50000000', reserved: '1.50000000', held: '0.00000000' }],
      stopped: [stopped],
      inFlight: [inFlight],
      lift: null,
      ...STAMPS,
    };
    expectStep(answer, 201, 6, ['FreezeAuthorised', 'AccountFrozen', 'WithdrawalStopped'], { freeze });
    expect(textAt(answer.body, 'events.0.id')).toBe(freezeId);
    await expectFound(`/v1/admin/freezes/${freezeId}`, answer, freeze);
    for (const filter of [`accountId=${accountId}`, `partyId=${partyId}`, `basisId=${orderId}`]) {
      for (const state of ['', '&state=in-force']) {
        const page = await ledger.read(AUDITOR, `/v1/admin/freezes?${filter}${state}`);
        expect(page).toEqual({ items: [freeze], nextCursor: null });
      }
      expect(listAt(await ledger.read(AUDITOR, `/v1/admin/freezes?${filter}&state=lifted`), 'items')).toEqual([]);
    }

    const path = `/v1/accounts/${accountId}/withdrawals`;
    expect(await ledger.read(SERVICE, `${path}/${stopped}`)).toMatchObject({ state: 'stopped', freezeId });
    const settled = await ledger.post(SERVICE, `${path}/${inFlight}/settlement`, { reference: 'block-9' });
    expect(settled.body).toMatchObject({ streamRevision: '7', withdrawal: { state: 'settled' } });
    expect(await ledger.makeDeposit(accountId, '1')).toEqual(POSITION);
  });

  it('are seen whole by ops, approvers and auditors, and by a service only for what they cover', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    await readModelsLevel();
    const amounts = { asset: 'BTC', available: '2.00000000', reserved: '0.00000000', held: '0.00000000' };
    const seenByAll = { freezeId, direction: 'debit', assets: 'all' };
    const path = `/v1/accounts/${accountId}`;
    expect(await ledger.read(SERVICE, path)).toMatchObject({ balances: [amounts], freezes: [seenByAll] });
    const [shown] = listAt(await ledger.read(SERVICE, path), 'freezes');
    expect(shown).toEqual(seenByAll);
    expect(valueAt(await ledger.read(SERVICE, path), 'balances.0')).toEqual(amounts);

    const seenWhole = { ...seenByAll, scope: DEBIT_OF_ALL, basis: { kind: 'legal-order', id: orderId } };
    for (const person of [OPS, APPROVER, AUDITOR]) {
      const account = await ledger.read(person, path);
      expect(valueAt(account, 'balances')).toEqual([{ ...amounts, frozen: '2.00000000' }]);
      expect(valueAt(account, 'freezes')).toEqual([seenWhole]);
    }
    const [listed] = listAt(await ledger.read(SERVICE, `/v1/accounts?frozen=true`), 'items').filter(
      (item) => valueAt(item, 'accountId') === accountId,
    );
    expect(listed).toMatchObject({ freezes: [seenByAll] });
  });

  it('end when their order ends, pointing to the event that ended it', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    await ledger.discharge(orderId);
    const lifted = await until('the lift', async () => {
      const freeze = await ledger.read(AUDITOR, `/v1/admin/freezes/${freezeId}`);
      return valueAt(freeze, 'state') === 'lifted' ? freeze : undefined;
    });
    const ending = (await ledger.events(`legalOrder-${orderId}`)).find(({ type }) => type === 'LegalOrderEnded');
    expect(valueAt(lifted, 'lift')).toEqual({
      ground: 'basis-ended',
      citation: { stream: `legalOrder-${orderId}`, revision: ending?.revision, eventId: ending?.id },
      requestedBy: OPS.sub,
      approvedBy: APPROVER.sub,
      liftedAt: TIME,
    });
    expect(await ledger.makeWithdrawal(accountId, '1')).toMatch(/./);
  });

  it('are lifted on request when they were placed in error, once another person approves', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId, btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    const path = `/v1/admin/freezes/${freezeId}/lift-requests`;
    const asked = { freezeId, accountId, ground: 'placed-in-error', orderId: null, requestedBy: OPS.sub, ...STAMPS };

    const first = await ledger.post(OPS, path, liftRequestOf('lift-1'));
    const open = { ...asked, ...liftRequestOf('lift-1'), state: 'requested', decidedBy: null, reason: null };
    expectStep(first, 201, 3, ['LiftRequested'], { liftRequest: open });
    const rejected = await ledger.post(APPROVER, `${path}/lift-1/rejection`, {
      reason: 'the account is the right one',
    });
    const turnedDown = { ...open, state: 'rejected', decidedBy: APPROVER.sub, reason: 'the account is the right one' };
    expectStep(rejected, 200, 4, ['LiftRejected'], { liftRequest: turnedDown });
    await expectFound(`${path}/lift-1`, rejected, turnedDown);

    await ledger.post(OPS, path, liftRequestOf('lift-2'));
    const approved = await ledger.post(APPROVER, `${path}/lift-2/approval`, { note: 'seen in the file' });
    const granted = { ...open, requestId: 'lift-2', state: 'approved', decidedBy: APPROVER.sub };
    expectStep(approved, 200, 6, ['AccountUnfrozen'], { liftRequest: granted });

    const atLeast = textAt(approved.body, 'position');
    const page = await ledger.read(OPS, `/v1/admin/lift-requests?accountId=${accountId}`, atLeast);
    expect(page).toEqual({ items: [granted, turnedDown], nextCursor: null });
    const ofFreeze = await ledger.read(OPS, `/v1/admin/lift-requests?freezeId=${freezeId}&state=approved`);
    expect(ofFreeze).toEqual({ items: [granted], nextCursor: null });
    expect(await ledger.read(OPS, `/v1/admin/lift-requests?partyId=${partyId}`)).toEqual(page);
    const ofAnother = await ledger.read(OPS, `/v1/admin/lift-requests?partyId=${await ledger.makeParty()}`);
    expect(ofAnother).toEqual({ items: [], nextCursor: null });
    const [, , , , , request] = await ledger.events(`account-${accountId}`);
    expect(await ledger.read(OPS, `/v1/admin/freezes/${freezeId}`)).toMatchObject({
      state: 'lifted',
      lift: {
        ground: 'placed-in-error',
        citation: { stream: `account-${accountId}`, revision: '5', eventId: request?.id },
        requestedBy: OPS.sub,
        approvedBy: APPROVER.sub,
      },
    });
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`)).toMatchObject({ freezes: [] });
  });

  it('let no debit through once they are in the log, however many are under way', async () => {
    const accountId = await ledger.makeAccount({ btc: '100' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const path = `/v1/accounts/${accountId}/withdrawals`;
    const reserved = await times(20, () => ledger.makeWithdrawal(accountId, '1'));
    const freeze = (): Promise<Answer> =>
      ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    const debits = reserved.flatMap((withdrawalId, index) => [
      (): Promise<Answer> => ledger.post(SERVICE, `${path}/${withdrawalId}/dispatch`, { reference: 'tx' }),
      (): Promise<Answer> => ledger.post(SERVICE, path, withdrawalOf(`late-${String(index)}`, '1')),
    ]);
    const early = debits.slice(0, 12).map((send) => send());
    const answers = await Promise.all([...early, freeze(), ...debits.slice(12).map((send) => send())]);
    const allowed = [200, 201, 'account-frozen', 'invalid-transition'];
    expect(
      answers
        .map(({ status, body }) => valueAt(body, 'code') ?? status)
        .filter((code) => !allowed.includes(code as number)),
    ).toEqual([]);

    const events = await ledger.events(`account-${accountId}`);
    const frozenAt = events.findIndex(({ type }) => type === 'AccountFrozen');
    expect(frozenAt).toBeGreaterThan(0);
    const later = events.slice(frozenAt + 1).map(({ type }) => type);
    expect(later.filter((type) => type !== 'WithdrawalStopped' && type !== 'CommandRefused')).toEqual([]);
    const idsOf = (wanted: string): unknown[] =>
      events.filter(({ type }) => type === wanted).map(({ data }) => data['withdrawalId']);
    expect(events[frozenAt]?.data['inFlight']).toEqual(expect.arrayContaining(idsOf('WithdrawalDispatched')));
    const ended = [...idsOf('WithdrawalDispatched'), ...idsOf('WithdrawalStopped')];
    expect(ended.sort()).toEqual(idsOf('WithdrawalReserved').sort());
  });

  it('of two orders stack: the lift of one leaves the other', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const first = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const second = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const lifted = await ledger.freeze(accountId, first);
    const staying = await ledger.freeze(accountId, second);
    const withdraw = (): Promise<Answer> =>
      ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('wd', '1'));
    const both = await withdraw();
    expectProblem(both, 423, 'account-frozen');
    expect([...listAt(both.body, 'freezeIds')].sort()).toEqual([lifted, staying].sort());
    const requestId = await ledger.requestLift(lifted);
    await ledger.post(APPROVER, `/v1/admin/freezes/${lifted}/lift-requests/${requestId}/approval`, {});
    expectProblem(await withdraw(), 423, 'account-frozen', { freezeIds: [staying] });
  });
});

describe('authority requests', () => {
  const LETTERS = '/v1/admin/authority-requests';

  it('are registered, granted under an order in force, and say for good where it was', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const body = letterOf(ledger.id('req'));
    const path = `${LETTERS}/${textAt(body, 'requestId')}`;
    const registered = await ledger.post(OPS, LETTERS, body);
    const letter = { ...body, receivedAt: '2022-02-28T09:00:00.000Z', registeredBy: OPS.sub, ...STAMPS };
    const open = { ...letter, state: 'registered', answer: null };
    expectStep(registered, 201, 0, ['AuthorityRequestRegistered'], { authorityRequest: open });
    await expectFound(path, registered, open);

    await ledger.freeze(accountId, orderId);
    const granted = await ledger.post(APPROVER, `${path}/answer`, grantUnder(orderId));
    const answer = {
      ...grantUnder(orderId),
      inForceAt: { stream: `legalOrder-${orderId}`, revision: '2' },
      answeredBy: APPROVER.sub,
      answeredAt: TIME,
    };
    const answered = { ...letter, state: 'granted', answer };
    expectStep(granted, 200, 1, ['AuthorityRequestAnswered'], { authorityRequest: answered });
    await ledger.discharge(orderId);
    await expectFound(path, granted, answered);
    expectProblem(
      await ledger.post(APPROVER, `${path}/answer`, { outcome: 'refused', reason: 'r' }),
      422,
      'invalid-transition',
      {
        state: 'granted',
      },
    );
  });

  it('are refused, or taken back, and found by state and by the basis of their answer', async () => {
    const orderId = await ledger.makeVerifiedOrder({ accounts: [await ledger.makeAccount()] });
    const [refused, withdrawn, citing, open] = await times(4, () => ledger.makeAuthorityRequest());
    const answer = (requestId = '', body: object = {}): Promise<Answer> =>
      ledger.post(APPROVER, `${LETTERS}/${requestId}/answer`, { reason: 'no instrument', ...body });
    const bare = { basis: null, inForceAt: null, reason: 'no instrument' };
    expect((await answer(refused, { outcome: 'refused' })).body).toMatchObject({
      authorityRequest: { state: 'refused', answer: { outcome: 'refused', ...bare } },
    });
    expect((await answer(withdrawn, { outcome: 'withdrawn' })).body).toMatchObject({
      authorityRequest: { state: 'withdrawn', answer: { outcome: 'withdrawn', ...bare } },
    });
    const { basis } = grantUnder(orderId);
    const last = await answer(citing, { outcome: 'refused', basis });
    expect(last.body).toMatchObject({ authorityRequest: { state: 'refused', answer: { basis } } });

    const atLeast = textAt(last.body, 'position');
    const found = async (filter: string): Promise<unknown[]> => {
      const page = await ledger.read(AUDITOR, `${LETTERS}?${filter}`, atLeast);
      return listAt(page, 'items').map((item) => valueAt(item, 'requestId'));
    };
    expect((await found('state=registered')).slice(0, 1)).toEqual([open]);
    expect((await found('state=refused')).slice(0, 2)).toEqual([citing, refused]);
    expect((await found('state=withdrawn')).slice(0, 1)).toEqual([withdrawn]);
    expect(await found(`basisId=${orderId}`)).toEqual([citing]);
    expect(await found(`basisId=${orderId}&state=granted`)).toEqual([]);
    // A letter names no account and no party: it is words.
    for (const name of ['accountId', 'partyId']) {
      expectProblem(await ledger.get(OPS, `${LETTERS}?${name}=x`), 400, 'malformed-request');
    }
  });
});

describe('the trial balance', () => {
  /** Minor units of a signed decimal. */
  const units = (decimal: string): bigint => BigInt(decimal.replace('.', ''));

  it('moves as postings do, sums to zero, and is what the accounts hold', async () => {
    const line = async (atLeast: string): Promise<unknown> => {
      const { items } = (await ledger.read(OPS, '/v1/trial-balance', atLeast)) as { items: readonly unknown[] };
      const registered = listAt(await ledger.read(OPS, '/v1/assets'), 'items').map((asset) => textAt(asset, 'code'));
      expect(items.map((item) => valueAt(item, 'asset'))).toEqual(registered.toSorted());
      for (const item of items) expect(textAt(item, 'sum')).toMatch(/^0(\.0+)?$/);
      return items.find((item) => valueAt(item, 'asset') === 'GBP');
    };
    await ledger.makeAsset('GBP', 2);
    const [one, other] = [await ledger.makeAccount(), await ledger.makeAccount()];
    const zeros = { external: '0.00', available: '0.00', reserved: '0.00', held: '0.00', transit: '0.00', sum: '0.00' };
    const paidIn = await ledger.makeDeposit(one, '100', 'GBP');
    await ledger.makeDeposit(other, '50.5', 'GBP');
    expect(await line(paidIn)).toMatchObject({ asset: 'GBP', sum: '0.00' });
    const path = `/v1/accounts/${other}/withdrawals`;
    await ledger.post(SERVICE, path, withdrawalOf('stays', '0.5', 'GBP'));
    await ledger.post(SERVICE, path, withdrawalOf('leaves', '20', 'GBP'));
    await ledger.dispatch(other, 'leaves');
    const settled = await ledger.post(SERVICE, `${path}/leaves/settlement`, { reference: 'r' });
    const moved = { external: '-130.50', available: '130.00', reserved: '0.50' };
    expect(await line(textAt(settled.body, 'position'))).toEqual({ asset: 'GBP', ...zeros, ...moved });

    const inside = new Map<string, bigint>();
    for (const account of await ledger.readAllPages(AUDITOR, '/v1/accounts', 500)) {
      for (const balance of listAt(account, 'balances')) {
        for (const part of ['available', 'reserved', 'held']) {
          const name = `${textAt(balance, 'asset')} ${part}`;
          inside.set(name, (inside.get(name) ?? 0n) + units(textAt(balance, part)));
        }
      }
    }
    for (const item of listAt(await ledger.read(AUDITOR, '/v1/trial-balance'), 'items')) {
      for (const part of ['available', 'reserved', 'held']) {
        const name = `${textAt(item, 'asset')} ${part}`;
        expect([name, units(textAt(item, part))]).toEqual([name, inside.get(name) ?? 0n]);
      }
    }
  });

  it('is not there before the position that is asked for', async () => {
    expectProblem(
      await ledger.get(AUDITOR, `/v1/trial-balance?atLeast=${ledger.farPosition}`),
      503,
      'read-model-behind',
    );
  });
});

describe('lists', () => {
  it('give the same whole in pages of any size, newest first', async () => {
    const partyId = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder: partyId });
    const accounts = [accountId, ...(await times(4, () => ledger.makeAccount({ holder: partyId })))];
    const deposits = Array.from({ length: 5 }, (_, index) => `dep-${String(index)}`);
    for (const depositId of deposits) {
      await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(depositId, '1'));
    }
    const withdrawals = await times(5, () => ledger.makeWithdrawal(accountId, '0.5'));
    const orders = await times(5, () => ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const freezes: string[] = [];
    for (const orderId of orders) freezes.push(await ledger.freeze(accountId, orderId));
    const [freezeId = ''] = freezes;
    const requests = await times(5, () => ledger.requestLift(freezeId));
    const letters = await times(5, () => ledger.makeAuthorityRequest());
    const externalRef = ledger.id('crm');
    const parties = Array.from({ length: 5 }, () => ledger.id('p'));
    for (const id of parties) await ledger.post(SERVICE, '/v1/parties', { partyId: id, kind: 'person', externalRef });
    await readModelsLevel();

    await expectPages(`/v1/accounts?partyId=${partyId}`, 'accountId', accounts.toReversed());
    await expectPages(`/v1/parties?externalRef=${externalRef}`, 'partyId', parties.toReversed());
    await expectPages(`/v1/accounts/${accountId}/deposits`, 'depositId', deposits.toReversed());
    await expectPages(`/v1/accounts/${accountId}/withdrawals`, 'withdrawalId', withdrawals.toReversed());
    await expectPages(`/v1/admin/legal-orders?accountId=${accountId}`, 'orderId', orders.toReversed());
    await expectPages(`/v1/admin/freezes?accountId=${accountId}`, 'freezeId', freezes.toReversed());
    await expectPages(`/v1/admin/lift-requests?freezeId=${freezeId}`, 'requestId', requests.toReversed());
    const whole = listAt(await ledger.read(AUDITOR, '/v1/admin/authority-requests'), 'items');
    expect(whole.slice(0, 5).map((item) => valueAt(item, 'requestId'))).toEqual(letters.toReversed());
    expect(await ledger.readAllPages(AUDITOR, '/v1/admin/authority-requests', 2)).toEqual(whole);
  });

  it('give statements and the audit in order', async () => {
    const accountId = await ledger.makeAccount({ btc: '5' });
    await times(3, () => ledger.makeWithdrawal(accountId, '1'));
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    await ledger.freeze(accountId, orderId);
    await times(3, () => ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('wd', '1')));
    await readModelsLevel();
    const events = await ledger.events(`account-${accountId}`);
    expect(events).toHaveLength(12);
    const revisions = events.map(({ revision }) => revision);
    await expectPages(`/v1/audit/streams/account-${accountId}`, 'revision', revisions);
    await expectPages(`/v1/audit/events?stream=account-${accountId}`, 'revision', revisions);
    const entries = listAt(await ledger.read(AUDITOR, `/v1/accounts/${accountId}/entries`), 'items');
    expect(entries.map((entry) => Number(textAt(entry, 'revision')))).toEqual([1, 2, 2, 3, 3, 4, 4, 6, 6, 7, 7, 8, 8]);
    expect(await ledger.readAllPages(AUDITOR, `/v1/accounts/${accountId}/entries`, 2)).toEqual(entries);

    const refusals = await ledger.readAllPages(AUDITOR, '/v1/audit/refusals', 2);
    const mine = refusals.filter((refusal) => valueAt(refusal, 'stream') === `account-${accountId}`);
    expect(mine.map((refusal) => valueAt(refusal, 'revision'))).toEqual(['9', '10', '11']);
    expect(refusals.map((refusal) => textAt(refusal, 'position'))).toEqual(
      refusals.map((refusal) => textAt(refusal, 'position')).sort(),
    );
  });

  it('take limits from 1 to 500', async () => {
    for (const limit of ['1', '500']) expect((await ledger.get(OPS, `/v1/assets?limit=${limit}`)).status).toBe(200);
    for (const limit of ['0', '501', '-1', '1.5', 'all', '', '01']) {
      expectProblem(await ledger.get(OPS, `/v1/assets?limit=${limit}`), 400, 'malformed-request');
    }
    for (const cursor of ['', '!', 'bm9uc2Vuc2U', '%00']) {
      expectProblem(await ledger.get(OPS, `/v1/parties?cursor=${cursor}`), 400, 'malformed-request');
    }
  });
});

describe('reading', () => {
  it('at least at a position finds what was written there, every time', async () => {
    const accountId = await ledger.makeAccount();
    for (let count = 1; count <= 25; count += 1) {
      const atLeast = await ledger.makeDeposit(accountId, '1');
      expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`, atLeast)).toMatchObject({
        streamRevision: String(count),
        balances: [{ available: `${String(count)}.00000000` }],
      });
    }
  });

  it('takes atLeast on every list, and refuses what is no position', async () => {
    for (const path of ['/v1/assets', '/v1/parties', '/v1/accounts', '/v1/admin/legal-orders', '/v1/audit/events']) {
      expect((await ledger.get(AUDITOR, `${path}?atLeast=${ledger.firstPosition}`)).status).toBe(200);
      expectProblem(await ledger.get(AUDITOR, `${path}?atLeast=soon`), 400, 'malformed-request');
    }
  });

  it('answers HEAD as GET, without a body', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    await readModelsLevel();
    const path = `/v1/accounts/${accountId}`;
    const got = await ledger.get(SERVICE, path);
    const head = await ledger.ask({ as: SERVICE, method: 'HEAD', path });
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(head.headers.etag).toBe(got.headers.etag);
    expect(head.headers['content-length']).toBe(got.headers['content-length']);
    expect((await ledger.ask({ method: 'HEAD', path })).status).toBe(401);
    expect((await ledger.ask({ as: SERVICE, method: 'HEAD', path: '/v1/accounts/nobody' })).status).toBe(404);
  });
});

describe('the audit', () => {
  it('gives the log as recorded, from a position on, by type and by stream', async () => {
    const accountId = await ledger.makeAccount({ btc: '0.5' });
    await ledger.makeWithdrawal(accountId, '0.25');
    const stream = `account-${accountId}`;
    const whole = listAt(await ledger.read(AUDITOR, `/v1/audit/streams/${stream}`), 'items');
    expect(whole).toEqual(await ledger.events(stream));
    const deposited = {
      position: POSITION,
      stream,
      revision: '1',
      id: UUID,
      type: 'FundsDeposited',
      schemaVersion: 1,
      data: expect.objectContaining({ accountId, asset: 'BTC', amount: '50000000' }),
      metadata: expect.objectContaining({ actor: { id: SERVICE.sub, roles: ['service'] }, recordedAt: TIME }),
    };
    expect(whole[1]).toEqual(deposited);

    const events = async (query: string): Promise<readonly unknown[]> =>
      listAt(await ledger.read(AUDITOR, `/v1/audit/events?stream=${stream}&${query}`), 'items');
    const first = textAt(whole[0], 'position');
    expect(await events(`after=${first}`)).toEqual(whole.slice(1));
    expect(await events(`after=${first}&limit=1`)).toEqual(whole.slice(1, 2));
    expect(await events('types=FundsDeposited')).toEqual([whole[1]]);
    expect(await events('types=AccountOpened,WithdrawalReserved')).toEqual([whole[0], whole[2]]);
    expect(await events('types=NoSuchType')).toEqual([]);
    const everything = await ledger.log();
    expect(everything.map(({ position }) => position)).toEqual(everything.map(({ position }) => position).sort());
  });

  it('streams the log as lines: all of it, or up to a limit', async () => {
    const accountId = await ledger.makeAccount();
    for (let count = 0; count < 5; count += 1) await ledger.makeDeposit(accountId, '1');
    const lines = async (query: string): Promise<readonly string[]> => {
      const answer = await ledger.get(AUDITOR, `/v1/audit/events?${query}`, { accept: 'application/x-ndjson' });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^application\/x-ndjson/);
      expect(answer.text.endsWith('\n')).toBe(true);
      return answer.text.trimEnd().split('\n');
    };
    const stream = `stream=account-${accountId}`;
    const asLines = (await lines(stream)).map((line) => JSON.parse(line) as unknown);
    expect(asLines).toEqual(listAt(await ledger.read(AUDITOR, `/v1/audit/events?${stream}`), 'items'));
    expect(asLines).toHaveLength(6);
    expect(await lines(`${stream}&limit=4`)).toHaveLength(4);
    expect((await lines('')).length).toBeGreaterThan(50);
  });

  it('replays an account as of a position and as of a time, inclusive, as an auditor sees it', async () => {
    const accountId = await ledger.makeAccount();
    const path = `/v1/audit/accounts/${accountId}`;
    await ledger.makeDeposit(accountId, '1');
    await nextMillisecond();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    await nextMillisecond();
    await ledger.makeDeposit(accountId, '2');
    const events = await ledger.events(`account-${accountId}`);
    const moments = ['position', 'metadata.recordedAt'].map((name) => events.map((event) => textAt(event, name)));
    for (const [opened = '', paid = '', frozen = '', last = ''] of moments) {
      expect(await ledger.read(AUDITOR, `${path}?at=${opened}`)).toMatchObject({ streamRevision: '0', balances: [] });
      expect(await ledger.read(AUDITOR, `${path}?at=${paid}`)).toMatchObject({
        streamRevision: '1',
        position: moments[0]?.[1],
        balances: [{ available: '1.00000000', frozen: '0.00000000' }],
        freezes: [],
      });
      expect(await ledger.read(AUDITOR, `${path}?at=${frozen}`)).toMatchObject({
        streamRevision: '2',
        balances: [{ available: '1.00000000', frozen: '1.00000000' }],
        freezes: [{ freezeId, basis: { id: orderId } }],
      });
      expect(await ledger.read(AUDITOR, `${path}?at=${last}`)).toEqual(await ledger.read(AUDITOR, path));
    }
    await readModelsLevel();
    expect(await ledger.read(AUDITOR, path)).toEqual(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`));
    expectProblem(await ledger.get(AUDITOR, `${path}?at=2022-01-01T00:00:00Z`), 404, 'account-not-found');
    expectProblem(await ledger.get(AUDITOR, `${path}?at=yesterday`), 400, 'malformed-request');
  });

  it('gives the freezes in force as of a position and as of a time, as the register had them', async () => {
    const accounts = [await ledger.makeAccount({ btc: '1' }), await ledger.makeAccount()];
    const [kept = '', ended = ''] = await times(2, () => ledger.makeVerifiedOrder({ accounts }));
    const register: (readonly unknown[])[] = [];
    const moments: Readonly<Record<'position' | 'time', string>>[] = [];
    /** What the register says now, and when that was. */
    const note = async (): Promise<void> => {
      await readModelsLevel();
      const last = (await ledger.log()).at(-1);
      moments.push({ position: last?.position ?? '', time: textAt(last, 'metadata.recordedAt') });
      const all = await ledger.readAllPages(AUDITOR, '/v1/admin/freezes?state=in-force', 500);
      register.push(all.toReversed());
      await nextMillisecond();
    };
    await note();
    for (const [index, accountId] of accounts.entries()) {
      await ledger.freeze(accountId, ended);
      await ledger.freeze(accountId, kept, index === 0 ? { direction: 'debit', assets: ['BTC'] } : undefined);
      await note();
    }
    const requestId = await ledger.requestLift(textAt(register.at(-1)?.at(-1), 'freezeId'));
    const lifted = textAt(register.at(-1)?.at(-1), 'freezeId');
    await ledger.post(APPROVER, `/v1/admin/freezes/${lifted}/lift-requests/${requestId}/approval`, {});
    await note();
    await ledger.discharge(ended);
    await until('the lifts', async () => {
      const left = listAt(await ledger.read(AUDITOR, `/v1/admin/freezes?basisId=${ended}&state=in-force`), 'items');
      return left.length === 0 ? true : undefined;
    });
    await note();

    const before = register[0]?.length ?? 0;
    expect(register.map(({ length }) => length - before)).toEqual([0, 2, 4, 3, 1]);
    for (const [index, { position, time }] of moments.entries()) {
      for (const at of [position, time]) {
        const asOfThen = await ledger.readAllPages(AUDITOR, `/v1/audit/freezes?at=${at}`, 500);
        expect([index, at, asOfThen]).toEqual([index, at, register[index] ?? []]);
      }
    }
    const now = await ledger.readAllPages(AUDITOR, '/v1/audit/freezes', 500);
    expect(now).toEqual(register.at(-1));
    expect(now.at(-1)).toMatchObject({ accountId: accounts[0], basis: { kind: 'legal-order', id: kept }, lift: null });
    expect(await ledger.readAllPages(AUDITOR, '/v1/audit/freezes', 2)).toEqual(now);
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/freezes?at=2022-01-01T00:00:00Z'), 'items')).toEqual([]);
    for (const query of ['at=yesterday', 'cursor=nonsense', 'limit=0']) {
      expectProblem(await ledger.get(AUDITOR, `/v1/audit/freezes?${query}`), 400, 'malformed-request');
    }
    expectProblem(await ledger.get(AUDITOR, `/v1/audit/freezes?at=${ledger.farPosition}`), 503, 'read-model-behind');
  });

  it('lists refusals with all that a report needs, and no violations', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const order = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, order);
    const withdrawal = withdrawalOf('wd', '1');
    await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawal);
    await readModelsLevel();
    const refusals = await ledger.readAllPages(AUDITOR, '/v1/audit/refusals', 500);
    expect(refusals.at(-1)).toEqual({
      stream: `account-${accountId}`,
      revision: '3',
      position: POSITION,
      eventId: UUID,
      command: 'ReserveWithdrawal',
      code: 'account-frozen',
      detail: expect.stringMatching(/./),
      extra: { freezeIds: [freezeId] },
      request: { accountId, ...withdrawal },
      decidedOn: null,
      actor: SERVICE.sub,
      recordedAt: TIME,
    });
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toEqual({ items: [], nextCursor: null });
  });
});

describe('operations', () => {
  it('need no token', async () => {
    const live = await ledger.ask({ path: '/health/live' });
    expect([live.status, live.body]).toEqual([200, { status: 'ok' }]);
    const ready = await ledger.ask({ path: '/health/ready' });
    expect([ready.status, valueAt(ready.body, 'status')]).toEqual([200, 'ok']);
    const metrics = await ledger.ask({ path: '/metrics' });
    expect(metrics.status).toBe(200);
    expect(metrics.text).toMatch(/^writ_commands_total\{type="Deposit",outcome="accepted"\} [1-9]/m);
    expect(metrics.text).toMatch(/^writ_violations 0$/m);
    expect(metrics.text).toMatch(/^writ_http_request_duration_seconds_count\{.*route="\/v1\/accounts"/m);
  });

  it('serve the OpenAPI document and its pages, which ask no other host', async () => {
    const document = await ledger.ask({ path: '/openapi.json' });
    expect(document.status).toBe(200);
    expect(textAt(document.body, 'openapi')).toBe('3.1.0');
    const page = await ledger.ask({ path: '/docs' });
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    const scripts = [...page.text.matchAll(/<script[^>]+src="([^"]+)"/g)].map(([, source = '']) => source);
    expect(scripts).not.toEqual([]);
    for (const source of scripts) {
      const { pathname } = new URL(source, `${ledger.service.url}/docs`);
      expect([pathname, (await ledger.ask({ path: pathname })).status]).toEqual([pathname, 200]);
    }
  });
});

describe('the document', () => {
  it('lists no route that was not asked here', () => {
    // Hits, linked addresses, tasks and freezes of all that an order names have files of their own, which ask for all of theirs.
    const elsewhere = /\/sanctions-hits|\/addresses$|\/tasks$|\/legal-orders\/[^/]+\/freezes$/;
    const here = ledger.contract.routes.filter((route) => !elsewhere.test(route));
    expect(here.filter((route) => !ledger.contract.answered.has(route))).toEqual([]);
    expect(ledger.contract.routes.length).toBeGreaterThan(40);
  });
});

/** So that what comes next is recorded later. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  await until('the clock to go on', () => Promise.resolve(Date.now() > now ? true : undefined));
}
