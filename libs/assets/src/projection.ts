import { defineTable, putRow, type Change, type Recorded } from '#kernel';
import type { AssetEvent } from './events.ts';
import type { AssetView } from './views.ts';

export const assetsTable = defineTable({
  name: 'assets',
  columns: { code: 'text', scale: 'integer', createdPosition: 'text', view: 'text' },
  primaryKey: ['code'],
  indexes: [['createdPosition']],
});

export const assetTables = [assetsTable] as const;

/** The asset as it is shown: it never changes after its registration. */
export function assetView(event: Recorded<AssetEvent>): AssetView {
  const { recordedAt } = event.metadata;
  return { ...event.data, createdAt: recordedAt, updatedAt: recordedAt };
}

export function projectAsset(event: Recorded<AssetEvent>): readonly Change[] {
  const { code, scale } = event.data;
  return [
    putRow(assetsTable, { code, scale, createdPosition: event.position, view: JSON.stringify(assetView(event)) }),
  ];
}
