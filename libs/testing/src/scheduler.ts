import { runOnce, type Choose, type Option, type RunResult, type Scenario, type World } from './scheduler/run.ts';

export type { ActorBody, ActorPorts, Outcome as ActorOutcome, RunResult, Scenario, World } from './scheduler/run.ts';
export { SteppedStore } from './scheduler/stepped-store.ts';
export { VirtualTime } from './scheduler/virtual-time.ts';

export interface ExploreOptions {
  /** Most runs, given-up ones included. Default: 100,000. */
  readonly maxRuns?: number;
  /**
   * False tries schedules, too, that differ only in the order of steps that don't touch each other, or that come to a state
   * from which all was tried. Default: true.
   */
  readonly prune?: boolean;
}

export interface Exploration {
  /** Schedules run to their end and checked. */
  readonly runs: number;
  /** Schedules given up on the way, because one that was run differs from them in nothing that matters. */
  readonly pruned: number;
  /** True when there is no other schedule. */
  readonly exhaustive: boolean;
}

/** A schedule that ended badly. Its message holds the whole schedule; `replay` runs it again by `choices`. */
export class ScheduleError extends Error {
  readonly choices: readonly number[];
  readonly schedule: readonly string[];
  constructor({ choices, schedule, error }: RunResult) {
    const lines = schedule.map((line, index) => `  ${index + 1}. ${line}`);
    const reason = error instanceof Error ? error.message : String(error);
    super([reason, ...lines, `  replay: [${choices.join(', ')}]`].join('\n'), { cause: error });
    this.name = 'ScheduleError';
    this.choices = choices;
    this.schedule = schedule;
  }
}

/**
 * Runs the scenario from its beginning again and again, each time with another order of the actors' steps, depth first,
 * until there is no other order or `maxRuns` is reached.
 *
 * Two steps commute when they are of two actors and neither appends, or one appends to a stream that the other does not
 * read. Two appends never do: their places in the log differ. Of schedules that differ only in the order of steps that
 * commute one is run (sleep sets). Of schedules that come to the same state all but the first are given up there, save for
 * what was asleep in the first and is not in them (Godefroid, Partial-Order Methods for the Verification of Concurrent
 * Systems, 1996, section 5.3).
 *
 * @throws ScheduleError for the first schedule that ends badly
 */
export async function explore<W extends World>(scenario: Scenario<W> & ExploreOptions): Promise<Exploration> {
  const { maxRuns = 100_000, prune = true } = scenario;
  const path: Fork[] = [];
  const untried: Untried = new Map();
  let [runs, pruned] = [0, 0];
  do {
    if (runs + pruned >= maxRuns) return { runs, pruned, exhaustive: false };
    const result = await runOnce(scenario, followPath(path, prune ? untried : undefined));
    if (result.outcome === 'failed') throw new ScheduleError(result);
    if (result.outcome === 'passed') runs += 1;
    else pruned += 1;
  } while (backtrack(path));
  return { runs, pruned, exhaustive: true };
}

/** Runs one schedule: the choices of a ScheduleError, then always the first. @throws ScheduleError when it ends badly */
export async function replay<W extends World>(scenario: Scenario<W>, choices: readonly number[]): Promise<RunResult> {
  let step = 0;
  const result = await runOnce(scenario, () => choices[step++] ?? 0);
  if (result.outcome === 'failed') throw new ScheduleError(result);
  return result;
}

/** Runs schedules drawn at random: for what is too large to be explored. @throws ScheduleError, whose message names the seed */
export async function walk<W extends World>(
  scenario: Scenario<W>,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<void> {
  const random = randomIntegers(seed);
  for (let run = 0; run < runs; run++) {
    const result = await runOnce(scenario, chooseAtRandom(random));
    if (result.outcome === 'failed') {
      const error = new Error(`seed ${seed}, run ${run}: ${String(result.error)}`, { cause: result.error });
      throw new ScheduleError({ ...result, error });
    }
  }
}

/** A point of the run from which several ways lead on. */
interface Fork {
  readonly options: readonly Option[];
  chosen: number;
  /** What needs no trying from here: it was tried, or whatever it leads to was. */
  readonly asleep: Map<string, Option>;
}

/** For each state that was come to: the options that were left untried from it, because they were asleep. */
type Untried = Map<string, ReadonlySet<string>>;

/** Goes the way that is laid out, and then on by the first option that is not asleep. @param untried undefined: no pruning */
function followPath(path: Fork[], untried: Untried | undefined): Choose {
  let step = 0;
  return (options, state) => {
    const known = path[step];
    const parent = path[step - 1];
    step += 1;
    if (known !== undefined) {
      if (known.options.length !== options.length) throw new Error('the scenario is not the same in each run');
      return known.chosen;
    }
    const inherited = parent === undefined || untried === undefined ? new Map<string, Option>() : asleepAfter(parent);
    const asleep = untried === undefined ? inherited : asleepAt(state, options, inherited, untried);
    const chosen = options.findIndex((option) => !asleep.has(option.id));
    if (chosen < 0) return undefined;
    path.push({ options, chosen, asleep });
    return chosen;
  };
}

/** What needs no trying at a state: what is asleep, and, where the state was come to before, all that was tried then. */
function asleepAt(
  state: string,
  options: readonly Option[],
  asleep: Map<string, Option>,
  untried: Untried,
): Map<string, Option> {
  const before = untried.get(state);
  const left = options.filter(({ id }) => asleep.has(id) && before?.has(id) !== false).map(({ id }) => id);
  untried.set(state, new Set(left));
  if (before === undefined) return asleep;
  const tried = options.filter(({ id }) => !before.has(id)).map((option) => [option.id, option] as const);
  return new Map([...asleep, ...tried]);
}

/** What stays asleep after the step that the fork chose: all that commutes with it. */
function asleepAfter({ options, chosen, asleep }: Fork): Map<string, Option> {
  const taken = options[chosen];
  return new Map([...asleep].filter(([, option]) => taken !== undefined && commute(option, taken)));
}

/** Puts to sleep what was tried at the last fork, and lays out the next way. @returns false when there is none */
function backtrack(path: Fork[]): boolean {
  for (let fork = path.at(-1); fork !== undefined; fork = path.at(-1)) {
    const tried = fork.options[fork.chosen];
    if (tried !== undefined) fork.asleep.set(tried.id, tried);
    const { asleep, options } = fork;
    const next = options.findIndex((option) => !asleep.has(option.id));
    if (next >= 0) {
      fork.chosen = next;
      return true;
    }
    path.pop();
  }
  return false;
}

function commute(a: Option, b: Option): boolean {
  if (a.actor === b.actor) return false;
  // Mishaps draw on what is left of them, but one that finds nothing left is no option, in whatever order.
  if (a.kind === 'crash' || b.kind === 'crash') return true;
  if (a.call.op === 'turn' || b.call.op === 'turn') return false;
  const [appendA, appendB] = [appends(a), appends(b)];
  if (!appendA && !appendB) return true;
  if (appendA && appendB) return false;
  const read = appendA ? b.call : a.call;
  const append = appendA ? a.call : b.call;
  return read.op === 'append' || (read.op === 'read' && read.stream !== append.stream);
}

function appends({ call, kind }: Option): boolean {
  return call.op === 'append' && kind !== 'request-lost';
}

/** Mishaps are rarer than steps, so that most runs get far. */
function chooseAtRandom(random: (below: number) => number): Choose {
  return (options) => {
    const steps = options.filter((option) => option.kind === 'normal').length;
    const wantsMishap = options.length > steps && random(12) === 0;
    return wantsMishap ? steps + random(options.length - steps) : random(steps);
  };
}

/** Whole numbers from 0 on, the same for the same seed (mulberry32). */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}
