import { sha256Hex } from '#kernel';
import { demandNothingFailed, judge } from './judge.ts';
import type { Plan } from './plan.ts';
import { World } from './world.ts';

/** What became of one run. */
export interface Ran {
  /** Undefined when everything came to what it has to. */
  readonly failure: Error | undefined;
  /** What happened, a line each. */
  readonly story: readonly string[];
  /** The log, byte for byte, as a digest. */
  readonly logSha256: string;
  /** The types of the events of the log, in its order. */
  readonly events: readonly string[];
  /** What went wrong, by its name, and what became of snapshots. */
  readonly mishaps: readonly string[];
}

/** Plays a plan from its beginning to its end, and judges it. */
export async function run(plan: Plan): Promise<Ran> {
  const world = await World.of(plan);
  let failure: Error | undefined;
  try {
    await world.play();
    demandNothingFailed(world);
    await world.calmDown();
    await judge(world);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  await world.end();
  const { log, story } = world;
  const events = log.map(({ type }) => type);
  return {
    failure,
    story,
    logSha256: sha256Hex(JSON.stringify(log)),
    events,
    mishaps: [...world.mishaps, ...world.snapshots],
  };
}
