// What the HTTP figure is held against: Fastify alone, one route that validates the same body and answers.
import Fastify from 'fastify';
import { body, type DepositRoute } from './deposit-body.ts';

const server = Fastify();
server.post<DepositRoute>('/v1/accounts/:accountId/deposits', { schema: { body } }, (request, reply) => {
  const { depositId, asset, amount, source } = request.body;
  const { accountId } = request.params;
  void reply.code(201).send({ deposit: { accountId, depositId, asset, amount, source } });
});
process.stdout.write(`${await server.listen({ port: 0, host: '127.0.0.1' })}\n`);
