/**
 * The protocol's messages and services, as `@eventstore/db-client` ships them: CommonJS without named exports that Node
 * could see, hence values from the default export and types by name. Everything else of the server imports them from here.
 */
import codes from '@eventstore/db-client/generated/code_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import gossipServices from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresServices from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import streamsServices from '@eventstore/db-client/generated/streams_grpc_pb.js';
import grpc from '@grpc/grpc-js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';

export const { Any } = any;
export const { Empty: GoogleEmpty } = empty;
/** The codes within a status that is a message; `Code` are those that a call ends with. */
export const { Code: StatusCode } = codes;
export const { GossipService } = gossipServices;
export const { ServerFeaturesService } = featuresServices;
export const { StreamsService } = streamsServices;
export const { Metadata, Server, ServerCredentials, status: Code } = grpc;
export { features, gossip, shared, status, streams };

export type { Code as StatusCodeValue } from '@eventstore/db-client/generated/code_pb.js';
export type * as Features from '@eventstore/db-client/generated/serverfeatures_pb.js';
export type * as Gossip from '@eventstore/db-client/generated/gossip_pb.js';
export type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
export type * as Status from '@eventstore/db-client/generated/status_pb.js';
export type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
export type * as Grpc from '@grpc/grpc-js';
