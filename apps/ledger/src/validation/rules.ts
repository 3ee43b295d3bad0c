import {
  ASSET_CODE_PATTERN,
  ID_PATTERN,
  isDecimal,
  isPosition,
  parseTimestamp,
  SHA256_PATTERN,
  UUID_PATTERN,
} from '#kernel';

/** A rule for one value of a request: says what is wrong with it, and how it stands in the OpenAPI document. */
export interface Rule {
  /** @returns what the value must be, worded to follow the field's name; undefined when the value is right */
  readonly problem: (value: unknown) => string | undefined;
  readonly schema: Readonly<Record<string, unknown>>;
  /** The one form that values of the same meaning have. Only called for values that are right. */
  readonly normalise?: (value: string) => string;
}

function patternRule(pattern: RegExp, message: string, schema: Readonly<Record<string, unknown>> = {}): Rule {
  return {
    problem: (value) => (typeof value === 'string' && pattern.test(value) ? undefined : message),
    schema: { type: 'string', pattern: pattern.source, ...schema },
  };
}

export const idRule = patternRule(
  ID_PATTERN,
  'must be a string of 1 to 64 of A-Z a-z 0-9 . _ : -, the first a letter or digit',
);
export const assetCodeRule = patternRule(ASSET_CODE_PATTERN, 'must be a string of 2 to 16 of A-Z 0-9', {
  example: 'BTC',
});
export const sha256Rule = patternRule(SHA256_PATTERN, 'must be a SHA-256: a string of 64 of 0-9 a-f');
export const uuidRule = patternRule(UUID_PATTERN, 'must be a UUID in lower case', { format: 'uuid' });

/** No amount of at most 38 digits and 18 decimals is written longer than this. */
const MAX_AMOUNT_LENGTH = 64;
const ZERO = /^0(\.0+)?$/;

/** A plain decimal. How many decimals and digits it may have depends on its asset: that is checked where that is known. */
export const amountRule: Rule = {
  problem: (value) => {
    if (typeof value !== 'string') return 'must be a string such as "12.5", not a number';
    if (value.length > MAX_AMOUNT_LENGTH) return 'must have at most 38 digits of minor units';
    if (!isDecimal(value)) return 'must be a plain decimal number such as "12.5"';
    return ZERO.test(value) ? 'must be more than zero' : undefined;
  },
  schema: {
    type: 'string',
    pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$',
    maxLength: MAX_AMOUNT_LENGTH,
    example: '0.50',
  },
};

export const timestampRule: Rule = {
  problem: (value) =>
    typeof value === 'string' && parseTimestamp(value) !== undefined
      ? undefined
      : 'must be a time as RFC 3339 has it, in UTC, such as "2022-02-15T12:00:00Z"',
  schema: { type: 'string', format: 'date-time' },
  normalise: (value) => parseTimestamp(value) ?? value,
};

export const positionRule: Rule = {
  problem: (value) =>
    typeof value === 'string' && isPosition(value) ? undefined : 'must be a position, as an answer gave it',
  schema: { type: 'string' },
};

/** A position, or a time. */
export const momentRule: Rule = {
  problem: (value) =>
    positionRule.problem(value) === undefined || timestampRule.problem(value) === undefined
      ? undefined
      : 'must be a position, as an answer gave it, or a time such as "2022-02-15T12:00:00Z"',
  schema: { type: 'string' },
};

export const CURSOR_RULE = 'must be the nextCursor of this list';
export const cursorRule = patternRule(/^[A-Za-z0-9_-]{1,1024}$/, CURSOR_RULE);

export const streamRule = patternRule(
  /^[a-zA-Z]{1,32}-[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/,
  'must be the name of a stream, such as account-acc-1',
);

export const typesRule = patternRule(
  /^[A-Za-z][A-Za-z0-9]{0,63}(,[A-Za-z][A-Za-z0-9]{0,63}){0,49}$/,
  'must be 1 to 50 types of events, with commas between them',
);

/** Line breaks and tabs may stand in what people write; no other control character, and no half of a character. */
const FORBIDDEN_IN_TEXT = /[^\P{Cc}\t\n\r]/u;

/** Free text of 1 to `maxLength` UTF-16 units. */
export function textRule(maxLength: number): Rule {
  const message = `must be a text of 1 to ${String(maxLength)} characters`;
  return {
    problem: (value) => {
      if (typeof value !== 'string' || value.length > maxLength || value.trim() === '') return message;
      if (!value.isWellFormed() || FORBIDDEN_IN_TEXT.test(value)) return 'must not have control or broken characters';
      return undefined;
    },
    schema: { type: 'string', minLength: 1, maxLength },
  };
}

export function integerRule(minimum: number, maximum: number): Rule {
  const message = `must be a whole number from ${String(minimum)} to ${String(maximum)}`;
  return {
    problem: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
        ? undefined
        : message,
    schema: { type: 'integer', minimum, maximum },
  };
}

/** A number between two bounds, both included. @param above the lower bound itself is not included */
export function numberRule(minimum: number, maximum: number, above = false): Rule {
  const message = `must be a number ${above ? 'above' : 'from'} ${String(minimum)}${above ? ', at most' : ' to'} ${String(maximum)}`;
  return {
    problem: (value) =>
      typeof value === 'number' && (above ? value > minimum : value >= minimum) && value <= maximum
        ? undefined
        : message,
    schema: { type: 'number', [above ? 'exclusiveMinimum' : 'minimum']: minimum, maximum },
  };
}

/** A day of the calendar. */
export const dateRule: Rule = {
  problem: (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && parseTimestamp(`${value}T00:00:00Z`) !== undefined
      ? undefined
      : 'must be a day such as "2022-04-05"',
  schema: { type: 'string', format: 'date' },
};

/** A list of free texts. */
export function textsRule(maxItems: number, maxLength: number): Rule {
  const each = textRule(maxLength);
  const message = `must be a list of 1 to ${String(maxItems)} texts of 1 to ${String(maxLength)} characters`;
  return {
    problem: (value) => {
      if (!Array.isArray(value) || value.length < 1 || value.length > maxItems) return message;
      return value.every((item) => each.problem(item) === undefined) ? undefined : message;
    },
    schema: { type: 'array', minItems: 1, maxItems, items: each.schema },
  };
}

/** A list of values under one rule, each once. */
export function listRule(each: Rule, maxItems: number): Rule {
  const message = `must be a list of 1 to ${String(maxItems)}`;
  return {
    problem: (value) => {
      if (!Array.isArray(value) || value.length < 1 || value.length > maxItems) return message;
      const wrong = value.map((item) => each.problem(item)).find((problem) => problem !== undefined);
      if (wrong !== undefined) return `${message}, each of which ${wrong}`;
      return new Set(value).size === value.length ? undefined : 'must name each once';
    },
    schema: { type: 'array', minItems: 1, maxItems, uniqueItems: true, items: each.schema },
  };
}

/** One of a few words. @param notYet words that have a meaning, and will be taken one day */
export function choiceRule(allowed: readonly string[], notYet: readonly string[] = []): Rule {
  const message = `must be ${allowed.length === 1 ? '' : 'one of '}${allowed.map((word) => `"${word}"`).join(', ')}`;
  return {
    problem: (value) => {
      if (typeof value !== 'string') return message;
      if (allowed.includes(value)) return undefined;
      return notYet.includes(value) ? `"${value}" is not supported yet` : message;
    },
    schema: { type: 'string', enum: allowed },
  };
}

const MAX_ASSETS = 100;

/** `"all"`, or a list of asset codes, each once. */
export const assetsRule: Rule = {
  problem: (value) => {
    if (value === 'all') return undefined;
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ASSETS) {
      return `must be "all" or a list of 1 to ${String(MAX_ASSETS)} asset codes`;
    }
    if (value.some((code) => assetCodeRule.problem(code) !== undefined))
      return 'must hold asset codes of 2 to 16 of A-Z 0-9';
    return new Set(value).size === value.length ? undefined : 'must name each asset once';
  },
  schema: {
    oneOf: [
      { type: 'string', const: 'all' },
      { type: 'array', items: assetCodeRule.schema, minItems: 1, maxItems: MAX_ASSETS, uniqueItems: true },
    ],
  },
};

/** A whole number from 1 to `maximum`, written in decimal digits: query parameters are text. */
export function countRule(maximum: number): Rule {
  const message = `must be a whole number from 1 to ${String(maximum)}`;
  return {
    problem: (value) =>
      typeof value === 'string' && /^[1-9][0-9]{0,8}$/.test(value) && Number(value) <= maximum ? undefined : message,
    schema: { type: 'integer', minimum: 1, maximum },
  };
}
