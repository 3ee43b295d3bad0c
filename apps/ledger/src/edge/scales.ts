import { formatUnits, type Asset } from '#kernel';

/** Finds the scale of an asset. */
export type AssetLookup = (code: string) => Asset | undefined;

/** Minor units as the edge shows them. @throws Error for an asset that is not registered, which no event can name */
export function shownAmount(units: string, code: string, assets: AssetLookup): string {
  const asset = assets(code);
  if (asset === undefined) throw new Error(`amounts of ${code} can't be shown: the asset is not known`);
  return formatUnits(BigInt(units), asset.scale);
}

/** Finds the scales of a few assets first. */
export async function lookUpAssets(
  ledger: { asset(code: string): Promise<Asset | undefined> },
  codes: readonly string[],
): Promise<AssetLookup> {
  const assets = new Map<string, Asset>();
  for (const code of codes) {
    const asset = await ledger.asset(code);
    if (asset !== undefined) assets.set(code, asset);
  }
  return (code) => assets.get(code);
}
