import { type Grpc, GossipService, ServerFeaturesService, StreamsService } from '../wire/protocol.ts';
import { append } from './append.ts';
import { batchAppend } from './batch-append.ts';
import { type ServiceContext } from './context.ts';
import { softDelete, tombstone } from './delete.ts';
import { readGossip } from './gossip.ts';
import { read } from './read.ts';
import { getSupportedMethods } from './server-features.ts';

/** All that one node answers to. */
export function addServices(server: Grpc.Server, context: ServiceContext): void {
  server.addService(StreamsService, {
    read: read(context),
    append: append(context),
    batchAppend: batchAppend(context),
    delete: softDelete(context),
    tombstone: tombstone(context),
  });
  server.addService(ServerFeaturesService, { getSupportedMethods });
  server.addService(GossipService, { read: readGossip(context) });
}
