import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { PROBLEM_KINDS } from '../http/problem.ts';
import { as } from './schemas.ts';

export class FieldProblem {
  @ApiProperty(as('text', { description: 'Path of the field, with dots.' }))
  field!: string;

  @ApiProperty(as('text', { description: 'The rule that it breaks.' }))
  message!: string;
}

/** RFC 9457. Codes may come with members of their own. */
@ApiSchema({ name: 'Problem' })
export class ProblemAnswer {
  @ApiProperty(as('text', { description: '`urn:writ:problem:` and the code.' }))
  type!: string;

  @ApiProperty(as('text'))
  title!: string;

  @ApiProperty(as('integer'))
  status!: number;

  @ApiProperty(as('text', { enum: [...PROBLEM_KINDS.keys()].sort() }))
  code!: string;

  @ApiProperty(as('text', { description: 'A sentence about this very case.' }))
  detail!: string;

  @ApiProperty(as('text', { description: 'Path of the request.' }))
  instance!: string;

  @ApiProperty(as('text'))
  correlationId!: string;

  @ApiProperty({ type: FieldProblem, isArray: true, required: false, description: 'Of `malformed-request`.' })
  errors?: FieldProblem[];

  @ApiProperty(
    as('uuid', { list: true, optional: true, description: 'Of `account-frozen`: the freezes that cover the debit.' }),
  )
  freezeIds?: string[];

  @ApiProperty(as('text', { optional: true, description: 'Of `invalid-transition`: the state it is in.' }))
  state?: string;

  @ApiProperty(as('uuid', { optional: true, description: 'Of `already-exists`, for a second freeze under one basis.' }))
  freezeId?: string;
}
