import { allOf, keepOnly, keptAsText, type Kept, type Plan } from './plan.ts';
import { run, type Ran } from './run.ts';
import { shrink } from './shrink.ts';

/** How long a failing run is made smaller, in milliseconds of real time. */
const SHRINKING_MS = 60_000;
/** Most lines of the story of a failing run. */
const MOST_LINES = 120;

/** What went wrong, with the smallest schedule found that goes wrong in the same way, and how to play it again. */
export async function explain(plan: Plan, failure: Error): Promise<Error> {
  const kept = await smallestThatFails(plan, failure);
  const smallest = await run(keepOnly(plan, kept));
  const command = `WRIT_SEED=${plan.seed} WRIT_KEEP=${keptAsText(kept)} npm test -- test/simulation/whole-core`;
  const reason = (smallest.failure ?? failure).message;
  const lines = [`seed ${plan.seed} (${plan.mode}): ${reason}`, ...tell(plan, kept, smallest), `replay: ${command}`];
  return new Error(lines.join('\n'), { cause: failure });
}

async function smallestThatFails(plan: Plan, failure: Error): Promise<Kept> {
  const deadlineMs = performance.now() + SHRINKING_MS;
  const all = allOf(plan);
  const parts = [
    ...all.actions.map((place) => ['actions', place] as const),
    ...all.mishaps.map((place) => ['mishaps', place] as const),
  ];
  const keptOf = (some: typeof parts): Kept => {
    const places = (list: 'actions' | 'mishaps'): readonly number[] =>
      some.filter(([name]) => name === list).map(([, place]) => place);
    return { actions: places('actions'), mishaps: places('mishaps') };
  };
  const smallest = await shrink(
    parts,
    async (some) => {
      const ran = await run(keepOnly(plan, keptOf([...some])));
      return ran.failure !== undefined && kindOf(ran.failure) === kindOf(failure);
    },
    () => performance.now() < deadlineMs,
  );
  return keptOf([...smallest]);
}

/** What stands before the first colon: so a failure does not turn into another one. */
function kindOf({ message }: Error): string {
  return message.split(':')[0] ?? message;
}

function tell(plan: Plan, kept: Kept, { story }: Ran): readonly string[] {
  const { actions, mishaps } = plan;
  const left = `what is needed: ${kept.actions.length} of ${actions.length} commands, ${kept.mishaps.length} of ${mishaps.length} mishaps`;
  const wrong = kept.mishaps.map((place) => `  ${JSON.stringify(mishaps[place])}`);
  return [left, ...wrong, ...story.slice(0, MOST_LINES).map((line) => `  ${line}`)];
}
