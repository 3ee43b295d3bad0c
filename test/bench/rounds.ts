/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no figures');
  return sorted.length % 2 === 1 ? middle : (middle + (sorted[sorted.length / 2 - 1] ?? middle)) / 2;
}

/** Things done in a second, over one run. */
export type Measure = () => Promise<number> | number;

export interface Comparison {
  readonly ours: number;
  readonly base: number;
  /** Median of the ratios of the rounds: the machine's drift cancels out within a round. */
  readonly ratio: number;
}

/** Measures two things in turn, round by round, after one round that does not count. */
export async function compare(rounds: number, ours: Measure, base: Measure): Promise<Comparison> {
  await base();
  await ours();
  const pairs: { ours: number; base: number }[] = [];
  for (let round = 0; round < rounds; round += 1) pairs.push({ base: await base(), ours: await ours() });
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    base: median(pairs.map((pair) => pair.base)),
    ratio: median(pairs.map((pair) => pair.ours / pair.base)),
  };
}

/** A line of the table: what, our figure, the base's, the ratio and what it should be. */
export function line(what: string, { ours, base, ratio }: Comparison, atLeast: number): string {
  const verdict = ratio >= atLeast ? '' : '   below the target';
  const figures = `${perSecond(ours).padStart(12)} ${perSecond(base).padStart(12)}`;
  return `${what.padEnd(58)} ${figures} ${ratio.toFixed(2).padStart(7)}   (target ${atLeast.toFixed(2)})${verdict}`;
}

export function perSecond(figure: number): string {
  return `${Math.round(figure).toLocaleString('en')}/s`;
}
