/** How hard the simulations try: `npm test` goes over the ground, `npm run nightly` looks into every corner. */
const isNightly = process.env['WRIT_EFFORT'] === 'nightly';

/** Schedules tried, one after the other, of a case of which there are too many to try them all. */
export const SCHEDULES = Number(process.env['WRIT_SCHEDULES'] ?? (isNightly ? 20_000 : 300));

/** Schedules tried at random of each case of which there are far too many. */
export const WALKS = Number(process.env['WRIT_WALKS'] ?? (isNightly ? 20_000 : 60));

/** Seeds of the simulation of the whole core: from the first up to, and not with, the second. */
export const SEEDS = seedsFrom(process.env['WRIT_SEEDS'] ?? (isNightly ? '10000' : '300'));

/** `300`, or `5000-6000`. */
function seedsFrom(text: string): readonly [number, number] {
  const [first = 0, end] = text.split('-').map(Number);
  return end === undefined ? [0, first] : [first, end];
}

/** How often the service is killed under load. */
export const KILLS = isNightly ? 50 : 8;

/** How often every fault befalls three instances and their store under load. */
export const ROUNDS_OF_FAULTS = isNightly ? 25 : 1;

/** How long one test of the simulations may take, in milliseconds: no test is meant to come near it. */
export const LIMIT_MS = isNightly ? 6 * 3_600_000 : 300_000;

/** @param usual how often a property is tried by `npm test` */
export function runs(usual: number): number {
  return isNightly ? 20 * usual : usual;
}
