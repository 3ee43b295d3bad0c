import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { QueryEdge, ReadQuery } from '../edge/query-edge.ts';
import { QueryRoute } from '../openapi/routes.ts';
import { shownTrialBalance, TrialBalance } from './books.dto.ts';

@ApiTags('Books')
@Controller('v1/trial-balance')
export class BooksController {
  readonly #queries: QueryEdge;

  constructor(queries: QueryEdge) {
    this.#queries = queries;
  }

  @Get()
  @QueryRoute({
    operationId: 'readTrialBalance',
    summary: 'What all postings of each asset come to, by part of the ledger',
    roles: ['ops', 'auditor'],
    answer: TrialBalance,
  })
  async read(@Res() reply: FastifyReply, @Query() { atLeast }: ReadQuery): Promise<void> {
    const queries = await this.#queries.upTo(atLeast);
    const items = queries.trialBalance().map((view) => shownTrialBalance(view, (code) => queries.assetFacts(code)));
    reply.send({ items });
  }
}
