import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { APPROVER, Ledger, OPS, orderOf, wellDone, type Person } from './support/ledger.ts';
import { textAt } from './support/json.ts';
import { expectProblem } from './support/problems.ts';

const OVERSIGHT: Person = { sub: 'overseer', roles: ['ops', 'approver', 'auditor'] };
const until = { nonDisclosureUntil: '2099-01-01T00:00:00Z' };
let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
}, 60_000);
afterAll(() => ledger.end());

describe('an order under non-disclosure', () => {
  it('is not named by the id of a task', async () => {
    await ledger.makeParty('p-x');
    const party = (await ledger.read(OPS, '/v1/parties/p-x')) as { externalRef: string };
    const sha256 = createHash('sha256').update(party.externalRef).digest('hex');
    const order = { ...orderOf('zq-external', { more: until }), subjects: [{ kind: 'external', sha256 }] };
    wellDone(await ledger.post(OPS, '/v1/admin/legal-orders', order), 'registering');
    await ledger.verify('zq-external');
    const tasks = JSON.stringify(await ledger.read(OVERSIGHT, '/v1/admin/tasks'));
    expect(tasks).toContain('review-reference-match');
    expect(tasks).not.toContain('zq-external');
  });

  it('is not spoken of by those who decide a lift that relies on it', async () => {
    await ledger.makeAccount({ accountId: 'acc-y', holder: await ledger.makeParty('p-y'), btc: '1' });
    const hit = await ledger.makeConfirmedHit('p-y');
    const basis = { basis: { kind: 'sanctions-hit', id: hit } };
    const frozen = wellDone(await ledger.post(OPS, '/v1/admin/accounts/acc-y/freezes', basis), 'freezing').body;
    const freezeId = textAt(frozen, 'freeze.freezeId');
    const {
      subjects: _s,
      scope: _c,
      ...rest
    } = orderOf('zq-release', { accounts: ['acc-y'], more: until }) as Record<string, unknown>;
    const release = { ...rest, effect: 'release', releases: { freezeIds: [freezeId] } };
    wellDone(await ledger.post(OPS, '/v1/admin/legal-orders', release), 'registering');
    await ledger.verify('zq-release');
    const requests = `/v1/admin/freezes/${freezeId}/lift-requests`;
    const asked = { requestId: 'l-1', ground: 'release-ordered', orderId: 'zq-release', note: 'zq said so' };
    wellDone(await ledger.post(OPS, requests, asked), 'asking');
    const both: Person = { sub: OPS.sub, roles: ['ops', 'approver'] };
    expectProblem(await ledger.post(both, `${requests}/l-1/approval`, { note: 'fine by zq' }), 422, 'maker-is-checker');
    wellDone(await ledger.post(APPROVER, `${requests}/l-1/rejection`, { reason: 'the zq court says no' }), 'rejecting');
    for (const path of [
      '/v1/audit/streams/account-acc-y',
      '/v1/audit/refusals',
      '/v1/audit/events?stream=account-acc-y',
    ]) {
      const shown = JSON.stringify(await ledger.read(OVERSIGHT, path));
      expect([path, shown.match(/[^"]*zq[^"]*/g)]).toEqual([path, null]);
      expect(shown.includes('AccountFrozen') || path.endsWith('refusals')).toBe(true);
    }
  });
});
