import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ALL_STREAM } from '../access/permissions.ts';
import { type LogEvent } from '../log/log-event.ts';
import { readAll, readStream } from '../log/reading.ts';
import { type FaultKind } from '../options.ts';
import { invalidReadPosition, invalidRequest, streamDeleted } from '../wire/errors.ts';
import { eventResponse, logPosition, streamIdentifier, streamName } from '../wire/messages.ts';
import { type Grpc, type Streams, streams } from '../wire/protocol.ts';
import { subscribeToAll } from './all-subscription.ts';
import { asCallError } from './append.ts';
import { checkLeader, checkPermission, type ServiceContext, takeFault } from './context.ts';
import { parseFilter } from './event-filter.ts';
import { Outlet } from './outlet.ts';
import { subscribeToStream } from './stream-subscription.ts';
import { SubscriptionOutlet } from './subscription-outlet.ts';

type ReadCall = Grpc.ServerWritableStream<Streams.ReadReq, Streams.ReadResp>;
type Options = Streams.ReadReq.Options;

/** The Read call: a read of a stream or of all events, or a subscription to either, as its options say. */
export const read =
  (context: ServiceContext) =>
  (call: ReadCall): void => {
    const outlet = new Outlet(call);
    serveRead(context, call, outlet).catch((error: unknown) => outlet.fail(asCallError(error)));
  };

async function serveRead(context: ServiceContext, call: ReadCall, outlet: Outlet): Promise<void> {
  const options = call.request.getOptions();
  if (options === undefined) throw invalidRequest('A read has options.');
  const stream = options.hasAll() ? ALL_STREAM : streamName(options.getStream()?.getStreamIdentifier());
  const isSubscription = options.hasSubscription();
  context.counts.add(isSubscription ? 'subscriptions' : 'reads');
  checkPermission(context, call, 'read', stream);
  checkLeader(context, call);
  const isSearch = !isSubscription && options.hasAll() && options.hasFilter();
  const fault =
    (isSearch ? takeFault(context, 'search', stream) : undefined) ??
    takeFault(context, isSubscription ? 'subscribe' : 'read', stream);
  if (fault !== undefined && (await sufferAtStart(context, call, fault))) return;
  if (isSubscription) await serveSubscription(context, call, options, stream, outlet, fault);
  else if (options.hasAll()) await sendEvents(allEvents(context, options), outlet);
  else await serveStream(context, options, stream, outlet);
}

/** @returns whether the call is never served */
async function sufferAtStart(context: ServiceContext, call: ReadCall, fault: FaultKind): Promise<boolean> {
  switch (fault.kind) {
    case 'drop-before-commit':
    case 'drop-after-commit':
      context.dropConnection(call);
      return true;
    case 'delay':
      await delay(fault.delayMs);
      return false;
    case 'no-answer':
      return true;
    default:
      return false;
  }
}

async function serveSubscription(
  context: ServiceContext,
  call: ReadCall,
  options: Options,
  stream: string,
  outlet: Outlet,
  fault: FaultKind | undefined,
): Promise<void> {
  const end = fault?.kind === 'drop-subscription' ? fault : undefined;
  const subscription = new SubscriptionOutlet(outlet, () => context.dropConnection(call), end);
  const stopListening = context.log.onAppend(() => outlet.wake());
  context.subscriptions.add(subscription);
  try {
    const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID());
    await outlet.send(new streams.ReadResp().setConfirmation(confirmation));
    subscription.dropIfDue();
    const stillAllowed = (): void => checkPermission(context, call, 'read', stream);
    const serve = options.hasAll() ? subscribeToAll : subscribeToStream;
    await serve({ context, options, stream, outlet: subscription, stillAllowed });
  } finally {
    stopListening();
    context.subscriptions.delete(subscription);
  }
}

async function serveStream(context: ServiceContext, options: Options, stream: string, outlet: Outlet): Promise<void> {
  const visible = context.view.visible(stream);
  if (visible.kind === 'deleted') throw streamDeleted(stream);
  if (visible.kind === 'missing') {
    const missing = new streams.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream));
    await outlet.send(new streams.ReadResp().setStreamNotFound(missing));
    outlet.end();
    return;
  }
  const from = options.getStream();
  const start = from?.hasStart() ? 'start' : from?.hasEnd() ? 'end' : Number(from?.getRevision() ?? 0);
  await sendEvents(readStream(visible, { from: start, ...directionAndCount(options) }), outlet);
}

function allEvents(context: ServiceContext, options: Options): Iterable<LogEvent> {
  const all = options.getAll();
  const from = all?.hasStart() ? 'start' : all?.hasEnd() ? 'end' : logPosition(all?.getPosition());
  if (typeof from !== 'string' && !context.view.isBoundary(from)) throw invalidReadPosition();
  const filter = options.getFilter();
  const { backwards, maxCount } = directionAndCount(options);
  if (filter === undefined) return readAll(context.view, { from, backwards, maxCount });
  const { matches } = parseFilter(filter);
  return atMost(maxCount, readAll(context.view, { from, backwards, maxCount: Infinity }), matches);
}

function* atMost(most: number, events: Iterable<LogEvent>, matches: (event: LogEvent) => boolean): Generator<LogEvent> {
  let given = 0;
  for (const event of events) {
    if (!matches(event)) continue;
    yield event;
    given += 1;
    if (given >= most) return;
  }
}

const directionAndCount = (options: Options): { readonly backwards: boolean; readonly maxCount: number } => ({
  backwards: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS,
  maxCount: Number(options.getCount()),
});

async function sendEvents(events: Iterable<LogEvent>, outlet: Outlet): Promise<void> {
  for (const event of events) {
    if (outlet.closed) return;
    const full = outlet.send(eventResponse(event));
    if (full !== undefined) await full;
  }
  outlet.end();
}
