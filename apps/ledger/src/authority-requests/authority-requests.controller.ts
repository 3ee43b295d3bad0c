import type { LedgerCommand } from '#command-handling';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OVERSIGHT } from '../auth/roles.ts';
import { authorityRequestAfter } from '../edge/as-of.ts';
import { CommandEdge } from '../edge/command-edge.ts';
import { found, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { etagOf } from '../http/answer.ts';
import { disclosedAt } from '../non-disclosure/gate.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  AnswerBody,
  AuthorityRequest,
  AuthorityRequestAnswer,
  AuthorityRequestPage,
  AuthorityRequestsQuery,
  RegisterAuthorityRequestBody,
  RequestPath,
} from './authority-request.dto.ts';

@ApiTags('Authority requests')
@Controller('v1/admin/authority-requests')
export class AuthorityRequestsController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'registerAuthorityRequest',
    summary: 'Register a letter of an authority: it asks, and freezes nothing',
    roles: ['ops'],
    created: true,
    answer: AuthorityRequestAnswer,
    problems: ['already-exists'],
  })
  register(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: RegisterAuthorityRequestBody,
  ): Promise<void> {
    const { requestId } = body;
    return this.#run(request, reply, body, { type: 'RegisterAuthorityRequest', requestId, letter: { ...body } });
  }

  @Post(':requestId/answer')
  @CommandRoute({
    operationId: 'answerAuthorityRequest',
    summary: 'Answer a letter, once; what is granted cites a basis in force',
    roles: ['approver'],
    answer: AuthorityRequestAnswer,
    problems: [
      'authority-request-not-found',
      'invalid-transition',
      'maker-is-checker',
      'basis-not-found',
      'basis-not-in-force',
    ],
  })
  answer(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: RequestPath,
    @Body() body: AnswerBody,
  ): Promise<void> {
    return this.#run(request, reply, body, { type: 'AnswerAuthorityRequest', ...path, ...body });
  }

  @Get()
  @QueryRoute({
    operationId: 'listAuthorityRequests',
    summary: 'List authority requests',
    roles: OVERSIGHT,
    answer: AuthorityRequestPage,
  })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query() query: AuthorityRequestsQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    reply.send(queries.authorityRequests({ ...query, disclosedAt: disclosedAt(request) }, query));
  }

  @Get(':requestId')
  @QueryRoute({
    operationId: 'readAuthorityRequest',
    summary: 'Read an authority request',
    roles: OVERSIGHT,
    tagged: true,
    answer: AuthorityRequest,
    problems: ['authority-request-not-found'],
  })
  async read(
    @Res() reply: FastifyReply,
    @Param() { requestId }: RequestPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.authorityRequest(requestId), 'authority-request', requestId);
    reply.header('etag', etagOf(streamRevision)).send(view);
  }

  #run(request: FastifyRequest, reply: FastifyReply, body: object, command: LedgerCommand): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => ({
      authorityRequest: await authorityRequestAfter(this.#commands.ledger, accepted),
    }));
  }
}
