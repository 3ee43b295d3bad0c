import type { ApiPropertyOptions } from '@nestjs/swagger';

type Schema = Readonly<Record<string, unknown>>;

/** How the values of answers stand in the OpenAPI document. */
const SCHEMAS = {
  text: { type: 'string' },
  id: { type: 'string', example: 'acc-1' },
  uuid: { type: 'string', format: 'uuid' },
  assetCode: { type: 'string', example: 'BTC' },
  amount: { type: 'string', example: '0.50000000', description: 'A decimal with the full scale of its asset.' },
  signedAmount: { type: 'string', example: '-0.50000000', description: 'A decimal, with a sign where it is negative.' },
  amounts: { type: 'object', additionalProperties: { type: 'string' }, example: { BTC: '1.50000000' } },
  time: { type: 'string', format: 'date-time' },
  revision: { type: 'string', example: '7', description: 'Counts from 0 in its stream.' },
  position: { type: 'string', description: 'A place in the log: opaque, but for equality.' },
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  anything: { type: 'object', additionalProperties: true },
  /** What was put into the log by other means may be of any kind. */
  stored: {
    oneOf: [
      { type: 'object', additionalProperties: true },
      { type: 'string' },
      { type: 'array', items: {} },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'null' },
    ],
  },
} as const satisfies Readonly<Record<string, Schema>>;

interface Said {
  readonly description?: string;
  readonly optional?: boolean;
  readonly nullable?: boolean;
  readonly enum?: readonly string[];
  readonly list?: boolean;
}

/** How a value of an answer is described. @returns options for `@ApiProperty` */
export function as(
  name: keyof typeof SCHEMAS,
  { optional = false, list = false, ...said }: Said = {},
): ApiPropertyOptions {
  const schema = { ...SCHEMAS[name], ...said };
  const { description, ...item } = schema as Schema;
  const listed = list ? { type: 'array', items: item, ...(description === undefined ? {} : { description }) } : schema;
  return { ...listed, required: !optional } as ApiPropertyOptions;
}
