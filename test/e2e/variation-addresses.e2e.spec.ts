import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  endingOf,
  freezeOf,
  Ledger,
  OPS,
  SERVICE,
  SHA256,
  wellDone,
  withdrawalOf,
  type Person,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

const ORDERS = '/v1/admin/legal-orders';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const newAddress = (): string => `bc1q${ledger.id('address')}`;
const on = (address: string): object => ({ kind: 'address', chain: 'bitcoin', address });
const party = (partyId: string): object => ({ kind: 'party', partyId });

function propose(orderId: string, changeId: string, subjects: readonly unknown[]): Promise<Answer> {
  const { how: _, ...document } = endingOf(changeId) as Record<string, unknown>;
  return ledger.post(OPS, `${ORDERS}/${orderId}/changes`, { ...document, kind: 'variation', subjects });
}
async function varyTo(orderId: string, ...subjects: readonly object[]): Promise<Answer> {
  const changeId = ledger.id('chg');
  wellDone(await propose(orderId, changeId, subjects), 'a proposal');
  const path = `${ORDERS}/${orderId}/changes/${changeId}/verification`;
  return wellDone(await ledger.post(APPROVER, path, { method: 'sealed copy' }), 'a variation');
}
async function link(partyId: string, address: string): Promise<void> {
  const body = { chain: 'bitcoin', address, role: 'holder-controlled' };
  wellDone(await ledger.post(SERVICE, `/v1/parties/${partyId}/addresses`, body), 'a link');
}
/** What is found once all is in it that stands in the log. */
const readNow = async (as: Person, path: string): Promise<unknown> =>
  ledger.read(as, path, (await ledger.log()).at(-1)?.position);
const tryFreeze = (accountId: string, orderId: string): Promise<Answer> =>
  ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
const reserve = (accountId: string): Promise<Answer> =>
  ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(ledger.id('wd'), '0.1'));
const namedBy = async (partyId: string): Promise<unknown> =>
  valueAt(await readNow(OPS, `/v1/parties/${partyId}`), 'namedBy');
const ordersOf = async (partyId: string): Promise<readonly string[]> =>
  listAt(await readNow(OPS, `${ORDERS}?partyId=${partyId}`), 'items').map((order) => textAt(order, 'orderId'));
const tasksOf = async (orderId: string): Promise<readonly unknown[]> =>
  listAt(await readNow(OPS, `/v1/admin/tasks?basisId=${orderId}`), 'items').map((task) =>
    [valueAt(task, 'kind'), valueAt(task, 'accountId') ?? valueAt(task, 'partyId')].join(' '),
  );

/** An account with funds whose holder controls an address, frozen under an order on that address. */
interface Scene {
  readonly holder: string;
  readonly accountId: string;
  readonly address: string;
  readonly orderId: string;
  readonly freezeId: string;
}
let scene: Scene;
async function begin(): Promise<Scene> {
  const holder = await ledger.makeParty();
  const accountId = await ledger.makeAccount({ holder, btc: '2' });
  const address = newAddress();
  await link(holder, address);
  const orderId = await ledger.makeVerifiedOrder({ more: { subjects: [on(address)] } });
  return { holder, accountId, address, orderId, freezeId: await ledger.freeze(accountId, orderId) };
}

const readFreeze = (): Promise<unknown> => readNow(OPS, `/v1/admin/freezes/${scene.freezeId}`);
const basis = (): object => ({ kind: 'legal-order', id: scene.orderId });

async function expectHeld(): Promise<void> {
  const { freezeId, accountId, holder } = scene;
  expect(await readFreeze()).toMatchObject({ state: 'in-force', lift: null, citation: { eventId: freezeId } });
  expectProblem(await reserve(accountId), 423, 'account-frozen');
  expect(await namedBy(holder)).toEqual([basis()]);
}

describe('a variation of an order that names an address', () => {
  beforeEach(async () => {
    scene = await begin();
  });

  it('to another address ends the freeze, and names whoever controls that one', async () => {
    const { holder, accountId, orderId } = scene;
    const [next, address] = [await ledger.makeParty(), newAddress()];
    const nextAccount = await ledger.makeAccount({ holder: next, btc: '1' });
    await link(next, address);
    const answer = await varyTo(orderId, on(address));
    expect(await readFreeze()).toMatchObject({
      state: 'lifted',
      lift: {
        ground: 'basis-varied',
        requestedBy: OPS.sub,
        approvedBy: APPROVER.sub,
        citation: { eventId: textAt(listAt(answer.body, 'events')[0], 'id') },
      },
    });
    expect((await reserve(accountId)).status).toBe(201);
    expect([await namedBy(holder), await namedBy(next)]).toEqual([[], [basis()]]);
    expect([await ordersOf(holder), await ordersOf(next)]).toEqual([[], [orderId]]);
    expect(await readNow(OPS, `${ORDERS}/${orderId}`)).toMatchObject({ subjects: [on(address)] });
    expect(await tasksOf(orderId)).toEqual([`freeze-account ${nextAccount}`]);
    expectProblem(await tryFreeze(accountId, orderId), 422, 'basis-does-not-name-account');
    expect((await tryFreeze(nextAccount, orderId)).status).toBe(201);
    expect(await tasksOf(orderId)).toEqual([]);
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [] });
  });

  it('that drops it for an account ends the freeze: nothing of it is frozen, and accounts open again', async () => {
    const { holder, accountId, orderId } = scene;
    await varyTo(orderId, { kind: 'account', accountId: await ledger.makeAccount() });
    expect(await readFreeze()).toMatchObject({ state: 'lifted', lift: { ground: 'basis-varied' } });
    const shown = await readNow(AUDITOR, `/v1/accounts/${accountId}`);
    expect(shown).toMatchObject({ freezes: [], balances: [{ asset: 'BTC', available: '2.00000000' }] });
    expect(valueAt(shown, 'balances.0.frozen')).toBe('0.00000000');
    const frozen = async (is: boolean): Promise<number> =>
      listAt(await readNow(OPS, `/v1/accounts?partyId=${holder}&frozen=${String(is)}`), 'items').length;
    expect([await frozen(true), await frozen(false)]).toEqual([0, 1]);
    expect(await namedBy(holder)).toEqual([]);
    const opening = { accountId: ledger.id('acc'), holders: [{ partyId: holder, capacity: 'owner' }] };
    expect((await ledger.post(SERVICE, '/v1/accounts', opening)).status).toBe(201);
  });

  it('that keeps one of two, or names another of the same holder, leaves the freeze as it is', async () => {
    const { holder, address, orderId } = scene;
    const another = newAddress();
    await varyTo(orderId, on(address), on(another));
    await expectHeld();
    await link(holder, another);
    await varyTo(orderId, on(another));
    await expectHeld();
    expect(await tasksOf(orderId)).toEqual([]);
  });

  it('to the party in place of its address leaves the freeze, its citation and the naming', async () => {
    const { holder, orderId } = scene;
    await varyTo(orderId, party(holder));
    await expectHeld();
    await varyTo(orderId, on(scene.address));
    await expectHeld();
    expect(await tasksOf(orderId)).toEqual([]);
    expect(await ordersOf(holder)).toEqual([orderId]);
  });

  it('that restores it leaves the freeze ended, and asks people for another', async () => {
    const { holder, accountId, address, orderId } = scene;
    await varyTo(orderId, on(newAddress()));
    expect(await tasksOf(orderId)).toEqual([]);
    await varyTo(orderId, on(address));
    expect(await readFreeze()).toMatchObject({ state: 'lifted' });
    expect(await tasksOf(orderId)).toEqual([`freeze-account ${accountId}`]);
    expect(await namedBy(holder)).toEqual([basis()]);
    expect((await tryFreeze(accountId, orderId)).status).toBe(201);
    expect(await tasksOf(orderId)).toEqual([]);
  });

  it('before a link: whoever links the address that came is named, the one that went names nobody', async () => {
    const { accountId, address, orderId } = scene;
    const [came, went] = [newAddress(), newAddress()];
    await varyTo(orderId, on(address), on(went));
    await varyTo(orderId, on(address), on(came));
    const [next, other] = [await ledger.makeParty(), await ledger.makeParty()];
    await link(next, came);
    await link(other, went);
    expect([await namedBy(next), await namedBy(other)]).toEqual([[basis()], []]);
    expect((await readNow(OPS, `/v1/accounts/${accountId}`)) as object).toMatchObject({ freezes: [{}] });
  });
});

describe('a variation of an order that names an external reference', () => {
  it('changes what people have to look at, and nothing else', async () => {
    scene = await begin();
    const { orderId, address } = scene;
    const [one, two] = [await ledger.makeParty(), await ledger.makeParty()];
    const reference = (partyId: string): object => ({
      kind: 'external',
      sha256: createHash('sha256').update(`crm:${partyId}`, 'utf8').digest('hex'),
    });
    await varyTo(orderId, on(address), reference(one));
    expect(await tasksOf(orderId)).toEqual([`review-reference-match ${one}`]);
    await varyTo(orderId, on(address), reference(two));
    expect(await tasksOf(orderId)).toEqual([`review-reference-match ${two}`]);
    expect([await namedBy(one), await namedBy(two)]).toEqual([[], []]);
    await varyTo(orderId, on(address), party(two), reference(two));
    expect(await tasksOf(orderId)).toEqual([]);
    await expectHeld();
  });
});

describe('subjects of a variation that are not right', () => {
  it.each<[string, object, string]>([
    ['an address of no chain', { kind: 'address', address: 'a' }, 'subjects.0.chain'],
    ['an address that is empty', { kind: 'address', chain: 'bitcoin', address: '' }, 'subjects.0.address'],
    ['an address that is a number', { kind: 'address', chain: 'bitcoin', address: 7 }, 'subjects.0.address'],
    ['an address with more', { ...on('a'), role: 'holder-controlled' }, 'subjects.0.role'],
    ['a reference that is no hash', { kind: 'external', sha256: 'crm:7' }, 'subjects.0.sha256'],
    ['a reference with an address', { kind: 'external', sha256: SHA256, address: 'a' }, 'subjects.0.address'],
  ])('%s', async (_what, subject, field) => {
    const orderId = await ledger.makeVerifiedOrder({ more: { subjects: [on('a')] } });
    const before = (await ledger.log()).length;
    expectFieldRefused(await propose(orderId, 'chg-1', [subject]), field);
    expect((await ledger.log()).length).toBe(before);
  });

  it('the same address twice', async () => {
    const orderId = await ledger.makeVerifiedOrder({ more: { subjects: [on('a')] } });
    expectFieldRefused(await propose(orderId, 'chg-1', [on('b'), on('b')]), 'subjects.1');
  });
});

it('leaves nothing in the log that should not be', async () => {
  expect(listAt(await readNow(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
});
