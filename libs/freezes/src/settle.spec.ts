import { describe, expect, it } from '@jest/globals';
import { SPEC_NOW, specEventId, specPointer } from '#testing';
import type { Recorded } from '#kernel';
import type { FreezeAuthorised } from '#legal-orders';
import { settleAuthorisation, type Settlement } from './settle.ts';
import { initialFreezesState, type FreezesState } from './state.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const stream = 'legalOrder-ord-1';
const scope = { direction: 'debit', assets: 'all' } as const;

function authorised(partyId?: string): Recorded<FreezeAuthorised> {
  const actor = { id: 'ops-1', roles: ['ops'] };
  const common = { correlationId: 'c', causationId: null, key: null, commandHash: null, previousHash: null, hash: '' };
  const namedBy = specPointer(stream, 0);
  const party = partyId === undefined ? {} : { partyId };
  return {
    type: 'FreezeAuthorised',
    data: { orderId: 'ord-1', accountId: 'acc-1', scope, namedBy, ...party, requestedBy: 'ops-1' },
    id: specEventId(2),
    schemaVersion: 1,
    metadata: { ...common, actor, recordedAt: SPEC_NOW },
    stream,
    revision: 2,
    position: '0000000000000002',
  };
}

const resolved: FreezesState = { ...initialFreezesState(), resolved: new Map([[specEventId(2), 'abandoned']]) };
const existingFreezeId = specEventId(0xf9);
function frozenUnder(orderId: string): FreezesState {
  const freeze = {
    freezeId: existingFreezeId,
    basis: { kind: 'legal-order', id: orderId } as const,
    citation: { stream: `legalOrder-${orderId}`, revision: '1', eventId: existingFreezeId },
    scope,
    claimGroup: `legal-order/${orderId}`,
    placedBy: 'ops-1',
    placedAt: SPEC_NOW,
    blockedFrom: SPEC_NOW,
  };
  return { ...initialFreezesState(), inForce: new Map([[existingFreezeId, freeze]]) };
}

/** An authorisation that becomes a freeze; each specification changes what it is about. */
const plain: Settlement = {
  authorisation: authorised(),
  basis,
  freezes: initialFreezesState(),
  account: 'open',
  holders: ['p-1'],
  keyStands: false,
  basisEnded: false,
  lostBy: () => undefined,
  by: 'handler',
};
/** Every clause at once speaks against the freeze; taking away the first ones shows which comes next. */
const worst: Settlement = {
  ...plain,
  authorisation: authorised('p-9'),
  freezes: { ...frozenUnder('ord-1'), resolved: resolved.resolved },
  account: 'opening',
  keyStands: true,
  basisEnded: true,
  by: 'supervisor',
};

describe('what an authorisation comes to', () => {
  it.each(['handler', 'supervisor'] as const)('is a freeze when nothing is against it (%s)', (by) => {
    expect(settleAuthorisation({ ...plain, by })).toEqual({ outcome: 'freeze' });
    expect(settleAuthorisation({ ...plain, by, authorisation: authorised('p-1') })).toEqual({ outcome: 'freeze' });
    expect(settleAuthorisation({ ...plain, by, freezes: frozenUnder('ord-2') })).toEqual({ outcome: 'freeze' });
  });

  it('is what it came to before', () => {
    expect(settleAuthorisation({ ...plain, freezes: resolved })).toEqual({ outcome: 'resolved-already' });
  });

  it('waits for the opening of the account', () => {
    expect(settleAuthorisation({ ...plain, account: 'opening', holders: [] })).toEqual({ outcome: 'opening-first' });
  });

  const abandon = (reason: string, withKey: boolean): unknown => ({ outcome: 'abandon', reason, withKey });

  it('is nothing when no account came to be', () => {
    const absent = { ...plain, account: 'absent', holders: [] } as const;
    expect(settleAuthorisation(absent)).toEqual(abandon('account-not-open', true));
    expect(settleAuthorisation({ ...absent, authorisation: authorised('p-1') })).toEqual(
      abandon('account-not-open', true),
    );
  });

  it('is nothing when the party that the order names does not hold the account', () => {
    expect(settleAuthorisation({ ...plain, authorisation: authorised('p-9') })).toEqual(abandon('not-a-holder', true));
  });

  it('is nothing when the key stands for something else, and then goes without the key', () => {
    expect(settleAuthorisation({ ...plain, keyStands: true })).toEqual(abandon('key-used', false));
  });

  it('never puts one key twice on a stream', () => {
    const used = { ...plain, keyStands: true };
    expect(settleAuthorisation({ ...used, account: 'absent' })).toEqual(abandon('account-not-open', false));
    expect(settleAuthorisation({ ...used, authorisation: authorised('p-9') })).toEqual(abandon('not-a-holder', false));
  });

  it('is nothing under a basis that froze the account already, which answers its key', () => {
    const already = { outcome: 'abandon', reason: 'already-frozen', withKey: true, existingFreezeId };
    expect(settleAuthorisation({ ...plain, freezes: frozenUnder('ord-1') })).toEqual(already);
  });

  it('is nothing to the supervisor once the basis ended; a handler does not look', () => {
    const ended = { ...plain, basisEnded: true };
    expect(settleAuthorisation({ ...ended, by: 'supervisor' })).toEqual(abandon('basis-ended', true));
    expect(settleAuthorisation({ ...ended, by: 'handler' })).toEqual({ outcome: 'freeze' });
  });

  it('is decided by the first clause that applies', () => {
    const unresolved = { ...worst, freezes: frozenUnder('ord-1') };
    const open: Settlement = { ...unresolved, account: 'open' };
    const held = { ...open, authorisation: authorised('p-1') };
    const keyFree = { ...held, keyStands: false };
    const alone = { ...keyFree, freezes: initialFreezesState() };
    const reasons = [worst, unresolved, open, held, keyFree, alone].map((input) => {
      const settled = settleAuthorisation(input);
      return settled.outcome === 'abandon' ? settled.reason : settled.outcome;
    });
    expect(reasons).toEqual([
      'resolved-already',
      'opening-first',
      'not-a-holder',
      'key-used',
      'already-frozen',
      'basis-ended',
    ]);
  });
});
