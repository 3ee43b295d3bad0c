import type { z } from 'zod';

/** A character that stands between quotes as it is: see `canonicalJson`. */
const PLAIN = '[ !#-\\[\\]-\\ud7ff\\ue000-\\uffff]';
/** Whole numbers that ECMAScript writes digit by digit. */
const WHOLE_NUMBER = '(?:0|-?[1-9][0-9]{0,14})';
const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9]*$/;
/**
 * Patterns that can stand in another one as they are, between `^` and `$`, and take no character that has to be escaped:
 * letters, digits, classes of these, groups and counts.
 */
const PLAIN_PATTERN =
  /^\^((?:[A-Za-z0-9-]|\\\/|\[(?:[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]|[A-Za-z0-9._:])+-?\]|\{[0-9]+(?:,[0-9]+)?\}|[()?|])+)\$$/;

/** What a text is known to be when it has the shape that a schema gives. */
export type Canonical =
  /** The canonical JSON of a value that the schema takes as it stands. */
  | 'valid'
  /** Canonical JSON; whether the schema takes its value has to be seen. */
  | 'unchecked';

interface Shape {
  readonly source: string;
  readonly says: Canonical;
}

const shapes = new WeakMap<z.ZodType, { readonly pattern: RegExp; readonly says: Canonical } | 'none'>();
const patterns = new WeakMap<z.core.$ZodType, string>();

/**
 * Says what is known of a text from its shape alone: one look at it tells the canonical JSON (RFC 8785) of what the schema
 * knows, its members in their order, none of them twice, and nothing between them. Undefined says nothing: a text with
 * escaped characters, say, can be canonical and valid too.
 */
export function canonicalShape(schema: z.ZodType, text: string): Canonical | undefined {
  let known = shapes.get(schema);
  if (known === undefined) {
    const shape = shapeOf(schema);
    known = shape === undefined ? 'none' : { pattern: new RegExp(`^${shape.source}$`), says: shape.says };
    shapes.set(schema, known);
  }
  return known !== 'none' && known.pattern.test(text) ? known.says : undefined;
}

/**
 * Tells a pattern whose every match a schema of a text takes, where its rule is code.
 * @param pattern of letters, digits, classes of these, groups and counts, between `^` and `$`
 */
export function withPattern<Schema extends z.ZodType>(schema: Schema, pattern: RegExp): Schema {
  const source = plainSource(pattern);
  if (source === undefined) throw new Error(`${String(pattern)} is not a plain pattern`);
  patterns.set(schema, source);
  return schema;
}

/** Undefined for a schema with anything in it that is not known here. */
function shapeOf(schema: z.core.$ZodType): Shape | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return textShape(schema, def);
    case 'enum':
    case 'literal':
      return valuesShape(schema, def);
    case 'number':
      return { source: WHOLE_NUMBER, says: 'unchecked' };
    case 'boolean':
      return withChecks({ source: '(?:true|false)', says: 'valid' }, def);
    case 'nullable':
      return withChecks(oneOf([shapeOf(def.innerType), { source: 'null', says: 'valid' }]), def);
    case 'array':
      return arrayShape(def);
    case 'object':
      return withChecks(objectShape(def), def);
    case 'union':
      return withChecks(oneOf(def.options.map(shapeOf)), def);
    default:
      return undefined;
  }
}

/** What the shape does not tell has to be checked. */
function withChecks(shape: Shape | undefined, { checks = [] }: z.core.$ZodTypeDef): Shape | undefined {
  return shape && checks.length > 0 ? { ...shape, says: 'unchecked' } : shape;
}

function textShape(schema: z.core.$ZodType, def: z.core.$ZodStringDef): Shape {
  const told = patterns.get(schema);
  if (told !== undefined) return { source: `"${told}"`, says: 'valid' };
  const pattern = def.coerce === true || 'format' in def ? undefined : patternOf(def.checks ?? []);
  return pattern === undefined
    ? { source: `"${PLAIN}*"`, says: 'unchecked' }
    : { source: `"${pattern}"`, says: 'valid' };
}

/** The pattern of a text with one pattern, or with bounds of its length; undefined for other rules. */
function patternOf(checks: readonly z.core.$ZodCheck[]): string | undefined {
  const bounds = boundsOf(checks);
  if (bounds !== undefined)
    return `${PLAIN}{${String(bounds.least)},${bounds.most === Infinity ? '' : String(bounds.most)}}`;
  const [only] = checks as readonly z.core.$ZodChecks[];
  const def = checks.length === 1 ? only?._zod.def : undefined;
  const isPattern = def?.check === 'string_format' && def.format === 'regex';
  return isPattern && def.pattern !== undefined ? plainSource(def.pattern) : undefined;
}

/** How long a text or an array may be; undefined when there are other rules. */
function boundsOf(checks: readonly z.core.$ZodCheck[]): { readonly least: number; readonly most: number } | undefined {
  let [least, most] = [0, Infinity];
  for (const { _zod } of checks as readonly z.core.$ZodChecks[]) {
    if (_zod.def.check === 'min_length') least = Math.max(least, _zod.def.minimum);
    else if (_zod.def.check === 'max_length') most = Math.min(most, _zod.def.maximum);
    else return undefined;
  }
  return { least, most };
}

function plainSource({ source, flags }: RegExp): string | undefined {
  const plain = flags === '' ? PLAIN_PATTERN.exec(source)?.[1] : undefined;
  return plain && `(?:${writtenOut(plain)})`;
}

/**
 * The same pattern for an engine that counts slowly and keeps what every group took: classes of a fixed count stand there
 * that many times, and groups keep nothing.
 */
function writtenOut(plain: string): string {
  const repeated = plain.replace(/(\[[^\]]+\])\{([0-9]+)\}/g, (_, one: string, count: string) =>
    one.repeat(Number(count)),
  );
  return repeated.replaceAll(/\((?!\?)/g, '(?:');
}

function valuesShape(schema: z.core.$ZodType, def: z.core.$ZodTypeDef): Shape | undefined {
  const values = Array.from(schema._zod.values ?? []);
  if (values.length === 0 || !values.every((value) => typeof value === 'string')) return undefined;
  const arePlain = values.every((value) => /^[A-Za-z0-9-]+$/.test(value));
  if (!arePlain) return { source: `"${PLAIN}*"`, says: 'unchecked' };
  return withChecks({ source: `"(?:${values.join('|')})"`, says: 'valid' }, def);
}

function oneOf(options: readonly (Shape | undefined)[]): Shape | undefined {
  const known = options.filter((option) => option !== undefined);
  if (known.length < options.length) return undefined;
  const isValid = known.every(({ says }) => says === 'valid');
  return { source: `(?:${known.map(({ source }) => source).join('|')})`, says: isValid ? 'valid' : 'unchecked' };
}

function arrayShape(def: z.core.$ZodArrayDef): Shape | undefined {
  const item = shapeOf(def.element);
  const bounds = boundsOf(def.checks ?? []);
  if (item === undefined) return undefined;
  const { least, most } = bounds ?? { least: 0, most: Infinity };
  const following = `{${String(Math.max(least - 1, 0))},${most === Infinity ? '' : String(Math.max(most - 1, 0))}}`;
  const items = `(?:${item.source}(?:,${item.source})${following})`;
  return {
    source: `\\[${items}${least === 0 ? '?' : ''}\\]`,
    says: bounds === undefined || most === 0 ? 'unchecked' : item.says,
  };
}

function objectShape({ shape, catchall }: z.core.$ZodObjectDef): Shape | undefined {
  if (catchall?._zod.def.type !== 'never') return undefined;
  let source = '';
  let says: Canonical = 'valid';
  for (const name of Object.keys(shape).sort()) {
    const schema = shape[name];
    const member = schema && PLAIN_NAME.test(name) ? memberShape(name, schema) : undefined;
    if (member === undefined) return undefined;
    source += member.source;
    if (member.says === 'unchecked') says = 'unchecked';
  }
  return { source: `\\{${source}\\}`, says };
}

/** After a member comes another, or the end of the object. */
function memberShape(name: string, schema: z.core.$ZodType): Shape | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const isOptional = def.type === 'optional';
  const value = isOptional ? withChecks(shapeOf(def.innerType), def) : shapeOf(schema);
  const source = `(?:"${name}":${value?.source ?? ''}(?:,(?=")|(?=\\})))${isOptional ? '?' : ''}`;
  return value && { source, says: value.says };
}
