import {
  accountView,
  closedAccountView,
  depositView,
  evolveAccount,
  initialAccountState,
  transferView,
  withdrawalView,
  type AccountClosed,
  type AccountEvent,
  type DepositEvent,
  type DepositReversed,
  type TransferSent,
  type WithdrawalStep,
} from '#accounts';
import type { LedgerCommand } from '#command-handling';
import type { EventOf, Recorded } from '#kernel';
import type { Queries } from '#projections';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ROLES } from '../auth/roles.ts';
import { CommandEdge, type Accepted } from '../edge/command-edge.ts';
import { found, ListQuery, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { eventOfType } from '../edge/recorded.ts';
import { lookUpAssets } from '../edge/scales.ts';
import { etagOf } from '../http/answer.ts';
import { callerOf } from '../http/request.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  Account,
  AccountAnswer,
  AccountPage,
  AccountPath,
  AccountsQuery,
  OpenAccountBody,
  shownAccount,
} from './account.dto.ts';
import {
  Deposit,
  DepositAnswer,
  DepositBody,
  DepositPage,
  DepositPath,
  EntryPage,
  ReasonBody,
  ReferenceBody,
  ReversalBody,
  shownDeposit,
  shownEntry,
  shownTransfer,
  shownWithdrawal,
  Transfer,
  TransferAnswer,
  TransferBody,
  TransferPage,
  TransferPath,
  TransfersQuery,
  Withdrawal,
  WithdrawalAnswer,
  WithdrawalBody,
  WithdrawalPage,
  WithdrawalPath,
  WithdrawalsQuery,
} from './movement.dto.ts';

const STEPS_OF_WITHDRAWALS = [
  'WithdrawalReserved',
  'WithdrawalDispatched',
  'WithdrawalSettled',
  'WithdrawalCancelled',
] as const;

@ApiTags('Accounts')
@Controller('v1/accounts')
export class AccountsController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'openAccount',
    summary: 'Open an account for parties that are identified',
    roles: ['service'],
    created: true,
    answer: AccountAnswer,
    problems: ['party-not-found', 'already-exists', 'party-not-identified', 'party-named-by-basis'],
  })
  open(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Body() body: OpenAccountBody): Promise<void> {
    return this.#commands.run(request, reply, body, { type: 'OpenAccount', ...body }, ({ events }) => {
      const event = eventOfType<AccountEvent>(events, 'AccountOpened');
      const { revision: streamRevision, position, metadata } = event;
      const state = evolveAccount(initialAccountState(), event);
      const view = found(
        accountView(state, { streamRevision, position, updatedAt: metadata.recordedAt }),
        'account',
        body.accountId,
      );
      return { account: shownAccount(view, () => undefined, callerOf(request)) };
    });
  }

  @Get()
  @QueryRoute({ operationId: 'listAccounts', summary: 'List accounts', roles: ROLES, answer: AccountPage })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: AccountsQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { items, nextCursor } = queries.accounts(query, query);
    const [assets, caller] = [assetsOf(queries), callerOf(request)];
    reply.send({ items: items.map((view) => shownAccount(view, assets, caller)), nextCursor });
  }

  @Get(':accountId')
  @QueryRoute({
    operationId: 'readAccount',
    summary: 'Read an account: holders, balances, freezes in force',
    roles: ROLES,
    tagged: true,
    answer: Account,
    problems: ['account-not-found'],
  })
  async read(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = accountIn(queries, accountId);
    const account = shownAccount(view, assetsOf(queries), callerOf(request));
    reply.header('etag', etagOf(streamRevision)).send(account);
  }

  @Post(':accountId/closure')
  @CommandRoute({
    operationId: 'closeAccount',
    summary: 'Close an account in which there is nothing',
    description: 'A deposit, or a transfer that comes back, opens it again.',
    roles: ['service'],
    answer: AccountAnswer,
    problems: ['account-not-found', 'invalid-transition', 'account-frozen', 'account-not-empty'],
  })
  close(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    const command = { type: 'CloseAccount', accountId, ...body } as const;
    return this.#commands.run(request, reply, body, command, async ({ events }) => {
      const view = closedAccountView(eventOfType<EventOf<typeof AccountClosed>>(events, 'AccountClosed'));
      const codes = view.balances.map(({ asset }) => asset);
      return { account: shownAccount(view, await lookUpAssets(this.#commands.ledger, codes), callerOf(request)) };
    });
  }

  @Get(':accountId/entries')
  @QueryRoute({
    operationId: 'listEntries',
    summary: 'The statement of an account, in order, with running balances',
    roles: ROLES,
    answer: EntryPage,
    problems: ['account-not-found'],
  })
  async entries(
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() query: ListQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    accountIn(queries, accountId);
    const { items, nextCursor } = queries.entries(accountId, query);
    reply.send({ items: items.map((view) => shownEntry(view, assetsOf(queries))), nextCursor });
  }

  @Post(':accountId/deposits')
  @CommandRoute({
    operationId: 'recordDeposit',
    summary: 'Record that funds arrived',
    roles: ['service'],
    created: true,
    answer: DepositAnswer,
    problems: ['account-not-found', 'asset-not-found', 'already-exists'],
  })
  deposit(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Body() body: DepositBody,
  ): Promise<void> {
    const command = { type: 'Deposit', accountId, ...body } as const;
    return this.#commands.run(request, reply, body, command, (accepted) => this.#describeDeposit(accepted));
  }

  @Post(':accountId/deposits/:depositId/reversal')
  @CommandRoute({
    operationId: 'reverseDeposit',
    summary: 'Take a deposit back',
    description: 'As much of it as is there: out of what is held if it was held, then of what is available.',
    roles: ['service'],
    answer: DepositAnswer,
    problems: [
      'account-not-found',
      'deposit-not-found',
      'invalid-transition',
      'account-closed',
      'account-frozen',
      'insufficient-funds',
    ],
  })
  reverseDeposit(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: DepositPath,
    @Body() body: ReversalBody,
  ): Promise<void> {
    const command = { type: 'ReverseDeposit', ...path, ...body } as const;
    return this.#commands.run(request, reply, body, command, (accepted) => this.#describeDeposit(accepted));
  }

  @Get(':accountId/deposits')
  @QueryRoute({
    operationId: 'listDeposits',
    summary: 'List deposits of an account',
    roles: ROLES,
    answer: DepositPage,
    problems: ['account-not-found'],
  })
  async deposits(
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() query: ListQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    accountIn(queries, accountId);
    const { items, nextCursor } = queries.deposits(accountId, query);
    reply.send({ items: items.map((view) => shownDeposit(view, assetsOf(queries))), nextCursor });
  }

  @Get(':accountId/deposits/:depositId')
  @QueryRoute({
    operationId: 'readDeposit',
    summary: 'Read a deposit',
    roles: ROLES,
    tagged: true,
    answer: Deposit,
    problems: ['account-not-found', 'deposit-not-found'],
  })
  async readDeposit(
    @Res() reply: FastifyReply,
    @Param() { accountId, depositId }: DepositPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { streamRevision } = accountIn(queries, accountId);
    const view = found(queries.deposit(accountId, depositId), 'deposit', depositId);
    reply.header('etag', etagOf(streamRevision)).send(shownDeposit(view, assetsOf(queries)));
  }

  @Post(':accountId/withdrawals')
  @CommandRoute({
    operationId: 'reserveWithdrawal',
    summary: 'Set funds aside for a withdrawal',
    roles: ['service'],
    created: true,
    answer: WithdrawalAnswer,
    problems: [
      'account-not-found',
      'asset-not-found',
      'already-exists',
      'account-closed',
      'account-frozen',
      'insufficient-funds',
      'too-many-open-withdrawals',
    ],
  })
  withdraw(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Body() body: WithdrawalBody,
  ): Promise<void> {
    return this.#withdrawal(request, reply, body, { type: 'ReserveWithdrawal', accountId, ...body });
  }

  @Get(':accountId/withdrawals')
  @QueryRoute({
    operationId: 'listWithdrawals',
    summary: 'List withdrawals of an account',
    roles: ROLES,
    answer: WithdrawalPage,
    problems: ['account-not-found'],
  })
  async withdrawals(
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() query: WithdrawalsQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    accountIn(queries, accountId);
    const { items, nextCursor } = queries.withdrawals(accountId, query, query);
    reply.send({ items: items.map((view) => shownWithdrawal(view, assetsOf(queries))), nextCursor });
  }

  @Get(':accountId/withdrawals/:withdrawalId')
  @QueryRoute({
    operationId: 'readWithdrawal',
    summary: 'Read a withdrawal',
    roles: ROLES,
    tagged: true,
    answer: Withdrawal,
    problems: ['account-not-found', 'withdrawal-not-found'],
  })
  async readWithdrawal(
    @Res() reply: FastifyReply,
    @Param() { accountId, withdrawalId }: WithdrawalPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { streamRevision } = accountIn(queries, accountId);
    const view = found(queries.withdrawal(accountId, withdrawalId), 'withdrawal', withdrawalId);
    reply.header('etag', etagOf(streamRevision)).send(shownWithdrawal(view, assetsOf(queries)));
  }

  @Post(':accountId/withdrawals/:withdrawalId/dispatch')
  @CommandRoute({
    operationId: 'dispatchWithdrawal',
    summary: 'Ask for the permission to broadcast',
    description: 'Send only after the 200: it says that no freeze stands in the way, and that none will stop it.',
    roles: ['service'],
    answer: WithdrawalAnswer,
    problems: ['account-not-found', 'withdrawal-not-found', 'invalid-transition', 'account-frozen'],
  })
  dispatch(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: WithdrawalPath,
    @Body() body: ReferenceBody,
  ): Promise<void> {
    return this.#withdrawal(request, reply, body, { type: 'DispatchWithdrawal', ...path, ...body });
  }

  @Post(':accountId/withdrawals/:withdrawalId/settlement')
  @CommandRoute({
    operationId: 'settleWithdrawal',
    summary: 'Record that dispatched funds have left',
    roles: ['service'],
    answer: WithdrawalAnswer,
    problems: ['account-not-found', 'withdrawal-not-found', 'invalid-transition'],
  })
  settle(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: WithdrawalPath,
    @Body() body: ReferenceBody,
  ): Promise<void> {
    return this.#withdrawal(request, reply, body, { type: 'SettleWithdrawal', ...path, ...body });
  }

  @Post(':accountId/withdrawals/:withdrawalId/cancellation')
  @CommandRoute({
    operationId: 'cancelWithdrawal',
    summary: 'Record that a withdrawal came to nothing',
    roles: ['service'],
    answer: WithdrawalAnswer,
    problems: ['account-not-found', 'withdrawal-not-found', 'invalid-transition'],
  })
  cancel(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: WithdrawalPath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#withdrawal(request, reply, body, { type: 'CancelWithdrawal', ...path, ...body });
  }

  async #describeDeposit({ events }: Accepted): Promise<{ deposit: Deposit }> {
    const event = eventOfType<DepositEvent | EventOf<typeof DepositReversed>>(
      events,
      'FundsDeposited',
      'FundsHeld',
      'DepositReversed',
    );
    const view = depositView(event);
    return { deposit: shownDeposit(view, await lookUpAssets(this.#commands.ledger, [view.asset])) };
  }

  @Post(':accountId/transfers')
  @CommandRoute({
    operationId: 'sendTransfer',
    summary: 'Send funds to another account',
    description:
      'Waits a little for the other account to decide. The answer says `sent` in any case, and a repeat says the same: read the transfer to learn how it went on.',
    roles: ['service'],
    created: true,
    answer: TransferAnswer,
    problems: [
      'account-not-found',
      'asset-not-found',
      'already-exists',
      'account-closed',
      'account-frozen',
      'insufficient-funds',
    ],
  })
  transfer(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Body() body: TransferBody,
  ): Promise<void> {
    const command = { type: 'SendTransfer', accountId, ...body } as const;
    return this.#commands.run(request, reply, body, command, async ({ events }) => {
      const view = transferView(eventOfType<EventOf<typeof TransferSent>>(events, 'TransferSent'));
      return { transfer: shownTransfer(view, await lookUpAssets(this.#commands.ledger, [view.asset])) };
    });
  }

  @Get(':accountId/transfers')
  @QueryRoute({
    operationId: 'listTransfers',
    summary: 'List the transfers that an account sent',
    roles: ROLES,
    answer: TransferPage,
    problems: ['account-not-found'],
  })
  async transfers(
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() query: TransfersQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    accountIn(queries, accountId);
    const { items, nextCursor } = queries.transfers(accountId, query, query);
    reply.send({ items: items.map((view) => shownTransfer(view, assetsOf(queries))), nextCursor });
  }

  @Get(':accountId/transfers/:transferId')
  @QueryRoute({
    operationId: 'readTransfer',
    summary: 'Read a transfer, under its sender',
    roles: ROLES,
    tagged: true,
    answer: Transfer,
    problems: ['account-not-found', 'transfer-not-found'],
  })
  async readTransfer(
    @Res() reply: FastifyReply,
    @Param() { accountId, transferId }: TransferPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { streamRevision } = accountIn(queries, accountId);
    const view = found(queries.transfer(accountId, transferId), 'transfer', transferId);
    reply.header('etag', etagOf(streamRevision)).send(shownTransfer(view, assetsOf(queries)));
  }

  #withdrawal(request: FastifyRequest, reply: FastifyReply, body: object, command: LedgerCommand): Promise<void> {
    return this.#commands.run(request, reply, body, command, (accepted) => this.#describeWithdrawal(accepted));
  }

  async #describeWithdrawal({ events }: Accepted): Promise<{ withdrawal: Withdrawal }> {
    const event: Recorded<WithdrawalStep> = eventOfType(events, ...STEPS_OF_WITHDRAWALS);
    const view = withdrawalView(event);
    return { withdrawal: shownWithdrawal(view, await lookUpAssets(this.#commands.ledger, [view.asset])) };
  }
}

function accountIn(queries: Queries, accountId: string): NonNullable<ReturnType<Queries['account']>> {
  return found(queries.account(accountId), 'account', accountId);
}

function assetsOf(queries: Queries): (code: string) => ReturnType<Queries['assetFacts']> {
  return (code) => queries.assetFacts(code);
}
