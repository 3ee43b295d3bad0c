import type { EventStore } from '#event-store';
import { sha256Hex, type Clock, type IdGenerator } from '#kernel';
import { testId } from '../log-builder.ts';
import { SteppedStore, type Ending, type PendingCall } from './stepped-store.ts';
import { VirtualTime } from './virtual-time.ts';

/** What the actors of one run share. */
export interface World {
  readonly store: EventStore;
  /** Where all their clocks begin. Default: one that stands still. */
  readonly time?: VirtualTime;
}

/** What one actor is given in place of the real things. */
export interface ActorPorts {
  readonly store: EventStore;
  /** The world's time and what this actor has slept: each has a clock of its own. */
  readonly clock: Clock;
  /** Takes no time but the actor's own. @throws when it has slept too often to end well */
  readonly sleep: (ms: number) => Promise<void>;
  /** Waits for a turn without calling the store: for what is no store, such as time that passes. */
  readonly turn: (label: string) => Promise<void>;
  /** Event ids that are this actor's own, and the same in each run that brings it as far. */
  readonly newId: IdGenerator;
}

/** Real asynchronous code without timers. What it throws is a failure of the run. */
export type ActorBody = (ports: ActorPorts) => Promise<unknown>;

export type Outcome =
  | { readonly status: 'finished'; readonly value: unknown }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'crashed' };

export interface Scenario<W extends World> {
  /** Makes the world anew for each run: it has to be the same each time. */
  readonly setup: () => W | Promise<W>;
  /** The actors by their names, in the order in which they are tried. */
  readonly actors: (world: W) => Readonly<Record<string, ActorBody>>;
  /** Looks at the world when every actor has finished or crashed. @throws when something is wrong */
  readonly check: (world: W, outcomes: Readonly<Record<string, Outcome>>) => void | Promise<void>;
  /** Most actors that crash in one run. A crashed actor's call never takes place, and never returns. Default: none. */
  readonly crashes?: number;
  /** Most appends of one run that end in `outcome-unknown`, whether done or lost. Default: none. */
  readonly faults?: number;
  /** Most steps of one run; one that needs more is a failure. Default: 500. */
  readonly maxSteps?: number;
}

/** Something that can happen next. `id` is the same as long as the actor has not moved. */
export interface Option {
  readonly id: string;
  readonly actor: number;
  readonly kind: Ending | 'crash';
  readonly call: PendingCall;
}

/**
 * Says which of the options happens; undefined gives the run up.
 * @param state names where the run is: all that was stored, all that each actor has learnt, the time, the mishaps left. From
 * equal states the same can happen, if actors know nothing but what their ports tell them
 */
export type Choose = (options: readonly Option[], state: string) => number | undefined;

export interface RunResult {
  /** A line for each step: `actor: call -> result`. */
  readonly schedule: readonly string[];
  /** What was chosen at each step: replays the run. */
  readonly choices: readonly number[];
  readonly outcome: 'passed' | 'given-up' | 'failed';
  /** Why, when it failed. */
  readonly error?: unknown;
}

interface Actor {
  readonly name: string;
  /** Calls that wait for a turn. More than one when the actor does several things at once. */
  pending: { readonly serial: number; readonly call: PendingCall }[];
  calls: number;
  outcome: Outcome | undefined;
  /** All that it asked and learnt, in order, as a digest. */
  history: string;
}

/** What a run has come to beside its actors. */
interface Shared {
  crashes: number;
  faults: number;
  /** All that was stored, in order, as a digest. */
  log: string;
}

const MAX_SLEEPS = 1000;
const IDS_OF_AN_ACTOR = 1_000_000;

/** Runs the scenario once, from its beginning, as `choose` says. */
export async function runOnce<W extends World>(scenario: Scenario<W>, choose: Choose): Promise<RunResult> {
  const schedule: string[] = [];
  const choices: number[] = [];
  const result = (outcome: RunResult['outcome'], error?: unknown): RunResult => ({ schedule, choices, outcome, error });
  const world = await scenario.setup();
  const bodies = Object.entries(scenario.actors(world));
  const actors = bodies.map(([name, body], index) => startActor(name, body, world, index));
  const shared: Shared = { crashes: scenario.crashes ?? 0, faults: scenario.faults ?? 0, log: '' };
  await settle();
  for (let options = optionsOf(actors, shared); options.length > 0; options = optionsOf(actors, shared)) {
    const failed = actors.find((actor) => actor.outcome?.status === 'failed');
    if (failed !== undefined) break;
    if (choices.length >= (scenario.maxSteps ?? 500))
      return result('failed', new Error('the run does not come to an end'));
    const choice = choose(options, stateOf(world, actors, shared));
    if (choice === undefined) return result('given-up');
    const option = options[choice];
    if (option === undefined) throw new RangeError(`choice ${choice} of ${options.length}`);
    choices.push(choice);
    schedule.push(await take(actors, option, shared));
    await settle();
  }
  return await judge(scenario, world, actors).then(
    () => result('passed'),
    (error: unknown) => result('failed', error),
  );
}

/** Everything that what follows depends on. */
function stateOf(world: World, actors: readonly Actor[], { crashes, faults, log }: Shared): string {
  const histories = actors.map(({ history, outcome }) => [history, outcome?.status]);
  return sha256Hex(JSON.stringify([log, histories, crashes, faults, world.time?.now()]));
}

function startActor(name: string, body: ActorBody, world: World, index: number): Actor {
  const actor: Actor = { name, pending: [], calls: 0, outcome: undefined, history: '' };
  const store = new SteppedStore(world.store, (call) => {
    actor.pending.push({ serial: actor.calls, call });
    actor.calls += 1;
  });
  const own = new VirtualTime(0);
  const time = world.time ?? new VirtualTime();
  let sleeps = 0;
  const sleep = (ms: number): Promise<void> => {
    sleeps += 1;
    if (sleeps > MAX_SLEEPS) return Promise.reject(new Error(`${name} sleeps again and again`));
    own.advance(ms);
    return Promise.resolve();
  };
  let ids = (index + 1) * IDS_OF_AN_ACTOR;
  const ports: ActorPorts = {
    newId: () => testId((ids += 1)),
    store,
    clock: { now: () => time.now() + own.now() },
    sleep,
    turn: (label) => store.turn(label),
  };
  const run = async (): Promise<unknown> => body(ports);
  run().then(
    (value) => (actor.outcome ??= { status: 'finished', value }),
    (error: unknown) => (actor.outcome ??= { status: 'failed', error }),
  );
  return actor;
}

/**
 * Lets every actor run until it waits for a turn. Microtasks are all done before the next macrotask begins, so one is
 * enough, however deep the chains of promises are.
 */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * All that can happen next, in an order that is the same for the same history. A crash is tried only before an append: to
 * the others a crash before a read looks the same as one before the append that comes next.
 */
function optionsOf(actors: readonly Actor[], left: Pick<Shared, 'crashes' | 'faults'>): readonly Option[] {
  const steps: Option[] = [];
  const mishaps: Option[] = [];
  for (const [index, actor] of actors.entries()) {
    for (const { serial, call } of actor.pending) {
      const option = (kind: Option['kind']): Option => ({ id: `${index}/${serial}/${kind}`, actor: index, kind, call });
      steps.push(option('normal'));
      if (call.op !== 'append') continue;
      if (left.faults > 0) mishaps.push(option('ack-lost'), option('request-lost'));
      if (left.crashes > 0) mishaps.push(option('crash'));
    }
  }
  return [...steps, ...mishaps];
}

async function take(actors: readonly Actor[], { actor: index, kind, call }: Option, shared: Shared): Promise<string> {
  const actor = actors[index];
  if (actor === undefined) throw new RangeError(`actor ${index}`);
  if (kind === 'crash') {
    shared.crashes -= 1;
    actor.pending = [];
    actor.outcome = { status: 'crashed' };
    return `${actor.name}: crash before ${call.label}`;
  }
  if (kind !== 'normal') shared.faults -= 1;
  actor.pending = actor.pending.filter((each) => each.call !== call);
  const { words, learnt, changed } = await call.perform(kind);
  actor.history = sha256Hex(`${actor.history}\n${call.label}\n${kind}\n${learnt}`);
  if (changed !== '') shared.log = sha256Hex(`${shared.log}\n${changed}`);
  return `${actor.name}: ${call.label} -> ${words}`;
}

async function judge<W extends World>(scenario: Scenario<W>, world: W, actors: readonly Actor[]): Promise<void> {
  const outcomes: Record<string, Outcome> = {};
  for (const { name, outcome } of actors) {
    if (outcome?.status !== 'failed') continue;
    throw new Error(`${name} threw: ${String(outcome.error)}`, { cause: outcome.error });
  }
  for (const { name, outcome } of actors) {
    if (outcome === undefined) throw new Error(`${name} waits for something that nobody's turn brings`);
    outcomes[name] = outcome;
  }
  await scenario.check(world, outcomes);
}
