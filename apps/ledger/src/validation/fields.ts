import { normaliseDecimal } from '#kernel';
import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { noteField, type Dto, type MapNote } from './plan.ts';
import {
  amountRule,
  assetCodeRule,
  assetsRule,
  choiceRule,
  dateRule,
  idRule,
  integerRule,
  listRule,
  numberRule,
  sha256Rule,
  textRule,
  textsRule,
  timestampRule,
  uuidRule,
  type Rule,
} from './rules.ts';

/** What may be said of any field. */
export interface FieldOptions {
  readonly optional?: boolean;
  readonly description?: string;
  readonly example?: unknown;
}

/** A field under one rule: validator and OpenAPI schema in one decorator, so that they can't disagree. */
export function RuleField(rule: Rule, options: FieldOptions = {}): PropertyDecorator {
  const { normalise } = rule;
  return applyDecorators(
    ...presence(options),
    ValidateBy({
      name: 'rule',
      validator: {
        validate: (value) => rule.problem(value) === undefined,
        defaultMessage: (args) => rule.problem(args?.value) ?? '',
      },
    }),
    Described({ ...rule.schema }, options),
    ...(normalise === undefined ? [] : [Noted({ normalise })]),
  );
}

export const IdField = (options?: FieldOptions): PropertyDecorator => RuleField(idRule, options);
export const UuidField = (options?: FieldOptions): PropertyDecorator => RuleField(uuidRule, options);
export const AssetCodeField = (options?: FieldOptions): PropertyDecorator => RuleField(assetCodeRule, options);
export const AssetsField = (options?: FieldOptions): PropertyDecorator => RuleField(assetsRule, options);
export const Sha256Field = (options?: FieldOptions): PropertyDecorator => RuleField(sha256Rule, options);
export const TimestampField = (options?: FieldOptions): PropertyDecorator => RuleField(timestampRule, options);
export const AmountField = (options?: FieldOptions): PropertyDecorator =>
  applyDecorators(RuleField(amountRule, options), Noted({ normaliseForComparison: normaliseDecimal }));

const AMOUNTS_BY_ASSET = { type: 'object', additionalProperties: amountRule.schema, example: { BTC: '1.50' } };
const AMOUNTS_NOTE: MapNote = { key: assetCodeRule.problem, value: amountRule.problem };

/** Amounts by the asset that each is of. */
export function AmountsByAssetField(options: FieldOptions = {}): PropertyDecorator {
  return MapOfAmountsField(AMOUNTS_NOTE, AMOUNTS_BY_ASSET, options);
}

/** Amounts by the asset that each is of, by the id of a thing that each belongs to. */
export function AmountsByIdField(options: FieldOptions = {}): PropertyDecorator {
  const schema = { type: 'object', additionalProperties: AMOUNTS_BY_ASSET, example: { 'acc-1': { BTC: '1.50' } } };
  return MapOfAmountsField({ key: idRule.problem, value: AMOUNTS_NOTE }, schema, options);
}

function MapOfAmountsField(
  map: MapNote,
  schema: Readonly<Record<string, unknown>>,
  options: FieldOptions,
): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    // What the members are is for the plan to see; class-validator has to know that there is such a field.
    ValidateBy({ name: 'map', validator: { validate: () => true } }),
    Noted({ map, normaliseForComparison: normaliseDecimal }),
    Described(schema, options),
  );
}

export function TextField(maxLength: number, options?: FieldOptions): PropertyDecorator {
  return RuleField(textRule(maxLength), options);
}

/** An address that names whoever controls it. */
export function AddressField(): PropertyDecorator {
  const description =
    'Shown as it is written. The case of hexadecimal with `0x` makes no difference, nor does bech32 all in capitals, nor the case of `chain`.';
  return TextField(128, { description });
}

export function IntegerField(minimum: number, maximum: number, options?: FieldOptions): PropertyDecorator {
  return RuleField(integerRule(minimum, maximum), options);
}

/** A list of ids, each once. */
export function IdsField(maxItems: number, options?: FieldOptions): PropertyDecorator {
  return RuleField(listRule(idRule, maxItems), options);
}

/** A list of UUIDs, each once. */
export function UuidsField(maxItems: number, options?: FieldOptions): PropertyDecorator {
  return RuleField(listRule(uuidRule, maxItems), options);
}

export const DateField = (options?: FieldOptions): PropertyDecorator => RuleField(dateRule, options);

/** A number from 0 to 1. @param above zero itself is not one */
export function PartField({
  above = false,
  ...options
}: FieldOptions & { readonly above?: boolean } = {}): PropertyDecorator {
  return RuleField(numberRule(0, 1, above), options);
}

export function TextsField(maxItems: number, maxLength: number, options?: FieldOptions): PropertyDecorator {
  return RuleField(textsRule(maxItems, maxLength), options);
}

/** One of a few words. `notYet` are words that will be taken one day. */
export function ChoiceField(
  allowed: readonly string[],
  { notYet = [], ...options }: FieldOptions & { readonly notYet?: readonly string[] } = {},
): PropertyDecorator {
  return RuleField(choiceRule(allowed, notYet), options);
}

/** An object of its own class. */
export function NestedField(dto: () => Dto, options: FieldOptions = {}): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    ValidateNested(),
    Noted({ nested: dto }),
    Described({ type: () => dto() }, options),
  );
}

interface ListOptions extends FieldOptions {
  readonly minLength: number;
  readonly maxLength: number;
}

/** A list of objects of one class. */
export function NestedListField(dto: () => Dto, { minLength, maxLength, ...options }: ListOptions): PropertyDecorator {
  return applyDecorators(
    ...presence(options),
    ValidateNested(),
    Noted({ nested: dto, list: { minLength, maxLength } }),
    Described({ type: () => dto(), isArray: true, minItems: minLength, maxItems: maxLength }, options),
  );
}

/** An object of the class that its `kind` names. */
export function KindField(kinds: Readonly<Record<string, Dto>>, options: FieldOptions = {}): PropertyDecorator {
  const models = Object.values(kinds) as (abstract new () => object)[];
  return applyDecorators(
    ...presence(options),
    ValidateNested(),
    Noted({ nested: () => ({ kinds }) }),
    ApiExtraModels(...(models as never[])),
    Described({ oneOf: models.map((model) => ({ $ref: getSchemaPath(model as never) })) }, options),
  );
}

/** A list of objects, each of the class that its `kind` names. */
export function KindListField(
  kinds: Readonly<Record<string, Dto>>,
  { minLength, maxLength, ...options }: ListOptions,
): PropertyDecorator {
  const models = Object.values(kinds) as (abstract new () => object)[];
  return applyDecorators(
    ...presence(options),
    ValidateNested(),
    Noted({ nested: () => ({ kinds }), list: { minLength, maxLength } }),
    ApiExtraModels(...(models as never[])),
    Described(
      {
        type: 'array',
        minItems: minLength,
        maxItems: maxLength,
        items: { oneOf: models.map((model) => ({ $ref: getSchemaPath(model as never) })) },
      },
      options,
    ),
  );
}

/** Null is a value like any other, and the wrong one: only what is left out is absent. */
function presence({ optional = false }: FieldOptions): readonly PropertyDecorator[] {
  return optional ? [ValidateIf((_, value) => value !== undefined)] : [];
}

function Noted(note: Parameters<typeof noteField>[2]): PropertyDecorator {
  return (prototype, property) => {
    noteField(prototype, String(property), note);
  };
}

function Described(
  schema: Readonly<Record<string, unknown>>,
  { optional = false, ...options }: FieldOptions,
): PropertyDecorator {
  return ApiProperty({ ...schema, ...options, required: !optional });
}
