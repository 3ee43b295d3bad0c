import { addToSum, defineTable, SUM_COLUMNS, type Change, type Recorded } from '#kernel';
import type { AccountEvent } from './events.ts';
import { movesOf, postings, type LedgerPart } from './postings.ts';

/** What all postings of one asset to one part of the ledger come to, over all accounts, in minor units with a sign. */
export const trialBalanceTable = defineTable({
  name: 'trialBalance',
  columns: { asset: 'text', part: 'text', ...SUM_COLUMNS },
  primaryKey: ['asset', 'part'],
  indexes: [],
  shared: 'sums',
});

export const trialBalanceTables = [trialBalanceTable] as const;

/** One asset's line of the books, in minor units with a sign. */
export interface TrialBalanceView {
  readonly asset: string;
  readonly external: string;
  readonly available: string;
  readonly reserved: string;
  readonly held: string;
  /** What one account has sent and another not received yet. */
  readonly transit: string;
  /** Of all parts that there are: zero when the books are right. */
  readonly sum: string;
}

/** Follows the postings of the event and nothing else. */
export function projectTrialBalance(event: Recorded<AccountEvent>): readonly Change[] {
  const { position } = event;
  const add = (asset: string, part: LedgerPart, units: bigint): Change =>
    addToSum(trialBalanceTable, { asset, part }, { units, position });
  const [move, another] = movesOf(event);
  if (move === undefined) return [];
  const { asset, from, to, units } = move;
  // One move, as nearly every event is: nothing is to be added up.
  if (another === undefined && from !== to) return [add(asset, from, -units), add(asset, to, units)];
  const sums = new Map<string, { asset: string; part: LedgerPart; units: bigint }>();
  for (const posting of postings(event)) {
    const name = `${posting.asset} ${posting.part}`;
    const known = sums.get(name)?.units ?? 0n;
    sums.set(name, { asset: posting.asset, part: posting.part, units: known + posting.units });
  }
  return Array.from(sums.values(), (sum) => add(sum.asset, sum.part, sum.units));
}

/** @param rows those of `trialBalance` of this asset */
export function trialBalanceView(
  asset: string,
  rows: readonly { readonly part: string; readonly units: string }[],
): TrialBalanceView {
  const unitsOf = (part: string): string => rows.find((row) => row.part === part)?.units ?? '0';
  const sum = rows.reduce((total, { units }) => total + BigInt(units), 0n).toString();
  return {
    asset,
    external: unitsOf('external'),
    available: unitsOf('available'),
    reserved: unitsOf('reserved'),
    held: unitsOf('held'),
    transit: unitsOf('transit'),
    sum,
  };
}
