import { type ExpectedRevision } from '../log/commit-check.ts';
import { type ProposedEvent } from '../log/log-event.ts';
import {
  accessDenied,
  CallError,
  cancelledByServer,
  invalidRequest,
  maximumAppendSizeExceeded,
  notLeader,
  serverNotReady,
  streamDeleted,
} from '../wire/errors.ts';
import { expectedRevision, proposedEvent, streamName } from '../wire/messages.ts';
import { Code, type Grpc, shared, type Streams, streams } from '../wire/protocol.ts';
import { type AppendVerdict, serveAppend } from './append-pipeline.ts';
import { type ServiceContext } from './context.ts';

type AppendCall = Grpc.ServerReadableStream<Streams.AppendReq, Streams.AppendResp>;

/** The plain Append call: one stream of requests for one append, answered once; options first, then the events. */
export const append =
  (context: ServiceContext) =>
  (call: AppendCall, callback: Grpc.sendUnaryData<Streams.AppendResp>): void => {
    let options: Streams.AppendReq.Options | undefined;
    const events: ProposedEvent[] = [];
    call.on('data', (request: Streams.AppendReq) => {
      options ??= request.getOptions();
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposedEvent(message));
    });
    call.on('error', () => undefined);
    call.on('end', () => {
      try {
        if (options === undefined) throw invalidRequest('The options of an append come first.');
        serve(context, call, options, events, callback);
      } catch (error) {
        callback(asCallError(error));
      }
    });
  };

function serve(
  context: ServiceContext,
  call: AppendCall,
  options: Streams.AppendReq.Options,
  events: readonly ProposedEvent[],
  callback: Grpc.sendUnaryData<Streams.AppendResp>,
): void {
  const stream = streamName(options.getStreamIdentifier());
  const expected = expectedRevision(options, () => options.getRevision());
  context.counts.add('appends');
  context.counts.add('plainAppends');
  serveAppend(context, call, { stream, expected, events }, (verdict) => {
    const refusal = refusalOf(context, verdict, stream);
    if (refusal === undefined) callback(null, responseOf(verdict, expected));
    else callback(refusal);
  });
}

function refusalOf(context: ServiceContext, verdict: AppendVerdict, stream: string): CallError | undefined {
  switch (verdict.kind) {
    case 'stored':
    case 'replayed':
    case 'wrong':
      return undefined;
    case 'deleted':
      return streamDeleted(stream);
    case 'access-denied':
      return accessDenied();
    case 'too-large':
      return maximumAppendSizeExceeded(context.maxAppendSizeBytes);
    case 'not-ready':
      return serverNotReady();
    case 'not-leader':
      return notLeader(context.leader());
    case 'end-call':
      return cancelledByServer();
    default:
      return verdict satisfies never;
  }
}

function responseOf(verdict: AppendVerdict, expected: ExpectedRevision): Streams.AppendResp {
  const response = new streams.AppendResp();
  if (verdict.kind === 'wrong')
    return response.setWrongExpectedVersion(wrongVersion(expected, verdict.currentRevision));
  if (verdict.kind !== 'stored' && verdict.kind !== 'replayed') return response;
  const position = String(verdict.position);
  const success = new streams.AppendResp.Success().setPosition(
    new streams.AppendResp.Position().setCommitPosition(position).setPreparePosition(position),
  );
  if (verdict.lastRevision < 0) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(String(verdict.lastRevision));
  return response.setSuccess(success);
}

function wrongVersion(expected: ExpectedRevision, current: number): Streams.AppendResp.WrongExpectedVersion {
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (current < 0) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(current));
  if (expected === 'any') return wrong.setExpectedAny(new shared.Empty());
  if (expected === 'stream_exists') return wrong.setExpectedStreamExists(new shared.Empty());
  if (expected === 'no_stream') return wrong.setExpectedNoStream(new shared.Empty());
  return wrong.setExpectedRevision(String(expected));
}

export const asCallError = (error: unknown): CallError =>
  error instanceof CallError ? error : new CallError(Code.UNKNOWN, String(error));
