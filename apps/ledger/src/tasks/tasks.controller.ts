import { systemClock, toTimestamp } from '#kernel';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OVERSIGHT } from '../auth/roles.ts';
import { QueryEdge } from '../edge/query-edge.ts';
import { disclosedAt } from '../non-disclosure/gate.ts';
import { QueryRoute } from '../openapi/routes.ts';
import { TaskPage, TasksQuery } from './task.dto.ts';

const DESCRIPTION = `For a person:
\`verify-legal-order\` (registered, neither verified nor rejected), \`decide-change\` (of an order), \`decide-sanctions-hit\`
(raised), \`decide-clearance\` (of a hit), \`decide-lift-request\`, \`answer-authority-request\`, and \`freeze-account\`: a basis in
force names the account, itself or through a holder (\`partyId\`), and no freeze of it under that basis is in force. An account
that a variation restored is among them, and so is one whose freeze was lifted as placed in error while the basis names it.

For the supervisor, which does its own within seconds:
\`settle-authorisation\` (of a freeze), \`decide-transfer\` (sent, and neither received nor returned), \`finish-opening\` (of an
account), \`lift-freeze\` (its basis has ended), \`name-party\` (a basis in force names it) and \`un-name-party\` (that basis has
ended).

A task is there while it waits, and gone when it is done: tasks have no \`state\`. Newest first.`;

@ApiTags('Tasks')
@Controller('v1/admin/tasks')
export class TasksController {
  readonly #queries: QueryEdge;

  constructor(queries: QueryEdge) {
    this.#queries = queries;
  }

  @Get()
  @QueryRoute({
    operationId: 'listTasks',
    summary: 'What waits for a person or for the supervisor, and since when',
    description: DESCRIPTION,
    roles: OVERSIGHT,
    answer: TaskPage,
  })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: TasksQuery): Promise<void> {
    const queries = await this.#queries.upTo(query.atLeast);
    const filter = { ...query, disclosedAt: disclosedAt(request) };
    reply.send(queries.tasks(filter, toTimestamp(systemClock.now()), query));
  }
}
