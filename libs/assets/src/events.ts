import { defineEvent, field, type EventOf } from '#kernel';
import { z } from 'zod';

export const ASSET_KINDS = ['crypto', 'fiat'] as const;

export const AssetRegistered = defineEvent({
  type: 'AssetRegistered',
  streams: ['asset'],
  summary: 'An asset that accounts may hold came to be known, with the scale that all its amounts have for good.',
  schema: z.strictObject({
    code: field.assetCode,
    scale: z.int().min(0).max(18),
    kind: z.enum(ASSET_KINDS),
  }),
});

export type AssetEvent = EventOf<typeof AssetRegistered>;
export const assetEvents = [AssetRegistered] as const;
