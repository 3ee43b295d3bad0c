import { type ExpectedRevision } from '../log/commit-check.ts';
import { type ProposedEvent } from '../log/log-event.ts';
import { cancelledByServer, notLeader } from '../wire/errors.ts';
import { expectedRevision, proposedEvent, streamIdentifier, streamName, uuidText } from '../wire/messages.ts';
import {
  Any,
  GoogleEmpty,
  type Grpc,
  shared,
  type Shared,
  status,
  StatusCode,
  type StatusCodeValue,
  type Status,
  type Streams,
  streams,
} from '../wire/protocol.ts';
import { type AppendVerdict, serveAppend } from './append-pipeline.ts';
import { asCallError } from './append.ts';
import { type ServiceContext } from './context.ts';

type BatchAppendCall = Grpc.ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>;

/** An append whose requests are still coming. */
interface Pending {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: ProposedEvent[];
}

/**
 * The BatchAppend call: any number of appends by one call, told apart by their correlation ids. What is wrong with one is
 * answered as a status within the call; a node that is not the leader ends the call, and with it all that is pending.
 */
export const batchAppend =
  (context: ServiceContext) =>
  (call: BatchAppendCall): void => {
    const pending = new Map<string, Pending>();
    call.on('data', (request: Streams.BatchAppendReq) => {
      try {
        receive(context, call, pending, request);
      } catch (error) {
        call.emit('error', asCallError(error));
      }
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };

function receive(
  context: ServiceContext,
  call: BatchAppendCall,
  pending: Map<string, Pending>,
  request: Streams.BatchAppendReq,
): void {
  const correlationId = uuidText(request.getCorrelationId());
  const options = request.getOptions();
  const append = options === undefined ? pending.get(correlationId) : begun(options);
  if (append === undefined) return;
  for (const message of request.getProposedMessagesList()) append.events.push(proposedEvent(message));
  if (!request.getIsFinal()) {
    pending.set(correlationId, append);
    return;
  }
  pending.delete(correlationId);
  context.counts.add('appends');
  serveAppend(context, call, append, (verdict) => respond(context, call, request, append, verdict));
}

function begun(options: Streams.BatchAppendReq.Options): Pending {
  return {
    stream: streamName(options.getStreamIdentifier()),
    expected: expectedRevision(options, () => options.getStreamPosition()),
    events: [],
  };
}

function respond(
  context: ServiceContext,
  call: BatchAppendCall,
  request: Streams.BatchAppendReq,
  append: Pending,
  verdict: AppendVerdict,
): void {
  if (call.cancelled || call.destroyed || call.writableEnded) return;
  if (verdict.kind === 'not-leader') {
    call.emit('error', notLeader(context.leader()));
  } else if (verdict.kind === 'end-call') {
    if (verdict.as === 'in-order') call.end();
    else call.emit('error', cancelledByServer());
  } else {
    const response = new streams.BatchAppendResp()
      .setCorrelationId(request.getCorrelationId())
      .setStreamIdentifier(streamIdentifier(append.stream));
    if (verdict.kind === 'stored' || verdict.kind === 'replayed') {
      call.write(response.setSuccess(success(verdict.lastRevision, verdict.position)));
    } else {
      call.write(response.setError(errorOf(verdict, context, append)));
    }
  }
}

function success(lastRevision: number, position: number): Streams.BatchAppendResp.Success {
  const place = new shared.AllStreamPosition().setCommitPosition(String(position)).setPreparePosition(String(position));
  const message = new streams.BatchAppendResp.Success().setPosition(place);
  return lastRevision < 0 ? message.setNoStream(new GoogleEmpty()) : message.setCurrentRevision(String(lastRevision));
}

type Refusal = Exclude<AppendVerdict, { kind: 'stored' | 'replayed' | 'not-leader' | 'end-call' }>;

function errorOf(verdict: Refusal, context: ServiceContext, { stream, expected }: Pending): Status.Status {
  switch (verdict.kind) {
    case 'wrong':
      // The codes within are those of a real server, who has others where the call itself ends.
      return packed(StatusCode.ALREADY_EXISTS, 'WrongExpectedVersion', wrongVersion(expected, verdict.currentRevision));
    case 'deleted':
      return packed(
        StatusCode.NOT_FOUND,
        'StreamDeleted',
        new shared.StreamDeleted().setStreamIdentifier(streamIdentifier(stream)),
      );
    case 'access-denied':
      return packed(StatusCode.PERMISSION_DENIED, 'AccessDenied', new shared.AccessDenied());
    case 'too-large':
      return packed(
        StatusCode.INVALID_ARGUMENT,
        'MaximumAppendSizeExceeded',
        new shared.MaximumAppendSizeExceeded().setMaxappendsize(context.maxAppendSizeBytes),
      );
    case 'not-ready': {
      const details = new Any();
      details.pack(new GoogleEmpty().serializeBinary(), 'google.protobuf.Empty');
      return new status.Status().setMessage('Server Is Not Ready').setDetails(details);
    }
    default:
      return verdict satisfies never;
  }
}

function packed(code: StatusCodeValue, type: string, message: { serializeBinary(): Uint8Array }): Status.Status {
  const details = new Any();
  details.pack(message.serializeBinary(), `event_store.client.${type}`);
  return new status.Status().setCode(code).setMessage(type).setDetails(details);
}

function wrongVersion(expected: ExpectedRevision, current: number): Shared.WrongExpectedVersion {
  const wrong = new shared.WrongExpectedVersion();
  if (current < 0) wrong.setCurrentNoStream(new GoogleEmpty());
  else wrong.setCurrentStreamRevision(String(current));
  if (expected === 'any') return wrong.setExpectedAny(new GoogleEmpty());
  if (expected === 'stream_exists') return wrong.setExpectedStreamExists(new GoogleEmpty());
  if (expected === 'no_stream') return wrong.setExpectedNoStream(new GoogleEmpty());
  return wrong.setExpectedStreamPosition(String(expected));
}
