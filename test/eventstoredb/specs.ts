import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const E2E = 'test/e2e';
const root = fileURLToPath(new URL('../../', import.meta.url));

/** End-to-end specs that say nothing of a log on a server, and why. */
export const NOT_OF_A_SERVER: Readonly<Record<string, string>> = {
  backup: 'copies the file of the embedded store',
  copy: 'moves a log from a file to a server of its own',
  demo: 'plays on stores in memory',
  'faulty-store': 'plays on a store in memory',
  monitoring: 'holds the dashboard against all metrics, and those of the file are not there',
  'slow-readers': 'needs a log that only a file can be loaded with',
  start: 'is about starts, and the files in the data folder',
};

/** The contract of every store, the races, and faults on the way to the server. */
const STORE = [
  'libs/event-store/src/eventstoredb.int.spec.ts',
  'libs/event-store/src/eventstoredb-recovery.int.spec.ts',
];
/** Services that are killed, several of them, and the server out of their reach. */
const SERVICES = [
  'test/recovery/kill',
  'test/recovery/snapshots',
  'test/instances/eventstoredb',
  'test/instances/three',
];

/** What is run on a server, as jest takes it. */
export function specsOnServer(): readonly string[] {
  const e2e = readdirSync(`${root}${E2E}`)
    .filter((name) => name.endsWith('.e2e.spec.ts'))
    .filter((name) => !Object.hasOwn(NOT_OF_A_SERVER, name.replace('.e2e.spec.ts', '')));
  return [...STORE, ...SERVICES, ...e2e.map((name) => `${E2E}/${name}`)];
}
