import { isIP } from 'node:net';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where the keys come from that tokens are checked against. */
export type IdentityConfig =
  | { readonly mode: 'development' }
  | {
      readonly mode: 'identity-provider';
      readonly jwks: { readonly url: URL } | { readonly file: string };
      readonly issuer: string;
      readonly audience: string;
    };

/** Where the log is. */
export type StoreConfig = { readonly kind: 'sqlite' } | EventStoreDbConfig;

export interface EventStoreDbConfig {
  readonly kind: 'eventstoredb';
  /** With user and password in it, if there are any: never to be printed. */
  readonly connectionString: string;
  readonly caFile?: string;
  readonly streamPrefix?: string;
}

/** All that can be set from outside, checked. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly store: StoreConfig;
  readonly identity: IdentityConfig;
  readonly logLevel: LogLevel;
  /** Requests a second for one `sub`; 0 for no limit. */
  readonly rateLimit: number;
  /** Recorded refusals a minute for one account. */
  readonly refusalLimit: number;
  /** Events of an account from one snapshot of it to the next; 0 for none. */
  readonly snapshotEvery: number;
  /** Accounts, parties, orders, … that are kept in memory: by the commands, and as many by the projections. */
  readonly streamsInMemory: number;
  /** Most bytes of a request's body. */
  readonly bodyLimitBytes: number;
  /** Most requests under way at once. */
  readonly concurrencyLimit: number;
  /** How long a command may take before its caller is told to ask again. */
  readonly requestTimeoutMs: number;
}

/** What is wrong with one variable: its name and the rule that its value breaks. */
export interface ConfigProblem {
  readonly variable: string;
  readonly rule: string;
}

/** Every rule that the environment breaks, at once. The values stay out of it: they may be secrets. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ variable, rule }) => `${variable} ${rule}`).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of our own; `PORT`, `HOST` and `NODE_ENV` are others' too. */
export const VARIABLES = [
  'WRIT_DATA_DIR',
  'WRIT_STORE',
  'WRIT_EVENTSTOREDB_URL',
  'WRIT_EVENTSTOREDB_CA_FILE',
  'WRIT_EVENTSTOREDB_USER',
  'WRIT_EVENTSTOREDB_PASSWORD',
  'WRIT_EVENTSTOREDB_PREFIX',
  'WRIT_JWKS_URL',
  'WRIT_JWKS_FILE',
  'WRIT_JWT_ISSUER',
  'WRIT_JWT_AUDIENCE',
  'WRIT_RATE_LIMIT',
  'WRIT_REFUSAL_LIMIT',
  'WRIT_SNAPSHOT_EVERY',
  'WRIT_STREAMS_IN_MEMORY',
  'WRIT_LOG_LEVEL',
  'WRIT_BODY_LIMIT',
  'WRIT_CONCURRENCY_LIMIT',
  'WRIT_REQUEST_TIMEOUT_MS',
] as const;

const DEFAULT_PRODUCTION_RATE_LIMIT = 1000;

/**
 * Reads the service's configuration from environment variables. A variable that is set to nothing counts as not set.
 * @throws ConfigError with every broken rule
 */
export function readConfig(environment: Environment): Config {
  const reader = new Reader(environment);
  const identity = readIdentity(reader);
  const config: Config = {
    port: reader.integer('PORT', { min: 0, max: 65_535, fallback: 3000 }),
    host: readHost(reader, identity),
    dataDir: readDataDir(environment),
    store: readStore(reader),
    identity,
    logLevel: reader.oneOf('WRIT_LOG_LEVEL', LOG_LEVELS, 'info'),
    rateLimit: reader.integer('WRIT_RATE_LIMIT', {
      min: 0,
      max: 1_000_000,
      fallback: identity.mode === 'development' ? 0 : DEFAULT_PRODUCTION_RATE_LIMIT,
    }),
    refusalLimit: reader.integer('WRIT_REFUSAL_LIMIT', { min: 1, max: 1_000_000, fallback: 60 }),
    snapshotEvery: reader.integer('WRIT_SNAPSHOT_EVERY', { min: 0, max: 1_000_000, fallback: 250 }),
    streamsInMemory: reader.integer('WRIT_STREAMS_IN_MEMORY', { min: 1_000, max: 1_000_000, fallback: 10_000 }),
    bodyLimitBytes: reader.integer('WRIT_BODY_LIMIT', { min: 1024, max: 16 * 1024 * 1024, fallback: 1024 * 1024 }),
    concurrencyLimit: reader.integer('WRIT_CONCURRENCY_LIMIT', { min: 1, max: 100_000, fallback: 512 }),
    requestTimeoutMs: reader.integer('WRIT_REQUEST_TIMEOUT_MS', { min: 100, max: 120_000, fallback: 15_000 }),
  };
  reader.throwIfBroken();
  return config;
}

/** The data folder alone: for tools that need nothing else of the configuration. */
export function readDataDir(environment: Environment): string {
  return new Reader(environment).text('WRIT_DATA_DIR') ?? 'data';
}

/** Variables that look like ours and are none: most likely misspelt. */
export function unknownVariables(environment: Environment): readonly string[] {
  const known: readonly string[] = VARIABLES;
  return Object.keys(environment).filter((name) => name.startsWith('WRIT_') && !known.includes(name));
}

/**
 * Where the log is, alone: for tools that need nothing else of the configuration.
 * @throws ConfigError with every broken rule
 */
export function readStoreConfig(environment: Environment): StoreConfig {
  const reader = new Reader(environment);
  const store = readStore(reader);
  reader.throwIfBroken();
  return store;
}

/**
 * The server that the variables name, whatever `WRIT_STORE` says: for tools that are told to work on it.
 * @throws ConfigError with every broken rule
 */
export function readServerConfig(environment: Environment): EventStoreDbConfig {
  const reader = new Reader(environment);
  const server = readEventStoreDb(reader, 'must be set');
  reader.throwIfBroken();
  return server;
}

const OF_EVENTSTOREDB = VARIABLES.filter((name) => name.startsWith('WRIT_EVENTSTOREDB_'));
const SCHEME = /^(?:esdb|kurrentdb|kurrent|kdb)(?:\+discover)?:\/\//;

function readStore(reader: Reader): StoreConfig {
  const kind = reader.oneOf('WRIT_STORE', ['sqlite', 'eventstoredb'] as const, 'sqlite');
  if (kind === 'eventstoredb') return readEventStoreDb(reader, 'must be set, as WRIT_STORE is eventstoredb');
  for (const variable of OF_EVENTSTOREDB) {
    if (reader.text(variable) !== undefined) {
      reader.broken(variable, 'has no effect without WRIT_STORE=eventstoredb: set that, or unset this');
    }
  }
  return { kind };
}

function readEventStoreDb(reader: Reader, withoutUrl: string): EventStoreDbConfig {
  const url = reader.required('WRIT_EVENTSTOREDB_URL', `${withoutUrl}: esdb://user:password@host:2113`);
  const scheme = SCHEME.exec(url)?.[0];
  if (url !== '' && scheme === undefined) {
    reader.broken('WRIT_EVENTSTOREDB_URL', 'must begin with esdb:// or esdb+discover:// (or kurrentdb://)');
  }
  const caFile = reader.text('WRIT_EVENTSTOREDB_CA_FILE');
  const streamPrefix = reader.text('WRIT_EVENTSTOREDB_PREFIX');
  if (streamPrefix !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(streamPrefix)) {
    reader.broken('WRIT_EVENTSTOREDB_PREFIX', 'must be up to 64 letters, digits, dots, hyphens and underscores');
  }
  return {
    kind: 'eventstoredb',
    connectionString: withCredentials(reader, scheme ?? '', url.slice(scheme?.length)),
    ...(caFile !== undefined && { caFile }),
    ...(streamPrefix !== undefined && { streamPrefix }),
  };
}

/** User and password may stand in the URL, or beside it: where a URL is shown, a password is shown with it. */
function withCredentials(reader: Reader, scheme: string, rest: string): string {
  const user = reader.text('WRIT_EVENTSTOREDB_USER');
  const password = reader.text('WRIT_EVENTSTOREDB_PASSWORD');
  if (user === undefined && password === undefined) return scheme + rest;
  if (user === undefined) reader.broken('WRIT_EVENTSTOREDB_USER', 'must be set together with the password');
  if (password === undefined) reader.broken('WRIT_EVENTSTOREDB_PASSWORD', 'must be set together with the user');
  if (rest.includes('@')) {
    reader.broken('WRIT_EVENTSTOREDB_USER', 'must not be set when WRIT_EVENTSTOREDB_URL has a user and password');
  }
  return `${scheme}${encodeURIComponent(user ?? '')}:${encodeURIComponent(password ?? '')}@${rest}`;
}

function readIdentity(reader: Reader): IdentityConfig {
  const url = reader.text('WRIT_JWKS_URL');
  const file = reader.text('WRIT_JWKS_FILE');
  if (url === undefined && file === undefined) return developmentIdentity(reader);
  if (url !== undefined && file !== undefined) {
    reader.broken('WRIT_JWKS_FILE', 'must not be set together with WRIT_JWKS_URL');
  }
  return {
    mode: 'identity-provider',
    jwks: url === undefined ? { file: file ?? '' } : { url: reader.keysUrl('WRIT_JWKS_URL', url) },
    issuer: reader.required(
      'WRIT_JWT_ISSUER',
      'must be set, as there is a key set: tokens of any other issuer are refused',
    ),
    audience: reader.required('WRIT_JWT_AUDIENCE', 'must be set, as there is a key set: tokens for others are refused'),
  };
}

function developmentIdentity(reader: Reader): IdentityConfig {
  if (reader.text('NODE_ENV') === 'production') {
    reader.broken(
      'WRIT_JWKS_URL',
      '(or WRIT_JWKS_FILE) must be set when NODE_ENV is "production": the development mode, in which the service makes its own key, is not for production',
    );
  }
  for (const variable of ['WRIT_JWT_ISSUER', 'WRIT_JWT_AUDIENCE']) {
    if (reader.text(variable) !== undefined) {
      reader.broken(variable, 'has no effect without WRIT_JWKS_URL or WRIT_JWKS_FILE: set one of them, or unset this');
    }
  }
  return { mode: 'development' };
}

function readHost(reader: Reader, identity: IdentityConfig): string {
  const host = reader.text('HOST') ?? '127.0.0.1';
  if (isIP(host) === 0 && !HOST_NAME.test(host)) reader.broken('HOST', 'must be an IP address or a host name');
  else if (identity.mode === 'development' && !isLoopback(host)) {
    reader.broken(
      'HOST',
      'must be a loopback address (127.0.0.1, ::1 or localhost) in development mode; to serve others, set WRIT_JWKS_URL or WRIT_JWKS_FILE',
    );
  }
  return host;
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const address = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host;
  return isIP(address) === 4 && address.startsWith('127.');
}

/** Reads single variables and collects the rules that they break. */
class Reader {
  readonly #environment: Environment;
  readonly #problems: ConfigProblem[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  broken(variable: string, rule: string): void {
    this.#problems.push({ variable, rule });
  }

  throwIfBroken(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  text(variable: string): string | undefined {
    const value = this.#environment[variable];
    return value === undefined || value === '' ? undefined : value;
  }

  required(variable: string, rule: string): string {
    const value = this.text(variable);
    if (value === undefined) this.broken(variable, rule);
    return value ?? '';
  }

  integer(variable: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
    const text = this.text(variable);
    if (text === undefined) return fallback;
    const value = /^(0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.broken(variable, `must be a whole number from ${String(min)} to ${String(max)}`);
    return fallback;
  }

  oneOf<const Value extends string>(variable: string, allowed: readonly Value[], fallback: Value): Value {
    const text = this.text(variable);
    if (text === undefined) return fallback;
    const value = allowed.find((candidate) => candidate === text);
    if (value === undefined) this.broken(variable, `must be one of ${allowed.join(', ')}`);
    return value ?? fallback;
  }

  /** Keys fetched over an open network could be anyone's: https, or http on this machine. */
  keysUrl(variable: string, text: string): URL {
    const url = URL.parse(text);
    const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(unbracketed(url.hostname)));
    const open = url?.username === '' && url.password === '';
    if (safe && open) return url;
    if (safe) this.broken(variable, 'must have no user and no password in it: public keys need none, and none is sent');
    else this.broken(variable, 'must be an https URL (http only on a loopback address)');
    return new URL('https://invalid.invalid');
  }
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
