import type { ReleaseInstrument, RequestedInstrument } from '#legal-orders';
import type { LedgerCommand } from '#command-handling';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ReasonBody } from '../accounts/movement.dto.ts';
import { OVERSIGHT } from '../auth/roles.ts';
import { legalOrderAfter } from '../edge/as-of.ts';
import { CommandEdge } from '../edge/command-edge.ts';
import { found, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { lookUpAssets } from '../edge/scales.ts';
import { etagOf } from '../http/answer.ts';
import { disclosedAt } from '../non-disclosure/gate.ts';
import { WithheldOrder } from '../non-disclosure/withheld.dto.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  assetsLimited,
  Change,
  ChangeAnswer,
  ChangePath,
  EndingBody,
  ExtensionBody,
  LegalOrder,
  LegalOrderAnswer,
  LegalOrderPage,
  OrderPath,
  OrdersQuery,
  ProposeChangeBody,
  RegisterLegalOrderBody,
  shownChange,
  shownOrder,
  VariationBody,
  VerificationBody,
} from './legal-order.dto.ts';

@ApiTags('Legal orders')
@Controller('v1/admin/legal-orders')
export class LegalOrdersController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'registerLegalOrder',
    summary: 'Register a legal order; it binds nothing until another person verifies it',
    roles: ['ops'],
    created: true,
    answer: LegalOrderAnswer,
    problems: [
      'already-exists',
      'account-not-found',
      'party-not-found',
      'asset-not-found',
      'freeze-not-found',
      'read-model-behind',
    ],
  })
  register(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: RegisterLegalOrderBody,
  ): Promise<void> {
    const instrument = instrumentOf(body);
    return this.#order(request, reply, body, { type: 'RegisterLegalOrder', orderId: body.orderId, instrument });
  }

  @Post(':orderId/verification')
  @CommandRoute({
    operationId: 'verifyLegalOrder',
    summary: 'Verify a legal order: from here on it is in force',
    roles: ['approver'],
    answer: LegalOrderAnswer,
    problems: ['legal-order-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  verify(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: OrderPath,
    @Body() body: VerificationBody,
  ): Promise<void> {
    return this.#order(request, reply, body, { type: 'VerifyLegalOrder', ...path, ...body });
  }

  @Post(':orderId/rejection')
  @CommandRoute({
    operationId: 'rejectLegalOrder',
    summary: 'Reject a legal order: it never binds',
    roles: ['approver'],
    answer: LegalOrderAnswer,
    problems: ['legal-order-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  reject(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: OrderPath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#order(request, reply, body, { type: 'RejectLegalOrder', ...path, ...body });
  }

  @Post(':orderId/changes')
  @CommandRoute({
    operationId: 'proposeChange',
    summary: 'Propose a change of a legal order',
    description:
      'A proposed ending blocks new freezes at once. An extension that is proposed in time puts the expiry off until it is decided, at most 72 hours. A variation says whom the order is to name or what it is to cover, or both.',
    roles: ['ops'],
    created: true,
    answer: ChangeAnswer,
    problems: [
      'legal-order-not-found',
      'account-not-found',
      'party-not-found',
      'asset-not-found',
      'already-exists',
      'invalid-transition',
    ],
  })
  @ApiExtraModels(EndingBody, ExtensionBody, VariationBody)
  @ApiBody({
    schema: {
      oneOf: [EndingBody, ExtensionBody, VariationBody].map((body) => ({ $ref: getSchemaPath(body) })),
    },
  })
  propose(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: OrderPath,
    @Body() body: ProposeChangeBody,
  ): Promise<void> {
    return this.#change(request, reply, body, proposalOf(path, body), body.changeId);
  }

  @Post(':orderId/changes/:changeId/verification')
  @CommandRoute({
    operationId: 'verifyChange',
    summary:
      'Verify a change: an ending lifts what rests on the order, an extension lets it run longer, a variation is followed by what rests on it',
    roles: ['approver'],
    answer: ChangeAnswer,
    problems: ['legal-order-not-found', 'change-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  verifyChange(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: ChangePath,
    @Body() body: VerificationBody,
  ): Promise<void> {
    return this.#change(request, reply, body, { type: 'VerifyChange', ...path, ...body }, path.changeId);
  }

  @Post(':orderId/changes/:changeId/rejection')
  @CommandRoute({
    operationId: 'rejectChange',
    summary: 'Reject a change: the order goes on as it was',
    roles: ['approver'],
    answer: ChangeAnswer,
    problems: ['legal-order-not-found', 'change-not-found', 'maker-is-checker', 'invalid-transition'],
  })
  rejectChange(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: ChangePath,
    @Body() body: ReasonBody,
  ): Promise<void> {
    return this.#change(request, reply, body, { type: 'RejectChange', ...path, ...body }, path.changeId);
  }

  @Get()
  @QueryRoute({
    operationId: 'listLegalOrders',
    summary: 'List legal orders',
    roles: OVERSIGHT,
    answer: LegalOrderPage,
  })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: OrdersQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { basisId: orderId, accountId, partyId, state } = query;
    const filter = { orderId, accountId, partyId, state, disclosedAt: disclosedAt(request) };
    const { items, nextCursor } = queries.legalOrders(filter, query);
    reply.send({ items: items.map((view) => shownOrder(view, (code) => queries.assetFacts(code))), nextCursor });
  }

  @Get(':orderId')
  @QueryRoute({
    operationId: 'readLegalOrder',
    summary: 'Read a legal order',
    roles: OVERSIGHT,
    tagged: true,
    answer: LegalOrder,
    orElse: WithheldOrder,
    problems: ['legal-order-not-found'],
  })
  async read(@Res() reply: FastifyReply, @Param() { orderId }: OrderPath, @Query() query: ReadQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.legalOrder(orderId), 'legal-order', orderId);
    reply.header('etag', etagOf(streamRevision)).send(shownOrder(view, (code) => queries.assetFacts(code)));
  }

  @Get(':orderId/changes/:changeId')
  @QueryRoute({
    operationId: 'readChange',
    summary: 'Read a change of a legal order',
    roles: OVERSIGHT,
    tagged: true,
    answer: Change,
    orElse: WithheldOrder,
    problems: ['legal-order-not-found', 'change-not-found'],
  })
  async readChange(
    @Res() reply: FastifyReply,
    @Param() { orderId, changeId }: ChangePath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.legalOrder(orderId), 'legal-order', orderId);
    const change = view.changes.find((candidate) => candidate.changeId === changeId);
    const shown = shownChange(found(change, 'change', changeId), (code) => queries.assetFacts(code));
    reply.header('etag', etagOf(streamRevision)).send(shown);
  }

  #order(request: FastifyRequest, reply: FastifyReply, body: object, command: LedgerCommand): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => {
      const view = await legalOrderAfter(this.#commands.ledger, accepted);
      const assets = await lookUpAssets(this.#commands.ledger, assetsLimited(view));
      return { legalOrder: shownOrder(view, assets) };
    });
  }

  #change(
    request: FastifyRequest,
    reply: FastifyReply,
    body: object,
    command: LedgerCommand,
    changeId: string,
  ): Promise<void> {
    return this.#commands.run(request, reply, body, command, async (accepted) => {
      const view = await legalOrderAfter(this.#commands.ledger, accepted);
      const change = view.changes.find((candidate) => candidate.changeId === changeId);
      const assets = await lookUpAssets(this.#commands.ledger, assetsLimited(view));
      return { change: shownChange(found(change, 'change', changeId), assets) };
    });
  }
}

function proposalOf(path: OrderPath, body: ProposeChangeBody): LedgerCommand {
  if (body instanceof EndingBody) {
    const { kind: _, ...ending } = body;
    return { type: 'ProposeEnding', ...path, ...ending };
  }
  if (body instanceof ExtensionBody) {
    const { kind: _, ...extension } = body;
    return { type: 'ProposeExtension', ...path, ...extension };
  }
  if (body instanceof VariationBody) {
    const { kind: _, ...variation } = body;
    return { type: 'ProposeVariation', ...path, ...variation };
  }
  throw new Error('a change of a kind that the pipe does not know');
}

/** What the body says, without the members of the other effect: those are not there. */
function instrumentOf({
  subjects,
  scope,
  releases,
  ...body
}: RegisterLegalOrderBody): RequestedInstrument | ReleaseInstrument {
  if (body.effect === 'release') {
    const { claimGroup: _, ...rest } = body;
    return { ...rest, effect: 'release', releases: demanded(releases) };
  }
  return { ...body, effect: 'restrain', subjects: demanded(subjects), scope: demanded(scope) };
}

/** @throws Error where the pipe let through what lacks a member: a bug */
function demanded<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a member of an order is missing');
  return value;
}
