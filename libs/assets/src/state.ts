import type { Recorded } from '#kernel';
import type { AssetEvent } from './events.ts';
import type { AssetView } from './views.ts';

/** What an asset's stream says: nothing, or the asset for good. */
export interface AssetState {
  registered: AssetView | undefined;
}

export function initialAssetState(): AssetState {
  return { registered: undefined };
}

export function evolveAsset(state: AssetState, event: Recorded<AssetEvent>): AssetState {
  const { recordedAt } = event.metadata;
  state.registered = { ...event.data, createdAt: recordedAt, updatedAt: recordedAt };
  return state;
}

/** Says why this event should never be in this state, or undefined when it is legal. */
export function checkAsset(state: AssetState, event: Recorded<AssetEvent>): string | undefined {
  if (event.stream !== `asset-${event.data.code}`) return 'the asset is not the one that the stream is about';
  if (state.registered !== undefined) return 'the asset is registered already: its scale never changes';
  return undefined;
}
