import { EventStoreDBClient } from '@eventstore/db-client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EventStoreDbServerOptions,
  type EventStoreDbUser,
  type Fault,
  type ServedCounts,
  type SubscriptionEnd,
} from './options.ts';
import { ServerProcess } from './server-process.ts';
import { TEST_CA_FILE } from './test-keys.ts';

export type {
  EventStoreDbServerOptions,
  EventStoreDbUser,
  Fault as EventStoreDbFault,
  FaultyCall as EventStoreDbFaultyCall,
  ServedCounts as EventStoreDbServedCounts,
  SubscriptionEnd as EventStoreDbSubscriptionEnd,
} from './options.ts';
export { OTHER_TEST_CA_FILE, TEST_CA_FILE } from './test-keys.ts';

/** A fault that was asked for. */
export interface InjectedFault {
  /** Takes it back, if it is not used up. @returns how many calls it has hit */
  clear(): Promise<number>;
}

export interface ConnectionStringOptions {
  /** Which address: one node, all of them as a list to gossip with, or `esdb+discover` by the first. Default: all. */
  readonly to?: number | 'all' | 'discover';
  /** With TLS alone. Default there: `admin`. */
  readonly user?: EventStoreDbUser;
  /** Default: that of the tests. */
  readonly caFile?: string;
  /** What else the client is told, for instance `keepAliveInterval`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A test server that runs, in a process of its own. It ends with the process that started it. */
export interface EventStoreDbServer {
  /** One node: its address; several: all of them, and the client asks them which leads. TLS: as `admin`. */
  readonly connectionString: string;
  connectionStringFor(options: ConnectionStringOptions): string;
  /** By node; they stay for life, over restarts. */
  readonly ports: readonly number[];
  /** Null when nothing is kept. */
  readonly dataDir: string | null;
  /** Ends all calls in order, then the process; removes the data if the folder was the server's own. */
  stop(): Promise<void>;
  /** Ends the process as a crash does; what was acknowledged is kept. `restart` starts it again. */
  kill(): Promise<void>;
  /** Starts it again, on the same ports, with its data; kills it first if it runs. Faults and counts begin anew. */
  restart(): Promise<void>;
  /** Stops the process where it stands (SIGSTOP): it answers nothing, not even pings, and its connections stay. */
  pause(): void;
  /** What came while it was paused is served now. */
  resume(): void;
  /** Calls that fit are hit from now on; of several faults that fit, the first that was asked for hits. */
  inject(fault: Fault): Promise<InjectedFault>;
  /** From now on another node leads. */
  changeLeader(node: number): Promise<void>;
  /** A lagging node keeps what it has: reads and subscriptions there miss what is stored from now on. */
  setLagging(node: number, lagging: boolean): Promise<void>;
  /** Takes one node down, or up again; the next that is up leads then, if it led. */
  setUp(node: number, up: boolean): Promise<void>;
  /** Cuts what is connected now, to one node or to all. */
  dropConnections(node?: number): Promise<void>;
  /** Drops the subscriptions that there are. @returns how many there were */
  dropSubscriptions(as: SubscriptionEnd): Promise<number>;
  /** Deletes a stream for good, as an admin would. */
  tombstone(stream: string): Promise<void>;
  counts(): Promise<ServedCounts>;
  resetCounts(): Promise<void>;
}

/**
 * Starts a server that speaks EventStoreDB's protocol and agrees with version 24.2 as far as the ledger can tell: for tests
 * alone, and on loopback alone. It syncs nothing: it survives the end of its process, not of its machine.
 *
 * @throws when it has not started in a minute, with what it printed
 */
export async function startEventStoreDbServer(options: EventStoreDbServerOptions = {}): Promise<EventStoreDbServer> {
  if (options.users !== undefined && options.tls !== true) {
    throw new Error('Users need TLS: without it the client sends no credentials, and the server asks for none.');
  }
  const ownFolder = options.inMemory !== true && options.dataDir === undefined;
  const dataDir = ownFolder ? mkdtempSync(join(tmpdir(), 'eventstoredb-test-')) : (options.dataDir ?? null);
  const kept = options.inMemory === true ? null : dataDir;
  const ports = Array.from({ length: options.nodeCount ?? 1 }, () => 0);
  try {
    const { server, ports: opened } = await ServerProcess.start({ options, dataDir: kept, ports });
    return new RunningServer(options, server, opened, kept, ownFolder);
  } catch (error) {
    if (ownFolder) removeFolder(kept);
    throw error;
  }
}

function removeFolder(path: string | null): void {
  if (path !== null) rmSync(path, { recursive: true, force: true });
}

class RunningServer implements EventStoreDbServer {
  readonly ports: readonly number[];
  readonly dataDir: string | null;
  readonly #options: EventStoreDbServerOptions;
  readonly #removesData: boolean;
  #process: ServerProcess;
  #isPaused = false;

  constructor(
    options: EventStoreDbServerOptions,
    server: ServerProcess,
    ports: readonly number[],
    dataDir: string | null,
    removesData: boolean,
  ) {
    this.#options = options;
    this.#process = server;
    this.ports = ports;
    this.dataDir = dataDir;
    this.#removesData = removesData;
  }

  get connectionString(): string {
    return this.connectionStringFor({});
  }

  connectionStringFor({ to = 'all', user, caFile, parameters = {} }: ConnectionStringOptions): string {
    const tls = this.#options.tls === true;
    const named = to === 'all' ? this.ports : this.ports.slice(to === 'discover' ? 0 : to).slice(0, 1);
    const hosts = named.map((port) => `127.0.0.1:${port}`).join(',');
    const { name, password } = user ?? { name: 'admin', password: 'changeit' };
    const credentials = tls ? `${encodeURIComponent(name)}:${encodeURIComponent(password)}@` : '';
    const query = new URLSearchParams({
      tls: String(tls),
      ...(tls && { tlsCAFile: caFile ?? TEST_CA_FILE }),
      ...parameters,
    });
    return `esdb${to === 'discover' ? '+discover' : ''}://${credentials}${hosts}?${query.toString()}`;
  }

  async stop(): Promise<void> {
    if (this.#isPaused) this.resume();
    // It may have ended before: then there is nothing to end in order.
    await this.#process.command('stop', null).catch(() => undefined);
    await this.kill();
    if (this.#removesData) removeFolder(this.dataDir);
  }

  async kill(): Promise<void> {
    this.#isPaused = false;
    await this.#process.kill();
  }

  async restart(): Promise<void> {
    await this.kill();
    const order = { options: this.#options, dataDir: this.dataDir, ports: this.ports };
    this.#process = (await ServerProcess.start(order)).server;
  }

  pause(): void {
    this.#isPaused = true;
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#isPaused = false;
    this.#process.signal('SIGCONT');
  }

  async inject(fault: Fault): Promise<InjectedFault> {
    const id = await this.#process.command('inject', fault);
    return { clear: () => this.#process.command('clearFault', id) };
  }

  async changeLeader(node: number): Promise<void> {
    await this.#process.command('changeLeader', node);
  }

  async setLagging(node: number, lagging: boolean): Promise<void> {
    await this.#process.command('lag', { node, lagging });
  }

  async setUp(node: number, up: boolean): Promise<void> {
    await this.#process.command('setUp', { node, up });
  }

  async dropConnections(node?: number): Promise<void> {
    await this.#process.command('dropConnections', node ?? null);
  }

  async dropSubscriptions(as: SubscriptionEnd): Promise<number> {
    return this.#process.command('dropSubscriptions', as);
  }

  async tombstone(stream: string): Promise<void> {
    const client = EventStoreDBClient.connectionString(this.connectionString);
    await client.tombstoneStream(stream).finally(() => client.dispose());
  }

  async counts(): Promise<ServedCounts> {
    return this.#process.command('counts', null);
  }

  async resetCounts(): Promise<void> {
    await this.#process.command('resetCounts', null);
  }
}
