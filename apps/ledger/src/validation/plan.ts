import { getMetadataStorage } from 'class-validator';
import type { FieldError } from '../http/problem.ts';
import { choiceRule } from './rules.ts';

/** A DTO class. */
export type Dto = abstract new (...args: never[]) => object;

/** What class-validator has no word for; the decorators of `fields.ts` note it here. */
interface FieldNotes {
  normalise?: (value: string) => string;
  /** Applied only where two commands are compared. */
  normaliseForComparison?: (value: string) => string;
  /** The class of a nested object, or of each member of a list; by `kind` where there are several. */
  nested?: () => Nested;
  list?: { readonly minLength: number; readonly maxLength: number };
  /** An object whose keys are of the caller's choosing, by rules for key and value. */
  map?: MapNote;
}

/** What the keys of an object have to be, and its members: plain values, or objects of the same sort. */
export interface MapNote {
  readonly key: Check;
  readonly value: Check | MapNote;
}

/** Says what is wrong with a value; undefined when it is right. */
type Check = (value: unknown) => string | undefined;

/** One class, or one for each `kind` of object. */
type Nested = Dto | { readonly kinds: Readonly<Record<string, Dto>> };

const notes = new Map<object, Map<string, FieldNotes>>();
const wholes = new Map<object, (value: never) => FieldError | undefined>();

export function noteField(prototype: object, property: string, note: FieldNotes): void {
  const fields = notes.get(prototype) ?? new Map<string, FieldNotes>();
  fields.set(property, { ...fields.get(property), ...note });
  notes.set(prototype, fields);
}

const kindsOf = new WeakMap<object, () => Exclude<Nested, Dto>>();

/** For the class that bodies have in common that are one class for each `kind`. */
export function BodyByKind(kinds: () => Readonly<Record<string, Dto>>): (dto: Dto) => void {
  return (dto) => {
    kindsOf.set(dto, () => ({ kinds: kinds() }));
  };
}

/**
 * A rule for fields that are right each for itself, and have to go together.
 * @param flaw finds the field that does not, by its path within the object
 */
export function Whole<Body>(
  flaw: (value: Body) => FieldError | undefined,
): (target: abstract new (...args: never[]) => Body) => void {
  return (target) => {
    wholes.set(target.prototype as object, flaw);
  };
}

interface Field extends FieldNotes {
  readonly name: string;
  readonly optional: boolean;
  readonly checks: readonly Check[];
}

/** Names of unknown fields are the sender's: they are repeated only up to this length, and this many. */
const MAX_NAME_LENGTH = 100;
const MAX_ERRORS = 50;

/**
 * The validator that class-validator's metadata of one DTO class comes to, worked out once. It is stricter than
 * class-validator itself: nothing is converted, an object is an object and no array, and a field that the class does not
 * have is an error, whatever its name.
 */
export class Plan {
  static readonly #plans = new WeakMap<Dto, Plan>();
  readonly #prototype: object;
  /** In the order of their names, which is the order of canonical JSON. */
  readonly #fields: readonly Field[];
  readonly #names: ReadonlySet<string>;
  readonly #whole: ((value: never) => FieldError | undefined) | undefined;

  static of(dto: Dto): Plan {
    let plan = Plan.#plans.get(dto);
    if (plan === undefined) {
      plan = new Plan(dto);
      Plan.#plans.set(dto, plan);
    }
    return plan;
  }

  /** Checks a whole value, by its `kind` where the class has several. @see read */
  static read(dto: Dto, value: unknown, errors: FieldError[]): object | undefined {
    const chosen = chooseDto(kindsOf.get(dto)?.() ?? dto, value, '', errors);
    return chosen === undefined ? undefined : Plan.of(chosen).read(value, '', errors);
  }

  private constructor(dto: Dto) {
    this.#prototype = dto.prototype as object;
    this.#fields = fieldsOf(dto);
    this.#names = new Set(this.#fields.map((field) => field.name));
    this.#whole = wholes.get(this.#prototype);
  }

  /**
   * Checks a value that came from JSON or from a URL.
   * @param path of the value, `''` for the whole; what is wrong is added to `errors` by dotted paths
   * @returns the value as an instance of the class (nested ones stay plain), times in their one form, all fields in the
   * order of canonical JSON
   */
  read(value: unknown, path: string, errors: FieldError[]): object | undefined {
    return this.#read(value, path, errors, Object.create(this.#prototype) as Record<string, unknown>);
  }

  readNested(value: unknown, path: string, errors: FieldError[]): object | undefined {
    return this.#read(value, path, errors, {});
  }

  #read(value: unknown, path: string, errors: FieldError[], result: Record<string, unknown>): object | undefined {
    if (!isPlainObject(value)) {
      addError(errors, path === '' ? 'body' : path, 'must be an object');
      return undefined;
    }
    const before = errors.length;
    this.#reportUnknown(value, path, errors);
    for (const field of this.#fields) {
      const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
      if (given === undefined) {
        if (!field.optional) addError(errors, joined(path, field.name), 'is missing');
      } else {
        result[field.name] = readField(field, given, joined(path, field.name), errors);
      }
    }
    const flaw = errors.length === before ? this.#whole?.(result as never) : undefined;
    if (flaw !== undefined) addError(errors, joined(path, flaw.field), flaw.message);
    return result;
  }

  /** The same content in the one form that all requests of the same meaning share. @param value as `read` gave it */
  comparable(value: object): object {
    const compared: Record<string, unknown> = {};
    for (const field of this.#fields) {
      const given = (value as Readonly<Record<string, unknown>>)[field.name];
      if (given !== undefined) compared[field.name] = comparableField(field, given);
    }
    return compared;
  }

  #reportUnknown(value: object, path: string, errors: FieldError[]): void {
    for (const name of Object.keys(value)) {
      if (!this.#names.has(name)) addError(errors, joined(path, shownName(name)), 'is not a field that there is');
    }
  }
}

function fieldsOf(dto: Dto): readonly Field[] {
  const storage = getMetadataStorage();
  const byName = Map.groupBy(
    storage.getTargetValidationMetadatas(dto, '', true, false),
    ({ propertyName }) => propertyName,
  );
  return [...byName]
    .map(([name, metadatas]): Field => {
      const checks = metadatas
        .filter(({ type }) => type === 'customValidation')
        .flatMap(({ constraintCls }) => storage.getTargetValidatorConstraints(constraintCls))
        .map(({ instance }) => checkOf(instance, name, dto.name));
      const optional = metadatas.some(({ type }) => type === 'conditionalValidation');
      return { ...notesOf(dto, name), name, optional, checks };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Constraint {
  validate(value: unknown, args: never): boolean | Promise<boolean>;
  defaultMessage?(args: never): string;
}

function checkOf(constraint: Constraint, property: string, targetName: string): (value: unknown) => string | undefined {
  return (value) => {
    const args = { value, property, targetName, constraints: [], object: {} } as never;
    if (constraint.validate(value, args) === true) return undefined;
    return constraint.defaultMessage?.(args) ?? 'is not as it must be';
  };
}

function notesOf(dto: Dto, name: string): FieldNotes {
  for (let prototype = dto.prototype as object | null; prototype !== null; prototype = parentOf(prototype)) {
    const note = notes.get(prototype)?.get(name);
    if (note !== undefined) return note;
  }
  return {};
}

function parentOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}

function readField(field: Field, given: unknown, path: string, errors: FieldError[]): unknown {
  for (const check of field.checks) {
    const message = check(given);
    if (message !== undefined) {
      addError(errors, path, message);
      return undefined;
    }
  }
  if (field.map !== undefined) return readMap(field.map, given, path, errors);
  if (field.list !== undefined) return readList(field, field.list, given, path, errors);
  if (field.nested !== undefined) return readNested(field.nested(), given, path, errors);
  return field.normalise !== undefined && typeof given === 'string' ? field.normalise(given) : given;
}

function readNested(nested: Nested, given: unknown, path: string, errors: FieldError[]): object | undefined {
  const dto = chooseDto(nested, given, path, errors);
  return dto === undefined ? undefined : Plan.of(dto).readNested(given, path, errors);
}

/** The class that a value is to be read as: there is one, or its `kind` says which. */
function chooseDto(nested: Nested, given: unknown, path: string, errors: FieldError[]): Dto | undefined {
  if (typeof nested === 'function') return nested;
  if (!isPlainObject(given)) {
    addError(errors, path === '' ? 'body' : path, 'must be an object');
    return undefined;
  }
  const dto = dtoOfKind(nested, given);
  if (dto === undefined) addError(errors, joined(path, 'kind'), kindProblem(nested, given));
  return dto;
}

function kindProblem(nested: Exclude<Nested, Dto>, { kind }: Readonly<Record<string, unknown>>): string {
  if (kind === undefined) return 'is missing';
  return choiceRule(Object.keys(nested.kinds)).problem(kind) ?? 'is not known';
}

function dtoOfKind(nested: Exclude<Nested, Dto>, { kind }: Readonly<Record<string, unknown>>): Dto | undefined {
  return typeof kind === 'string' && Object.hasOwn(nested.kinds, kind) ? nested.kinds[kind] : undefined;
}

function readList(
  field: Field,
  { minLength, maxLength }: NonNullable<FieldNotes['list']>,
  given: unknown,
  path: string,
  errors: FieldError[],
): readonly unknown[] | undefined {
  if (!Array.isArray(given) || given.length < minLength || given.length > maxLength) {
    addError(errors, path, `must be a list of ${String(minLength)} to ${String(maxLength)}`);
    return undefined;
  }
  const nested = field.nested?.();
  const items: readonly unknown[] = given;
  if (nested === undefined) return items;
  return items.map((item, index) => readNested(nested, item, joined(path, String(index)), errors));
}

/** @returns the entries in the order of canonical JSON */
function readMap(
  { key, value }: MapNote,
  given: unknown,
  path: string,
  errors: FieldError[],
): Readonly<Record<string, unknown>> | undefined {
  if (!isPlainObject(given)) {
    addError(errors, path, 'must be an object');
    return undefined;
  }
  const entries = Object.entries(given).sort(([one], [other]) => (one < other ? -1 : 1));
  const read = entries.map(([name, member]): [string, unknown] => {
    const at = joined(path, shownName(name));
    if (typeof value !== 'function')
      return [name, readKey(key, name, at, errors) && readMap(value, member, at, errors)];
    const message = key(name) ?? value(member);
    if (message !== undefined) addError(errors, at, message);
    return [name, member];
  });
  return Object.fromEntries(read);
}

/** @returns whether the key is right */
function readKey(check: Check, name: string, path: string, errors: FieldError[]): boolean {
  const message = check(name);
  if (message !== undefined) addError(errors, path, message);
  return message === undefined;
}

function comparableField(field: Field, value: unknown): unknown {
  const { map, normaliseForComparison } = field;
  if (map !== undefined && normaliseForComparison !== undefined && isPlainObject(value)) {
    return comparableMap(value, normaliseForComparison);
  }
  if (field.normaliseForComparison !== undefined && typeof value === 'string')
    return field.normaliseForComparison(value);
  const nested = field.nested?.();
  if (nested === undefined) return value;
  return Array.isArray(value) ? value.map((item) => comparableNested(nested, item)) : comparableNested(nested, value);
}

function comparableMap(value: object, normalise: (value: string) => string): object {
  const entries = Object.entries(value as Readonly<Record<string, string | object>>);
  const compared = entries.map(([name, member]) => [
    name,
    typeof member === 'string' ? normalise(member) : comparableMap(member, normalise),
  ]);
  return Object.fromEntries(compared) as object;
}

function comparableNested(nested: Nested, value: unknown): unknown {
  if (!isPlainObject(value)) return value;
  const dto = typeof nested === 'function' ? nested : dtoOfKind(nested, value);
  return dto === undefined ? value : Plan.of(dto).comparable(value);
}

function addError(errors: FieldError[], field: string, message: string): void {
  if (errors.length < MAX_ERRORS) errors.push({ field, message });
}

function shownName(name: string): string {
  return name === '' ? '""' : name.slice(0, MAX_NAME_LENGTH).toWellFormed();
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
