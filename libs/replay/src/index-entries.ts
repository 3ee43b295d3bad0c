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

/** The entries that an event of its own home stream makes or renews. @param withKeys false to leave out those of keys */
export function indexEntries(event: Recorded<LedgerEvent>, withKeys = true): readonly NamedEntry[] {
  const entries: NamedEntry[] = [];
  const { key, commandHash } = event.metadata;
  if (withKeys && key !== null && commandHash !== null && key.homeStream === event.stream) {
    entries.push({ kind: 'key', id: keyEntryId(key), value: commandHash });
  }
  if (event.type === 'FundsDeposited' || event.type === 'FundsHeld') {
    entries.push({ kind: 'deposit', id: event.data.depositId, value: event.id });
  }
  if (event.type === 'DepositReversed') entries.push({ kind: 'reversal', id: event.data.depositId, value: event.id });
  entries.push(...transferEntries(event));
  const status = WITHDRAWAL_STATUS[event.type];
  if (status !== undefined && 'withdrawalId' in event.data) {
    entries.push({ kind: 'withdrawal', id: event.data.withdrawalId, value: status });
  }
  return entries;
}

/** A transfer is known on its sender's stream by its id, and on the receiver's by `incomingName`. */
function transferEntries(event: Recorded<LedgerEvent>): readonly NamedEntry[] {
  const value = event.id;
  switch (event.type) {
    case 'TransferSent':
      return [{ kind: 'outgoing', id: event.data.transferId, value }];
    case 'TransferReceived':
    case 'TransferRefused':
      return [{ kind: 'incoming', id: incomingName(event.data.from, event.data.transferId), value }];
    case 'TransferReturned':
      return [{ kind: 'returned', id: event.data.transferId, value }];
    default:
      return [];
  }
}

const WITHDRAWAL_STATUS: Readonly<Partial<Record<string, WithdrawalStatus>>> = {
  WithdrawalReserved: 'reserved',
  WithdrawalDispatched: 'dispatched',
  WithdrawalSettled: 'settled',
  WithdrawalCancelled: 'cancelled',
  WithdrawalStopped: 'stopped',
};
