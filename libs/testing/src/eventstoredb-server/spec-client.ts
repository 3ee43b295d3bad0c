/**
 * A client in a process of its own, whose end a spec watches: two appends, and what became of each within a second.
 * `node spec-client.ts <connection string>`
 */
import client from '@eventstore/db-client';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 1_000;

const store = client.EventStoreDBClient.connectionString(process.argv[2] ?? '');
for (let turn = 0; turn < 2; turn += 1) {
  const append = store.appendToStream(`by-${process.pid}`, client.jsonEvent({ type: 'Numbered', data: { n: turn } }));
  const outcome = await Promise.race([
    append.then(({ nextExpectedRevision }) => `answered ${nextExpectedRevision}`),
    delay(LIMIT_MS).then(() => 'pending'),
  ]);
  process.stdout.write(`${outcome}\n`);
}
process.exit(0);
