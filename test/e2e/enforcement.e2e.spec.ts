import { canonicalJson, sha256Hex } from '#kernel';
import { EXPECTED_VIOLATION, FORGERY_NAMES, forgeAll, seal, type ForgeryName } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forgerOf } from './support/forger.ts';
import type { Answer } from './support/http.ts';
import { AUDITOR, Ledger, SERVICE, depositOf, withdrawalOf, type Body } from './support/ledger.ts';

const accounts = Object.fromEntries(FORGERY_NAMES.map((name) => [name, `acc-${name}`])) as Record<ForgeryName, string>;

describe('events written straight into the log while the service is stopped', () => {
  let ledger: Ledger;
  const lifted = accounts.liftedWithoutApproval;
  const open = accounts.abandonedUntruly;
  /** What is frozen in spite of the forgeries. */
  const restricted = [lifted, 'acc-real', open];
  const parties = { named: 'p-of-nobody', noLongerNamed: 'p-of-ord-1' };
  const nested = `${'['.repeat(200_000)}1${']'.repeat(200_000)}`;

  beforeAll(async () => {
    ledger = await Ledger.start();
    for (const holder of Object.values(parties)) await ledger.makeParty(holder);
    for (const accountId of [...Object.values(accounts), 'acc-real']) await ledger.makeAccount({ accountId, btc: '2' });
    await ledger.makeVerifiedOrder({ orderId: 'ord-1', accounts: restricted, parties: [parties.noLongerNamed] });
    await ledger.makeOrder({ orderId: 'ord-2', accounts: [accounts.forgedPair] });
    for (const accountId of [lifted, 'acc-real']) await ledger.freeze(accountId, 'ord-1');
    expect(await ledger.service.stop()).toBe(0);

    const forger = await forgerOf(ledger.dataDir);
    await forgeAll(forger, { accounts, verifiedOrder: 'ord-1', unverifiedOrder: 'ord-2', parties });
    const refusals = seal('account-acc-nested', undefined, [{ type: 'CommandRefused', data: {} }]);
    const texts = { data: nested, metadata: '{}' };
    await forger.write(
      'account-acc-nested',
      'no-stream',
      refusals.map((event) => ({ ...event, texts })),
    );
    await forger.close();
    await ledger.startAgain();
  }, 120_000);

  afterAll(() => ledger.end());

  const read = async (path: string): Promise<Body> => (await ledger.read(AUDITOR, path)) as Body;
  const reserve = (accountId: string): Promise<Answer> =>
    ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('w-1', '1'));

  it.each(FORGERY_NAMES)('%s is listed as a violation', async (name) => {
    const { items } = await read('/v1/audit/violations?limit=500');
    const found = (items as Body[]).filter(({ stream }) => stream === `account-${accounts[name]}`);
    expect(found.map(({ code }) => code)).toEqual([EXPECTED_VIOLATION[name]]);
  });

  it.each(Object.values(parties))('the naming of %s, or its end, is listed as a violation', async (partyId) => {
    const { items } = await read('/v1/audit/violations?limit=500');
    const found = (items as Body[]).filter(({ stream }) => stream === `party-${partyId}`);
    expect(found.map(({ code }) => code)).toEqual(['citation-unresolved']);
  });

  it('an account opens for the party that no order names, and none for the one that an order names', async () => {
    const openFor = (partyId: string): Promise<Answer> =>
      ledger.post(SERVICE, '/v1/accounts', {
        accountId: `acc-new-${partyId}`,
        holders: [{ partyId, capacity: 'owner' }],
      });
    expect((await openFor(parties.named)).status).toBe(201);
    expect(await openFor(parties.noLongerNamed)).toMatchObject({ status: 422, body: { code: 'party-named-by-basis' } });
  });

  it.each(FORGERY_NAMES.filter((name) => !restricted.includes(accounts[name])))(
    '%s restricts nothing',
    async (name) => {
      const { freezes, balances } = await read(`/v1/accounts/${accounts[name]}`);
      expect({ freezes, balances }).toMatchObject({
        freezes: [],
        balances: [{ available: '2.00000000', frozen: '0.00000000' }],
      });
      expect((await reserve(accounts[name])).status).toBe(201);
    },
  );

  it('a lift without approval frees nothing, an open authorisation is no less a freeze, and a real one holds', async () => {
    for (const accountId of restricted) {
      const answer = await reserve(accountId);
      expect({ status: answer.status, body: answer.body }).toMatchObject({
        status: 423,
        body: { code: 'account-frozen' },
      });
    }
  });

  it('none of them stands in the register', async () => {
    const { items } = await read('/v1/admin/freezes?limit=500');
    const inForce = (items as Body[]).filter(({ state }) => state === 'in-force');
    expect(inForce.map(({ accountId }) => accountId).sort()).toEqual([...restricted].sort());
    expect(items).toHaveLength(restricted.length);
  });

  it('none of them is among the freezes by replay of the log, now or as of a time', async () => {
    const now = await read('/v1/audit/freezes');
    expect((now['items'] as Body[]).map(({ accountId }) => accountId).sort()).toEqual([...restricted].sort());
    const at = new Date().toISOString();
    expect(await read(`/v1/audit/freezes?at=${at}`)).toEqual(now);
  });

  it('moves nothing in the trial balance', async () => {
    const { items } = await read('/v1/trial-balance');
    const paidIn = 2 * (FORGERY_NAMES.length + 1);
    expect(items).toMatchObject([
      { asset: 'BTC', external: `-${String(paidIn)}.00000000`, sum: '0.00000000' },
      { asset: 'EUR', external: '0.00', sum: '0.00' },
    ]);
  });

  it('the metric counts them and the log names them', async () => {
    const { items } = await read('/v1/audit/violations?limit=500');
    const metrics = await ledger.ask({ path: '/metrics' });
    const count = /^writ_violations\S* (\d+)$/m.exec(metrics.text)?.[1];
    expect(Number(count)).toBe((items as unknown[]).length);
    for (const { eventId } of items as Body[]) expect(ledger.service.logs()).toContain(String(eventId));
  });

  it('what nests without end is a violation, and is shown as its text by every route of the log', async () => {
    const stream = 'account-acc-nested';
    const shown = { stream, type: 'CommandRefused', data: nested, metadata: {} };
    expect(await read(`/v1/audit/streams/${stream}`)).toMatchObject({ items: [shown] });
    expect(await read(`/v1/audit/events?stream=${stream}`)).toMatchObject({ items: [shown] });
    const lines = await ledger.get(AUDITOR, '/v1/audit/events', { accept: 'application/x-ndjson' });
    const events = lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Body);
    expect(events).toHaveLength((await ledger.log()).length);
    expect(events.find((event) => event['stream'] === stream)).toMatchObject(shown);
    const { items } = await read('/v1/audit/violations?limit=500');
    expect(items).toContainEqual(expect.objectContaining({ stream, code: 'malformed-event' }));
  });

  it('an account with a malformed event goes on', async () => {
    const answer = await ledger.post(SERVICE, `/v1/accounts/${accounts.malformed}/deposits`, depositOf('d-2', '1'));
    expect(answer.status).toBe(201);
    const { balances } = await read(`/v1/audit/accounts/${accounts.malformed}`);
    expect(balances).toMatchObject([{ available: '2.00000000', reserved: '1.00000000' }]);
  });

  it('keeps what was forged in the log, as it was written', async () => {
    const { items } = await read(`/v1/audit/streams/account-${accounts.malformed}`);
    const malformed = (items as Body[]).find(({ type, revision }) => type === 'FundsDeposited' && revision === '2');
    expect(sha256Hex(canonicalJson(malformed?.['data']))).toBe(
      sha256Hex(canonicalJson({ amount: 'a lot', ['__proto__x']: [null] })),
    );
  });
});
