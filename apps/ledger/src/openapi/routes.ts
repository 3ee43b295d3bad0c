import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiSecurity,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Role } from '../auth/roles.ts';
import { problemKind, type ProblemCode } from '../http/problem.ts';
import { eitherOf } from './answers.ts';
import { ProblemAnswer } from './problem-answer.ts';

interface RouteOptions {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Any of these. */
  readonly roles: readonly Role[];
  readonly answer: Type;
  /** What this route can answer beside what all of its sort can. */
  readonly problems?: readonly ProblemCode[];
}

const ANY_ROUTE: readonly ProblemCode[] = [
  'malformed-request',
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'internal-error',
  'overloaded',
  'shutting-down',
];
const ANY_COMMAND: readonly ProblemCode[] = [
  ...ANY_ROUTE,
  'idempotency-key-missing',
  'revision-conflict',
  'revision-mismatch',
  'payload-too-large',
  'unsupported-media-type',
  'idempotency-key-reused',
  'store-unavailable',
  'clock-unreliable',
];
/** Whether an order is under non-disclosure the store knows: any query may have to ask it. */
const ANY_QUERY: readonly ProblemCode[] = [...ANY_ROUTE, 'read-model-behind', 'store-unavailable'];

const CORRELATION_ID = {
  'X-Correlation-Id': { description: 'The one of the request, or a new one.', schema: { type: 'string' } },
} as const;
const ETAG = { ETag: { description: 'Revision of the stream, quoted.', schema: { type: 'string' } } } as const;

/**
 * A POST under /v1. `created` marks those with which a new id comes to be: they answer 201. `tagged` is false for those
 * that are about several things, and have no ETag.
 */
export function CommandRoute({
  created = false,
  tagged = true,
  ...options
}: RouteOptions & { readonly created?: boolean; readonly tagged?: boolean }): MethodDecorator {
  const status = created ? 201 : 200;
  return applyDecorators(
    RouteConfig({ roles: options.roles, created }),
    HttpCode(status),
    Operation(options),
    ApiHeader({
      name: 'Idempotency-Key',
      required: true,
      description: 'Names the command for good: sent again with the same key it answers as it did, and happens once.',
      schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
    }),
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The revision that the stream must be at, as an ETag gave it.',
      schema: { type: 'string' },
    }),
    ApiResponse({
      status,
      description: 'Done, and on disk.',
      type: options.answer,
      headers: {
        ...CORRELATION_ID,
        ...(tagged ? ETAG : {}),
        'Idempotent-Replayed': {
          description: '`true` where this repeats an earlier answer.',
          schema: { type: 'string' },
        },
      },
    }),
    ...problemResponses([...ANY_COMMAND, ...(options.problems ?? [])]),
  );
}

/** Lines of JSON, each of them one item. */
export const NDJSON = 'application/x-ndjson';

/**
 * A GET under /v1. `tagged` marks those of one thing, which have an ETag; `orElse` is what may come instead of it; `lines`
 * is an item of the same as lines, for those that can be had so.
 */
export function QueryRoute({
  tagged = false,
  orElse,
  lines,
  ...options
}: RouteOptions & { readonly tagged?: boolean; readonly orElse?: Type; readonly lines?: Type }): MethodDecorator {
  const { answer } = options;
  const schema = orElse === undefined ? { $ref: getSchemaPath(answer) } : eitherOf(answer, orElse);
  return applyDecorators(
    RouteConfig({ roles: options.roles }),
    Operation(options),
    ApiExtraModels(answer, orElse ?? answer, lines ?? answer),
    ApiResponse({
      status: 200,
      description: 'Found.',
      content: {
        'application/json': { schema },
        ...(lines === undefined ? {} : { [NDJSON]: { schema: { $ref: getSchemaPath(lines) } } }),
      },
      headers: { ...CORRELATION_ID, ...(tagged ? ETAG : {}) },
    }),
    ...problemResponses([...ANY_QUERY, ...(options.problems ?? [])]),
  );
}

function Operation({ operationId, summary, description, roles }: RouteOptions): MethodDecorator {
  const whoMay = `Role: ${roles.map((role) => `\`${role}\``).join(' or ')}.`;
  return applyDecorators(
    ApiOperation({
      operationId,
      summary,
      description: description === undefined ? whoMay : `${description}\n\n${whoMay}`,
    }),
    ApiBearerAuth(),
    ApiHeader({
      name: 'X-Correlation-Id',
      required: false,
      description: 'Taken over into logs, events and the answer.',
      schema: { type: 'string', maxLength: 128 },
    }),
  );
}

/** Problems that share a status share a response. */
export function problemResponses(codes: readonly ProblemCode[]): readonly MethodDecorator[] {
  const byStatus = Map.groupBy(new Set(codes), (code) => problemKind(code).status);
  const responses = [...byStatus].map(([status, ofStatus]) =>
    ApiResponse({
      status,
      description: ofStatus.map((code) => `\`${code}\``).join(', '),
      headers: { ...CORRELATION_ID, ...headersOf(ofStatus) },
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemAnswer) } } },
    }),
  );
  return [ApiExtraModels(ProblemAnswer), ...responses];
}

function headersOf(codes: readonly ProblemCode[]): Record<string, { description: string; schema: { type: 'string' } }> {
  const schema = { type: 'string' } as const;
  if (codes.includes('unauthenticated')) return { 'WWW-Authenticate': { description: '`Bearer`.', schema } };
  if (codes.every((code) => problemKind(code).retryAfterS === undefined)) return {};
  return { 'Retry-After': { description: 'Seconds.', schema } };
}

/** For routes that need no token. */
export function OpenRoute({ operationId, summary }: { operationId: string; summary: string }): MethodDecorator {
  return applyDecorators(ApiOperation({ operationId, summary, security: [] }), ApiSecurity({}));
}
