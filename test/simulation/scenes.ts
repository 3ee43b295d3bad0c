import type { RecordedEvent } from '#kernel';
import {
  checker,
  clearing,
  endingProposal,
  letterRegistration,
  maker,
  putHit,
  raising,
  sampleAddress,
  service,
} from '#testing';
import { asking, logOf, script } from './interleaving.ts';

/** What actors of several specs ask for, and the logs that their scenarios start from. */

export const freeze = {
  type: 'FreezeAccount',
  accountId: 'acc-1',
  basis: { kind: 'legal-order', id: 'ord-1' },
} as const;
export const grant = {
  type: 'AnswerAuthorityRequest',
  requestId: 'req-1',
  outcome: 'granted',
  reason: 'r',
  basis: freeze.basis,
} as const;
export const refuse = { ...grant, outcome: 'refused', basis: undefined } as const;
export const open = { type: 'OpenAccount', accountId: 'acc-2', holders: ['p-1', 'p-2'].map(owner) } as const;
export const openAlone = { ...open, holders: [owner('p-2')] } as const;
export const debit = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '1',
  destination: { kind: 'bank', reference: 'r' },
} as const;

export const send = {
  type: 'SendTransfer',
  accountId: 'acc-1',
  transferId: 't-1',
  to: 'acc-2',
  asset: 'BTC',
  amount: '2',
} as const;
export const close = { type: 'CloseAccount', accountId: 'acc-2', reason: 'asked' } as const;
export const arrival = {
  type: 'Deposit',
  accountId: 'acc-2',
  depositId: 'd-9',
  asset: 'BTC',
  amount: '1',
  source: { kind: 'bank', reference: 'r' },
} as const;

function owner(partyId: string): { partyId: string; capacity: 'owner' } {
  return { partyId, capacity: 'owner' };
}

const verification = [{ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, 'verify', checker] as const;
const ending = [
  [endingProposal(), 'propose', maker],
  [{ type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' }, 'end', checker],
] as const;
export const verifyOrder = script(verification);
export const endOrder = script(...ending);
export const verifyThenEnd = script(verification, ...ending);

export const freezeUnderHit = { ...freeze, basis: { kind: 'sanctions-hit', id: 'hit-1' } } as const;
export const clearHit = script(...clearing.map(([command, actor = maker]) => [command, command.type, actor] as const));
export const confirmHit = script([{ type: 'ConfirmSanctionsHit', hitId: 'hit-1' }, 'confirm', checker]);
export const linkAddress = asking(
  { type: 'LinkAddress', partyId: 'p-1', chain: 'bitcoin', address: sampleAddress.address, role: 'holder-controlled' },
  'link',
  service,
);

export const frozenScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    const source = { kind: 'bank', reference: 'r' } as const;
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    await world.putOrder();
  });

export const hitScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await putHit(world);
  });

/** An order that names the account and waits to be verified. */
export const unverifiedScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.putOrder({}, false);
  });

/** An order that names a party, verified if wanted. */
export const namingScene = (verified: boolean): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] }, verified);
  });

/** An address that nobody has linked yet, on which a hit is raised. */
export const addressScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.accept(raising({ subject: sampleAddress }));
  });

export const openingScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-9', 'p-2');
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-2' }] }, false);
  });

export const letterScene = (): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount();
    await world.putOrder();
    await world.accept(letterRegistration());
  });

/** Two accounts, the first in funds, the second closed if wanted. */
export const transferScene = (closed = false): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const source = { kind: 'bank', reference: 'r' } as const;
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    await world.putOrder();
    if (closed) await world.accept(close, { actor: service });
  });
