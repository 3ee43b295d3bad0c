import { reject, type Actor, type Rejection, type Timestamp } from '#kernel';
import type { AssetCommand } from './commands.ts';
import type { AssetEvent } from './events.ts';
import type { AssetState } from './state.ts';

export interface AssetContext {
  readonly now: Timestamp;
  readonly actor: Actor;
}

/** @returns AssetRegistered; `already-exists` for a known code, whatever scale and kind it is given with. */
export const decideAsset: (
  command: AssetCommand,
  state: AssetState,
  context: AssetContext,
) => readonly AssetEvent[] | Rejection = ({ code, scale, kind }, state) => {
  if (state.registered !== undefined)
    return reject('already-exists', 'the asset is registered already', { asset: code });
  return [{ type: 'AssetRegistered', data: { code, scale, kind } }];
};
