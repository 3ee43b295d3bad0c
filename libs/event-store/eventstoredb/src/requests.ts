import type { EncodedAppend } from '#event-store';
import type { Position } from '#kernel';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { type OutgoingEvent, proposed, writeUuid } from './event-codec.ts';
import type { ServerFilter } from './own-streams.ts';
import { placeOf } from './places.ts';

/** Events that the server looks through at once when it filters. */
const SEARCH_WINDOW = 500;
/** After so many windows of a subscription in which nothing matched, the server tells how far it is. */
const WINDOWS_A_CHECKPOINT = 2;

const { Options } = streams.ReadReq;

/** The read of one stream, both ends inclusive. */
export function readOfStream(
  stream: string,
  range: { readonly from: bigint | 'end'; readonly backwards: boolean; readonly count: number },
): streams.ReadReq {
  const of = new Options.StreamOptions();
  of.setStreamIdentifier(identifier(stream));
  if (range.from === 'end') of.setEnd(new shared.Empty());
  else of.setRevision(range.from.toString());
  const options = newOptions();
  options.setStream(of);
  options.setReadDirection(directionOf(range));
  options.setCount(String(range.count));
  options.setNoFilter(new shared.Empty());
  return request(options);
}

/** A read of $all. @param from inclusive; undefined: the beginning, or the end when it goes backwards */
export function readOfAll(
  from: Position | undefined,
  { backwards, count, filter }: { readonly backwards: boolean; readonly count: number; readonly filter?: ServerFilter },
): streams.ReadReq {
  const options = newOptions();
  options.setAll(placeInAll(from, backwards));
  options.setReadDirection(directionOf({ backwards }));
  options.setCount(String(count));
  if (filter === undefined) options.setNoFilter(new shared.Empty());
  else options.setFilter(filterOptions(filter));
  return request(options);
}

/** A subscription to $all. `after` is exclusive. */
export function subscription(after: Position | undefined, filter: ServerFilter): streams.ReadReq {
  const options = newOptions();
  options.setAll(placeInAll(after, false));
  options.setSubscription(new Options.SubscriptionOptions());
  options.setFilter(filterOptions(filter));
  return request(options);
}

export function batchAppend(
  correlationId: string,
  stream: string,
  { expected }: Pick<EncodedAppend, 'expected'>,
  events: readonly OutgoingEvent[],
): streams.BatchAppendReq {
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(identifier(stream));
  // No deadline: the client's is a time of day, which means nothing where two clocks differ; the server has its own.
  if (expected < 0) options.setNoStream(new shared.Empty());
  else options.setStreamPosition(String(expected));
  const append = new streams.BatchAppendReq();
  append.setCorrelationId(writeUuid(correlationId));
  append.setOptions(options);
  append.setProposedMessagesList(events.map(proposed));
  append.setIsFinal(true);
  return append;
}

function newOptions(): streams.ReadReq.Options {
  const uuidOption = new Options.UUIDOption();
  uuidOption.setString(new shared.Empty());
  const options = new Options();
  options.setUuidOption(uuidOption);
  options.setResolveLinks(false);
  return options;
}

function request(options: streams.ReadReq.Options): streams.ReadReq {
  const read = new streams.ReadReq();
  read.setOptions(options);
  return read;
}

function identifier(stream: string): shared.StreamIdentifier {
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(stream));
  return name;
}

function directionOf({ backwards }: { readonly backwards: boolean }): streams.ReadReq.Options.ReadDirection {
  return backwards ? Options.ReadDirection.BACKWARDS : Options.ReadDirection.FORWARDS;
}

function placeInAll(from: Position | undefined, backwards: boolean): streams.ReadReq.Options.AllOptions {
  const all = new Options.AllOptions();
  if (from === undefined) {
    if (backwards) all.setEnd(new shared.Empty());
    else all.setStart(new shared.Empty());
  } else {
    const { commit, prepare } = placeOf(from);
    const position = new Options.Position();
    position.setCommitPosition(commit);
    position.setPreparePosition(prepare);
    all.setPosition(position);
  }
  return all;
}

function filterOptions(filter: ServerFilter): streams.ReadReq.Options.FilterOptions {
  const expression = new Options.FilterOptions.Expression();
  if ('regex' in filter) expression.setRegex(filter.regex);
  else expression.setPrefixList([...filter.prefixes]);
  const options = new Options.FilterOptions();
  if (filter.by === 'type') options.setEventType(expression);
  else options.setStreamIdentifier(expression);
  options.setMax(SEARCH_WINDOW);
  options.setCheckpointintervalmultiplier(WINDOWS_A_CHECKPOINT);
  return options;
}
