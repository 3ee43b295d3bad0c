import { features, type Features, type Grpc, type Shared } from '../wire/protocol.ts';

/** The version whose behaviour this server has. */
const VERSION = '24.2.0';
const STREAMS = 'event_store.client.streams.streams';

const METHODS: readonly (readonly [service: string, method: string, features: readonly string[]])[] = [
  [STREAMS, 'read', ['position', 'events']],
  [STREAMS, 'append', []],
  [STREAMS, 'delete', []],
  [STREAMS, 'tombstone', []],
  [STREAMS, 'batchappend', ['deadline_duration']],
  ['event_store.client.gossip.gossip', 'read', []],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods', []],
];

/** What this server can do, which decides by which call the client appends. */
export function getSupportedMethods(
  _call: Grpc.ServerUnaryCall<Shared.Empty, Features.SupportedMethods>,
  callback: Grpc.sendUnaryData<Features.SupportedMethods>,
): void {
  const answer = new features.SupportedMethods().setEventStoreServerVersion(VERSION);
  for (const [service, method, names] of METHODS) {
    answer.addMethods(
      new features.SupportedMethod()
        .setServiceName(service)
        .setMethodName(method)
        .setFeaturesList([...names]),
    );
  }
  callback(null, answer);
}
