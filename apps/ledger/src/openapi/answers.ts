import type { Type } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
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

/** A page of a list. */
export function pageOf(name: string, resource: Type): Type {
  @ApiSchema({ name })
  class Page {
    @ApiProperty({ type: resource, isArray: true })
    items!: object[];

    @ApiProperty(as('text', { nullable: true, description: 'The `cursor` of the next page; null at the end.' }))
    nextCursor!: string | null;
  }
  return Page;
}
