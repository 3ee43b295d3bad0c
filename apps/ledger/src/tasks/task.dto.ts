import { DOERS, TASK_KINDS, type Doer, type TaskKind } from '#projections';
import { ApiProperty } from '@nestjs/swagger';
import { ListQuery } from '../edge/query-edge.ts';
import { pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { Basis } from '../parties/party.dto.ts';
import { ChoiceField, IdField } from '../validation/fields.ts';

export class TasksQuery extends ListQuery {
  @IdField({ optional: true })
  accountId?: string;

  @IdField({ optional: true, description: 'Tasks about the party, or about an account that it holds.' })
  partyId?: string;

  @IdField({ optional: true })
  basisId?: string;

  @ChoiceField(TASK_KINDS, { optional: true })
  kind?: TaskKind;

  @ChoiceField(DOERS, { optional: true })
  waitsFor?: Doer;
}

export class Task {
  @ApiProperty(as('text', { description: 'The same for as long as it waits.' }))
  taskId!: string;

  @ApiProperty(as('text', { enum: TASK_KINDS }))
  kind!: string;

  @ApiProperty(as('text', { enum: DOERS, description: 'The supervisor does its own within seconds.' }))
  waitsFor!: string;

  @ApiProperty(as('id', { nullable: true }))
  accountId!: string | null;

  @ApiProperty(as('id', { nullable: true }))
  partyId!: string | null;

  @ApiProperty({ type: Basis, nullable: true, description: 'The order or hit that it is about, or that asks for it.' })
  basis!: Basis | null;

  @ApiProperty(as('uuid', { nullable: true }))
  freezeId!: string | null;

  @ApiProperty(as('id', { nullable: true, description: 'Null also where the order is withheld.' }))
  changeId!: string | null;

  @ApiProperty(as('id', { nullable: true }))
  clearanceId!: string | null;

  @ApiProperty(as('id', { nullable: true, description: 'Of a lift request, or of a letter.' }))
  requestId!: string | null;

  @ApiProperty(as('id', { nullable: true }))
  transferId!: string | null;

  @ApiProperty(as('time'))
  since!: string;

  @ApiProperty(as('position', { description: 'Of the event since which it waits.' }))
  position!: string;
}

export const TaskPage = pageOf('TaskPage', Task);
