import type { TrialBalanceView } from '#accounts';
import { ApiProperty } from '@nestjs/swagger';
import { shownAmount, type AssetLookup } from '../edge/scales.ts';
import { as } from '../openapi/schemas.ts';

export class TrialBalanceOfAsset {
  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('signedAmount', { description: 'Of chains and banks: what came in counts below zero.' }))
  external!: string;

  @ApiProperty(as('signedAmount'))
  available!: string;

  @ApiProperty(as('signedAmount'))
  reserved!: string;

  @ApiProperty(as('signedAmount'))
  held!: string;

  @ApiProperty(as('signedAmount', { description: 'Sent by one account, and not received by another yet.' }))
  transit!: string;

  @ApiProperty(as('signedAmount', { description: 'Zero when the books are right.' }))
  sum!: string;
}

export class TrialBalance {
  @ApiProperty({ type: TrialBalanceOfAsset, isArray: true, description: 'One for each asset, by code.' })
  items!: TrialBalanceOfAsset[];
}

export function shownTrialBalance({ asset, ...parts }: TrialBalanceView, assets: AssetLookup): TrialBalanceOfAsset {
  const shown = (units: string): string => shownAmount(units, asset, assets);
  return {
    asset,
    external: shown(parts.external),
    available: shown(parts.available),
    reserved: shown(parts.reserved),
    held: shown(parts.held),
    transit: shown(parts.transit),
    sum: shown(parts.sum),
  };
}
