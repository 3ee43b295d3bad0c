import { describe, expect, it } from '@jest/globals';
import { citedIn } from './cited.ts';
import { withhold, type Secrets } from './withhold.ts';

const secrets: Secrets = { orders: new Set(['ord-1']), freezes: new Set(['f-1']), lifts: new Set() };
const basis = { kind: 'legal-order', id: 'ord-1' };
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: 'e' };
const shown = (value: unknown): unknown => withhold(value, secrets);

describe('what is withheld', () => {
  it('an order, and a change of it, is a legal order', () => {
    expect(shown({ orderId: 'ord-1', caseReference: 'x' })).toEqual({ kind: 'legal-order' });
    expect(shown({ items: [{ orderId: 'ord-1', changeId: 'c' }], nextCursor: 'n' })).toEqual({
      items: [{ kind: 'legal-order' }],
      nextCursor: 'n',
    });
  });

  it('a basis has no id, and a pointer to the stream of the order is none', () => {
    expect(shown({ freezeId: 'f-1', basis, citation, lift: { ground: 'basis-ended', citation } })).toEqual({
      freezeId: 'f-1',
      basis: { kind: 'legal-order' },
      citation: null,
      lift: { ground: 'basis-ended', citation: null },
    });
  });

  it('a lift request keeps who asked and what came of it', () => {
    const request = { freezeId: 'f-1', requestId: 'r', ground: 'placed-in-error', note: 'n', reason: 'x', state: 's' };
    expect(shown(request)).toEqual({ ...request, note: null, reason: null });
    expect(shown({ ...request, freezeId: 'f-2', orderId: 'ord-1' })).toEqual({
      ...request,
      freezeId: 'f-2',
      note: null,
      reason: null,
      orderId: null,
    });
  });

  it('an event on its stream keeps its envelope', () => {
    const key = { caller: 'a', homeStream: 'legalOrder-ord-1', value: 'k' };
    const metadata = { actor: { id: 'a', roles: [] }, correlationId: 'c', key, hash: 'h', previousHash: null };
    const event = { stream: 'legalOrder-ord-1', revision: '0', type: 'LegalOrderRegistered', schemaVersion: 1 };
    const recorded = { ...event, data: { orderId: 'ord-1' }, metadata };
    expect(shown(recorded)).toEqual({ ...recorded, data: null });
  });

  it('an event that has the id of the order as its correlation id does not name it thereby', () => {
    const metadata = { actor: { id: 'system:supervisor', roles: [] }, correlationId: 'ord-1', hash: 'h' };
    const data = { partyId: 'p', basis, citation };
    const named = { stream: 'party-p', type: 'PartyNamed', schemaVersion: 1, data, metadata };
    expect(shown(named)).toEqual({ ...named, data: null, metadata: { ...metadata, correlationId: null } });
    const other = { ...named, metadata: { ...metadata, correlationId: 'ord-2' } };
    expect(shown(other)).toEqual({ ...other, data: null });
    const ofHit = { ...named, data: { partyId: 'p', basis: { kind: 'sanctions-hit', id: 'ord-1' } } };
    expect(shown(ofHit)).toEqual(ofHit);
  });

  it('what only follows a freeze keeps its data', () => {
    const data = { withdrawalId: 'w', freezeId: 'f-3' };
    const stopped = { stream: 'account-a', type: 'WithdrawalStopped', schemaVersion: 1, data, metadata: { hash: 'h' } };
    expect(shown(stopped)).toEqual(stopped);
  });

  it('what is wrong, or was refused, on its stream does not name it', () => {
    const refusal = { stream: 'legalOrder-ord-1', command: 'VerifyLegalOrder', decidedOn: null, detail: 'd' };
    expect(shown(refusal)).toMatchObject({ stream: 'legalOrder-~', detail: null });
    const violation = { stream: 'legalOrder-ord-1', code: 'illegal-event', detectedAt: 't', detail: 'd' };
    expect(shown(violation)).toMatchObject({ stream: 'legalOrder-~', detail: null });
  });

  it('malformed events that cite it are withheld like any', () => {
    const forged = { stream: 'account-a', type: 'AccountFrozen', schemaVersion: 1, data: [[basis]], metadata: null };
    expect(shown(forged)).toMatchObject({ data: null });
  });
});

describe('what is shown', () => {
  it.each([
    ['another order', { orderId: 'ord-2', caseReference: 'x' }],
    ['a hit of the same id', { basis: { kind: 'sanctions-hit', id: 'ord-1' }, reason: 'r' }],
    ['a freeze under another order', { freezeId: 'f-2', basis: { kind: 'legal-order', id: 'ord-10' }, note: 'n' }],
    ['a lift request of another freeze', { freezeId: 'f-2', requestId: 'r', note: 'n' }],
    ['the stream of an account of the same id', { stream: 'account-ord-1', revision: '1' }],
    ['an event that cites nothing', { stream: 'account-a', schemaVersion: 1, data: { a: 1 }, metadata: { key: 'k' } }],
    ['nothing', null],
  ])('%s', (_what, value) => {
    expect(shown(value)).toEqual(value);
  });
});

describe('the orders that an answer names', () => {
  it.each([
    ['a basis', { items: [{ basis }] }],
    ['an order', { orderId: 'ord-1' }],
    ['a pointer', { lift: { citation } }],
    ['a claim group', { claimGroup: 'legal-order/ord-1' }],
    ['the home stream of a key', { metadata: { key: { homeStream: 'legalOrder-ord-1' } } }],
  ])('are found: %s', (_where, value) => {
    expect([...citedIn(value).orders]).toEqual(['ord-1']);
  });
});
