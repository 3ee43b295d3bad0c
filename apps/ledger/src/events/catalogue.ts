import { currentVersion, type EventDefinition } from '#kernel';
import { registry } from '#replay';
import { z } from 'zod';
import { describeMovements } from './movements.ts';
import { describeVerification } from './verification.ts';

const INTRODUCTION = `# Events

Made from the registry of events by \`npm run catalogue\`: don't edit it.

Every event also has the envelope: \`id\` (UUIDv7), \`stream\`, \`revision\`, \`type\`, \`schemaVersion\` and \`metadata\`
(\`actor\`, \`correlationId\`, \`causationId\`, \`key\`, \`commandHash\`, \`recordedAt\`, \`previousHash\`, \`hash\`). Amounts are
strings of integer minor units. A field with \`?\` may be absent. Events never change; older versions are lifted when read.
`;

/** What a stream is named, by what it is about. */
const STREAM_NAMES: Readonly<Record<string, string>> = {
  asset: 'asset-<code>',
  party: 'party-<partyId>',
  account: 'account-<accountId>',
  legalOrder: 'legalOrder-<orderId>',
  sanctionsHit: 'sanctionsHit-<hitId>',
  authorityRequest: 'authorityRequest-<requestId>',
};

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** The catalogue of all events, as Markdown. */
export function describeEvents(): string {
  const streams = Object.entries(registry).map(
    ([kind, events]) => `## \`${STREAM_NAMES[kind] ?? kind}\`\n\n${[...events.values()].map(describeEvent).join('\n')}`,
  );
  return [INTRODUCTION, describeVerification(), describeMovements(), ...streams].join('\n');
}

function describeEvent(definition: EventDefinition): string {
  const { type, summary, schema, earlier = [] } = definition;
  const olderFirst = earlier.flatMap((version, index) => [
    `Version ${String(index + 1)}, as it may still stand in a log, is read as version ${String(index + 2)}:`,
    '',
    ...describeFields(version.schema),
  ]);
  const current = [`${summary} Version ${String(currentVersion(definition))}.`, '', ...describeFields(schema)];
  return [`### ${type}`, '', ...current, ...olderFirst].join('\n');
}

function describeFields(schema: z.ZodType): readonly string[] {
  const whole = z.toJSONSchema(schema, { unrepresentable: 'any' }) as JsonSchema;
  const alternatives = whole.oneOf ?? whole.anyOf ?? [whole];
  return alternatives.flatMap((each, index) => [...(index === 0 ? [] : ['or', '']), ...describeTable(each)]);
}

function describeTable({ properties = {}, required = [] }: JsonSchema): readonly string[] {
  const rows = Object.entries(properties).map(
    ([name, property]) => `| \`${name}${required.includes(name) ? '' : '?'}\` | ${cell(describeType(property))} |`,
  );
  return ['| field | type |', '| --- | --- |', ...rows, ''];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** One line for a type: short enough for a table, exact enough for whoever reads events. */
function describeType(schema: JsonSchema): string {
  const { anyOf, oneOf, type } = schema;
  const alternatives = anyOf ?? oneOf;
  if (alternatives !== undefined) return alternatives.map(describeType).join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (type === 'array') return `list${bounds(schema.minItems, schema.maxItems)} of ${describeType(schema.items ?? {})}`;
  if (type === 'object') return describeObject(schema);
  if (type === 'integer' || type === 'number') return `${type}${bounds(schema.minimum, schema.maximum)}`;
  if (type === 'string') return describeString(schema);
  return typeof type === 'string' ? type : 'any JSON';
}

function describeObject({ properties, required = [], propertyNames, additionalProperties }: JsonSchema): string {
  if (properties === undefined) {
    if (typeof additionalProperties !== 'object' || propertyNames?.pattern === undefined) return 'object of any fields';
    return `{ ${describeType(propertyNames)}: ${describeType(additionalProperties)} }`;
  }
  const fields = Object.entries(properties).map(
    ([name, property]) => `\`${name}${required.includes(name) ? '' : '?'}\`: ${describeType(property)}`,
  );
  return `{ ${fields.join('; ')} }`;
}

function describeString({ format, pattern, minLength, maxLength }: JsonSchema): string {
  if (format === 'date-time') return 'time (RFC 3339, UTC, milliseconds)';
  if (pattern !== undefined) return `string \`${pattern}\``;
  return `string${bounds(minLength, maxLength)}`;
}

function bounds(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === undefined && maximum === undefined) return '';
  return ` (${String(minimum ?? 0)} to ${maximum === undefined ? 'any' : String(maximum)})`;
}
