import type { Answer } from './http.ts';
import { valueAt } from './json.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly responses: Readonly<Record<string, Schema>>;
}

/** Holds answers against the service's OpenAPI document, and remembers which routes answered well. */
export class Contract {
  readonly #document: unknown;
  readonly #operations: readonly Operation[];
  readonly #answered = new Set<string>();

  constructor(document: unknown) {
    this.#document = document;
    this.#operations = operationsOf(document);
  }

  /** Every route of the document, as `GET /v1/accounts/{accountId}`. */
  get routes(): readonly string[] {
    return this.#operations.map(({ method, template }) => `${method} ${template}`);
  }

  /** Those of them that gave an answer below 300. */
  get answered(): ReadonlySet<string> {
    return this.#answered;
  }

  /** @returns a sentence for everything that the document does not say of such an answer; a path of no route has none */
  objections(method: string, path: string, answer: Answer): readonly string[] {
    const [plain = ''] = path.split('?');
    const operation = this.#operations.find((each) => each.method === method && each.pattern.test(plain));
    if (operation === undefined) return [];
    if (answer.status < 300) this.#answered.add(`${method} ${operation.template}`);
    const response = operation.responses[String(answer.status)];
    if (response === undefined) return [`${String(answer.status)} is not among its answers`];
    if (answer.body === undefined) return [];
    return [...this.#aboutCode(response, answer), ...this.#aboutBody(response, answer)];
  }

  #aboutCode({ description }: Schema, { status, body }: Answer): readonly string[] {
    const code = String(valueAt(body, 'code'));
    return status < 400 || String(description).includes(`\`${code}\``) ? [] : [`${code} is not among its problems`];
  }

  #aboutBody({ content }: Schema, { headers, body }: Answer): readonly string[] {
    const type = (headers['content-type'] ?? '').replace(/;.*$/s, '');
    const schema = (content as Readonly<Record<string, { schema?: Schema }>> | undefined)?.[type]?.schema;
    return schema === undefined ? [`it says nothing of ${type}`] : this.#differences(schema, body, 'body');
  }

  #differences(schema: Schema, value: unknown, path: string): readonly string[] {
    const { $ref: reference, oneOf, anyOf } = schema;
    if (typeof reference === 'string') return this.#differences(this.#resolve(reference), value, path);
    const choices = (oneOf ?? anyOf) as readonly Schema[] | undefined;
    if (choices !== undefined) {
      const each = choices.map((choice) => this.#differences(choice, value, path));
      return each.some((differences) => differences.length === 0) ? [] : each.flat();
    }
    return [
      ...ofPlainValue(schema, value, path),
      ...this.#ofMembers(schema, value, path),
      ...this.#ofItems(schema, value, path),
    ];
  }

  #ofMembers(
    { properties, required = [], additionalProperties }: Schema,
    value: unknown,
    path: string,
  ): readonly string[] {
    if (properties === undefined || !isObject(value)) return [];
    const known = properties as Readonly<Record<string, Schema>>;
    const missing = (required as readonly string[]).filter((name) => !Object.hasOwn(value, name));
    const unknown = Object.keys(value).filter(
      (name) => !Object.hasOwn(known, name) && additionalProperties === undefined,
    );
    // A problem may have members that its code brings.
    const surplus = path === 'body' && Object.hasOwn(known, 'correlationId') ? [] : unknown;
    return [
      ...missing.map((name) => `${path}.${name} is missing`),
      ...surplus.map((name) => `${path}.${name} is not in the document`),
      ...Object.entries(value).flatMap(([name, member]) =>
        this.#differences(known[name] ?? {}, member, `${path}.${name}`),
      ),
    ];
  }

  #ofItems({ items }: Schema, value: unknown, path: string): readonly string[] {
    if (items === undefined || !Array.isArray(value)) return [];
    return value.flatMap((item, index) => this.#differences(items as Schema, item, `${path}.${String(index)}`));
  }

  #resolve(reference: string): Schema {
    const schema = valueAt(this.#document, reference.replace(/^#\//, '').replaceAll('/', '.'));
    if (isObject(schema)) return schema;
    throw new Error(`the document has no ${reference}`);
  }
}

function operationsOf(document: unknown): readonly Operation[] {
  const paths = valueAt(document, 'paths') as Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  return Object.entries(paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      template,
      pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
      responses: operation['responses'] as Readonly<Record<string, Schema>>,
    })),
  );
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
};

function ofPlainValue(schema: Schema, value: unknown, path: string): readonly string[] {
  const { type, enum: allowed, const: only, pattern, format } = schema;
  const shown = `${path} is ${JSON.stringify(value)}`;
  const objections: string[] = [];
  if (type !== undefined && !typesOf(value).some((each) => [type].flat().includes(each)))
    objections.push(`${shown}, not of type ${JSON.stringify(type)}`);
  if (Array.isArray(allowed) && !allowed.includes(value)) objections.push(`${shown}, not one of ${allowed.join(', ')}`);
  if (only !== undefined && value !== only) objections.push(`${shown}, not ${JSON.stringify(only)}`);
  if (typeof value !== 'string') return objections;
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) objections.push(`${shown}, not as ${pattern}`);
  if (typeof format === 'string' && FORMATS[format]?.test(value) === false)
    objections.push(`${shown}, not a ${format}`);
  return objections;
}

/** The names that JSON Schema has for the type of a value: a whole number is a number too. */
function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  return Number.isInteger(value) ? ['integer', 'number'] : [typeof value];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
