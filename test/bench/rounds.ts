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

/** A line of the table: what, our figure, the base's, the ratio and, where there is a target, what it should be. */
export function line(what: string, { ours, base, ratio }: Comparison, atLeast?: number): string {
  const verdict = atLeast === undefined || ratio >= atLeast ? '' : '   below the target';
  const target = atLeast === undefined ? '' : `   (target ${atLeast.toFixed(2)})`;
  const figures = `${perSecond(ours).padStart(12)} ${perSecond(base).padStart(12)}`;
  return `${what.padEnd(58)} ${figures} ${ratio.toFixed(2).padStart(7)}${target}${verdict}`;
}

/** A line of times: what, ours, the base's, the ratio (by default of the two), and the most that it, or ours, should be. */
export function latencyLine(
  what: string,
  oursMs: number,
  baseMs: number,
  { ratio = oursMs / baseMs, atMost, atMostMs }: { ratio?: number; atMost?: number; atMostMs?: number },
): string {
  const isOver = ratio > (atMost ?? Infinity) || oursMs > (atMostMs ?? Infinity);
  const most = atMost === undefined ? `${String(atMostMs)} ms` : atMost.toFixed(2);
  const target = atMost === undefined && atMostMs === undefined ? '' : `   (target at most ${most})`;
  const verdict = isOver ? '   over the target' : '';
  const figures = `${inMs(oursMs).padStart(12)} ${inMs(baseMs).padStart(12)}`;
  return `${what.padEnd(58)} ${figures} ${ratio.toPrecision(3).padStart(7)}${target}${verdict}`;
}

function inMs(ms: number): string {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')} ms`;
}

export function perSecond(figure: number): string {
  return `${Math.round(figure).toLocaleString('en')}/s`;
}
