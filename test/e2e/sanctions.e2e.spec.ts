import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  clearanceOf,
  entryOf,
  freezeUnderHit,
  hitOf,
  Ledger,
  liftRequestOf,
  OPS,
  SERVICE,
  SHA256,
  wellDone,
  withdrawalOf,
  type Person,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const BOTH: Person = { sub: 'one-person', roles: ['ops', 'approver'] };
const HITS = '/v1/admin/sanctions-hits';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
const STAMPS = { createdAt: TIME, updatedAt: TIME };

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const freeze = (accountId: string, hitId: string): Promise<Answer> =>
  ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeUnderHit(hitId));
const withdraw = (accountId: string): Promise<Answer> =>
  ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(ledger.id('wd'), '0.1'));
const typesOf = (answer: Answer): readonly unknown[] =>
  listAt(answer.body, 'events').map((event) => valueAt(event, 'type'));

/** The account that a party, with whatever it is linked to, holds. */
async function listed(): Promise<{ readonly partyId: string; readonly accountId: string }> {
  const partyId = await ledger.makeParty();
  return { partyId, accountId: await ledger.makeAccount({ holder: partyId, btc: '3' }) };
}

async function ids(path: string, name: string): Promise<readonly unknown[]> {
  const position = (await ledger.log()).at(-1)?.position;
  return listAt(await ledger.read(OPS, path, position), 'items').map((item) => valueAt(item, name));
}

describe('an exchange that came onto the list', () => {
  it('is frozen while the hit stands, and free by itself when the clearance of the hit is approved', async () => {
    const { partyId, accountId } = await listed();
    const hitId = ledger.id('hit');
    const stopped = await ledger.makeWithdrawal(accountId, '0.5');
    const inFlight = await ledger.makeWithdrawal(accountId, '0.25');
    await ledger.dispatch(accountId, inFlight);

    const raised = await ledger.post(SERVICE, HITS, hitOf(hitId, partyId));
    expect(raised.status).toBe(201);
    expect(typesOf(raised)).toEqual(['SanctionsHitRaised']);
    const hit = { ...hitOf(hitId, partyId), route: 'direct', raisedBy: SERVICE.sub };
    const open = { state: 'raised', confirmation: null, dismissal: null, clearedAt: null, clearances: [] };
    expect(valueAt(raised.body, 'sanctionsHit')).toEqual({ ...hit, ...open, ...STAMPS });
    expectProblem(await freeze(accountId, hitId), 422, 'basis-not-in-force');

    const confirmed = await ledger.post(APPROVER, `${HITS}/${hitId}/confirmation`, { note: 'same registration' });
    expect(confirmed.status).toBe(200);
    expect(valueAt(confirmed.body, 'sanctionsHit')).toMatchObject({
      state: 'confirmed',
      confirmation: { note: 'same registration', confirmedBy: APPROVER.sub },
    });
    const another = { accountId: ledger.id('acc'), holders: [{ partyId, capacity: 'owner' }] };
    expectProblem(await ledger.post(SERVICE, '/v1/accounts', another), 422, 'party-named-by-basis');

    const frozen = wellDone(await freeze(accountId, hitId), 'a freeze');
    const freezeId = textAt(frozen.body, 'freeze.freezeId');
    expect(frozen.status).toBe(201);
    expect(typesOf(frozen)).toEqual(['FreezeAuthorised', 'AccountFrozen', 'WithdrawalStopped']);
    expect(valueAt(frozen.body, 'freeze')).toMatchObject({
      scope: { direction: 'debit', assets: 'all' },
      basis: { kind: 'sanctions-hit', id: hitId },
      citation: { stream: `sanctionsHit-${hitId}` },
      stopped: [stopped],
      inFlight: [inFlight],
    });
    expectProblem(await withdraw(accountId), 423, 'account-frozen');
    await ledger.makeDeposit(accountId, '1');
    expectProblem(await freeze(accountId, hitId), 409, 'already-exists');
    expect(await ids(`/v1/admin/freezes?basisId=${hitId}&state=in-force`, 'freezeId')).toEqual([freezeId]);
    expect(await ids(`/v1/admin/freezes?partyId=${partyId}`, 'freezeId')).toEqual([freezeId]);

    const clearanceId = ledger.id('clr');
    const proposed = await ledger.post(OPS, `${HITS}/${hitId}/clearances`, clearanceOf(clearanceId));
    expect(proposed.status).toBe(201);
    expect(valueAt(proposed.body, 'clearance')).toEqual({
      ...clearanceOf(clearanceId),
      ...{ hitId, state: 'proposed', proposedBy: OPS.sub, decidedBy: null, note: null, reason: null },
      ...STAMPS,
    });
    expectProblem(await withdraw(accountId), 423, 'account-frozen');

    const approved = await ledger.post(APPROVER, `${HITS}/${hitId}/clearances/${clearanceId}/approval`, {
      note: 'gone',
    });
    expect(approved.status).toBe(200);
    expect(typesOf(approved)).toEqual(['SanctionsHitCleared']);
    expect(valueAt(approved.body, 'clearance')).toMatchObject({
      state: 'approved',
      decidedBy: APPROVER.sub,
      note: 'gone',
    });
    expect((await withdraw(accountId)).status).toBe(201);

    const position = (await ledger.log()).at(-1)?.position;
    const cleared = listAt(approved.body, 'events').map((event) => valueAt(event, 'id'));
    expect(await ledger.read(OPS, `/v1/admin/freezes/${freezeId}`, position)).toMatchObject({
      state: 'lifted',
      lift: {
        ground: 'basis-ended',
        requestedBy: OPS.sub,
        approvedBy: APPROVER.sub,
        citation: { eventId: cleared[0] },
      },
    });
    expect(valueAt(await ledger.replayed(accountId), 'freezes')).toEqual([]);
    expect(await ledger.read(OPS, `${HITS}/${hitId}`, position)).toMatchObject({ state: 'cleared', clearedAt: TIME });
    expect(valueAt(await ledger.read(OPS, `/v1/parties/${partyId}`, position), 'namedBy')).toEqual([]);
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/violations', position), 'items')).toEqual([]);
  });

  it('is free again when the freeze was placed in error', async () => {
    const { partyId, accountId } = await listed();
    const frozen = wellDone(await freeze(accountId, await ledger.makeConfirmedHit(partyId)), 'a freeze');
    const lifts = `/v1/admin/freezes/${textAt(frozen.body, 'freeze.freezeId')}/lift-requests`;
    wellDone(await ledger.post(OPS, lifts, liftRequestOf('lift-1')), 'a request');
    wellDone(await ledger.post(APPROVER, `${lifts}/lift-1/approval`, {}), 'an approval');
    expect((await withdraw(accountId)).status).toBe(201);
  });
});

describe('a hit on an address', () => {
  it('freezes the accounts of the party that controls it, and of no party to which it was given for deposits', async () => {
    const owner = await listed();
    const customer = await listed();
    const address = { chain: 'bitcoin', address: `bc1q${owner.partyId}` };
    const linked = await ledger.post(SERVICE, `/v1/parties/${owner.partyId}/addresses`, {
      ...address,
      role: 'holder-controlled',
    });
    expect(linked.status).toBe(201);
    expect(typesOf(linked)).toEqual(['AddressLinked']);
    expect(valueAt(linked.body, 'address')).toEqual({
      partyId: owner.partyId,
      ...address,
      role: 'holder-controlled',
      ...STAMPS,
    });
    const given = { ...address, role: 'deposit-address' };
    wellDone(await ledger.post(SERVICE, `/v1/parties/${customer.partyId}/addresses`, given), 'a link');
    const subject = { kind: 'address', ...address };
    const hitId = await ledger.makeConfirmedHit(owner.partyId, { subject, route: 'address' });
    expect((await freeze(owner.accountId, hitId)).status).toBe(201);
    expectProblem(await withdraw(owner.accountId), 423, 'account-frozen');
    expectProblem(await freeze(customer.accountId, hitId), 422, 'basis-does-not-name-account');
    expect((await withdraw(customer.accountId)).status).toBe(201);
    expect(await ids(`${HITS}?partyId=${owner.partyId}`, 'hitId')).toEqual([hitId]);
    expect(await ids(`${HITS}?accountId=${owner.accountId}`, 'hitId')).toEqual([hitId]);
    expect(await ids(`${HITS}?accountId=${customer.accountId}`, 'hitId')).toEqual([]);
  });

  it('is linked once to a party in each role, and only to a party that there is', async () => {
    const partyId = await ledger.makeParty();
    const body = { chain: 'bitcoin', address: 'bc1qonce', role: 'holder-controlled' };
    const path = `/v1/parties/${partyId}/addresses`;
    wellDone(await ledger.post(SERVICE, path, body, { key: 'link-once' }), 'a link');
    const repeat = await ledger.post(SERVICE, path, body, { key: 'link-once' });
    expect(repeat.headers['idempotent-replayed']).toBe('true');
    expectProblem(await ledger.post(SERVICE, path, body), 409, 'already-exists');
    expectProblem(await ledger.post(SERVICE, '/v1/parties/nobody/addresses', body), 404, 'party-not-found');
  });
});

describe('a hit', () => {
  it('is raised once for an entry and a subject, and again for an entry that changed', async () => {
    const partyId = await ledger.makeParty();
    const hitId = await ledger.makeHit(partyId);
    const again = await ledger.post(OPS, HITS, hitOf(ledger.id('hit'), partyId));
    expectProblem(again, 409, 'already-exists');
    expect(valueAt(again.body, 'hitId')).toBe(hitId);
    wellDone(await ledger.post(APPROVER, `${HITS}/${hitId}/dismissal`, { reason: 'a namesake' }), 'a dismissal');
    expectProblem(await ledger.post(OPS, HITS, hitOf(ledger.id('hit'), partyId)), 409, 'already-exists');
    expectProblem(await ledger.post(OPS, HITS, hitOf(hitId, await ledger.makeParty())), 409, 'already-exists');
    const changed = hitOf(ledger.id('hit'), partyId, { entry: entryOf('b'.repeat(64)) });
    expect((await ledger.post(OPS, HITS, changed)).status).toBe(201);
  });

  it('needs a party that there is', async () => {
    expectProblem(await ledger.post(OPS, HITS, hitOf(ledger.id('hit'), 'nobody')), 404, 'party-not-found');
  });

  it('of a lesser measure supports no freeze, says why, and names no party', async () => {
    const { partyId, accountId } = await listed();
    const hitId = await ledger.makeConfirmedHit(partyId, { entry: entryOf(SHA256, 'service-restriction') });
    const refused = await freeze(accountId, hitId);
    expectProblem(refused, 422, 'basis-not-in-force');
    expect(textAt(refused.body, 'detail')).toMatch(/restricts services/);
    await ledger.makeAccount({ holder: partyId });
  });

  it('is decided by another than who raised it, and that is recorded', async () => {
    const partyId = await ledger.makeParty();
    const hitId = ledger.id('hit');
    wellDone(await ledger.post(BOTH, HITS, hitOf(hitId, partyId)), 'a hit');
    expectProblem(await ledger.post(BOTH, `${HITS}/${hitId}/confirmation`, {}), 422, 'maker-is-checker');
    expectProblem(await ledger.post(BOTH, `${HITS}/${hitId}/dismissal`, { reason: 'r' }), 422, 'maker-is-checker');
    wellDone(await ledger.post(APPROVER, `${HITS}/${hitId}/confirmation`, {}), 'a confirmation');
    const path = `${HITS}/${hitId}/clearances`;
    wellDone(await ledger.post(BOTH, path, clearanceOf('clr-own')), 'a clearance');
    expectProblem(await ledger.post(BOTH, `${path}/clr-own/approval`, {}), 422, 'maker-is-checker');
    expectProblem(await ledger.post(BOTH, `${path}/clr-own/rejection`, { reason: 'r' }), 422, 'maker-is-checker');
    const refusals = (await ledger.events(`sanctionsHit-${hitId}`)).filter(({ type }) => type === 'CommandRefused');
    expect(refusals).toHaveLength(4);
  });

  it('goes from raised to confirmed to cleared, or is dismissed, and no other way', async () => {
    const dismissed = await ledger.makeHit(await ledger.makeParty());
    const dismissal = { reason: 'a namesake' };
    const answer = wellDone(await ledger.post(APPROVER, `${HITS}/${dismissed}/dismissal`, dismissal), 'a dismissal');
    expect(valueAt(answer.body, 'sanctionsHit')).toMatchObject({
      state: 'dismissed',
      dismissal: { reason: 'a namesake', dismissedBy: APPROVER.sub },
    });
    for (const step of ['confirmation', 'dismissal']) {
      const late = await ledger.post(APPROVER, `${HITS}/${dismissed}/${step}`, step === 'dismissal' ? dismissal : {});
      expectProblem(late, 422, 'invalid-transition');
      expect(valueAt(late.body, 'state')).toBe('dismissed');
    }
    expectProblem(
      await ledger.post(OPS, `${HITS}/${dismissed}/clearances`, clearanceOf('c')),
      422,
      'invalid-transition',
    );
  });

  it('goes on when its clearance is rejected, and meanwhile no new freeze rests on it', async () => {
    const { partyId, accountId } = await listed();
    const hitId = await ledger.makeConfirmedHit(partyId);
    const clearanceId = await ledger.proposeClearance(hitId);
    expectProblem(await freeze(accountId, hitId), 422, 'basis-not-in-force');
    const path = `${HITS}/${hitId}/clearances`;
    expectProblem(await ledger.post(OPS, path, clearanceOf(clearanceId)), 409, 'already-exists');
    const decision = `${path}/${clearanceId}/rejection`;
    const rejected = wellDone(await ledger.post(APPROVER, decision, { reason: 'still listed' }), 'a rejection');
    expect(valueAt(rejected.body, 'clearance')).toMatchObject({ state: 'rejected', reason: 'still listed' });
    expectProblem(await ledger.post(APPROVER, decision, { reason: 'still listed' }), 422, 'invalid-transition');
    expect((await freeze(accountId, hitId)).status).toBe(201);
    const position = (await ledger.log()).at(-1)?.position;
    expect(await ledger.read(OPS, `${path}/${clearanceId}`, position)).toEqual(valueAt(rejected.body, 'clearance'));
  });

  it('that there is not is not found, nor is a clearance of it', async () => {
    const hitId = await ledger.makeConfirmedHit(await ledger.makeParty());
    // The read models have it: what is not found is the clearance.
    await ledger.read(OPS, `${HITS}/${hitId}`);
    const requests: readonly (readonly [Person, string, object | undefined])[] = [
      [APPROVER, 'confirmation', {}],
      [APPROVER, 'dismissal', { reason: 'r' }],
      [OPS, 'clearances', clearanceOf('c')],
      [APPROVER, 'clearances/c/approval', {}],
      [APPROVER, 'clearances/c/rejection', { reason: 'r' }],
      [OPS, 'clearances/c', undefined],
    ];
    for (const [who, step, body] of requests) {
      const path = `${HITS}/nothing/${step}`;
      const answer = body === undefined ? await ledger.get(who, path) : await ledger.post(who, path, body);
      expectProblem(answer, 404, 'sanctions-hit-not-found');
      if (!step.includes('/')) continue;
      const ofHit = `${HITS}/${hitId}/${step}`;
      const found = body === undefined ? await ledger.get(who, ofHit) : await ledger.post(who, ofHit, body);
      expectProblem(found, 404, 'clearance-not-found');
    }
    expectProblem(await ledger.get(OPS, `${HITS}/nothing`), 404, 'sanctions-hit-not-found');
    const { accountId } = await listed();
    expectProblem(await freeze(accountId, 'nothing'), 422, 'basis-not-found');
  });

  it('is listed by state, party, account and id, newest first', async () => {
    const { partyId, accountId } = await listed();
    const first = await ledger.makeHit(partyId);
    const second = await ledger.makeConfirmedHit(partyId, { entry: entryOf('b'.repeat(64)) });
    const third = await ledger.makeHit(partyId, {
      entry: entryOf('c'.repeat(64)),
      aggregateShare: 0.5,
      route: 'ownership',
    });
    const mine = `${HITS}?partyId=${partyId}`;
    expect(await ids(mine, 'hitId')).toEqual([third, second, first]);
    expect(await ids(`${mine}&state=confirmed`, 'hitId')).toEqual([second]);
    expect(await ids(`${mine}&basisId=${first}`, 'hitId')).toEqual([first]);
    expect(await ids(`${HITS}?accountId=${accountId}`, 'hitId')).toEqual([third, second, first]);
    expect(await ids(`${HITS}?accountId=none`, 'hitId')).toEqual([]);
    const pages = await ledger.readAllPages(OPS, mine, 1);
    expect(pages.map((item) => valueAt(item, 'hitId'))).toEqual([third, second, first]);
    expect(pages[0]).toMatchObject({ route: 'ownership', aggregateShare: 0.5 });
  });

  it.each<[string, string, object]>([
    ['an unknown route', 'route', { route: 'hearsay' }],
    ['a share of nothing', 'aggregateShare', { aggregateShare: 0 }],
    ['a share above the whole', 'aggregateShare', { aggregateShare: 1.01 }],
    ['a share as text', 'aggregateShare', { aggregateShare: '0.5' }],
    ['an unknown measure', 'entry.measure', { entry: entryOf(SHA256, 'freeze') }],
    ['a day that there is not', 'entry.listedOn', { entry: { ...entryOf(SHA256), listedOn: '2022-02-30' } }],
    ['a time for a day', 'entry.listedOn', { entry: { ...entryOf(SHA256), listedOn: '2022-04-05T00:00:00Z' } }],
    ['no programme', 'entry.programmes', { entry: { ...entryOf(SHA256), programmes: [] } }],
    ['a programme that is no text', 'entry.programmes', { entry: { ...entryOf(SHA256), programmes: [1] } }],
    ['a nationality', 'subject.kind', { subject: { kind: 'nationality', code: 'RU' } }],
    ['an account', 'subject.kind', { subject: { kind: 'account', accountId: 'a' } }],
    ['a list of subjects', 'subject', { subject: [] }],
    ['half an address', 'subject.address', { subject: { kind: 'address', chain: 'bitcoin' } }],
    ['what nobody knows', 'entry.also', { entry: { ...entryOf(SHA256), also: 1 } }],
  ])('is refused with %s', async (_what, field, more) => {
    const answer = await ledger.post(OPS, HITS, hitOf('hit-x', 'p-x', { ...more }));
    expectProblem(answer, 400, 'malformed-request');
    expect(listAt(answer.body, 'errors').map((error) => valueAt(error, 'field'))).toEqual([field]);
  });

  it.each<[string, object, string]>([
    ['cause', { cause: 'we changed our mind' }, 'cause'],
    ['authority', { authority: { kind: 'a hunch', reference: 'r' } }, 'authority.kind'],
    ['reference', { authority: { kind: 'report' } }, 'authority.reference'],
  ])('has no clearance without a proper %s', async (_what, more, field) => {
    const answer = await ledger.post(OPS, `${HITS}/hit-x/clearances`, { ...clearanceOf('c'), ...more });
    expectProblem(answer, 400, 'malformed-request');
    expect(listAt(answer.body, 'errors').map((error) => valueAt(error, 'field'))).toEqual([field]);
  });
});

describe('the document', () => {
  it('lists no route of hits or addresses that was not asked here', () => {
    // Freezes of all that a hit names have a file of their own.
    const mine = ledger.contract.routes.filter((route) => /\/sanctions-hits(?!.*\/freezes$)|\/addresses$/.test(route));
    expect(mine).toHaveLength(10);
    expect(mine.filter((route) => !ledger.contract.answered.has(route))).toEqual([]);
  });
});
