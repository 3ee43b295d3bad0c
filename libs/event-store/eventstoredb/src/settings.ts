import { StoreError } from '#event-store';

/** Where the store is, and what of it is ours. */
export interface EventStoreDbSettings {
  /**
   * `esdb://user:password@host:port?tls=true`, several hosts with commas between them for gossip, `esdb+discover://` for a
   * name that stands for a cluster; `kurrentdb://`, `kurrent://` and `kdb://` say the same. TLS unless `tls=false`.
   */
  readonly connectionString: string;
  /** File with the certificates (PEM) of the authorities that the server's is signed by. Default: those that Node knows. */
  readonly caFile?: string;
  /** Put before the name of every stream, so that several ledgers, or tests, can share a server. Default: nothing. */
  readonly streamPrefix?: string;
  /**
   * How the names of our streams begin (`account-`, …), without the prefix. What begins otherwise is a stranger's and is
   * passed over. Default: all but the server's own, whose names begin with `$`.
   */
  readonly streamKinds?: readonly string[];
  /** Most that an append or read may take, tries and pauses included, in milliseconds. Default: 5,000. */
  readonly callTimeoutMs?: number;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a connection string says, checked. */
export interface Connection {
  /** One node, nodes that know of each other, or a name that leads to them. */
  readonly kind: 'node' | 'gossip' | 'discover';
  readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  readonly tls: boolean;
  readonly caFile: string | undefined;
  readonly userCertFile: string | undefined;
  readonly userKeyFile: string | undefined;
  readonly connectionName: string | undefined;
  /** Milliseconds, and seconds for `gossipTimeout`, as the client takes them. */
  readonly numbers: Readonly<Partial<Record<NumberOption, number>>>;
  readonly credentials: Credentials | undefined;
}

/** A password that shows in nothing that is printed. */
export class Credentials {
  readonly username: string;
  readonly #password: string;

  constructor(username: string, password: string) {
    this.username = username;
    this.#password = password;
  }

  reveal(): { readonly username: string; readonly password: string } {
    return { username: this.username, password: this.#password };
  }
}

const SCHEME = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?:\/\//;
const DEFAULT_PORT = 2113;
const NUMBER_OPTIONS = [
  'defaultDeadline',
  'discoveryInterval',
  'gossipTimeout',
  'keepAliveInterval',
  'keepAliveTimeout',
  'maxDiscoverAttempts',
] as const;
type NumberOption = (typeof NUMBER_OPTIONS)[number];
const OPTIONS = [
  ...NUMBER_OPTIONS,
  'connectionName',
  'nodePreference',
  'throwOnAppendFailure',
  'tls',
  'tlsCAFile',
  'tlsVerifyCert',
  'userCertFile',
  'userKeyFile',
] as const;
type Option = (typeof OPTIONS)[number];

/**
 * Reads and checks a connection string. What it refuses it names, but quotes nothing: any part of a string that is
 * mistyped may be one of the password.
 * @throws StoreError `store-unavailable` that says in one line what is wrong
 */
export function readConnection({
  connectionString,
  caFile,
}: Pick<EventStoreDbSettings, 'connectionString' | 'caFile'>): Connection {
  const scheme = SCHEME.exec(connectionString);
  if (scheme === null) refuse('it begins with esdb://, esdb+discover://, kurrentdb:// or kurrentdb+discover://');
  const rest = connectionString.slice(scheme[0].length).trim();
  const question = rest.indexOf('?');
  const authority = question < 0 ? rest : rest.slice(0, question);
  const query = question < 0 ? '' : rest.slice(question + 1);
  if (query.includes('@')) refuse('user and password are percent-encoded, ? and @ among them');
  const options = readOptions(query);
  const tls = readTls(options);
  const at = authority.lastIndexOf('@');
  const credentials = at < 0 ? undefined : readCredentials(authority.slice(0, at));
  if (!tls && credentials !== undefined) {
    refuse('it has a user and password, which are never sent without TLS: take out either those or tls=false');
  }
  const certificates = tls ? (caFile ?? options.get('tlsCAFile')) : undefined;
  if (!tls && (caFile ?? options.get('tlsCAFile')) !== undefined) refuse('a CA file means nothing with tls=false');
  const [userCertFile, userKeyFile] = [options.get('userCertFile'), options.get('userKeyFile')];
  if ((userCertFile === undefined) !== (userKeyFile === undefined)) refuse('userCertFile and userKeyFile go together');
  const endpoints = readEndpoints(authority.slice(at + 1));
  const discover = scheme[1] !== undefined;
  if (discover && endpoints.length > 1) refuse('+discover takes one name, which stands for all nodes');
  return {
    kind: discover ? 'discover' : endpoints.length > 1 ? 'gossip' : 'node',
    endpoints,
    tls,
    caFile: certificates,
    userCertFile,
    userKeyFile,
    connectionName: options.get('connectionName'),
    numbers: readNumbers(options),
    credentials,
  };
}

/** The nodes as `host:port`, for messages. */
export function nameOf({ endpoints }: Pick<Connection, 'endpoints'>): string {
  return endpoints.map(({ address, port }) => `${address}:${port}`).join(', ');
}

function refuse(why: string): never {
  throw new StoreError('store-unavailable', `the connection string of the event store is wrong: ${why}`);
}

function readOptions(query: string): ReadonlyMap<Option, string> {
  const options = new Map<Option, string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=');
    const given = flat(pair.slice(0, Math.max(equals, 0)));
    const name = OPTIONS.find((option) => flat(option) === given);
    if (name === undefined) refuse(`an option is none of ${OPTIONS.join(', ')}, as in ?tls=true&connectionName=writ`);
    if (options.has(name)) refuse(`${name} stands twice`);
    options.set(name, decode(pair.slice(equals + 1), name));
  }
  if (options.get('tlsVerifyCert') === 'false') {
    refuse('tlsVerifyCert=false is not possible: name the CA file of the server instead');
  }
  if (options.get('throwOnAppendFailure') === 'false') refuse('throwOnAppendFailure=false is not possible');
  return options;
}

/** As the client takes the names of options: without regard to case, `-` and `_`. */
function flat(name: string): string {
  return name.trim().toLowerCase().replace(/[_-]/g, '');
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return refuse(`${what} is not percent-encoded`);
  }
}

function readTls(options: ReadonlyMap<Option, string>): boolean {
  const tls = options.get('tls') ?? 'true';
  if (tls !== 'true' && tls !== 'false') refuse('tls is true or false');
  return tls === 'true';
}

function readNumbers(options: ReadonlyMap<Option, string>): Partial<Record<NumberOption, number>> {
  const numbers: Partial<Record<NumberOption, number>> = {};
  for (const name of NUMBER_OPTIONS) {
    const text = options.get(name);
    if (text === undefined) continue;
    if (!/^[1-9][0-9]{0,8}$/.test(text)) refuse(`${name} is a whole number from 1`);
    numbers[name] = Number(text);
  }
  return numbers;
}

function readCredentials(text: string): Credentials {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) refuse('before the @ stand a user and a password, with : between them');
  return new Credentials(decode(text.slice(0, colon), 'the user'), decode(text.slice(colon + 1), 'the password'));
}

function readEndpoints(text: string): readonly [Endpoint, ...Endpoint[]] {
  const [first, ...others] = text.replace(/\/+$/, '').split(',');
  return [readEndpoint(first ?? '', 1), ...others.map((host, index) => readEndpoint(host, index + 2))];
}

function readEndpoint(text: string, number: number): Endpoint {
  const match = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?$/.exec(text.trim());
  if (match?.[1] === undefined) refuse(`host ${number} is no name or address with a port, as in db.example:2113`);
  const port = match[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (port < 1 || port > 65_535) refuse(`the port of host ${number} is none`);
  return { address: match[1], port };
}
