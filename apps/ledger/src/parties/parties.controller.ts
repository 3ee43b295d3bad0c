import type { AddressLinked } from '#parties';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ROLES } from '../auth/roles.ts';
import { partyAfter } from '../edge/as-of.ts';
import { CommandEdge, type Accepted } from '../edge/command-edge.ts';
import { found, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { eventOfType } from '../edge/recorded.ts';
import { etagOf } from '../http/answer.ts';
import { callerOf } from '../http/request.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import {
  AddressAnswer,
  IdentifyPartyBody,
  LinkAddressBody,
  PartiesQuery,
  type Party,
  PartyAnswer,
  PartyPage,
  PartyPath,
  PartyWithAccounts,
  RegisterPartyBody,
  shownAddress,
  shownParty,
  shownPartyWithAccounts,
} from './party.dto.ts';

@ApiTags('Parties')
@Controller('v1/parties')
export class PartiesController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'registerParty',
    summary: 'Register a party',
    roles: ['service'],
    created: true,
    answer: PartyAnswer,
    problems: ['already-exists'],
  })
  register(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Body() body: RegisterPartyBody): Promise<void> {
    const command = { type: 'RegisterParty', ...body } as const;
    return this.#commands.run(request, reply, body, command, (accepted) => this.#describe(accepted));
  }

  @Post(':partyId/identification')
  @CommandRoute({
    operationId: 'identifyParty',
    summary: 'Record that a party was identified',
    roles: ['service'],
    answer: PartyAnswer,
    problems: ['party-not-found'],
  })
  identify(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: PartyPath,
    @Body() body: IdentifyPartyBody,
  ): Promise<void> {
    const command = { type: 'IdentifyParty', ...path, ...body } as const;
    return this.#commands.run(request, reply, body, command, (accepted) => this.#describe(accepted));
  }

  @Post(':partyId/addresses')
  @CommandRoute({
    operationId: 'linkAddress',
    summary: 'Link an address on a chain to a party',
    roles: ['service'],
    created: true,
    answer: AddressAnswer,
    problems: ['party-not-found', 'already-exists'],
  })
  linkAddress(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: PartyPath,
    @Body() body: LinkAddressBody,
  ): Promise<void> {
    const command = { type: 'LinkAddress', ...path, ...body } as const;
    return this.#commands.run(request, reply, body, command, ({ events }) => ({
      address: shownAddress(eventOfType<AddressLinked>(events, 'AddressLinked')),
    }));
  }

  @Get()
  @QueryRoute({ operationId: 'listParties', summary: 'List parties', roles: ROLES, answer: PartyPage })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: PartiesQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { items, nextCursor } = queries.parties(query, query);
    const caller = callerOf(request);
    reply.send({ items: items.map((view) => shownPartyWithAccounts(view, caller)), nextCursor });
  }

  @Get(':partyId')
  @QueryRoute({
    operationId: 'readParty',
    summary: 'Read a party, with its accounts and the bases that name it',
    roles: ROLES,
    tagged: true,
    answer: PartyWithAccounts,
    problems: ['party-not-found'],
  })
  async read(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { partyId }: PartyPath,
    @Query() query: ReadQuery,
  ): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.party(partyId), 'party', partyId);
    reply.header('etag', etagOf(streamRevision)).send(shownPartyWithAccounts(view, callerOf(request)));
  }

  async #describe(accepted: Accepted): Promise<{ party: Party }> {
    return { party: shownParty(await partyAfter(this.#commands.ledger, accepted)) };
  }
}
