/**
 * The least that is durable: the bare handler, and each deposit one sealed event in the log in the folder of its argument
 * before the answer. Nobody is asked for a token, nothing is decided, no key is looked for, no read model follows.
 */
import { SqliteEventStore } from '#event-store/sqlite';
import { sealEvent, uuidv7, type SealedEvent } from '#kernel';
import Fastify from 'fastify';
import { join } from 'node:path';
import { body, type DepositRoute } from './deposit-body.ts';

interface Head {
  revision: number;
  hash: string | null;
}

const store = await SqliteEventStore.open({ path: join(process.argv[2] ?? '', 'events.db') });
const heads = new Map<string, Head>();

/** The next event of a stream. Appends of one stream are stored in the order in which they are asked for. */
function next(stream: string, data: SealedEvent['data'], key: string): SealedEvent {
  const head = heads.get(stream) ?? { revision: -1, hash: null };
  heads.set(stream, head);
  const metadata = {
    actor: { id: 'bench', roles: ['service'] },
    correlationId: key,
    causationId: null,
    key: { caller: 'bench', homeStream: stream, value: key },
    commandHash: 'a'.repeat(64),
    recordedAt: new Date().toISOString(),
    previousHash: head.hash,
  };
  const unsealed = { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data, metadata };
  head.revision += 1;
  head.hash = sealEvent(stream, head.revision, unsealed).hash;
  return { ...unsealed, metadata: { ...metadata, hash: head.hash } };
}

const server = Fastify();
server.post<DepositRoute>('/v1/accounts/:accountId/deposits', { schema: { body } }, async (request, reply) => {
  const deposit = { accountId: request.params.accountId, ...request.body };
  const stream = `account-${deposit.accountId}`;
  const before = heads.get(stream)?.revision ?? 'no-stream';
  await store.append(stream, before, [next(stream, deposit, String(request.headers['idempotency-key']))]);
  return reply.code(201).send({ deposit });
});
process.stdout.write(`${await server.listen({ port: 0, host: '127.0.0.1' })}\n`);
