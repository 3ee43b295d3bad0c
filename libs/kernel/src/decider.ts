import type { Rejection } from './rejection.ts';

/** An event as the domain makes it: a stable stored name and its data. Ids, times and hashes are added when it is sealed. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * The core of each domain library. `decide` is pure; facts of other streams arrive in its context and are only facts that
 * can never become false. `evolve` takes ownership of the state it is given, may change it in place, and returns it: the
 * caller keeps one state for each stream and discards it when an append fails.
 */
export interface Decider<State, Command, Event extends DomainEvent, Context> {
  readonly initialState: () => State;
  readonly decide: (command: Command, state: State, context: Context) => readonly Event[] | Rejection;
  readonly evolve: (state: State, event: Event) => State;
}

/** For the end of a `switch` over a union: fails to compile when a member was forgotten. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
