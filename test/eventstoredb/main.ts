import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { isStoreError } from '#event-store';
import { namedEventStoreDb, newStreamPrefix, startEventStoreDbServer, type NamedEventStoreDb } from '#testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NOT_OF_A_SERVER, specsOnServer } from './specs.ts';

/**
 * Runs what is true of every server: the contract of every store and the races, faults on the way to the server, kills of
 * services, and the end-to-end suite. On the server that `WRIT_EVENTSTOREDB_URL` names, or on one of the tests' own. In
 * streams of its own: nothing is read or written but those, and nothing is deleted. Paths say which specs alone to run;
 * what begins with `-` is jest's.
 */
const QUIETLY = ['--disable-warning=ExperimentalWarning', '--disable-warning=DEP0123'];
const JEST = ['--experimental-vm-modules', ...QUIETLY, 'node_modules/jest/bin/jest.js'];
const OPEN_TIMEOUT_MS = 15_000;
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const args = process.argv.slice(2);
const own = namedEventStoreDb() === undefined ? await startEventStoreDbServer() : undefined;
if (own !== undefined) process.env['WRIT_EVENTSTOREDB_URL'] = own.connectionString;
try {
  const server = namedEventStoreDb();
  if (server === undefined) throw new Error('no server is named');
  const [, , run = ''] = newStreamPrefix().split('-');
  await introduce(server, run);
  process.exitCode = await runSpecs(run);
} catch (error) {
  if (!isStoreError(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await own?.stop();
}

/** Says what is run where, and what is not. @throws StoreError that says why the server can't be used */
async function introduce({ settings, asksWhoComes }: NamedEventStoreDb, run: string): Promise<void> {
  const store = await EventStoreDbEventStore.open({ ...settings, callTimeoutMs: OPEN_TIMEOUT_MS });
  await store.close();
  const where =
    own === undefined ? 'the server of WRIT_EVENTSTOREDB_URL' : 'the test server: WRIT_EVENTSTOREDB_URL names none';
  say(`On ${where}, in streams that begin with writ-test-${run}- and stay there.`);
  for (const [name, why] of Object.entries(NOT_OF_A_SERVER)) say(`Not run, ${name}: it ${why}.`);
  if (!asksWhoComes) say('Not run, what is about passwords: no user and password is given.');
  say('');
}

async function runSpecs(run: string): Promise<number> {
  const specs = args.some((arg) => !arg.startsWith('-')) ? [] : specsOnServer();
  const child = spawn(process.execPath, [...JEST, ...specs, ...args], {
    stdio: 'inherit',
    env: { ...process.env, WRIT_TEST_STORE: 'eventstoredb', WRIT_TEST_RUN: run },
  });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of PASSED_ON) process.on(signal, passOn);
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}
