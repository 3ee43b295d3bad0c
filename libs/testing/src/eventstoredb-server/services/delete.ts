import { type ExpectedRevision } from '../log/commit-check.ts';
import { type AppendOutcome } from '../log/event-log.ts';
import { type CallError, streamDeleted, wrongExpectedVersion } from '../wire/errors.ts';
import { expectedRevision, streamName } from '../wire/messages.ts';
import { type Grpc, type Streams, streams } from '../wire/protocol.ts';
import { asCallError } from './append.ts';
import { type Call, checkLeader, checkPermission, type ServiceContext, takeFault } from './context.ts';

/** A soft delete: what the stream has is hidden, and it may begin anew. */
export const softDelete =
  (context: ServiceContext) =>
  (
    call: Grpc.ServerUnaryCall<Streams.DeleteReq, Streams.DeleteResp>,
    callback: Grpc.sendUnaryData<Streams.DeleteResp>,
  ): void =>
    serveDelete(context, call, call.request.getOptions(), 'softDelete', callback, (position) =>
      new streams.DeleteResp().setPosition(
        new streams.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );

/** The end of a stream, for good. */
export const tombstone =
  (context: ServiceContext) =>
  (
    call: Grpc.ServerUnaryCall<Streams.TombstoneReq, Streams.TombstoneResp>,
    callback: Grpc.sendUnaryData<Streams.TombstoneResp>,
  ): void =>
    serveDelete(context, call, call.request.getOptions(), 'tombstone', callback, (position) =>
      new streams.TombstoneResp().setPosition(
        new streams.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );

function serveDelete<Response>(
  context: ServiceContext,
  call: Call,
  options: Streams.DeleteReq.Options | Streams.TombstoneReq.Options | undefined,
  how: 'softDelete' | 'tombstone',
  callback: Grpc.sendUnaryData<Response>,
  respond: (position: string) => Response,
): void {
  try {
    if (options === undefined) throw new Error('a delete has options');
    const stream = streamName(options.getStreamIdentifier());
    const expected = expectedRevision(options, () => options.getRevision());
    context.counts.add('deletes');
    checkPermission(context, call, 'delete', stream);
    checkLeader(context, call);
    const fault = takeFault(context, 'delete', stream);
    if (fault?.kind === 'drop-before-commit') {
      context.dropConnection(call);
      return;
    }
    const outcome = context.log[how](stream, expected);
    if (fault?.kind === 'drop-after-commit') context.dropConnection(call);
    else if (outcome.kind === 'stored' || outcome.kind === 'replayed')
      callback(null, respond(String(outcome.position)));
    else callback(refusalOf(outcome, stream, expected));
  } catch (error) {
    callback(asCallError(error));
  }
}

/** The numbers that stand for the three words in the trailers of a refused delete. */
const EXPECTED_NUMBERS = { no_stream: -1, any: -2, stream_exists: -4 } as const;

function refusalOf(
  outcome: Extract<AppendOutcome, { kind: 'wrong' | 'deleted' }>,
  stream: string,
  expected: ExpectedRevision,
): CallError {
  if (outcome.kind === 'deleted') return streamDeleted(stream);
  const number = typeof expected === 'number' ? expected : EXPECTED_NUMBERS[expected];
  return wrongExpectedVersion(stream, number, outcome.currentRevision);
}
