/**
 * Clients in a process of their own, whose end a spec watches: it prints what becomes of each append within two seconds.
 * `node spec-client.ts two-appends | two-clients <stream> <connection string>...`
 */
import db from '@eventstore/db-client';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 2_000;

const [script, stream = '', ...connections] = process.argv.slice(2);
const clients = connections.map((connection) => db.EventStoreDBClient.connectionString(connection));

async function append(client: db.EventStoreDBClient | undefined, n: number): Promise<string> {
  const event = db.jsonEvent({ type: 'Numbered', data: { n } });
  const answer = client?.appendToStream(stream, event).then(
    ({ nextExpectedRevision }) => `answered ${nextExpectedRevision}`,
    (error: unknown) => `failed ${String((error as { readonly type?: unknown }).type)}`,
  );
  return (await Promise.race([answer, delay(LIMIT_MS, 'pending')])) ?? 'no client';
}

if (script === 'two-appends') {
  for (const n of [0, 1]) process.stdout.write(`${await append(clients[0], n)}\n`);
} else {
  // By the first, whose server answers late; meanwhile the second one's server fails.
  const healthy = append(clients[0], 0);
  await append(clients[1], 0);
  process.stdout.write(`${await healthy}\n`);
  await delay(LIMIT_MS);
}
process.exit(0);
