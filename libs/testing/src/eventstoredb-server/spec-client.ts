/**
 * Clients in a process of their own, whose end a spec watches: it prints what becomes of each append within two seconds.
 * `node spec-client.ts two-appends | two-clients <stream> <connection string>...`
 */
import db from '@eventstore/db-client';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 2_000;
/** Longer than the late answer that it waits for. */
const LATE_MS = 20_000;

const [script, stream = '', ...connections] = process.argv.slice(2);
const [first, second] = connections.map((connection) => db.EventStoreDBClient.connectionString(connection));

async function append(client: db.EventStoreDBClient | undefined, to: string, limitMs: number): Promise<string> {
  const answer = client?.appendToStream(to, db.jsonEvent({ type: 'Numbered', data: { n: 0 } })).then(
    ({ nextExpectedRevision }) => `answered ${nextExpectedRevision}`,
    (error: unknown) => `failed ${String((error as { readonly type?: unknown }).type)}`,
  );
  return (await Promise.race([answer, delay(limitMs, 'pending')])) ?? 'no client';
}

if (script === 'two-appends') {
  for (let turn = 0; turn < 2; turn += 1) process.stdout.write(`${await append(first, stream, LIMIT_MS)}\n`);
} else {
  // Both are connected; then the first one's server answers late, and meanwhile the second one's fails.
  await append(first, 'warm-up', LATE_MS);
  await append(second, 'warm-up', LATE_MS);
  const healthy = append(first, stream, LATE_MS);
  await append(second, stream, LATE_MS);
  process.stdout.write(`${await healthy}\n`);
  await delay(LATE_MS);
}
process.exit(0);
