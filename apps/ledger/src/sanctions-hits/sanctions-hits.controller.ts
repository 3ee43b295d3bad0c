import type { LedgerCommand } from '#command-handling';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ReasonBody } from '../accounts/movement.dto.ts';
import { OVERSIGHT } from '../auth/roles.ts';
import { sanctionsHitAfter } from '../edge/as-of.ts';
import { CommandEdge } from '../edge/command-edge.ts';
import { found, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { NoteBody } from '../freezes/freeze.dto.ts';
import { etagOf } from '../http/answer.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  Clearance,
  ClearanceAnswer,
  ClearancePath,
  HitPath,
  ProposeClearanceBody,
  RaiseSanctionsHitBody,
  SanctionsHit,
  SanctionsHitAnswer,
  SanctionsHitPage,
  SanctionsHitsQuery,
} from './sanctions-hit.dto.ts';

@ApiTags('Sanctions hits')
@Controller('v1/admin/sanctions-hits')
export class SanctionsHitsController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'raiseSanctionsHit',
    summary: 'Raise a potential match with a sanctions list; it binds nothing until another person confirms it',
    roles: ['ops', 'service'],
    created: true,
    answer: SanctionsHitAnswer,
    problems: ['already-exists', 'party-not-found', 'read-model-behind'],
  })
  raise(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: RaiseSanctionsHitBody,
  ): Promise<void> {
    const hit = { ...body, route: body.route ?? 'direct' };
    return this.#hit(request, reply, body, { type: 'RaiseSanctionsHit', hitId: body.hitId, hit });
  }

  @Post(':hitId/confirmation')
  @CommandRoute({
    operationId: 'confirmSanctionsHit',
    summary: 'Confirm a sanctions hit: of an asset freeze, from here on freezes may rest on it',
    roles: ['approver'],
    answer: SanctionsHitAnswer,
    problems: ['sanctions-hit-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  confirm(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: HitPath,
    @Body() body: NoteBody,
  ): Promise<void> {
    return this.#hit(request, reply, body, { type: 'ConfirmSanctionsHit', ...path, ...body });
  }

  @Post(':hitId/dismissal')
  @CommandRoute({
    operationId: 'dismissSanctionsHit',
    summary: 'Dismiss a sanctions hit: it was no match',
    roles: ['approver'],
    answer: SanctionsHitAnswer,
    problems: ['sanctions-hit-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  dismiss(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: HitPath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#hit(request, reply, body, { type: 'DismissSanctionsHit', ...path, ...body });
  }

  @Post(':hitId/clearances')
  @CommandRoute({
    operationId: 'proposeClearance',
    summary: 'Propose the end of a confirmed hit; while it is undecided nothing new rests on the hit',
    roles: ['ops'],
    created: true,
    answer: ClearanceAnswer,
    problems: ['sanctions-hit-not-found', 'already-exists', 'invalid-transition'],
  })
  propose(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: HitPath,
    @Body() body: ProposeClearanceBody,
  ): Promise<void> {
    return this.#clearance(request, reply, body, { type: 'ProposeClearance', ...path, ...body }, body.clearanceId);
  }

  @Post(':hitId/clearances/:clearanceId/approval')
  @CommandRoute({
    operationId: 'approveClearance',
    summary: 'Approve a clearance: the hit ends, and what rests on it is lifted',
    roles: ['approver'],
    answer: ClearanceAnswer,
    problems: ['sanctions-hit-not-found', 'clearance-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  approve(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: ClearancePath,
    @Body() body: NoteBody,
  ): Promise<void> {
    return this.#clearance(request, reply, body, { type: 'ApproveClearance', ...path, ...body }, path.clearanceId);
  }

  @Post(':hitId/clearances/:clearanceId/rejection')
  @CommandRoute({
    operationId: 'rejectClearance',
    summary: 'Reject a clearance: the hit stands as it was',
    roles: ['approver'],
    answer: ClearanceAnswer,
    problems: ['sanctions-hit-not-found', 'clearance-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  reject(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: ClearancePath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#clearance(request, reply, body, { type: 'RejectClearance', ...path, ...body }, path.clearanceId);
  }

  @Get()
  @QueryRoute({
    operationId: 'listSanctionsHits',
    summary: 'List sanctions hits',
    roles: OVERSIGHT,
    answer: SanctionsHitPage,
  })
  async list(@Res() reply: FastifyReply, @Query() query: SanctionsHitsQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { basisId: hitId, accountId, partyId, state } = query;
    reply.send(queries.sanctionsHits({ hitId, accountId, partyId, state }, query));
  }

  @Get(':hitId')
  @QueryRoute({
    operationId: 'readSanctionsHit',
    summary: 'Read a sanctions hit',
    roles: OVERSIGHT,
    tagged: true,
    answer: SanctionsHit,
    problems: ['sanctions-hit-not-found'],
  })
  async read(@Res() reply: FastifyReply, @Param() { hitId }: HitPath, @Query() query: ReadQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.sanctionsHit(hitId), 'sanctions-hit', hitId);
    reply.header('etag', etagOf(streamRevision)).send(view);
  }

  @Get(':hitId/clearances/:clearanceId')
  @QueryRoute({
    operationId: 'readClearance',
    summary: 'Read a clearance of a sanctions hit',
    roles: OVERSIGHT,
    tagged: true,
    answer: Clearance,
    problems: ['sanctions-hit-not-found', 'clearance-not-found'],
  })
  async readClearance(
    @Res() reply: FastifyReply,
    @Param() { hitId, clearanceId }: ClearancePath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.sanctionsHit(hitId), 'sanctions-hit', hitId);
    const clearance = view.clearances.find((candidate) => candidate.clearanceId === clearanceId);
    reply.header('etag', etagOf(streamRevision)).send(found(clearance, 'clearance', clearanceId));
  }

  #hit(request: FastifyRequest, reply: FastifyReply, body: object, command: LedgerCommand): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => ({
      sanctionsHit: await sanctionsHitAfter(this.#commands.ledger, accepted),
    }));
  }

  #clearance(
    request: FastifyRequest,
    reply: FastifyReply,
    body: object,
    command: LedgerCommand,
    clearanceId: string,
  ): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => {
      const { clearances } = await sanctionsHitAfter(this.#commands.ledger, accepted);
      const clearance = clearances.find((candidate) => candidate.clearanceId === clearanceId);
      return { clearance: found(clearance, 'clearance', clearanceId) };
    });
  }
}
