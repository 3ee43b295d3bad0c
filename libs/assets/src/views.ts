import type { Timestamp } from '#kernel';

/** An asset as it is shown. */
export interface AssetView {
  readonly code: string;
  readonly scale: number;
  readonly kind: string;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
