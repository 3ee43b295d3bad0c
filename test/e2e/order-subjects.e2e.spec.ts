import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import { AUDITOR, freezeOf, Ledger, OPS, orderOf, SERVICE, SHA256, wellDone, withdrawalOf } from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

const ORDERS = '/v1/admin/legal-orders';
const HOLDER = { partyId: expect.any(String), capacity: 'owner' };

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const newAddress = (): string => `bc1q${ledger.id('address')}`;
const onAddress = (address: string, chain = 'bitcoin'): object => ({ kind: 'address', chain, address });
const onReference = (sha256: string): object => ({ kind: 'external', sha256 });

async function link(partyId: string, address: string, role = 'holder-controlled'): Promise<void> {
  const body = { chain: 'bitcoin', address, role };
  wellDone(await ledger.post(SERVICE, `/v1/parties/${partyId}/addresses`, body), 'a link');
}
async function orderOn(...subjects: readonly object[]): Promise<string> {
  return ledger.makeVerifiedOrder({ more: { subjects } });
}
function freeze(accountId: string, orderId: string): Promise<Answer> {
  return ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
}
const namedBy = async (partyId: string): Promise<unknown> =>
  valueAt(await ledger.read(OPS, `/v1/parties/${partyId}`, (await ledger.log()).at(-1)?.position), 'namedBy');

describe('an order that names an address', () => {
  it('names the party that controls it: its accounts are frozen, and none opens', async () => {
    const address = newAddress();
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder, btc: '1' });
    await link(holder, address);
    const orderId = await orderOn(onAddress(address));
    expect(await namedBy(holder)).toEqual([{ kind: 'legal-order', id: orderId }]);
    const opening = { accountId: ledger.id('acc'), holders: [{ partyId: holder, capacity: 'owner' }] };
    expectProblem(await ledger.post(SERVICE, '/v1/accounts', opening), 422, 'party-named-by-basis');

    const frozen = await freeze(accountId, orderId);
    expect(frozen.status).toBe(201);
    const [linked] = await ledger.log(`?stream=party-${holder}&types=AddressLinked`);
    const [authorised] = await ledger.log(`?stream=legalOrder-${orderId}&types=FreezeAuthorised`);
    expect(authorised?.data).toMatchObject({
      partyId: holder,
      namedBy: { stream: `party-${holder}` },
      linkedBy: { stream: `party-${holder}`, revision: linked?.revision, eventId: linked?.id },
    });
    const withdrawal = withdrawalOf(ledger.id('wd'), '0.1');
    expectProblem(
      await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawal),
      423,
      'account-frozen',
    );
    const shown = await ledger.read(OPS, `${ORDERS}/${orderId}`);
    expect(shown).toMatchObject({ subjects: [onAddress(address)] });
    expect(listAt(await ledger.read(OPS, `${ORDERS}?partyId=${holder}`), 'items')).toEqual([shown]);
    expect(listAt(await ledger.read(OPS, `${ORDERS}?partyId=${holder}&basisId=${orderId}`), 'items')).toEqual([shown]);

    await ledger.discharge(orderId);
    expect(await namedBy(holder)).toEqual([]);
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [], holders: [HOLDER] });
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
  });

  it('names a party that is linked to it later, before the link is answered', async () => {
    const address = newAddress();
    const orderId = await orderOn(onAddress(address));
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    expectProblem(await freeze(accountId, orderId), 422, 'basis-does-not-name-account');
    await link(holder, address);
    expect(await namedBy(holder)).toEqual([{ kind: 'legal-order', id: orderId }]);
    const all = await ledger.post(OPS, `${ORDERS}/${orderId}/freezes`, {});
    expect(all).toMatchObject({ status: 200, body: { outcomes: [{ accountId, status: 201 }] } });
  });

  it('names nobody who is only given it to pay in, nor who has it on another chain', async () => {
    const address = newAddress();
    const [depositor, elsewhere] = [await ledger.makeParty(), await ledger.makeParty()];
    const accounts = [await ledger.makeAccount({ holder: depositor }), await ledger.makeAccount({ holder: elsewhere })];
    await link(depositor, address, 'deposit-address');
    await link(elsewhere, address);
    const orderId = await orderOn(onAddress(address, 'litecoin'), onAddress(newAddress()));
    for (const accountId of accounts) {
      expectProblem(await freeze(accountId, orderId), 422, 'basis-does-not-name-account');
    }
    expect([await namedBy(depositor), await namedBy(elsewhere)]).toEqual([[], []]);
  });

  it('is found again after a restart, when the address is linked then', async () => {
    const own = await Ledger.start();
    try {
      const address = 'bc1qrestart';
      const orderId = await own.makeVerifiedOrder({ more: { subjects: [onAddress(address)] } });
      const holder = await own.makeParty();
      await own.service.stop();
      await own.startAgain();
      const body = { chain: 'bitcoin', address, role: 'holder-controlled' };
      wellDone(await own.post(SERVICE, `/v1/parties/${holder}/addresses`, body), 'a link');
      const events = await own.events(`party-${holder}`);
      expect(events.at(-1)).toMatchObject({ type: 'PartyNamed', data: { basis: { id: orderId } } });
    } finally {
      await own.end();
    }
  });
});

describe('an order that names a hashed external reference', () => {
  it('names nobody by itself', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ holder });
    const sha256 = createHash('sha256').update(`crm:${holder}`, 'utf8').digest('hex');
    const orderId = await orderOn(onReference(sha256));
    expect(await ledger.read(OPS, `${ORDERS}/${orderId}`)).toMatchObject({ subjects: [onReference(sha256)] });
    expect(await namedBy(holder)).toEqual([]);
    expectProblem(await freeze(accountId, orderId), 422, 'basis-does-not-name-account');
    expect(await ledger.post(OPS, `${ORDERS}/${orderId}/freezes`, {})).toMatchObject({ body: { outcomes: [] } });
    expect(textAt(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`), 'state')).toBe('open');
    // That it is the reference of somebody who is here, people are told.
    const tasks = `/v1/admin/tasks?kind=review-reference-match&basisId=${orderId}`;
    const task = { waitsFor: 'person', partyId: holder, basis: { kind: 'legal-order', id: orderId } };
    expect(listAt(await ledger.read(OPS, tasks), 'items')).toMatchObject([task]);
    await ledger.discharge(orderId);
    expect(listAt(await ledger.read(OPS, tasks), 'items')).toEqual([]);
  });
});

describe('subjects that are not right', () => {
  it.each<[string, object, string]>([
    ['an address of no chain', { kind: 'address', address: 'a' }, 'subjects.0.chain'],
    ['an address that is empty', { kind: 'address', chain: 'bitcoin', address: '' }, 'subjects.0.address'],
    ['an address with more', { ...onAddress('a'), role: 'holder-controlled' }, 'subjects.0.role'],
    ['a reference that is no hash', onReference('crm:7'), 'subjects.0.sha256'],
    ['a reference in capitals', onReference(SHA256.toUpperCase()), 'subjects.0.sha256'],
    ['a nationality', { kind: 'nationality', code: 'RU' }, 'subjects.0.kind'],
  ])('%s', async (_name, subject, field) => {
    const before = (await ledger.log()).length;
    const order = orderOf(ledger.id('ord'), { more: { subjects: [subject] } });
    expectFieldRefused(await ledger.post(OPS, ORDERS, order), field);
    expect((await ledger.log()).length).toBe(before);
  });

  it('the same one twice', async () => {
    for (const subject of [onAddress('a'), onReference(SHA256)]) {
      const order = orderOf(ledger.id('ord'), { more: { subjects: [subject, subject] } });
      expectFieldRefused(await ledger.post(OPS, ORDERS, order), 'subjects.1');
    }
  });
});
