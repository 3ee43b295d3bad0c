import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HEALTH, METRICS } from '../edge/tokens.ts';
import { sendProblem } from '../http/answer.ts';
import type { ProblemCode } from '../http/problem.ts';
import { OpenRoute, problemResponses } from '../openapi/routes.ts';
import { as } from '../openapi/schemas.ts';
import { readiness, type Health } from './health.ts';
import { Metrics } from './metrics.ts';

class HealthAnswer {
  @ApiProperty(as('text', { enum: ['ok'] }))
  status!: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, selfRequired: false })
  checks?: Readonly<Record<string, string>>;
}

@ApiTags('Operations')
@Controller()
export class OperationsController {
  readonly #health: Health;
  readonly #metrics: Metrics;

  constructor(@Inject(HEALTH) health: Health, @Inject(METRICS) metrics: Metrics) {
    this.#health = health;
    this.#metrics = metrics;
  }

  @Get('health/live')
  @OpenRoute({ operationId: 'readLiveness', summary: 'Whether the process answers' })
  @ApiResponse({ status: 200, type: HealthAnswer })
  live(@Res() reply: FastifyReply): void {
    reply.send({ status: 'ok' });
  }

  @Get('health/ready')
  @OpenRoute({
    operationId: 'readReadiness',
    summary: 'Whether the store answers, the read models have caught up, and nothing is left half done',
  })
  @ApiResponse({ status: 200, type: HealthAnswer })
  @Problems('store-unavailable', 'read-model-behind', 'overloaded', 'clock-unreliable', 'shutting-down')
  async ready(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { problem, checks } = await readiness(this.#health);
    if (problem === undefined) reply.send({ status: 'ok', checks });
    else sendProblem(request, reply, { ...problem, extra: { checks } });
  }

  @Get('metrics')
  @OpenRoute({ operationId: 'readMetrics', summary: 'Metrics for Prometheus; from another machine they need a token' })
  @ApiResponse({ status: 200, content: { 'text/plain': { schema: { type: 'string' } } } })
  @Problems('unauthenticated', 'forbidden', 'rate-limited', 'overloaded', 'shutting-down')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const text = await this.#metrics.registry.metrics();
    reply.header('content-type', this.#metrics.registry.contentType).send(text);
  }
}

function Problems(...codes: readonly ProblemCode[]): MethodDecorator {
  const decorators = problemResponses(codes);
  return (target, property, descriptor) => {
    for (const decorate of decorators) decorate(target, property, descriptor);
  };
}
