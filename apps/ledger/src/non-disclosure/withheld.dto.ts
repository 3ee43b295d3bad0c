import { ApiProperty } from '@nestjs/swagger';
import { as } from '../openapi/schemas.ts';

/** An order under non-disclosure, a change of it included, as it is shown to those who must not be told. */
export class WithheldOrder {
  @ApiProperty(as('text', { enum: ['legal-order'], description: 'The order is under non-disclosure.' }))
  kind!: 'legal-order';
}

export const WITHHELD_ORDER: WithheldOrder = { kind: 'legal-order' };
