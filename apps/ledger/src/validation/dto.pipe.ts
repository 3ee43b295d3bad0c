import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { malformedRequest, ProblemError, type FieldError } from '../http/problem.ts';
import { MalformedBody } from '../http/json-body.ts';
import { Plan, type Dto } from './plan.ts';

/**
 * Checks bodies, path parameters and query parameters against the DTO class that a handler declares for them. Bodies are
 * JSON and stay as they are; parameters are text, and become what class-transformer's decorators on the class say.
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || type === 'custom') return value;
    return type === 'body' ? readBody(metatype, value) : readParameters(metatype, value);
  }
}

/** @throws ProblemError `malformed-request` with everything that is wrong */
export function readBody(dto: Dto, body: unknown): object {
  if (body instanceof MalformedBody) throw malformed([{ field: 'body', message: body.message }]);
  return read(dto, body ?? undefined);
}

/** @throws ProblemError likewise */
export function readParameters(dto: Dto, parameters: unknown): object {
  return plainToInstance(dto as new () => object, { ...read(dto, parameters) });
}

function read(dto: Dto, value: unknown): object {
  const errors: FieldError[] = [];
  const result = Plan.of(dto).read(value, '', errors);
  if (result === undefined || errors.length > 0) throw malformed(errors);
  return result;
}

function malformed(errors: readonly FieldError[]): ProblemError {
  return new ProblemError(malformedRequest(errors));
}
