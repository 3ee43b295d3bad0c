import type { LedgerCommands } from '#command-handling';
import { freezeView, type AccountFrozen } from '#freezes';
import type { Accepted } from '../edge/command-edge.ts';
import { eventOfType } from '../edge/recorded.ts';
import { lookUpAssets } from '../edge/scales.ts';
import { assetsOfFreeze, shownFreeze, type Freeze } from './freeze.dto.ts';

/** The freeze that a command placed, from its recorded events alone. */
export async function placedFreeze(ledger: LedgerCommands, { events }: Accepted): Promise<{ readonly freeze: Freeze }> {
  const view = freezeView(eventOfType<AccountFrozen>(events, 'AccountFrozen'));
  return { freeze: shownFreeze(view, await lookUpAssets(ledger, assetsOfFreeze(view))) };
}
