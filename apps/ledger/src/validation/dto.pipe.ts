import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { malformedRequest, ProblemError, type FieldError } from '../http/problem.ts';
import { UnreadableBody } from '../http/json-body.ts';
import { Plan, type Dto } from './plan.ts';

/**
 * Checks bodies, path parameters and query parameters against the DTO class that a handler declares for them. Bodies and
 * paths stay as they are; what a query means (a number, a yes) class-transformer's decorators on the class say.
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || type === 'custom') return value;
    if (type === 'body') return readBody(metatype, value);
    return type === 'query' ? readQuery(metatype, value) : read(metatype, value);
  }
}

/** @throws ProblemError `malformed-request` with everything that is wrong */
export function readBody(dto: Dto, body: unknown): object {
  if (body instanceof UnreadableBody) throw new ProblemError(body.problem);
  return read(dto, body ?? undefined);
}

/** @throws ProblemError likewise */
export function readQuery(dto: Dto, query: unknown): object {
  return plainToInstance(dto as new () => object, { ...read(dto, query) });
}

function read(dto: Dto, value: unknown): object {
  const errors: FieldError[] = [];
  const result = Plan.read(dto, value, errors);
  if (result === undefined || errors.length > 0) throw malformed(errors);
  return result;
}

function malformed(errors: readonly FieldError[]): ProblemError {
  return new ProblemError(malformedRequest(errors));
}
