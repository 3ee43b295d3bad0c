import { randomBytes } from 'node:crypto';
import { startEventStoreDbServer } from './eventstoredb-server/index.ts';

const SCHEME = /^[a-z]+(?:\+discover)?:\/\//;
const ID_BYTES = 4;

/** A server of EventStoreDB that tests are run against, of whatever kind. */
export interface NamedEventStoreDb {
  /** As a store is opened by it, with user and password. */
  readonly settings: { readonly connectionString: string; readonly caFile?: string };
  /** What a service is told that is to use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it asks who comes: it may then refuse a password. */
  readonly asksWhoComes: boolean;
}

/** The server that `WRIT_EVENTSTOREDB_URL` names, with what stands in the variables beside it; undefined without. */
export function namedEventStoreDb(environment: NodeJS.ProcessEnv = process.env): NamedEventStoreDb | undefined {
  const {
    WRIT_EVENTSTOREDB_URL: url = '',
    WRIT_EVENTSTOREDB_CA_FILE: caFile = '',
    WRIT_EVENTSTOREDB_USER: user = '',
    WRIT_EVENTSTOREDB_PASSWORD: password = '',
  } = environment;
  if (url === '') return undefined;
  const scheme = SCHEME.exec(url)?.[0] ?? '';
  const credentials = user === '' ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  const connectionString = `${scheme}${credentials}${url.slice(scheme.length)}`;
  return {
    settings: { connectionString, ...(caFile !== '' && { caFile }) },
    environment: {
      WRIT_STORE: 'eventstoredb',
      WRIT_EVENTSTOREDB_URL: connectionString,
      ...(caFile !== '' && { WRIT_EVENTSTOREDB_CA_FILE: caFile }),
    },
    asksWhoComes: connectionString.includes('@'),
  };
}

/** The server that is named, or else one of the tests' own, which has to be stopped. */
export async function eventStoreDbUnderTest(): Promise<NamedEventStoreDb & { readonly stop: () => Promise<void> }> {
  const named = namedEventStoreDb();
  if (named !== undefined) return { ...named, stop: () => Promise.resolve() };
  const server = await startEventStoreDbServer();
  const own = namedEventStoreDb({ WRIT_EVENTSTOREDB_URL: server.connectionString });
  if (own === undefined) throw new Error('the server of the tests has no address');
  return { ...own, stop: () => server.stop() };
}

/** Of all that this run of the tests stores: `WRIT_TEST_RUN` says it to all processes of one. */
const run = process.env['WRIT_TEST_RUN'] ?? randomBytes(ID_BYTES).toString('hex');

/** A prefix for streams that nobody has used: `writ-test-<run>-<log>-`. */
export function newStreamPrefix(): string {
  return `writ-test-${run}-${randomBytes(ID_BYTES).toString('hex')}-`;
}
