import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
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
  until,
  withdrawalOf,
  type Body,
  type Person,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

/** Expects that an answer repeats an earlier one, word for word, and says so. */
function expectReplay(repeat: Answer, first: Answer): void {
  expect(repeat.text).toBe(first.text);
  expect(repeat.status).toBe(first.status);
  expect(repeat.headers.etag).toBe(first.headers.etag);
  expect(repeat.headers['idempotent-replayed']).toBe('true');
}

const deposits = (accountId: string): string => `/v1/accounts/${accountId}/deposits`;
const withdrawals = (accountId: string): string => `/v1/accounts/${accountId}/withdrawals`;
const typesOf = async (stream: string): Promise<readonly string[]> =>
  (await ledger.events(stream)).map(({ type }) => type);

describe('a repeat', () => {
  /** Sends a command, then the same again under another correlation id: the log must not grow by that. */
  async function sendTwice(as: Person, path: string, body: unknown): Promise<Answer> {
    const key = ledger.id('key');
    const first = await ledger.post(as, path, body, { key });
    expect([200, 201]).toContain(first.status);
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    await ledger.newEvents();
    const repeat = await ledger.post(as, path, body, { key, headers: { 'x-correlation-id': 'second-attempt' } });
    expectReplay(repeat, first);
    expect(repeat.headers['x-correlation-id']).toBe('second-attempt');
    expect(await ledger.newEvents()).toEqual([]);
    return first;
  }

  it('of every command answers as the first did and happens once', async () => {
    const partyId = ledger.id('p');
    await sendTwice(OPS, '/v1/assets', { code: 'XAG', scale: 3, kind: 'crypto' });
    await sendTwice(SERVICE, '/v1/parties', { partyId, kind: 'person', externalRef: 'crm:1' });
    const identification = { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-05T00:00:00Z' };
    await sendTwice(SERVICE, `/v1/parties/${partyId}/identification`, identification);
    const accountId = ledger.id('acc');
    await sendTwice(SERVICE, '/v1/accounts', { accountId, holders: [{ partyId, capacity: 'owner' }] });
    await sendTwice(SERVICE, `/v1/accounts/${accountId}/closure`, { reason: 'asked by the holder' });
    await sendTwice(SERVICE, deposits(accountId), depositOf('dep', '5'));
    await sendTwice(SERVICE, deposits(accountId), depositOf('recalled', '5'));
    const other = await ledger.makeAccount();
    const transfer = { transferId: 'tr', to: other, asset: 'BTC', amount: '1' };
    await sendTwice(SERVICE, `/v1/accounts/${accountId}/transfers`, transfer);
    const recall = { cause: 'bank-recall', reason: 'recalled by the bank' };
    await sendTwice(SERVICE, `${deposits(accountId)}/recalled/reversal`, recall);
    for (const id of ['settled', 'cancelled', 'stopped']) {
      await sendTwice(SERVICE, withdrawals(accountId), withdrawalOf(id, '1'));
    }
    await sendTwice(SERVICE, `${withdrawals(accountId)}/settled/dispatch`, { reference: 'tx-1' });
    await sendTwice(SERVICE, `${withdrawals(accountId)}/settled/settlement`, { reference: 'block-7' });
    await sendTwice(SERVICE, `${withdrawals(accountId)}/cancelled/cancellation`, { reason: 'asked by the holder' });

    const orders = '/v1/admin/legal-orders';
    const [orderId, rejected] = [ledger.id('ord'), ledger.id('ord')];
    await sendTwice(OPS, orders, orderOf(rejected, { parties: [partyId] }));
    await sendTwice(APPROVER, `${orders}/${rejected}/rejection`, { reason: 'no seal' });
    await sendTwice(OPS, orders, orderOf(orderId, { accounts: [accountId] }));
    await sendTwice(APPROVER, `${orders}/${orderId}/verification`, { method: 'called the court' });
    const frozen = await sendTwice(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    expect(valueAt(frozen.body, 'freeze.stopped')).toEqual(['stopped']);
    const lifts = `/v1/admin/freezes/${textAt(frozen.body, 'freeze.freezeId')}/lift-requests`;
    await sendTwice(OPS, lifts, liftRequestOf('lift-1'));
    await sendTwice(APPROVER, `${lifts}/lift-1/rejection`, { reason: 'the right account' });
    await sendTwice(OPS, lifts, liftRequestOf('lift-2'));
    await sendTwice(APPROVER, `${lifts}/lift-2/approval`, {});
    const [granted, refused] = [ledger.id('req'), ledger.id('req')];
    const letters = '/v1/admin/authority-requests';
    for (const requestId of [granted, refused]) await sendTwice(OPS, letters, letterOf(requestId));
    await sendTwice(APPROVER, `${letters}/${granted}/answer`, grantUnder(orderId));
    await sendTwice(APPROVER, `${letters}/${refused}/answer`, { outcome: 'refused', reason: 'no instrument' });
    await sendTwice(OPS, `${orders}/${orderId}/changes`, endingOf('chg-1'));
    await sendTwice(APPROVER, `${orders}/${orderId}/changes/chg-1/rejection`, { reason: 'another case' });
    await sendTwice(OPS, `${orders}/${orderId}/changes`, endingOf('chg-2'));
    await sendTwice(APPROVER, `${orders}/${orderId}/changes/chg-2/verification`, { method: 'read the court file' });
  });

  it('answers as the first did however much has happened since', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const reserve = (): Promise<Answer> =>
      ledger.post(SERVICE, withdrawals(accountId), withdrawalOf('wd', '1'), { key: 'then' });
    const first = await reserve();
    await ledger.post(SERVICE, `${withdrawals(accountId)}/wd/cancellation`, { reason: 'r' });
    await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    expect(textAt(first.body, 'withdrawal.state')).toBe('reserved');
    expectReplay(await reserve(), first);
  });

  it('is the same content, however it is written', async () => {
    const accountId = await ledger.makeAccount();
    const { depositId, asset, source } = depositOf('dep', '0.5');
    const send = (body: unknown): Promise<Answer> =>
      ledger.post(SERVICE, deposits(accountId), body, { key: 'written' });
    const first = await send({ depositId, asset, amount: '0.5', source });
    for (const amount of ['0.50', '0.50000000']) expectReplay(await send({ source, amount, asset, depositId }), first);
    const spaced = `{ "amount" : "0.5\\u0030",\n "depositId":"dep", "asset":"BTC", "source": ${JSON.stringify(source)} }`;
    const path = deposits(accountId);
    const again = await ledger.ask({ as: SERVICE, method: 'POST', path, content: spaced, key: 'written' });
    expectReplay(again, first);
    const encoded = path.replace('acc', '%61cc');
    expectReplay(await ledger.post(SERVICE, encoded, depositOf('dep', '0.5'), { key: 'written' }), first);

    const orderId = ledger.id('ord');
    const register = (effectiveAt: string): Promise<Answer> => {
      const body = orderOf(orderId, { accounts: [accountId], more: { effectiveAt } });
      return ledger.post(OPS, '/v1/admin/legal-orders', body, { key: 'times' });
    };
    const registered = await register('2022-02-15T00:00:00Z');
    expectReplay(await register('2022-02-15T00:00:00.000Z'), registered);
  });

  it('is found before the revision is looked at', async () => {
    const accountId = await ledger.makeAccount();
    const send = (depositId: string): Promise<Answer> =>
      ledger.post(SERVICE, deposits(accountId), depositOf(depositId, '1'), {
        key: `only-${depositId}`,
        headers: { 'if-match': '"0"' },
      });
    const first = await send('dep-1');
    expect(first.status).toBe(201);
    expectReplay(await send('dep-1'), first);
    expectProblem(await send('dep-2'), 412, 'revision-mismatch');
  });

  it('is for whoever may ask: a role that was lost is missed first', async () => {
    const accountId = await ledger.makeAccount();
    const send = (as: Person): Promise<Answer> =>
      ledger.post(as, deposits(accountId), depositOf('dep', '1'), { key: 'roles' });
    const sub = 'changing';
    const first = await send({ sub, roles: ['service', 'ops'] });
    expectProblem(await send({ sub, roles: ['ops'] }), 403, 'forbidden');
    expectReplay(await send({ sub, roles: ['service'] }), first);
  });
});

describe('the same key', () => {
  it('with other content is an error and does nothing', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const key = 'reused';
    const first = await ledger.post(SERVICE, deposits(accountId), depositOf('dep', '1'), { key });
    await ledger.newEvents();
    const attempts: readonly (readonly [string, Body])[] = [
      [deposits(accountId), depositOf('dep', '1.00000001')],
      [deposits(accountId), depositOf('dep-2', '1')],
      [deposits(accountId), { ...depositOf('dep', '1'), source: { kind: 'bank', reference: 'tx:dep' } }],
      [withdrawals(accountId), withdrawalOf('wd', '1')],
      [`${withdrawals(accountId)}/none/dispatch`, { reference: 'r' }],
    ];
    for (const [path, body] of attempts) {
      expectProblem(await ledger.post(SERVICE, path, body, { key }), 422, 'idempotency-key-reused');
    }
    // Of whose shape is wrong, that is said first.
    const malformed = await ledger.post(SERVICE, deposits(accountId), depositOf('dep', '-1'), { key });
    expectProblem(malformed, 400, 'malformed-request');
    expect(await ledger.newEvents()).toEqual([]);
    expectReplay(await ledger.post(SERVICE, deposits(accountId), depositOf('dep', '1'), { key }), first);
  });

  it('of another caller is another key', async () => {
    const accountId = await ledger.makeAccount();
    const send = (sub: string, depositId: string): Promise<Answer> =>
      ledger.post({ sub, roles: ['service'] }, deposits(accountId), depositOf(depositId, '1'), { key: 'shared' });
    expect((await send('one', 'dep-1')).status).toBe(201);
    const other = await send('other', 'dep-2');
    expect([other.status, other.headers['idempotent-replayed']]).toEqual([201, undefined]);
    // The same content too is another command: its id is taken.
    expectProblem(await send('third', 'dep-1'), 409, 'already-exists');
  });

  it('on another thing is another key', async () => {
    const accounts = [await ledger.makeAccount(), await ledger.makeAccount()];
    for (const accountId of accounts) {
      const answer = await ledger.post(SERVICE, deposits(accountId), depositOf('dep', '1'), { key: 'again' });
      expect([answer.status, answer.headers['idempotent-replayed']]).toEqual([201, undefined]);
    }
    const [orderId, other] = await Promise.all([
      ledger.makeVerifiedOrder({ accounts }),
      ledger.makeVerifiedOrder({ accounts }),
    ]);
    // A freeze is about its account, so it has one key for both orders.
    const freeze = (accountId: string, order: string): Promise<Answer> =>
      ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(order), { key: 'freeze' });
    for (const accountId of accounts) expect((await freeze(accountId, orderId)).status).toBe(201);
    expectProblem(await freeze(accounts[0] ?? '', other), 422, 'idempotency-key-reused');
  });
});

describe('a refusal', () => {
  it('on record is the answer for good', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const freezeId = await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const reserve = (key: string): Promise<Answer> =>
      ledger.post(SERVICE, withdrawals(accountId), withdrawalOf('wd', '1'), { key });
    const first = await reserve('refused');
    expectProblem(first, 423, 'account-frozen', { freezeIds: [freezeId] });
    const requestId = await ledger.requestLift(freezeId);
    await ledger.post(APPROVER, `/v1/admin/freezes/${freezeId}/lift-requests/${requestId}/approval`, {});
    const repeat = await reserve('refused');
    expectReplay(repeat, first);
    expect(textAt(repeat.body, 'correlationId')).toBe(first.headers['x-correlation-id']);
    expect(repeat.headers['x-correlation-id']).not.toBe(first.headers['x-correlation-id']);
    // It used up its key, and not the id.
    expect((await reserve('new')).status).toBe(201);
    expect(await typesOf(`account-${accountId}`)).toEqual([
      ...['AccountOpened', 'FundsDeposited', 'AccountFrozen', 'CommandRefused'],
      ...['LiftRequested', 'AccountUnfrozen', 'WithdrawalReserved'],
    ]);
  });

  it('of a freeze is the answer for good, though the order comes into force', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeOrder({ accounts: [accountId] });
    const freeze = (key: string): Promise<Answer> =>
      ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId), { key });
    const first = await freeze('early');
    expectProblem(first, 422, 'basis-not-in-force');
    await ledger.verify(orderId);
    expectReplay(await freeze('early'), first);
    expect((await freeze('later')).status).toBe(201);
  });

  it('of an account for a party that a basis names is the answer for good', async () => {
    const partyId = await ledger.makeParty();
    const orderId = await ledger.makeVerifiedOrder({ parties: [partyId] });
    const named = (type: string): Promise<unknown> =>
      until(type, async () => ((await typesOf(`party-${partyId}`)).includes(type) ? type : undefined));
    await named('PartyNamed');
    const account = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
    const open = (key: string): Promise<Answer> => ledger.post(SERVICE, '/v1/accounts', account, { key });
    const first = await open('named');
    expectProblem(first, 422, 'party-named-by-basis');
    await ledger.discharge(orderId);
    await named('PartyNoLongerNamed');
    expectReplay(await open('named'), first);
    expect((await open('free')).status).toBe(201);
  });

  it('that is not on record is decided anew', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const reserve = (): Promise<Answer> =>
      ledger.post(SERVICE, withdrawals(accountId), withdrawalOf('wd', '2'), { key: 'anew' });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const answer = await reserve();
      expectProblem(answer, 422, 'insufficient-funds');
      expect(answer.headers).not.toHaveProperty('idempotent-replayed');
    }
    expect(await typesOf(`account-${accountId}`)).toHaveLength(2);
    await ledger.makeDeposit(accountId, '1');
    const accepted = await reserve();
    expect([accepted.status, accepted.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expectReplay(await reserve(), accepted);

    const path = `${withdrawals(accountId)}/wd/settlement`;
    const settle = (): Promise<Answer> => ledger.post(SERVICE, path, { reference: 'r' }, { key: 'settle' });
    expectProblem(await settle(), 422, 'invalid-transition');
    await ledger.dispatch(accountId, 'wd');
    expect((await settle()).status).toBe(200);
  });
});

describe('fifty at once', () => {
  const FIFTY = Array.from({ length: 50 });

  /** Expects that all answer the same, one of them as the first. */
  function expectOneFirst(answers: readonly Answer[]): void {
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(new Set(answers.map(({ status }) => status)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
  }

  it('of the same deposit make one event', async () => {
    const accountId = await ledger.makeAccount();
    const send = (): Promise<Answer> =>
      ledger.post(SERVICE, deposits(accountId), depositOf('dep', '1'), { key: 'fifty' });
    const answers = await Promise.all(FIFTY.map(send));
    expect(answers[0]?.status).toBe(201);
    expectOneFirst(answers);
    expect(await typesOf(`account-${accountId}`)).toEqual(['AccountOpened', 'FundsDeposited']);
  });

  it('of the same freeze make one authorisation and one freeze', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const path = `/v1/admin/accounts/${accountId}/freezes`;
    const send = (): Promise<Answer> => ledger.post(OPS, path, freezeOf(orderId), { key: 'fifty' });
    const answers = await Promise.all(FIFTY.map(send));
    expect(answers.map(({ status }) => status)).toEqual(FIFTY.map(() => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await typesOf(`account-${accountId}`)).toEqual(['AccountOpened', 'AccountFrozen']);
    expect((await typesOf(`legalOrder-${orderId}`)).filter((type) => type === 'FreezeAuthorised')).toHaveLength(1);
  });

  it('of the same opening make one attachment and one account', async () => {
    const partyId = await ledger.makeParty();
    const account = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
    const send = (): Promise<Answer> => ledger.post(SERVICE, '/v1/accounts', account, { key: 'fifty' });
    const answers = await Promise.all(FIFTY.map(send));
    expect(answers.map(({ status }) => status)).toEqual(FIFTY.map(() => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await typesOf(`account-${account.accountId}`)).toEqual(['AccountOpened']);
    expect((await typesOf(`party-${partyId}`)).filter((type) => type === 'AccountAttached')).toHaveLength(1);
  });

  it('of the same refused withdrawal make one refusal', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
    const send = (): Promise<Answer> =>
      ledger.post(SERVICE, withdrawals(accountId), withdrawalOf('wd', '1'), { key: 'fifty' });
    const answers = await Promise.all(FIFTY.map(send));
    expect(answers[0]?.status).toBe(423);
    expectOneFirst(answers);
    expect((await typesOf(`account-${accountId}`)).filter((type) => type === 'CommandRefused')).toHaveLength(1);
  });
});

describe('after the service was stopped, or killed, and started again', () => {
  it.each([
    ['stopped', async (): Promise<unknown> => ledger.service.stop()],
    ['killed', async (): Promise<unknown> => ledger.service.kill()],
  ])('%s: what was accepted and what was refused on record is answered as before', async (_, end) => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const commands: readonly (readonly [Person, string, Body])[] = [
      [SERVICE, deposits(accountId), depositOf('dep', '1')],
      [OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId)],
      [SERVICE, withdrawals(accountId), withdrawalOf('wd', '1')],
    ];
    const sendAll = async (): Promise<Answer[]> => {
      const answers: Answer[] = [];
      for (const [as, path, body] of commands) {
        answers.push(await ledger.post(as, path, body, { key: `lasting-${String(answers.length)}` }));
      }
      return answers;
    };
    const before = await sendAll();
    expect(before.map(({ status }) => status)).toEqual([201, 201, 423]);
    const log = await ledger.log();
    await end();
    await ledger.startAgain();
    const after = await sendAll();
    for (const [index, first] of before.entries()) expectReplay(after[index] ?? first, first);
    expect(await ledger.log()).toEqual(log);
    expectProblem(
      await ledger.post(SERVICE, deposits(accountId), depositOf('dep', '2'), { key: 'lasting-0' }),
      422,
      'idempotency-key-reused',
    );
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toEqual({ items: [], nextCursor: null });
  });
});
