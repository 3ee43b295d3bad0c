// What the HTTP figure is held against: Fastify alone, one route that validates the same body and answers.
import Fastify from 'fastify';

const text = (maxLength) => ({ type: 'string', minLength: 1, maxLength });
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['depositId', 'asset', 'amount', 'source'],
  properties: {
    depositId: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$' },
    asset: { type: 'string', pattern: '^[A-Z0-9]{2,16}$' },
    amount: { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$' },
    source: {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'reference'],
      properties: {
        kind: { enum: ['onchain', 'bank', 'internal'] },
        reference: text(128),
        chain: text(32),
        address: text(128),
        memo: text(128),
      },
    },
  },
};

const server = Fastify();
server.post('/v1/accounts/:accountId/deposits', { schema: { body } }, (request, reply) => {
  const { depositId, asset, amount, source } = request.body;
  const { accountId } = request.params;
  void reply.code(201).send({ deposit: { accountId, depositId, asset, amount, source } });
});
process.stdout.write(`${await server.listen({ port: 0, host: '127.0.0.1' })}\n`);
