import { formatUnits, type Asset } from '#kernel';

/** Finds the scale of an asset. */
export type AssetLookup = (code: string) => Asset | undefined;

/**
 * Minor units as the edge shows them. An asset that nobody registered, which only a forged event can bring into the books,
 * has no scale: minor units are all that is known of it, and are shown.
 */
export function shownAmount(units: string, code: string, assets: AssetLookup): string {
  return formatUnits(BigInt(units), assets(code)?.scale ?? 0);
}

/**
 * Finds the scales of a few assets first. The lookup throws Error for any other: an amount of an asset that nobody looked up
 * would be shown as one of an asset that is not registered.
 */
export async function lookUpAssets(
  ledger: { asset(code: string): Promise<Asset | undefined> },
  codes: readonly string[],
): Promise<AssetLookup> {
  const assets = new Map<string, Asset | undefined>();
  for (const code of codes) assets.set(code, await ledger.asset(code));
  return (code) => {
    if (!assets.has(code)) throw new Error(`the scale of ${code} was not looked up`);
    return assets.get(code);
  };
}
