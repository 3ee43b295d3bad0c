import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answer } from '../../e2e/support/http.ts';
import { valueAt } from '../../e2e/support/json.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** A parameter of a route, as the document describes it. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

/** A route, as the document describes it. */
export interface Operation {
  readonly method: 'GET' | 'POST';
  readonly template: string;
  /** Those who may use it; none where it needs no token. */
  readonly roles: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly pattern: RegExp;
  readonly responses: Readonly<Record<string, Schema>>;
}

/** What of an answer is held against the document. */
export type Answered = Pick<Answer, 'status' | 'headers' | 'text' | 'body'>;

const PROBLEM = '#/components/schemas/Problem';
/** What a request may come to that no route of the document was meant by. */
const WITHOUT_ROUTE = [400, 401, 403, 404, 413, 415];
/** Of these the document names members, and codes bring more. */
const OPEN_SCHEMAS = ['Problem', 'FreezeNotPlaced'];

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i,
  date: /^\d{4}-\d\d-\d\d$/,
};

/**
 * The OpenAPI document, with a validator of JSON Schema 2020-12. An object has the members that the document names, and no
 * others: a field that slips out is as wrong as one that is missing.
 */
export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #document: Schema;
  readonly #ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, inlineRefs: false });
  readonly #validators = new Map<string, ValidateFunction>();

  /** @throws Error when a schema of the document is none */
  constructor(document: Schema) {
    this.#document = closed(document) as Schema;
    this.operations = operationsOf(document);
    this.#ajv.addVocabulary(['example', 'openapi', 'paths', 'info', 'tags', 'servers', 'components']);
    for (const [name, format] of Object.entries(FORMATS)) this.#ajv.addFormat(name, format);
    this.#ajv.addSchema(this.#document, 'api');
  }

  /** The schema that a reference of the document points to. */
  resolve(reference: string): Schema {
    const schema = valueAt(this.#document, reference.replace(/^#\//, '').replaceAll('/', '.'));
    if (typeof schema === 'object' && schema !== null) return schema as Schema;
    throw new Error(`the document has no ${reference}`);
  }

  /** The route that a request is for: of two that fit, the one that says more of the path. */
  operationOf(method: string, path: string): Operation | undefined {
    const [plain = ''] = path.replace(/^https?:\/\/[^/]+/, '').split(/[?#]/);
    const asked = method === 'HEAD' ? 'GET' : method;
    const fitting = this.operations.filter((each) => each.method === asked && each.pattern.test(plain));
    return fitting.sort((one, other) => one.template.split('{').length - other.template.split('{').length)[0];
  }

  /** @returns a sentence for each thing that the document does not say of such an answer */
  objections(operation: Operation | undefined, method: string, answer: Answered): readonly string[] {
    const { status, headers } = answer;
    const withoutIts = (['x-correlation-id'] as const).filter((name) => headers[name] === undefined);
    const missing = withoutIts.map((name) => `it has no ${name}`);
    if (status === 429 || status === 503) {
      if (!/^[1-9][0-9]*$/.test(headers['retry-after'] ?? '')) missing.push('it has no Retry-After');
    }
    if (operation === undefined) {
      const unexpected = WITHOUT_ROUTE.includes(status) ? [] : [`${String(status)} for a path of no route`];
      return [...missing, ...unexpected, ...(method === 'HEAD' ? [] : this.#flaws(PROBLEM, answer.body))];
    }
    const response = operation.responses[String(status)];
    if (response === undefined) return [...missing, `${String(status)} is not among its answers`];
    if (method === 'HEAD') return missing;
    return [...missing, ...this.#aboutCode(response, answer), ...this.#aboutBody(operation, answer)];
  }

  /** True when a body is what the document says that the route takes. */
  takes(operation: Operation, body: unknown): boolean {
    if (operation.body === undefined) return true;
    return this.#flaws(pointerOf(operation, 'requestBody', 'content', 'application/json', 'schema'), body).length === 0;
  }

  #aboutCode({ description }: Schema, { status, body }: Answered): readonly string[] {
    const code = String(valueAt(body, 'code'));
    return status < 400 || String(description).includes(`\`${code}\``) ? [] : [`${code} is not among its problems`];
  }

  #aboutBody(operation: Operation, { status, headers, text, body }: Answered): readonly string[] {
    const type = (headers['content-type'] ?? '').replace(/;.*$/s, '');
    const content = (operation.responses[String(status)]?.['content'] ?? {}) as Readonly<Record<string, Schema>>;
    if (content[type]?.['schema'] === undefined) return [`the document says nothing of ${type}`];
    const pointer = pointerOf(operation, 'responses', String(status), 'content', type, 'schema');
    if (type !== 'application/x-ndjson') return this.#flaws(pointer, type.endsWith('json') ? body : text);
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.flatMap((line) => this.#flaws(pointer, JSON.parse(line) as unknown));
  }

  #flaws(pointer: string, value: unknown): readonly string[] {
    let validate = this.#validators.get(pointer);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `api${pointer}` });
      this.#validators.set(pointer, validate);
    }
    return validate(value) ? [] : (validate.errors ?? []).map(worded);
  }
}

function worded({ instancePath, message = 'is wrong', params }: ErrorObject): string {
  return `${instancePath === '' ? 'the body' : instancePath} ${message} ${JSON.stringify(params)}`;
}

function pointerOf({ template, method }: Operation, ...names: readonly string[]): string {
  const escaped = ['paths', template, method.toLowerCase(), ...names].map((name) =>
    encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  return `#/${escaped.join('/')}`;
}

/** A copy in which objects have no members but those that are named. */
function closed(within: unknown, name = ''): unknown {
  if (Array.isArray(within)) return within.map((item) => closed(item));
  if (typeof within !== 'object' || within === null) return within;
  const copy = Object.fromEntries(
    Object.entries(within).map(([key, member]: [string, unknown]) => [key, closed(member, key)]),
  );
  const isObject = copy['type'] === 'object' && typeof copy['properties'] === 'object';
  if (isObject && copy['additionalProperties'] === undefined && !OPEN_SCHEMAS.includes(name)) {
    return { ...copy, additionalProperties: false };
  }
  return copy;
}

function operationsOf(document: Schema): readonly Operation[] {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  return Object.entries(paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, operation]): Operation => ({
      method: method === 'get' ? 'GET' : 'POST',
      template,
      roles: rolesOf(String(operation['description'])),
      parameters: operation['parameters'] as readonly Parameter[],
      body: valueAt(operation['requestBody'], 'content.application/json.schema') as Schema | undefined,
      pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
      responses: operation['responses'] as Readonly<Record<string, Schema>>,
    })),
  );
}

function rolesOf(description: string): readonly string[] {
  const [, roles = ''] = /Role: (.+)\./.exec(description) ?? [];
  return [...roles.matchAll(/`(\w+)`/g)].map(([, role = '']) => role);
}
