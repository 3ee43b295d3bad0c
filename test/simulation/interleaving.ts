import type { LedgerCommand, Outcome } from '#command-handling';
import { MemoryEventStore } from '#event-store/memory';
import { toTimestamp, type Actor, type RecordedEvent } from '#kernel';
import {
  checkLog,
  explore,
  LedgerWorld,
  maker,
  TestClock,
  VirtualTime,
  type ActorBody,
  type ActorOutcome,
  type ActorPorts,
  type Scenario,
} from '#testing';
import { expect } from '@jest/globals';
import { SCHEDULES } from './effort.ts';

/** What specs of interleavings have in common: processes over one store, each step of which can come at any time. */

const START = '2022-02-15T12:00:00.000Z';

export interface SharedWorld {
  readonly store: MemoryEventStore;
  readonly time: VirtualTime;
}

/** A process of its own: nothing in memory, its own lanes, the stepped store. */
export function processOn({ store, clock, sleep, newId }: ActorPorts): LedgerWorld {
  const onFailure = (error: unknown): void => {
    // A step that another actor's append got ahead of is tried again by the next pass.
    if (!String(error).includes('others kept')) throw error;
  };
  return new LedgerWorld({ store, clock: clock as TestClock, sleep, newId, onFailure });
}

/** Asks once; who does not get an answer that stands (503, 409 of a conflict) asks again with the same key. */
export function asking(command: LedgerCommand, key: string, actor: Actor = maker): ActorBody {
  return async (ports) => {
    const world = processOn(ports);
    for (let tries = 0; tries < 3; tries += 1) {
      const outcome = await world.ask(command, { key, actor });
      if (outcome.status === 'accepted' || !isPassing(outcome)) return outcome;
    }
    return undefined;
  };
}

export function isPassing(outcome: Outcome): boolean {
  return outcome.status === 'rejected' && ['store-unavailable', 'revision-conflict'].includes(outcome.rejection.code);
}

/** Asks for several things in turn, each once. */
export function script(...steps: readonly (readonly [LedgerCommand, string, Actor])[]): ActorBody {
  return async (ports) => {
    const world = processOn(ports);
    for (const [command, key, actor] of steps) await world.ask(command, { key, actor });
  };
}

export const supervisor: ActorBody = (ports) => processOn(ports).ledger.supervisor.pass();

/** The log that a scenario starts from, made once and copied for each run. */
export async function logOf(prepare: (world: LedgerWorld) => Promise<void>): Promise<readonly RecordedEvent[]> {
  const world = new LedgerWorld({ clock: new TestClock(START) });
  await prepare(world);
  return world.log();
}

function copied(log: readonly RecordedEvent[]): SharedWorld {
  return { store: new MemoryEventStore({ log }), time: new VirtualTime(Date.parse(START)) };
}

/** After everything: a process starts, finishes what was left, and the log alone is judged. */
export async function judge(
  { store, time }: SharedWorld,
  outcomes: Readonly<Record<string, ActorOutcome>>,
): Promise<void> {
  const clock = new TestClock(toTimestamp(time.now() + 5_000));
  const world = new LedgerWorld({ store, clock });
  await world.ledger.supervisor.pass();
  if (world.failures.length > 0) throw new Error(`the supervisor fails: ${String(world.failures[0])}`);
  const log = await world.log();
  const breaches = checkLog(log, { quiescent: true, now: toTimestamp(clock.now()) });
  if (breaches.length > 0) throw new Error(`invariants: ${JSON.stringify(breaches)}`);
  await agreeOnAnswers(world, outcomes);
}

/** Whoever was answered under one key was answered the same, and is answered so again. */
async function agreeOnAnswers(world: LedgerWorld, outcomes: Readonly<Record<string, ActorOutcome>>): Promise<void> {
  const answers = new Map<string, string>();
  for (const [name, outcome] of Object.entries(outcomes)) {
    if (outcome.status !== 'finished') continue;
    const answered = outcome.value as Outcome | undefined;
    if (answered?.status === undefined) continue;
    // What stands for good is in the log; other refusals are decided anew.
    if (answered.status === 'rejected' && answered.revision === undefined) continue;
    const key = name.split(' ')[0] ?? name;
    const said = JSON.stringify({ ...answered, replayed: undefined });
    const before = answers.get(key) ?? said;
    if (before !== said) throw new Error(`one key was answered twice:\n${before}\n${said}`);
    answers.set(key, said);
    const ids = answered.status === 'accepted' ? answered.events.map((event) => event.id) : [];
    const log = await world.log();
    for (const id of ids)
      if (!log.some((event) => event.id === id)) throw new Error('an acknowledged event is not in the log');
  }
}

export function scenario(
  log: readonly RecordedEvent[],
  actors: Readonly<Record<string, ActorBody>>,
  mishaps: { readonly crashes?: number; readonly faults?: number } = {},
): Scenario<SharedWorld> {
  return { setup: () => copied(log), actors: () => actors, check: judge, maxSteps: 2_000, ...mishaps };
}

/** What may happen to the actors, and whether there are too many schedules to try them all. */
interface Mishaps {
  readonly crashes?: number;
  readonly faults?: number;
  readonly tooMany?: boolean;
}

/** More than any case has of which all are tried. */
const ALL = 100_000;

export type Case = readonly [string, Readonly<Record<string, ActorBody>>, Mishaps];

export async function exploreAll(
  name: string,
  log: readonly RecordedEvent[],
  [, actors, { tooMany = false, ...mishaps }]: Case,
): Promise<void> {
  const explored = await exploreCase(name, scenario(log, actors, mishaps), tooMany ? SCHEDULES : ALL);
  if (!tooMany) expect(explored.exhaustive).toBe(true);
}

/** @param maxRuns schedules tried: all of them where there are fewer */
export async function exploreCase(
  name: string,
  cases: Scenario<SharedWorld>,
  maxRuns: number,
): ReturnType<typeof explore> {
  const explored = await explore({ ...cases, maxRuns });
  if (process.env['WRIT_SHOW_SCHEDULES'] !== undefined) console.log(name, explored);
  expect(explored.runs).toBeGreaterThan(3);
  return explored;
}
