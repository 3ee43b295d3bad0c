import { liftRequestView, type LiftDecision, type LiftRequested, type LiftRequestView } from '#freezes';
import type { LedgerCommand } from '#command-handling';
import type { EventPointer } from '#kernel';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccountPath } from '../accounts/account.dto.ts';
import { ReasonBody } from '../accounts/movement.dto.ts';
import { OVERSIGHT } from '../auth/roles.ts';
import { CommandEdge, type Accepted } from '../edge/command-edge.ts';
import { found, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { eventOfType } from '../edge/recorded.ts';
import { etagOf } from '../http/answer.ts';
import { disclosedAt } from '../non-disclosure/gate.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  Freeze,
  FreezeAnswer,
  FreezeBody,
  FreezePage,
  FreezePath,
  FreezesQuery,
  LiftRequest,
  LiftRequestAnswer,
  LiftRequestPage,
  LiftRequestPath,
  LiftRequestsQuery,
  NoteBody,
  RequestLiftBody,
  shownFreeze,
} from './freeze.dto.ts';
import { placedFreeze } from './placed-freeze.ts';

@ApiTags('Freezes')
@Controller('v1/admin')
export class FreezesController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post('accounts/:accountId/freezes')
  @CommandRoute({
    operationId: 'freezeAccount',
    summary: 'Freeze an account under a legal order or sanctions hit in force that names it',
    roles: ['ops'],
    created: true,
    answer: FreezeAnswer,
    problems: [
      'account-not-found',
      'basis-not-found',
      'basis-not-in-force',
      'basis-does-not-name-account',
      'scope-exceeds-basis',
      'asset-not-found',
      'already-exists',
    ],
  })
  freeze(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Body() body: FreezeBody,
  ): Promise<void> {
    const command = { type: 'FreezeAccount', accountId, ...body } as const;
    return this.#commands.run(request, reply, body, command, (accepted) =>
      placedFreeze(this.#commands.ledger, accepted),
    );
  }

  @Get('freezes')
  @QueryRoute({ operationId: 'listFreezes', summary: 'List freezes', roles: OVERSIGHT, answer: FreezePage })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: FreezesQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { items, nextCursor } = queries.freezes({ ...query, disclosedAt: disclosedAt(request) }, query);
    reply.send({ items: items.map((view) => shownFreeze(view, (code) => queries.assetFacts(code))), nextCursor });
  }

  @Get('freezes/:freezeId')
  @QueryRoute({
    operationId: 'readFreeze',
    summary: 'Read a freeze',
    roles: OVERSIGHT,
    tagged: true,
    answer: Freeze,
    problems: ['freeze-not-found'],
  })
  async read(@Res() reply: FastifyReply, @Param() { freezeId }: FreezePath, @Query() query: ReadQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.freeze(freezeId), 'freeze', freezeId);
    reply.header('etag', etagOf(streamRevision)).send(shownFreeze(view, (code) => queries.assetFacts(code)));
  }

  @Get('lift-requests')
  @QueryRoute({
    operationId: 'listLiftRequests',
    summary: 'List lift requests',
    roles: OVERSIGHT,
    answer: LiftRequestPage,
  })
  async liftRequests(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query() query: LiftRequestsQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    reply.send(queries.liftRequests({ ...query, disclosedAt: disclosedAt(request) }, query));
  }

  @Get('freezes/:freezeId/lift-requests/:requestId')
  @QueryRoute({
    operationId: 'readLiftRequest',
    summary: 'Read a lift request',
    roles: OVERSIGHT,
    tagged: true,
    answer: LiftRequest,
    problems: ['freeze-not-found', 'lift-request-not-found'],
  })
  async readLiftRequest(
    @Res() reply: FastifyReply,
    @Param() { freezeId, requestId }: LiftRequestPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { streamRevision } = found(queries.freeze(freezeId), 'freeze', freezeId);
    const view = found(queries.liftRequest(freezeId, requestId), 'lift-request', requestId);
    reply.header('etag', etagOf(streamRevision)).send(view);
  }

  @Post('freezes/:freezeId/lift-requests')
  @CommandRoute({
    operationId: 'requestLift',
    summary: 'Ask that a freeze be lifted; another person has to approve',
    roles: ['ops'],
    created: true,
    answer: LiftRequestAnswer,
    problems: ['freeze-not-found', 'already-exists', 'invalid-transition', 'ground-not-established'],
  })
  requestLift(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: FreezePath,
    @Body() body: RequestLiftBody,
  ): Promise<void> {
    const command = { type: 'RequestLift', ...path, ...body } as const;
    return this.#commands.run(request, reply, body, command, ({ events }) => ({
      liftRequest: liftRequestView(eventOfType<LiftRequested>(events, 'LiftRequested')),
    }));
  }

  @Post('freezes/:freezeId/lift-requests/:requestId/approval')
  @CommandRoute({
    operationId: 'approveLift',
    summary: 'Approve a lift: the freeze ends, others stay',
    roles: ['approver'],
    answer: LiftRequestAnswer,
    problems: [
      'freeze-not-found',
      'lift-request-not-found',
      'maker-is-checker',
      'invalid-transition',
      'ground-not-established',
    ],
  })
  approve(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: LiftRequestPath,
    @Body() body: NoteBody,
  ): Promise<void> {
    return this.#decide(request, reply, body, { type: 'ApproveLift', ...path, ...body });
  }

  @Post('freezes/:freezeId/lift-requests/:requestId/rejection')
  @CommandRoute({
    operationId: 'rejectLift',
    summary: 'Reject a lift: the freeze holds',
    roles: ['approver'],
    answer: LiftRequestAnswer,
    problems: ['freeze-not-found', 'lift-request-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  reject(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: LiftRequestPath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#decide(request, reply, body, { type: 'RejectLift', ...path, ...body });
  }

  #decide(request: FastifyRequest, reply: FastifyReply, body: object, command: LedgerCommand): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => ({
      liftRequest: await this.#decided(accepted),
    }));
  }

  /** The decision points to the request that it is about: where it does not cite it, beside what it cites. */
  async #decided({ events }: Accepted): Promise<LiftRequestView> {
    const decision = eventOfType<LiftDecision>(events, 'AccountUnfrozen', 'LiftRejected');
    const requested = await this.#commands.ledger.eventAt(requestOf(decision));
    return liftRequestView(
      eventOfType<LiftRequested>(requested === undefined ? [] : [requested], 'LiftRequested'),
      decision,
    );
  }
}

function requestOf({ data }: LiftDecision): EventPointer {
  return ('request' in data ? data.request : undefined) ?? data.citation;
}
