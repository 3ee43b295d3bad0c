import { restrictions } from '#freezes';
import { pointerTo, type EventPointer, type Recorded } from '#kernel';
import type { AccountEvent, TRANSFER_REFUSALS } from './events.ts';
import { gate } from './gate.ts';
import { fitsBalance } from './limits.ts';
import { balanceOf, type AccountState } from './state.ts';

type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
export type TransferRefusal = (typeof TRANSFER_REFUSALS)[number];

/** Why an account can not take in what another sends it; undefined when it can. A deposit, which is a fact, lands all the same. */
export function refusesTransfer(
  state: AccountState,
  { asset, amount }: { readonly asset: string; readonly amount: string },
): TransferRefusal | undefined {
  const amountUnits = BigInt(amount);
  const balance = balanceOf(state, asset);
  if (!gate(restrictions(state.freezes), { direction: 'credit', asset }).ok) return 'credit-frozen';
  if (state.closed) return 'closed';
  return fitsBalance(balance, amountUnits) ? undefined : 'balance-limit';
}

/**
 * What a transfer comes to on the account that it was sent to, the arbiter: one rule for the handler and for whoever
 * finishes what a handler left.
 */
export function settleTransfer(
  sent: Recorded<Of<'TransferSent'>>,
  state: AccountState,
): Of<'TransferReceived'> | Of<'TransferRefused'> {
  const { accountId: from, to: accountId, transferId, asset, amount } = sent.data;
  const data = { accountId, from, transferId, asset, amount, citation: pointerTo(sent) };
  const reason = refusesTransfer(state, sent.data);
  if (reason === undefined) return { type: 'TransferReceived', data };
  return { type: 'TransferRefused', data: { ...data, reason } };
}

/** A refusal, and nothing that the sending account knows of itself, sends the funds back. */
export function returnTransfer(refused: Recorded<Of<'TransferRefused'>>): Of<'TransferReturned'> {
  const { accountId: to, from: accountId, transferId, asset, amount, reason } = refused.data;
  const citation: EventPointer = pointerTo(refused);
  return { type: 'TransferReturned', data: { accountId, to, transferId, asset, amount, reason, citation } };
}

/** The name of an incoming transfer on the receiving account's stream. Neither id can hold a slash. */
export function incomingName(from: string, transferId: string): string {
  return `${from}/${transferId}`;
}

/** Why an outcome is not that of the transfer that it cites; undefined when it is. */
export function checkAgainstSent(
  { data }: Recorded<Of<'TransferReceived'> | Of<'TransferRefused'>>,
  sent: Recorded<AccountEvent> | undefined,
): string | undefined {
  if (sent?.type !== 'TransferSent') return 'cites no transfer that was sent';
  const same = sent.data.accountId === data.from && sent.data.to === data.accountId && sameFunds(sent.data, data);
  return same ? undefined : 'says otherwise than the transfer that it cites';
}

/** Why a return is not that of the refusal that it cites; undefined when it is. */
export function checkAgainstRefusal(
  { data }: Recorded<Of<'TransferReturned'>>,
  refused: Recorded<AccountEvent> | undefined,
): string | undefined {
  if (refused?.type !== 'TransferRefused') return 'cites no refusal of a transfer';
  const { accountId, from, reason } = refused.data;
  const same = from === data.accountId && accountId === data.to && reason === data.reason;
  return same && sameFunds(refused.data, data) ? undefined : 'says otherwise than the refusal that it cites';
}

interface Funds {
  readonly transferId: string;
  readonly asset: string;
  readonly amount: string;
}

function sameFunds(one: Funds, other: Funds): boolean {
  return one.transferId === other.transferId && one.asset === other.asset && one.amount === other.amount;
}
