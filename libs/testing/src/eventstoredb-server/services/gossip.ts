import { gossip, type Gossip, type Grpc, type Shared } from '../wire/protocol.ts';
import { uuid } from '../wire/messages.ts';
import { type ServiceContext } from './context.ts';

/** Which nodes there are and which leads: anybody may ask. */
export const readGossip =
  (context: ServiceContext) =>
  (
    _call: Grpc.ServerUnaryCall<Shared.Empty, Gossip.ClusterInfo>,
    callback: Grpc.sendUnaryData<Gossip.ClusterInfo>,
  ): void => {
    const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
    const answer = new gossip.ClusterInfo();
    for (const [index, { address, isLeader, isAlive }] of context.members().entries()) {
      const member = new gossip.MemberInfo()
        .setInstanceId(uuid(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`))
        .setTimeStamp(`${Date.now()}0000`)
        .setState(isLeader ? LEADER : FOLLOWER)
        .setIsAlive(isAlive)
        .setHttpEndPoint(new gossip.EndPoint().setAddress(address.host).setPort(address.port));
      answer.addMembers(member);
    }
    callback(null, answer);
  };
