import assert from 'node:assert/strict';
import {
  currentVersion,
  decodeData,
  isRejection,
  type Actor,
  type CommandKey,
  type DomainEvent,
  type EventDefinition,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Rejection,
  type RejectionCode,
  type Timestamp,
} from '#kernel';
import { actorNamed } from './log-builder.ts';

/** The time of a specification's command unless its context says otherwise. */
export const SPEC_NOW: Timestamp = '2022-04-06T12:00:00.000Z';
/** The actor of a specification's command unless its context says otherwise. */
export const SPEC_ACTOR: Actor = { id: 'alice', roles: ['service'] };

/** One hour before `SPEC_NOW`: given events are recorded from then on, a second apart. */
const GIVEN_FROM_MS = Date.parse('2022-04-06T11:00:00.000Z');
const NO_HASH = '0'.repeat(64);

/** Whatever of an event's envelope matters to a specification. */
export interface Placement {
  readonly recordedAt?: Timestamp;
  readonly actor?: Actor;
  readonly key?: CommandKey;
  readonly id?: string;
}

/** An event together with what its envelope is to say. */
export interface Placed<Event extends DomainEvent> {
  readonly event: Event;
  readonly placement: Placement;
}

/** An event whose envelope matters, e.g. `at(verified, { recordedAt })`. */
export function at<Event extends DomainEvent>(event: Event, placement: Placement): Placed<Event> {
  return { event, placement };
}

/** The id that a given event gets at a revision, unless it is placed with one of its own. */
export function specEventId(revision: number): string {
  return `00000000-0000-7000-8000-${revision.toString(16).padStart(12, '0')}`;
}

/** Points to a given event that was not placed with an id of its own. */
export function specPointer(stream: string, revision: number): EventPointer {
  return { stream, revision: String(revision), eventId: specEventId(revision) };
}

/** A decider, the registry of its events, and what its specifications have in common. */
export interface DeciderUnderSpec<State, Command, Event extends DomainEvent, Context> {
  readonly initialState: () => State;
  readonly evolve: (state: State, event: Recorded<Event>) => State;
  readonly check: (state: State, event: Recorded<Event>) => string | undefined;
  readonly decide: (command: Command, state: State, context: Context) => readonly Event[] | Rejection;
  /** The registry entries of all its events. */
  readonly events: readonly EventDefinition[];
  /** The stream that the specifications are about. */
  readonly stream: string;
  /** The context of a command where a specification does not say otherwise. */
  readonly context: Context;
}

export interface Given<State, Command, Event extends DomainEvent, Context> {
  /** Decides the command. `placement` is for the envelope of what comes out, e.g. the command's key. */
  when(command: Command, context?: Partial<Context>, placement?: Placement): Decided<Event>;
  /** The state that the given events lead to. */
  state(): State;
}

export interface Decided<Event extends DomainEvent> {
  /** These events came out, in this order, and each is well formed and legal in its state. */
  then(...events: readonly Event[]): void;
  /** The command was accepted and there was nothing to do. */
  thenNothingHappened(): void;
  /** The command was turned down with this code, and no event came out; where given, `extra` is exactly this and `detail` matches. */
  thenRejected(code: RejectionCode, extra?: Readonly<Record<string, unknown>>, detail?: RegExp): void;
}

export interface DeciderSpec<State, Command, Event extends DomainEvent, Context> {
  given(...events: readonly (Event | Placed<Event>)[]): Given<State, Command, Event, Context>;
}

/**
 * Specifications that read as sentences: `given(events).when(command).then(events)`.
 * Beside what they say, each asserts that the given history is itself well formed and legal, that `decide` changed neither
 * the state nor the command, and that all that comes out passes its schema and `check`, and evolves.
 */
export function specFor<State, Command, Event extends DomainEvent, Context extends { now: Timestamp; actor: Actor }>(
  decider: DeciderUnderSpec<State, Command, Event, Context>,
): DeciderSpec<State, Command, Event, Context> {
  const fold = (history: readonly Recorded<Event>[]): State => {
    let state = decider.initialState();
    for (const event of history) state = takeIn(decider, state, event);
    return state;
  };
  return {
    given: (...events) => {
      const history = events.map((event, revision) => recordGiven(decider, event, revision));
      return {
        state: () => fold(history),
        when: (command, overrides, placement) => {
          const context = { ...decider.context, ...overrides };
          const state = fold(history);
          const outcome = decider.decide(deepFreeze(command), state, context);
          assert.deepEqual(state, fold(history), 'decide changed the state');
          if (!isRejection(outcome)) {
            takeInDecided(decider, state, outcome, history.length, { recordedAt: context.now, ...placement }, context);
          }
          return decided(outcome);
        },
      };
    },
  };
}

function decided<Event extends DomainEvent>(outcome: readonly Event[] | Rejection): Decided<Event> {
  return {
    then: (...events) => {
      assert.deepEqual(outcome, events);
    },
    thenNothingHappened: () => {
      assert.deepEqual(outcome, []);
    },
    thenRejected: (code, extra, detail = /\S/) => {
      if (!isRejection(outcome)) assert.fail(`accepted instead of ${code}: ${JSON.stringify(outcome)}`);
      assert.equal(outcome.code, code);
      assert.match(outcome.detail, detail);
      if (extra !== undefined) assert.deepEqual(outcome.extra, extra);
    },
  };
}

type Specified<State, Event extends DomainEvent> = Pick<
  DeciderUnderSpec<State, never, Event, never>,
  'check' | 'evolve' | 'events' | 'stream'
>;

function takeInDecided<State, Event extends DomainEvent>(
  decider: Specified<State, Event>,
  state: State,
  events: readonly Event[],
  firstRevision: number,
  placement: Placement,
  context: { readonly actor: Actor },
): void {
  let next = state;
  for (const [index, event] of events.entries()) {
    const own = index === 0 ? placement : { recordedAt: placement.recordedAt ?? SPEC_NOW };
    const recorded = record(decider, event, firstRevision + index, { actor: context.actor, ...own }, '');
    next = takeIn(decider, next, recorded);
  }
}

function takeIn<State, Event extends DomainEvent>(
  decider: Specified<State, Event>,
  state: State,
  event: Recorded<Event>,
): State {
  const { type, revision } = event as RecordedEvent;
  const problem = decider.check(state, event);
  assert.equal(problem, undefined, `${type} at revision ${String(revision)} is illegal: ${String(problem)}`);
  return decider.evolve(state, event);
}

function recordGiven<State, Event extends DomainEvent>(
  decider: Specified<State, Event>,
  given: Event | Placed<Event>,
  revision: number,
): Recorded<Event> {
  const { event, placement } = 'placement' in given ? given : at(given, {});
  const recordedAt = new Date(GIVEN_FROM_MS + revision * 1000).toISOString();
  const position = revision.toString(16).padStart(16, '0');
  return record(decider, event, revision, { recordedAt, ...placement }, position);
}

function record<State, Event extends DomainEvent>(
  decider: Specified<State, Event>,
  event: Event,
  revision: number,
  placement: Placement,
  position: string,
): Recorded<Event> {
  const definition = decider.events.find((entry) => entry.type === event.type);
  if (definition === undefined) assert.fail(`${event.type} is not in the registry`);
  const decoded = decodeData(definition, currentVersion(definition), event.data);
  if (!decoded.ok) assert.fail(`${event.type} breaks its schema: ${decoded.problem}`);
  const key = placement.key ?? null;
  const recorded: RecordedEvent = {
    id: placement.id ?? specEventId(revision),
    type: event.type,
    schemaVersion: currentVersion(definition),
    data: event.data,
    metadata: {
      actor: placement.actor ?? actorNamed(event) ?? SPEC_ACTOR,
      correlationId: 'specification',
      causationId: null,
      key,
      commandHash: key === null ? null : NO_HASH,
      recordedAt: placement.recordedAt ?? SPEC_NOW,
      previousHash: revision === 0 ? null : NO_HASH,
      hash: NO_HASH,
    },
    stream: decider.stream,
    revision,
    position,
  };
  return deepFreeze(recorded) as unknown as Recorded<Event>;
}

/** Events and commands are facts: whoever changes one in place is found out. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
