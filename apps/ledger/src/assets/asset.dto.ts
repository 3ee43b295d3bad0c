import { ASSET_KINDS } from '#assets';
import { ApiProperty } from '@nestjs/swagger';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { AssetCodeField, ChoiceField, IntegerField } from '../validation/fields.ts';

export class RegisterAssetBody {
  @AssetCodeField()
  code!: string;

  @IntegerField(0, 18, { description: 'Decimals of one unit, for good.', example: 8 })
  scale!: number;

  @ChoiceField(ASSET_KINDS)
  kind!: (typeof ASSET_KINDS)[number];
}

export class AssetPath {
  @AssetCodeField()
  code!: string;
}

export class Asset {
  @ApiProperty(as('assetCode'))
  code!: string;

  @ApiProperty(as('integer'))
  scale!: number;

  @ApiProperty(as('text', { enum: ASSET_KINDS }))
  kind!: string;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const AssetAnswer = answerOf('asset', Asset);
export const AssetPage = pageOf('AssetPage', Asset);
