import { assetView, type AssetEvent } from '#assets';
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ROLES } from '../auth/roles.ts';
import { CommandEdge } from '../edge/command-edge.ts';
import { found, ListQuery, QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { eventOfType } from '../edge/recorded.ts';
import { etagOf } from '../http/answer.ts';
import { CommandRoute, QueryRoute } from '../openapi/routes.ts';
import { AssetAnswer, Asset, AssetPage, AssetPath, RegisterAssetBody } from './asset.dto.ts';

@ApiTags('Assets')
@Controller('v1/assets')
export class AssetsController {
  readonly #commands: CommandEdge;
  readonly #queries: QueryEdge;

  constructor(commands: CommandEdge, queries: QueryEdge) {
    this.#commands = commands;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    operationId: 'registerAsset',
    summary: 'Register an asset',
    roles: ['ops'],
    created: true,
    answer: AssetAnswer,
    problems: ['already-exists'],
  })
  register(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Body() body: RegisterAssetBody): Promise<void> {
    return this.#commands.run(request, reply, body, { type: 'RegisterAsset', ...body }, ({ events }) => ({
      asset: assetView(eventOfType<AssetEvent>(events, 'AssetRegistered')),
    }));
  }

  @Get()
  @QueryRoute({ operationId: 'listAssets', summary: 'List assets', roles: ROLES, answer: AssetPage })
  async list(@Res() reply: FastifyReply, @Query() query: ListQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    reply.send(queries.assets(query));
  }

  @Get(':code')
  @QueryRoute({
    operationId: 'readAsset',
    summary: 'Read an asset',
    roles: ROLES,
    tagged: true,
    answer: Asset,
    problems: ['asset-not-found'],
  })
  async read(@Res() reply: FastifyReply, @Param() { code }: AssetPath, @Query() query: ReadQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const { view, streamRevision } = found(queries.asset(code), 'asset', code);
    reply.header('etag', etagOf(streamRevision)).send(view);
  }
}
