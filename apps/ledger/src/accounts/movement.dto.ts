import {
  DEPOSIT_STATES,
  DESTINATION_KINDS,
  REVERSAL_CAUSES,
  SOURCE_KINDS,
  TRANSFER_REFUSALS,
  TRANSFER_STATES,
  WITHDRAWAL_STATES,
  type DepositView,
  type EntryView,
  type TransferStatus,
  type TransferView,
  type WithdrawalStatus,
  type WithdrawalView,
} from '#accounts';
import { ApiProperty } from '@nestjs/swagger';
import { ListQuery } from '../edge/query-edge.ts';
import { shownAmount, type AssetLookup } from '../edge/scales.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { AmountField, AssetCodeField, ChoiceField, IdField, NestedField, TextField } from '../validation/fields.ts';
import { AccountPath } from './account.dto.ts';

/** Where funds came from or go to. */
abstract class CounterpartBody {
  @TextField(32, { optional: true, example: 'bitcoin' })
  chain?: string;

  @TextField(128, { optional: true })
  address?: string;

  @TextField(128, { optional: true })
  memo?: string;
}

export class SourceBody extends CounterpartBody {
  @ChoiceField(SOURCE_KINDS)
  kind!: (typeof SOURCE_KINDS)[number];

  @TextField(128, { description: 'What names the transaction there.' })
  reference!: string;
}

export class DestinationBody extends CounterpartBody {
  @ChoiceField(DESTINATION_KINDS)
  kind!: (typeof DESTINATION_KINDS)[number];

  @TextField(128, { optional: true })
  reference?: string;
}

export class DepositBody {
  @IdField({ example: 'dep-1' })
  depositId!: string;

  @AssetCodeField()
  asset!: string;

  @AmountField()
  amount!: string;

  @NestedField(() => SourceBody)
  source!: SourceBody;
}

export class WithdrawalBody {
  @IdField({ example: 'wd-1' })
  withdrawalId!: string;

  @AssetCodeField()
  asset!: string;

  @AmountField()
  amount!: string;

  @NestedField(() => DestinationBody)
  destination!: DestinationBody;
}

export class TransferBody {
  @IdField({ example: 'tr-1' })
  transferId!: string;

  @IdField({ example: 'acc-2', description: 'The account that the funds go to: another than the sender.' })
  to!: string;

  @AssetCodeField()
  asset!: string;

  @AmountField()
  amount!: string;
}

export class TransferPath extends AccountPath {
  @IdField()
  transferId!: string;
}

export class TransfersQuery extends ListQuery {
  @ChoiceField(TRANSFER_STATES, { optional: true })
  state?: TransferStatus;
}

export class ReferenceBody {
  @TextField(128, { description: 'What names the transaction at the chain or bank.' })
  reference!: string;
}

export class ReasonBody {
  @TextField(500)
  reason!: string;
}

export class ReversalBody extends ReasonBody {
  @ChoiceField(REVERSAL_CAUSES, {
    description:
      'That a deposit never was (`reorganisation`, `bank-recall`) is a fact: it is recorded whatever is frozen, with what could be taken and the shortfall. A `mistake` is put right by a debit, refused like any.',
  })
  cause!: (typeof REVERSAL_CAUSES)[number];
}

export class DepositPath extends AccountPath {
  @IdField()
  depositId!: string;
}

export class WithdrawalPath extends AccountPath {
  @IdField()
  withdrawalId!: string;
}

export class WithdrawalsQuery extends ListQuery {
  @ChoiceField(WITHDRAWAL_STATES, { optional: true })
  state?: WithdrawalStatus;
}

abstract class Counterpart {
  @ApiProperty(as('text', { optional: true }))
  chain?: string | undefined;

  @ApiProperty(as('text', { optional: true }))
  address?: string | undefined;

  @ApiProperty(as('text', { optional: true }))
  memo?: string | undefined;
}

export class Source extends Counterpart {
  @ApiProperty(as('text', { enum: SOURCE_KINDS }))
  kind!: string;

  @ApiProperty(as('text'))
  reference!: string;
}

export class Destination extends Counterpart {
  @ApiProperty(as('text', { enum: DESTINATION_KINDS }))
  kind!: string;

  @ApiProperty(as('text', { optional: true }))
  reference?: string | undefined;
}

export class Deposit {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('id'))
  depositId!: string;

  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('amount'))
  amount!: string;

  @ApiProperty({ type: Source })
  source!: Source;

  @ApiProperty(as('text', { enum: DEPOSIT_STATES, description: '`held` until the credit freezes of its asset end.' }))
  state!: string;

  @ApiProperty(as('text', { nullable: true, description: 'Of the reversal.' }))
  cause!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Why it was reversed.' }))
  reason!: string | null;

  @ApiProperty(as('amount', { nullable: true, description: 'What the reversal took from the account.' }))
  taken!: string | null;

  @ApiProperty(as('amount', { nullable: true, description: 'What was no longer there when it was reversed.' }))
  shortfall!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class Withdrawal {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('id'))
  withdrawalId!: string;

  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('amount'))
  amount!: string;

  @ApiProperty({ type: Destination })
  destination!: Destination;

  @ApiProperty(as('text', { enum: WITHDRAWAL_STATES }))
  state!: string;

  @ApiProperty(as('text', { nullable: true, description: 'Of the dispatch or settlement.' }))
  reference!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Why it was cancelled.' }))
  reason!: string | null;

  @ApiProperty(as('uuid', { nullable: true, description: 'The freeze that stopped it.' }))
  freezeId!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class Transfer {
  @ApiProperty(as('id', { description: 'The sender.' }))
  accountId!: string;

  @ApiProperty(as('id'))
  transferId!: string;

  @ApiProperty(as('id'))
  to!: string;

  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('amount'))
  amount!: string;

  @ApiProperty(
    as('text', {
      enum: TRANSFER_STATES,
      description: '`sent`: on its way, in neither account. The answer to the command always says so.',
    }),
  )
  state!: string;

  @ApiProperty(as('text', { nullable: true, description: `Why it came back: ${TRANSFER_REFUSALS.join(', ')}.` }))
  reason!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class Entry {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('revision'))
  revision!: string;

  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty(as('uuid'))
  eventId!: string;

  @ApiProperty(as('text', { description: 'Type of the event.' }))
  type!: string;

  @ApiProperty(as('text', { enum: ['available', 'reserved', 'held'] }))
  ledgerAccount!: string;

  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('signedAmount'))
  amount!: string;

  @ApiProperty(as('amount', { description: 'Of the ledger account, after the event.' }))
  balance!: string;

  @ApiProperty(as('text', { description: 'The deposit, withdrawal or transfer; of a release, the freeze.' }))
  reference!: string;

  @ApiProperty(as('time'))
  recordedAt!: string;
}

export const DepositAnswer = answerOf('deposit', Deposit);
export const WithdrawalAnswer = answerOf('withdrawal', Withdrawal);
export const DepositPage = pageOf('DepositPage', Deposit);
export const WithdrawalPage = pageOf('WithdrawalPage', Withdrawal);
export const TransferAnswer = answerOf('transfer', Transfer);
export const TransferPage = pageOf('TransferPage', Transfer);
export const EntryPage = pageOf('EntryPage', Entry);

export function shownDeposit(view: DepositView, assets: AssetLookup): Deposit {
  const shown = (units: string): string => shownAmount(units, view.asset, assets);
  const shownOrNull = (units: string | null): string | null => (units === null ? null : shown(units));
  const [taken, shortfall] = [shownOrNull(view.taken), shownOrNull(view.shortfall)];
  return { ...view, amount: shown(view.amount), source: shownCounterpart(view.source), taken, shortfall };
}

export function shownWithdrawal(view: WithdrawalView, assets: AssetLookup): Withdrawal {
  const amount = shownAmount(view.amount, view.asset, assets);
  return { ...view, amount, destination: shownCounterpart(view.destination) };
}

export function shownTransfer(view: TransferView, assets: AssetLookup): Transfer {
  return { ...view, amount: shownAmount(view.amount, view.asset, assets) };
}

/** In one order, be it fresh from a command or read again: a repeat answers as the first did, to the byte. */
function shownCounterpart<Place extends DepositView['source'] | WithdrawalView['destination']>(
  place: Place,
): Pick<Place, 'kind' | 'reference' | 'chain' | 'address' | 'memo'> {
  const { kind, reference, chain, address, memo } = place;
  return { kind, reference, chain, address, memo };
}

export function shownEntry(view: EntryView, assets: AssetLookup): Entry {
  const shown = (units: string): string => shownAmount(units, view.asset, assets);
  return { ...view, revision: String(view.revision), amount: shown(view.amount), balance: shown(view.balance) };
}
