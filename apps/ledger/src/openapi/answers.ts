import type { Type } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { as } from './schemas.ts';

export class EventReference {
  @ApiProperty(as('uuid'))
  id!: string;

  @ApiProperty(as('text'))
  type!: string;
}

/** What every command answers. */
export class CommandAnswer {
  @ApiProperty(as('revision'))
  streamRevision!: string;

  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty({ type: EventReference, isArray: true, description: 'What was recorded.' })
  events!: EventReference[];
}

/** The answer of commands about one sort of thing: `{streamRevision, position, events, <name>}`. */
export function answerOf(name: string, resource: Type): Type {
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}Answer`;
  @ApiSchema({ name: title })
  class Answer extends CommandAnswer {}
  ApiProperty({ type: resource })(Answer.prototype, name);
  return Answer;
}

/** Either of two, as the OpenAPI document says it. */
export function eitherOf(resource: Type, other: Type): { oneOf: { $ref: string }[] } {
  return { oneOf: [{ $ref: getSchemaPath(resource) }, { $ref: getSchemaPath(other) }] };
}

/** A page of a list. @param other what an item may be instead */
export function pageOf(name: string, resource: Type, other?: Type): Type {
  @ApiSchema({ name })
  @ApiExtraModels(resource, other ?? resource)
  class Page {
    @ApiProperty(
      other === undefined
        ? { type: resource, isArray: true }
        : { type: 'array', items: eitherOf(resource, other), required: true },
    )
    items!: object[];

    @ApiProperty(as('text', { nullable: true, description: 'The `cursor` of the next page; null at the end.' }))
    nextCursor!: string | null;
  }
  return Page;
}
