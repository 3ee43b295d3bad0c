import { type StreamAction } from '../access/permissions.ts';
import { type Caller } from '../access/users.ts';
import { type Counts } from '../counts.ts';
import { type Faults } from '../faults.ts';
import { type EventLog } from '../log/event-log.ts';
import { type LogView } from '../log/log-view.ts';
import { type FaultKind, type FaultyCall, type SubscriptionEnd } from '../options.ts';
import { accessDenied, type Address, notLeader, serverNotReady } from '../wire/errors.ts';
import { type Grpc } from '../wire/protocol.ts';

export interface Member {
  readonly address: Address;
  readonly isLeader: boolean;
  readonly isAlive: boolean;
}

/** A subscription that is under way, as a test can have it dropped. */
export interface OpenSubscription {
  drop(as: SubscriptionEnd): void;
}

/** What the services of one node work with. */
export interface ServiceContext {
  readonly node: number;
  readonly log: EventLog;
  /** What this node has of it. */
  readonly view: LogView;
  readonly faults: Faults;
  readonly counts: Counts;
  readonly maxAppendSizeBytes: number;
  readonly dropsSlowConsumers: boolean;
  readonly subscriptions: Set<OpenSubscription>;
  isLeader(): boolean;
  leader(): Address;
  members(): readonly Member[];
  /** @throws CallError when the call's credentials are wrong */
  caller(call: Call): Caller;
  mayDo(caller: Caller, action: StreamAction, stream: string): boolean;
  dropConnection(call: Call): void;
}

/** What every kind of call has. */
export interface Call {
  readonly metadata: Grpc.Metadata;
  getPeer(): string;
}

/** Whether the client asked for the leader, and no other node. */
export const requiresLeader = (call: Call): boolean => call.metadata.get('requires-leader')[0] === 'true';

/** The node's own reason against a call that asks for the leader. @throws CallError with the leader's address */
export function checkLeader(context: ServiceContext, call: Call): void {
  if (requiresLeader(call) && !context.isLeader()) throw notLeader(context.leader());
}

/** @throws CallError when the caller may not */
export function checkPermission(context: ServiceContext, call: Call, action: StreamAction, stream: string): void {
  if (!context.mayDo(context.caller(call), action, stream)) throw accessDenied();
}

/**
 * The fault that hits this call, if one does, as far as it is one that any call can have.
 * @returns what is left to the call itself
 * @throws CallError for a refusal
 */
export function takeFault(context: ServiceContext, call: FaultyCall, stream: string): FaultKind | undefined {
  const fault = context.faults.take(call, stream, context.node);
  switch (fault?.kind) {
    case 'deny':
      throw accessDenied();
    case 'not-ready':
      throw serverNotReady();
    case 'not-leader':
      throw notLeader(context.leader());
    default:
      return fault;
  }
}
