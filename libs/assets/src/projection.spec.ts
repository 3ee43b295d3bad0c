import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '#kernel';
import { LogBuilder, ProjectedRows } from '#testing';
import type { AssetEvent } from './events.ts';
import { assetsTable, assetView, projectAsset } from './projection.ts';

describe('the projection of assets', () => {
  const registered = new LogBuilder().append('asset-BTC', {
    type: 'AssetRegistered',
    data: { code: 'BTC', scale: 8, kind: 'crypto' },
  }) as Recorded<AssetEvent>;
  const { recordedAt } = registered.metadata;

  it('shows the asset with the time of its registration', () => {
    const times = { createdAt: recordedAt, updatedAt: recordedAt };
    expect(assetView(registered)).toEqual({ code: 'BTC', scale: 8, kind: 'crypto', ...times });
  });

  it('has one row for it, however often the event comes', () => {
    const rows = new ProjectedRows();
    rows.apply(projectAsset(registered));
    rows.apply(projectAsset(registered));
    const view = JSON.stringify(assetView(registered));
    expect(rows.of(assetsTable)).toEqual([{ code: 'BTC', scale: 8, createdPosition: registered.position, view }]);
  });
});
