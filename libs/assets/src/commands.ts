import type { ASSET_KINDS } from './events.ts';

/** Makes an asset known to the ledger. */
export interface RegisterAsset {
  readonly type: 'RegisterAsset';
  readonly code: string;
  readonly scale: number;
  readonly kind: (typeof ASSET_KINDS)[number];
}
export type AssetCommand = RegisterAsset;
