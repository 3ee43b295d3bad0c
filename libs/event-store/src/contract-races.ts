import { type RecordedEvent, type SealedEvent, uuidv7 } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StoreUnderTest } from './contract.ts';
import { sealedEvent } from './contract-events.ts';
import { type Appended, type EventStore, type ExpectedRevision, isStoreError, type StoreError } from './port.ts';

/** One append of a writer: where it believes the stream to be, and what it does after the answer. */
interface Step {
  readonly stream: string;
  readonly belief: 'looks' | 'remembers' | 'guesses';
  readonly guess: ExpectedRevision;
  readonly count: number;
  readonly reuses: 'nothing' | 'an-earlier-event' | 'its-own-event';
  readonly then: 'nothing' | 'sends-again' | 'sends-one-more';
}

/** A call of `append` as its caller saw it; times are counted by the calls' beginnings and ends. */
interface Call {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly SealedEvent[];
  readonly begun: number;
  readonly ended: number;
  readonly answer: Appended | StoreError;
}

const STREAMS = ['account-1', 'account-2', 'party-1'];

const OWN_IDS = ['nothing', 'nothing', 'nothing', 'nothing', 'nothing', 'its-own-event'] as const;

/** @param findsIds of the store: one that finds no id elsewhere is not asked to refuse it */
const stepOf = (findsIds: StoreUnderTest['findsIds']): fc.Arbitrary<Step> =>
  fc.record({
    stream: fc.constantFrom(...STREAMS),
    belief: fc.constantFrom('looks', 'looks', 'remembers', 'remembers', 'guesses'),
    guess: fc.oneof(fc.constant('no-stream' as const), fc.nat(12)),
    count: fc.integer({ min: 1, max: 4 }),
    reuses: fc.constantFrom(...OWN_IDS, ...(findsIds === 'in-place' ? [] : ['an-earlier-event' as const])),
    then: fc.constantFrom('nothing', 'nothing', 'sends-again', 'sends-one-more'),
  });

/**
 * Many writers at once on few streams; afterwards the log is replayed, and every append's condition and answer are checked
 * against it.
 */
export function describeRaces(name: string, adapter: StoreUnderTest, runs: number): void {
  const step = stepOf(adapter.findsIds);
  const scripts = fc.array(fc.array(step, { minLength: 5, maxLength: 15 }), { minLength: 2, maxLength: 12 });
  describe(`${name} under many writers`, () => {
    it('keeps every append and every refusal true', async () => {
      const seen = { stored: 0, wrongRevision: 0, duplicate: 0, replayed: 0 };
      await fc.assert(
        fc.asyncProperty(scripts, async (writers) => {
          const store = await adapter.open();
          try {
            const calls = await play(store, writers);
            const log = await wholeLog(store);
            checkLog(log);
            checkCalls(calls, log);
            count(calls, seen);
          } finally {
            await store.close();
            await adapter.remove?.();
          }
        }),
        { numRuns: runs, endOnFailure: true },
      );
      // A run in which nothing competes proves nothing.
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
    });
  });
}

async function play(store: EventStore, writers: readonly (readonly Step[])[]): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const earlier: SealedEvent[] = [];
  let clock = 0;

  async function append(stream: string, expected: ExpectedRevision, events: readonly SealedEvent[]): Promise<Call> {
    const begun = clock++;
    const answer = await store.append(stream, expected, events).catch((error: unknown) => {
      if (isStoreError(error)) return error;
      throw error;
    });
    const call = { stream, expected, events, begun, ended: clock++, answer };
    calls.push(call);
    return call;
  }

  async function write(script: readonly Step[]): Promise<void> {
    const remembered = new Map<string, ExpectedRevision>();
    for (const step of script) {
      const expected = await believe(store, step, remembered);
      const events = eventsOf(step, earlier.at(-1));
      const { answer } = await append(step.stream, expected, events);
      if (!isStoreError(answer)) {
        remembered.set(step.stream, answer.lastRevision);
        earlier.push(...events);
      }
      if (step.then === 'sends-again') await append(step.stream, expected, events);
      if (step.then === 'sends-one-more') await append(step.stream, expected, [...events, sealedEvent()]);
    }
  }

  await Promise.all(writers.map(write));
  return calls;
}

async function believe(
  store: EventStore,
  { belief, stream, guess }: Step,
  remembered: Map<string, ExpectedRevision>,
): Promise<ExpectedRevision> {
  if (belief === 'guesses') return guess;
  if (belief === 'remembers') return remembered.get(stream) ?? 'no-stream';
  const [last] = await store.read(stream, { direction: 'backwards', limit: 1 });
  return last?.revision ?? 'no-stream';
}

function eventsOf({ count, reuses }: Step, earlier: SealedEvent | undefined): SealedEvent[] {
  const events = Array.from({ length: count }, () => sealedEvent({ data: { mark: uuidv7() } }));
  const [first] = events;
  if (reuses === 'an-earlier-event' && earlier !== undefined) return [...events.slice(1), earlier];
  if (reuses === 'its-own-event' && first !== undefined) return [...events, first];
  return events;
}

async function wholeLog(store: EventStore): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.position;
    const page = await store.readAll({ limit: 1_000, ...(after !== undefined && { after }) });
    events.push(...page.events);
    if (page.atEnd) return events;
  }
}

/** One total order, no id twice, no revision missing. */
function checkLog(log: readonly RecordedEvent[]): void {
  const positions = log.map((event) => event.position);
  expect(positions).toEqual([...new Set(positions)].sort());
  for (const stream of STREAMS) {
    const revisions = log.filter((event) => event.stream === stream).map((event) => event.revision);
    expect(revisions).toEqual(revisions.map((_, index) => index));
  }
  expect(new Set(log.map((event) => event.id)).size).toBe(log.length);
}

function checkCalls(calls: readonly Call[], log: readonly RecordedEvent[]): void {
  const history = new History(calls, log);
  const explained = new Set<string>();
  for (const call of calls) {
    if (!isStoreError(call.answer)) {
      checkStored(call, call.answer, log);
      for (const event of call.events) explained.add(event.id);
    } else if (call.answer.code === 'wrong-expected-revision') {
      checkWrongRevision(call, call.answer.actual, history);
    } else {
      expect(call.answer.code).toBe('duplicate-event-id');
      checkDuplicate(call, log);
    }
  }
  // Whatever stands in the log was answered as stored: nothing of a refused append is there.
  expect(log.filter((event) => !explained.has(event.id))).toEqual([]);
}

/** The answer is true, the events are what was sent, together, and right behind the revision that was expected. */
function checkStored({ stream, expected, events }: Call, answer: Appended, log: readonly RecordedEvent[]): void {
  const first = (expected === 'no-stream' ? -1 : expected) + 1;
  expect(answer).toMatchObject({ firstRevision: first, lastRevision: first + events.length - 1 });
  const start = log.findIndex((event) => event.position === answer.positions[0]);
  expect(log.slice(start, start + events.length)).toEqual(
    events.map((event, index) => ({ ...event, stream, revision: first + index, position: answer.positions[index] })),
  );
}

/** At some moment of the call the stream was at the revision that the refusal names, and that is not the expected one. */
function checkWrongRevision(
  { stream, expected, begun, ended }: Call,
  actual: ExpectedRevision | undefined,
  history: History,
): void {
  expect(actual).toBeDefined();
  expect(actual).not.toBe(expected);
  const revision = actual === undefined || actual === 'no-stream' ? -1 : actual;
  expect(revision).toBeGreaterThanOrEqual(history.leastAt(stream, begun));
  expect(revision).toBeLessThanOrEqual(history.mostAt(stream, ended));
}

function checkDuplicate({ events }: Call, log: readonly RecordedEvent[]): void {
  const ids = events.map((event) => event.id);
  const repeated = new Set(ids).size < ids.length;
  expect(repeated || log.some((event) => ids.includes(event.id))).toBe(true);
}

/** What is known of a stream's revision at a time: the answers before it, and the calls begun before it. */
class History {
  readonly #stored: readonly (Call & { readonly answer: Appended })[];

  constructor(calls: readonly Call[], log: readonly RecordedEvent[]) {
    const ids = new Set(log.map((event) => event.id));
    this.#stored = calls.flatMap((call) => {
      const { answer, events } = call;
      return !isStoreError(answer) && events.every((event) => ids.has(event.id)) ? [{ ...call, answer }] : [];
    });
  }

  leastAt(stream: string, time: number): number {
    return this.#last((call) => call.stream === stream && call.ended < time);
  }

  mostAt(stream: string, time: number): number {
    return this.#last((call) => call.stream === stream && call.begun < time);
  }

  #last(fits: (call: Call) => boolean): number {
    return Math.max(-1, ...this.#stored.filter(fits).map((call) => call.answer.lastRevision));
  }
}

function count(
  calls: readonly Call[],
  seen: { stored: number; wrongRevision: number; duplicate: number; replayed: number },
): void {
  const answers = new Set<string>();
  for (const { answer, stream } of calls) {
    if (isStoreError(answer, 'wrong-expected-revision')) seen.wrongRevision++;
    else if (isStoreError(answer, 'duplicate-event-id')) seen.duplicate++;
    else if (answers.has(JSON.stringify([stream, answer]))) seen.replayed++;
    else seen.stored++;
    answers.add(JSON.stringify([stream, answer]));
  }
}
