import { type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { isAllowed, type StreamAction } from './access/permissions.ts';
import { ADMIN, type Caller, Users } from './access/users.ts';
import { usersOverHttp } from './access/users-over-http.ts';
import { Connections, HOST } from './connections.ts';
import { Counts } from './counts.ts';
import { Faults } from './faults.ts';
import { type EventLog } from './log/event-log.ts';
import { LogView } from './log/log-view.ts';
import { type EventStoreDbServerOptions, type SubscriptionEnd } from './options.ts';
import { type Call, type Member, type OpenSubscription, type ServiceContext } from './services/context.ts';
import { addServices } from './services/index.ts';
import { type Address } from './wire/errors.ts';
import { Server, ServerCredentials } from './wire/protocol.ts';

const MAX_APPEND_SIZE_BYTES = 1024 * 1024;
/** What a real server takes as one message. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** As many as a real server lets go on at once; others wait in the client. */
const MAX_CALLS_OF_A_CONNECTION = 100;

export interface TlsKeys {
  readonly key: Buffer;
  readonly certificate: Buffer;
}

interface Node {
  readonly connections: Connections;
  readonly view: LogView;
}

/** The nodes of one server: so many addresses over one log, of which one leads. */
export class Cluster {
  readonly faults = new Faults();
  readonly counts = new Counts();
  readonly subscriptions = new Set<OpenSubscription>();
  readonly #log: EventLog;
  readonly #options: EventStoreDbServerOptions;
  readonly #keys: TlsKeys | undefined;
  readonly #users: Users | undefined;
  readonly #nodes: Node[] = [];
  #leader = 0;

  /** @param keys are there when the server speaks TLS; then it asks for credentials, too */
  constructor(log: EventLog, options: EventStoreDbServerOptions, keys: TlsKeys | undefined) {
    this.#log = log;
    this.#options = options;
    this.#keys = keys;
    this.#users = keys === undefined ? undefined : new Users(options.users ?? []);
    this.#users?.record(log);
  }

  /** @returns the ports, which are those that are given unless they are 0. @throws when one can't be had */
  async open(ports: readonly number[]): Promise<readonly number[]> {
    for (const port of ports) await this.#addNode(port);
    return this.#nodes.map(({ connections }) => connections.port);
  }

  /** Clients are not told: they learn it from gossip, or when a node refuses what is the leader's. */
  set leader(index: number) {
    this.#node(index);
    this.#leader = index;
  }

  setLagging(index: number, lagging: boolean): void {
    this.#node(index).view.lagging = lagging;
    // Whoever is subscribed there is told what the node now has.
    if (!lagging) this.#log.wake();
  }

  /** A node that is down takes no connections, and gossip says so; its lead goes to the next that is up. */
  async setUp(index: number, up: boolean): Promise<void> {
    const { connections } = this.#node(index);
    if (up && !connections.isOpen) await connections.open(connections.port);
    if (!up) connections.close();
    const next = this.#nodes.findIndex((node) => node.connections.isOpen);
    if (!this.#node(this.#leader).connections.isOpen && next !== -1) this.#leader = next;
  }

  dropConnections(index: number | null): void {
    for (const node of index === null ? this.#nodes : [this.#node(index)]) node.connections.dropAll();
  }

  /** @returns how many there were */
  dropSubscriptions(as: SubscriptionEnd): number {
    const { size } = this.subscriptions;
    for (const subscription of [...this.subscriptions]) subscription.drop(as);
    return size;
  }

  close(): void {
    for (const { connections } of this.#nodes) connections.close();
  }

  async #addNode(port: number): Promise<void> {
    const server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': MAX_CALLS_OF_A_CONNECTION,
    });
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const connections = new Connections(this.#entrance((socket) => injector.injectConnection(socket)));
    const view = new LogView(this.#log);
    addServices(server, this.#context(this.#nodes.length, view, connections));
    this.#nodes.push({ connections, view });
    await connections.open(port);
  }

  /** With TLS, HTTP stands on the same port, as a real server has it: the client says in its handshake which one it speaks. */
  #entrance(toServices: (socket: Socket) => void): (socket: Socket) => void {
    if (this.#keys === undefined || this.#users === undefined) return toServices;
    const { key, certificate: cert } = this.#keys;
    const http = usersOverHttp(this.#users, this.#log);
    // Who speaks both, as curl does, wants HTTP; the services' clients speak h2 alone.
    const tls = createTlsServer({ key, cert, ALPNProtocols: ['http/1.1', 'h2'] }, (socket) => {
      if (socket.alpnProtocol === 'h2') toServices(socket);
      else http.emit('connection', socket);
    });
    return (socket) => void tls.emit('connection', socket);
  }

  #context(node: number, view: LogView, connections: Connections): ServiceContext {
    return {
      node,
      log: this.#log,
      view,
      faults: this.faults,
      counts: this.counts,
      subscriptions: this.subscriptions,
      maxAppendSizeBytes: this.#options.maxAppendSizeBytes ?? MAX_APPEND_SIZE_BYTES,
      dropsSlowConsumers: this.#options.slowConsumers === 'drop',
      isLeader: () => this.#leader === node,
      leader: () => this.#addressOf(this.#leader),
      members: () => this.#members(),
      caller: (call: Call) => this.#caller(call),
      mayDo: (caller: Caller, action: StreamAction, stream: string) =>
        this.#users === undefined || isAllowed(this.#log, caller, action, stream),
      dropConnection: (call: Call) => connections.drop(call.getPeer()),
    };
  }

  #caller(call: Call): Caller {
    const authorization = call.metadata.get('authorization')[0];
    return this.#users?.caller(authorization?.toString()) ?? { name: ADMIN.name, groups: ['$admins'] };
  }

  #members(): readonly Member[] {
    return this.#nodes.map(({ connections }, index) => ({
      address: this.#addressOf(index),
      isLeader: index === this.#leader,
      isAlive: connections.isOpen,
    }));
  }

  #addressOf(index: number): Address {
    return { host: HOST, port: this.#node(index).connections.port };
  }

  #node(index: number): Node {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }
}
