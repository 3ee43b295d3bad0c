import { addToSum, defineTable, SUM_COLUMNS, type Change, type Recorded } from '#kernel';
import type { AccountEvent } from './events.ts';
import { postings } from './postings.ts';

/** What all postings of one asset to one part of the ledger come to, over all accounts, in minor units with a sign. */
export const trialBalanceTable = defineTable({
  name: 'trialBalance',
  columns: { asset: 'text', part: 'text', ...SUM_COLUMNS },
  primaryKey: ['asset', 'part'],
  indexes: [],
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
  const sums = new Map<string, { asset: string; part: string; units: bigint }>();
  for (const { asset, part, units } of postings(event)) {
    const name = `${asset} ${part}`;
    sums.set(name, { asset, part, units: (sums.get(name)?.units ?? 0n) + units });
  }
  return Array.from(sums.values(), ({ asset, part, units }) =>
    addToSum(trialBalanceTable, { asset, part }, { units, position }),
  );
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
