import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ScopeBody } from '../legal-orders/legal-order.dto.ts';
import { CommandAnswer } from '../openapi/answers.ts';
import { ProblemAnswer } from '../openapi/problem-answer.ts';
import { as } from '../openapi/schemas.ts';
import { AmountsByIdField, NestedField } from '../validation/fields.ts';
import { Freeze } from './freeze.dto.ts';

export class FreezeAllBody {
  @NestedField(() => ScopeBody, { optional: true, description: "The basis's own, if absent." })
  scope?: ScopeBody;

  @AmountsByIdField({
    optional: true,
    description:
      'By account: how much of each asset that the basis limits has to stay in it. Needed where the basis has limits and names several accounts; each of them has a share of each limit.',
  })
  shares?: Record<string, Record<string, string>>;
}

/** The answer of the freeze of one account. */
export class FreezePlaced extends CommandAnswer {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('integer', { description: '201' }))
  status!: number;

  @ApiProperty({ type: Freeze })
  freeze!: Freeze;
}

/** The problem of the freeze of one account. */
export class FreezeNotPlaced extends ProblemAnswer {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('integer', { optional: true, description: 'Of `rate-limited`.' }))
  retryAfterSeconds?: number;
}

@ApiExtraModels(FreezePlaced, FreezeNotPlaced)
export class FreezesOfBasisAnswer {
  @ApiProperty({
    type: 'array',
    description: 'One for each account, in the order of their ids.',
    items: { oneOf: [{ $ref: getSchemaPath(FreezePlaced) }, { $ref: getSchemaPath(FreezeNotPlaced) }] },
  })
  outcomes!: readonly object[];
}
