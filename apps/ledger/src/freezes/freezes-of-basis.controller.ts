import type { Basis } from '#kernel';
import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CommandEdge } from '../edge/command-edge.ts';
import type { ProblemCode } from '../http/problem.ts';
import { OrderPath } from '../legal-orders/legal-order.dto.ts';
import { CommandRoute } from '../openapi/routes.ts';
import { HitPath } from '../sanctions-hits/sanctions-hit.dto.ts';
import { FreezeAllBody, FreezesOfBasisAnswer } from './freezes-of-basis.dto.ts';
import { placedFreeze } from './placed-freeze.ts';

const DESCRIPTION =
  'Each account gets a freeze of its own, and an outcome of its own: one that fails keeps no other from being frozen. A repeat under the same key answers for each account as the first time, and goes on with what failed or was left. Where not all accounts can be found, or each of them fails, the answer is a problem; those that could be found are frozen all the same.';
const PROBLEMS: readonly ProblemCode[] = [
  'basis-not-in-force',
  'scope-exceeds-basis',
  'asset-not-found',
  'read-model-behind',
];

/** Freezes of everything that a basis names. */
@ApiTags('Freezes')
@Controller('v1/admin')
export class FreezesOfBasisController {
  readonly #commands: CommandEdge;

  constructor(commands: CommandEdge) {
    this.#commands = commands;
  }

  @Post('legal-orders/:orderId/freezes')
  @CommandRoute({
    operationId: 'freezeAllUnderLegalOrder',
    summary: 'Freeze every account that a legal order names now',
    description: DESCRIPTION,
    roles: ['ops'],
    tagged: false,
    answer: FreezesOfBasisAnswer,
    problems: ['legal-order-not-found', ...PROBLEMS],
  })
  underOrder(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { orderId }: OrderPath,
    @Body() body: FreezeAllBody,
  ): Promise<void> {
    return this.#freezeAll(request, reply, body, { kind: 'legal-order', id: orderId });
  }

  @Post('sanctions-hits/:hitId/freezes')
  @CommandRoute({
    operationId: 'freezeAllUnderSanctionsHit',
    summary: 'Freeze every account that a sanctions hit names now',
    description: DESCRIPTION,
    roles: ['ops'],
    tagged: false,
    answer: FreezesOfBasisAnswer,
    problems: ['sanctions-hit-not-found', ...PROBLEMS],
  })
  underHit(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { hitId }: HitPath,
    @Body() body: FreezeAllBody,
  ): Promise<void> {
    return this.#freezeAll(request, reply, body, { kind: 'sanctions-hit', id: hitId });
  }

  #freezeAll(request: FastifyRequest, reply: FastifyReply, body: FreezeAllBody, basis: Basis): Promise<void> {
    const command = { type: 'FreezeAllNamed', basis, ...body } as const;
    return this.#commands.runAll(request, reply, body, command, (accepted) =>
      placedFreeze(this.#commands.ledger, accepted),
    );
  }
}
