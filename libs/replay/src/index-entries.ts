import type { CommandKey, Recorded } from '#kernel';
import { incomingName, type WithdrawalStatus } from '#accounts';
import type { LedgerEvent } from './judged.ts';

/** What a home stream is asked for by name: which command a key was used for, whether an id is taken. */
export interface NamedEntry {
  readonly kind: NameKind;
  readonly id: string;
  /** Of a key: the command's hash. Of a withdrawal: its state. Of all others: the id of the event, which stays. */
  readonly value: string;
}
export type NameKind = 'key' | 'deposit' | 'reversal' | 'withdrawal' | 'outgoing' | 'incoming' | 'returned';

/** The id under which a key is found on its home stream. */
export function keyEntryId(key: Pick<CommandKey, 'caller' | 'value'>): string {
  return `${key.caller}\n${key.value}`;
}

/** The entries that an event of its own home stream makes or renews. */
export function indexEntries(event: Recorded<LedgerEvent>): readonly NamedEntry[] {
  return [keyEntry(event), contentEntry(event)].filter((entry) => entry !== undefined);
}

/** The entry of the key of an event on its own home stream. */
export function keyEntry({ stream, metadata: { key, commandHash } }: Recorded<LedgerEvent>): NamedEntry | undefined {
  if (key === null || commandHash === null || key.homeStream !== stream) return undefined;
  return { kind: 'key', id: keyEntryId(key), value: commandHash };
}

/**
 * The entry of what an event is about. A transfer is known on its sender's stream by its id, and on the receiver's by
 * `incomingName`.
 */
export function contentEntry(event: Recorded<LedgerEvent>): NamedEntry | undefined {
  const value = event.id;
  switch (event.type) {
    case 'FundsDeposited':
    case 'FundsHeld':
      return { kind: 'deposit', id: event.data.depositId, value };
    case 'DepositReversed':
      return { kind: 'reversal', id: event.data.depositId, value };
    case 'WithdrawalReserved':
    case 'WithdrawalDispatched':
    case 'WithdrawalSettled':
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      return { kind: 'withdrawal', id: event.data.withdrawalId, value: WITHDRAWAL_STATUS[event.type] };
    case 'TransferSent':
      return { kind: 'outgoing', id: event.data.transferId, value };
    case 'TransferReceived':
    case 'TransferRefused':
      return { kind: 'incoming', id: incomingName(event.data.from, event.data.transferId), value };
    case 'TransferReturned':
      return { kind: 'returned', id: event.data.transferId, value };
    default:
      return undefined;
  }
}

const WITHDRAWAL_STATUS = {
  WithdrawalReserved: 'reserved',
  WithdrawalDispatched: 'dispatched',
  WithdrawalSettled: 'settled',
  WithdrawalCancelled: 'cancelled',
  WithdrawalStopped: 'stopped',
} as const satisfies Record<string, WithdrawalStatus>;
