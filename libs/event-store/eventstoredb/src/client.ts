import { type ChannelCredentialOptions, EventStoreDBClient, type GossipClusterOptions } from '@eventstore/db-client';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Connection, Endpoint } from './settings.ts';

export type ReadCall = ReturnType<InstanceType<typeof grpc.StreamsClient>['read']>;
export type BatchCall = ReturnType<InstanceType<typeof grpc.StreamsClient>['batchAppend']>;

/** The contents of the files that a connection names. */
export type Certificates = Pick<ChannelCredentialOptions, 'rootCertificate' | 'userCertFile' | 'userKeyFile'>;

/** Calls have no deadline of gRPC's: it would be one for the whole of a subscription. Who calls keeps the time. */
const NO_DEADLINE = { deadline: Infinity };
const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 10_000;
const FROM_THE_LEADER = { requiresLeader: true };

/**
 * The client with its own two calls, over its connections, discovery and credentials. What it offers by itself would do
 * harm here: it parses and writes again what was stored, filters no reads, waits for an unanswered append for ever, and keeps
 * the appends of all clients of a process in one table, where the end of one connection fails those of another.
 */
export class StreamsConnection extends EventStoreDBClient {
  readonly #used = new Set<InstanceType<typeof grpc.StreamsClient>>();
  #closed = false;

  /**
   * @param generation another one for each client: gRPC shares connections between clients that are alike in all, and the
   * new one must not get that which is no good
   * @throws Error for certificates that are none
   */
  constructor(connection: Connection, certificates: Certificates, generation: number) {
    const { tls, connectionName, credentials, numbers } = connection;
    const { defaultDeadline: _, keepAliveTimeout = DEFAULT_KEEP_ALIVE_TIMEOUT_MS, ...options } = numbers;
    super(
      {
        // The type asks for several endpoints; the constructor takes any of the three forms.
        ...(endpointsOf(connection) as Pick<GossipClusterOptions, 'endpoints'>),
        ...options,
        keepAliveTimeout: keepAliveTimeout + generation,
        ...(connectionName === undefined ? {} : { connectionName }),
        nodePreference: 'leader',
      },
      { insecure: !tls, ...certificates },
      credentials?.reveal(),
    );
    const handleError = this.handleError;
    // Nobody waits for it, so what it throws (a discovery that fails meanwhile) would end the process.
    this.handleError = (client, error) => handleError(client, error).catch(() => undefined);
  }

  /** Starts a read or a subscription. What is read for a decision comes from the leader. */
  read(request: streams.ReadReq): Promise<ReadCall> {
    return this.#call((client) => client.read(request, ...this.callArguments(FROM_THE_LEADER, NO_DEADLINE)));
  }

  /** Opens the call that carries all appends. */
  batchAppend(): Promise<BatchCall> {
    return this.#call((client) => client.batchAppend(...this.callArguments(FROM_THE_LEADER, NO_DEADLINE)));
  }

  /** Cancels what is under way and lets go of the connections. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.dispose();
    for (const client of this.#used) client.close();
    this.#used.clear();
  }

  async #call<Call extends ReadCall | BatchCall>(
    start: (client: InstanceType<typeof grpc.StreamsClient>) => Call,
  ): Promise<Call> {
    const call = await this.GRPCStreamCreator(grpc.StreamsClient, 'streams', (client) => {
      if (this.#closed) {
        client.close();
        throw new Error('the connection is closed');
      }
      this.#used.add(client);
      return start(client);
    })();
    return call;
  }
}

function endpointsOf({ kind, endpoints }: Connection): object {
  const [first] = endpoints;
  const byKind = { node: { endpoint: first }, discover: { discover: first }, gossip: { endpoints: [...endpoints] } };
  return byKind[kind] satisfies Partial<Record<string, Endpoint | Endpoint[]>>;
}
