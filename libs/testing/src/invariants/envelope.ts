import type { EventPointer, RecordedEvent } from '#kernel';
import { createHash } from 'node:crypto';
import { keyText, type Log, type Problem } from './log.ts';
import type { Fact } from './facts.ts';

/** Places, ids and the hash chain: what any event must satisfy, whatever it says. */
export function checkPlace(log: Log, event: RecordedEvent, before: RecordedEvent | undefined): readonly Problem[] {
  const problems: Problem[] = [];
  const stream = log.streams.get(event.stream) ?? [];
  if (before !== undefined && event.position <= before.position) {
    problems.push({ invariant: 8, detail: `position ${event.position} does not come after ${before.position}` });
  }
  if (event.revision !== stream.length) {
    problems.push({ invariant: 8, detail: `revision ${String(event.revision)} where ${stream.length} comes next` });
  }
  if (log.ids.has(event.id)) problems.push({ invariant: 8, detail: `the id ${event.id} stands in the log already` });
  const previous = stream.at(-1);
  // Whatever is stored may be malformed: nothing is taken for granted here.
  const previousHash = (previous as Loose | undefined)?.metadata?.hash ?? null;
  const metadata = (event as Loose).metadata;
  if (metadata?.previousHash !== previousHash) {
    problems.push({ invariant: 'hash', detail: 'previousHash is not the hash of the event before it in its stream' });
  }
  if (metadata?.hash !== hashOf(event))
    problems.push({ invariant: 'hash', detail: 'the hash is not that of the event' });
  return problems;
}

interface Loose {
  readonly metadata?: {
    readonly hash?: unknown;
    readonly previousHash?: unknown;
    readonly recordedAt?: unknown;
  } | null;
}

/** SHA-256 over stream, revision and everything else but the hash itself and the position. */
function hashOf(event: RecordedEvent): string {
  const { position: _position, revision, metadata, ...rest } = event;
  const { hash: _hash, ...unsealed } = ((metadata as unknown) ?? {}) as Record<string, unknown>;
  return createHash('sha256')
    .update(canonical({ ...rest, revision: String(revision), metadata: unsealed }))
    .digest('hex');
}

/** RFC 8785 for what comes out of JSON: members in order of their UTF-16 names, numbers and strings as JSON.stringify has them. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const record = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(record).filter((name) => record[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(record[name])}`)
    .join(',')}}`;
}

/** Time never runs backwards in a stream, nor from an event to one that cites it. */
export function checkTime(log: Log, fact: Fact): readonly Problem[] {
  const problems: Problem[] = [];
  const { recordedAt } = fact.event.metadata;
  const previous = log.streams.get(fact.event.stream)?.at(-1);
  const previousTime = (previous as Loose | undefined)?.metadata?.recordedAt;
  if (typeof previousTime === 'string' && recordedAt < previousTime) {
    problems.push({ invariant: 'protocol', detail: 'recordedAt is before that of the event before it in its stream' });
  }
  for (const [name, pointer] of pointersOf(fact)) {
    const cited = log.streams.get(pointer.stream)?.[Number(pointer.revision)] as Loose | undefined;
    const citedTime = cited?.metadata?.recordedAt;
    if (typeof citedTime === 'string' && recordedAt < citedTime) {
      problems.push({ invariant: 'protocol', detail: `recordedAt is before that of the event it cites (${name})` });
    }
  }
  return problems;
}

type Place = Pick<EventPointer, 'stream' | 'revision'>;

function pointersOf({ type, data }: Fact): readonly (readonly [name: string, place: Place])[] {
  const pointers: [string, Place][] = [];
  if ('citation' in data) pointers.push(['citation', data.citation]);
  if ('inForceAt' in data && data.inForceAt !== undefined) pointers.push(['inForceAt', data.inForceAt]);
  if ('request' in data && type === 'AccountUnfrozen' && data.request !== undefined)
    pointers.push(['request', data.request]);
  if ('replaces' in data && data.replaces !== undefined) pointers.push(['replaces', data.replaces]);
  if (type !== 'FreezeAuthorised') return pointers;
  const ended = data.endedFreezes ?? [];
  if (data.linkedBy !== undefined) pointers.push(['linkedBy', data.linkedBy]);
  return [...pointers, ['namedBy', data.namedBy], ...ended.map(({ endedBy }) => ['endedFreezes', endedBy] as const)];
}

/** What the service does of itself: nobody asked for it, so it carries no key. */
const UNASKED = [
  'WithdrawalStopped',
  'HeldFundsReleased',
  'FreezeVaried',
  'TransferReceived',
  'TransferRefused',
  'TransferReturned',
  'AccountDetached',
  'PartyNamed',
  'PartyNoLongerNamed',
  'LegalOrderExpired',
];

/** What the supervisor may write under the key of the person who asked for it, because the first half of it stands. */
const FINISHED_FOR_OTHERS = [
  'AccountAttached',
  'AccountOpened',
  'AccountOpeningAbandoned',
  'AccountFrozen',
  'FreezeAbandoned',
  'CommandRefused',
];

/** Invariant 7: for each (caller, home stream, key) one command in a stream, with the hash of what was asked. */
export function checkKey(log: Log, fact: Fact): readonly Problem[] {
  const { key, commandHash, actor, causationId } = fact.event.metadata;
  const problems: Problem[] = [];
  const unasked = isUnasked(fact);
  if (unasked && key !== null)
    problems.push({ invariant: 7, detail: `${fact.type} carries a key, though nobody asked` });
  if (!unasked && key === null) problems.push({ invariant: 7, detail: `${fact.type} carries no key` });
  if ((key === null) !== (commandHash === null)) {
    problems.push({ invariant: 7, detail: 'key and commandHash go together' });
  }
  if (causationId !== null && !log.ids.has(causationId)) {
    problems.push({ invariant: 'protocol', detail: 'caused by an event that does not come before it' });
  }
  if (key === null) return problems;
  if (key.homeStream !== homeStreamOf(fact)) {
    problems.push({ invariant: 7, detail: `the home stream of ${fact.type} is not ${key.homeStream}` });
  }
  if (log.keys.get(fact.event.stream)?.has(keyText(key.caller, key.homeStream, key.value)) === true) {
    problems.push({
      invariant: 7,
      detail: `the key ${key.value} of ${key.caller} stands on ${fact.event.stream} already`,
    });
  }
  const finishing = actor.id === 'system:supervisor' && FINISHED_FOR_OTHERS.includes(fact.type);
  if (actor.id !== key.caller && !finishing) {
    problems.push({ invariant: 7, detail: `${actor.id} acted under a key of ${key.caller}` });
  }
  return problems;
}

function isUnasked(fact: Fact): boolean {
  if (UNASKED.includes(fact.type)) return true;
  if (fact.type === 'AccountUnfrozen') return ['basis-ended', 'basis-varied'].includes(fact.data.ground);
  if (fact.type === 'FreezeAuthorised') return fact.data.replaces !== undefined;
  return fact.type === 'FreezeAbandoned' && (fact.data.reason === 'key-used' || fact.data.replaces !== undefined);
}

/** The thing a command is about: of the first half of a step over two streams it is the account that the second half is on. */
function homeStreamOf(fact: Fact): string {
  const isFirstHalf = fact.type === 'FreezeAuthorised' || fact.type === 'AccountAttached';
  return isFirstHalf ? `account-${fact.data.accountId}` : fact.event.stream;
}

/** Takes the event's place and id into account, whether or not it broke a rule. */
export function noteEvent(log: Log, event: RecordedEvent): void {
  const stream = log.streams.get(event.stream);
  if (stream === undefined) log.streams.set(event.stream, [event]);
  else stream.push(event);
  log.ids.add(event.id);
}

/** Takes the event's key into account: only of an event that broke no rule. */
export function noteKey(log: Log, fact: Fact): void {
  const { key, commandHash } = fact.event.metadata;
  if (key === null) return;
  const ofStream =
    log.keys.get(fact.event.stream) ?? new Map<string, { commandHash: string | null; event: RecordedEvent }>();
  log.keys.set(fact.event.stream, ofStream);
  const text = keyText(key.caller, key.homeStream, key.value);
  if (!ofStream.has(text)) ofStream.set(text, { commandHash, event: fact.event });
}
