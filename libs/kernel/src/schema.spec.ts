import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  CommandRefused,
  currentVersion,
  decodeData,
  defineEvent,
  field,
  parseTimestamp,
  pointerSchema,
  RECORDED_CODES,
  type EventDefinition,
} from './index.ts';

/** Made up: version 1 had one name, version 2 has two, version 3 says how long they are. */
const PersonNamed = defineEvent({
  type: 'PersonNamed',
  streams: ['person'],
  summary: 'A person got a name.',
  schema: z.strictObject({ given: z.string().min(1), family: z.string().min(1), length: z.int() }),
  earlier: [
    {
      schema: z.strictObject({ name: z.string().regex(/ /) }),
      toNext: (data: { readonly name: string }) => {
        const [given, ...family] = data.name.split(' ');
        return { given, family: family.join(' ') };
      },
    },
    {
      schema: z.strictObject({ given: z.string(), family: z.string() }),
      toNext: (data: { readonly given: string; readonly family: string }) => ({
        ...data,
        length: data.given.length + data.family.length,
      }),
    },
  ],
});
const Simple: EventDefinition = defineEvent({
  type: 'Simple',
  streams: ['simple'],
  summary: 'Something simple happened.',
  schema: z.strictObject({ at: z.strictObject({ id: field.id }) }),
});

describe('currentVersion', () => {
  it('counts the earlier versions', () => {
    expect(currentVersion(Simple)).toBe(1);
    expect(currentVersion(PersonNamed)).toBe(3);
  });
});

describe('decodeData', () => {
  const current = { given: 'Ada', family: 'King Noel', length: 12 };

  it('gives back the current version as it stands, to the order of its members: answers are made of it', () => {
    const stored = { family: 'King Noel', given: 'Ada', length: 12 };
    const decoded = decodeData(PersonNamed, 3, stored);
    expect(decoded.ok && Object.keys(decoded.data as object)).toEqual(['family', 'given', 'length']);
  });

  it.each([
    [1, { name: 'Ada King Noel' }],
    [2, { given: 'Ada', family: 'King Noel' }],
    [3, current],
  ])('lifts version %s to the current one', (version, data) => {
    expect(decodeData(PersonNamed, version, data)).toEqual({ ok: true, data: current });
  });

  it.each([
    ['an older form in a newer version', 2, { name: 'Ada King' }, 'given'],
    ['a newer form in an older version', 1, current, 'name'],
    ['an older form that broke its own rule', 1, { name: 'Ada' }, 'name'],
    ['what lifts to something illegal', 2, { given: 'Ada', family: '' }, 'family'],
    ['an unknown member', 3, { ...current, title: 'Countess' }, 'title'],
    ['a missing member', 3, { given: 'Ada', family: 'King' }, 'length'],
    ['no object', 3, 'Ada', 'data'],
    ['nothing', 3, undefined, 'data'],
    ['null', 3, null, 'data'],
    ['an array', 3, [current], 'data'],
  ])('finds %s', (_, version, data, where) => {
    const decoded = decodeData(PersonNamed, version, data);
    expect(decoded).toEqual({ ok: false, problem: expect.stringContaining(where) });
  });

  it.each([0, -1, 4, 1.5, NaN, Infinity, '1' as unknown as number])('knows no version %s', (version) => {
    expect(decodeData(PersonNamed, version, current)).toEqual({
      ok: false,
      problem: `schemaVersion ${String(version)} of PersonNamed is not known`,
    });
  });

  it('names the member within', () => {
    expect(decodeData(Simple, 1, { at: { id: '../etc' } })).toEqual({
      ok: false,
      problem: expect.stringMatching(/^at\.id: /),
    });
    expect(decodeData(Simple, 1, { at: { id: 'a', b: 1 } })).toMatchObject({ ok: false });
  });
});

describe('the fields of events', () => {
  const fits = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;

  it.each([
    ['units', field.units, ['0', '1', '9'.repeat(38)], ['', '-1', '01', '1.0', '9'.repeat(39), 1]],
    [
      'timestamp',
      field.timestamp,
      ['2022-02-15T12:00:00.000Z'],
      ['2022-02-15T12:00:00Z', '2022-02-15T12:00:00.000+00:00', '2022-02-30T12:00:00.000Z', 'now', 0],
    ],
    ['revision', field.revision, ['0', '17', '9'.repeat(15)], ['-1', '01', '9'.repeat(16), '', 0]],
    ['text', field.text(3), ['a', 'abc'], ['', 'abcd', 1, null]],
    ['actorId', field.actorId, ['a', 'system:supervisor'], ['', 'a'.repeat(129)]],
    ['sha256', field.sha256, ['a'.repeat(64)], ['A'.repeat(64), 'a'.repeat(63)]],
    ['uuid', field.uuid, ['01890a5d-ac96-774b-bcce-b302099a8057'], ['x', '']],
    ['assetCode', field.assetCode, ['BTC'], ['btc', 'B']],
    [
      'pointer',
      pointerSchema,
      [{ stream: 'account-1', revision: '0', eventId: '01890a5d-ac96-774b-bcce-b302099a8057' }],
      [
        { stream: '', revision: '0', eventId: '01890a5d-ac96-774b-bcce-b302099a8057' },
        { stream: 'account-1', revision: 0, eventId: '01890a5d-ac96-774b-bcce-b302099a8057' },
        { stream: 'account-1', revision: '0', eventId: '1' },
        { stream: 'account-1', revision: '0' },
        null,
      ],
    ],
  ] satisfies [string, z.ZodType, unknown[], unknown[]][])('%s', (_, schema, good, bad) => {
    for (const value of good) expect([value, fits(schema, value)]).toEqual([value, true]);
    for (const value of bad) expect([value, fits(schema, value)]).toEqual([value, false]);
  });
});

describe('CommandRefused', () => {
  const refusal = { command: 'X', code: 'account-frozen', detail: 'd', extra: {}, request: {}, decidedOn: null };
  const decodes = (data: object): boolean => decodeData(CommandRefused, 1, data).ok;

  it('takes the recorded codes and no other', () => {
    for (const code of RECORDED_CODES) expect(decodes({ ...refusal, code })).toBe(true);
    for (const code of ['insufficient-funds', 'already-exists', '']) expect(decodes({ ...refusal, code })).toBe(false);
  });

  it('says where it was decided, when elsewhere', () => {
    expect(decodes({ ...refusal, decidedOn: { stream: 'legalOrder-1', revision: '3' } })).toBe(true);
    expect(decodes({ ...refusal, decidedOn: { stream: 'legalOrder-1', revision: null } })).toBe(true);
    expect(decodes({ ...refusal, decidedOn: { stream: 'legalOrder-1' } })).toBe(false);
  });
});

describe('timestamps', () => {
  it.each([
    '2022-02-15T12:00:00.000Z',
    '2022-02-15T23:59:59.999Z',
    '2024-02-29T00:00:00.000Z',
    '2022-02-29T00:00:00.000Z',
    '2022-13-01T00:00:00.000Z',
    '2022-02-15T24:00:00.000Z',
    '2022-02-15T12:60:00.000Z',
    '2022-02-15T12:00:60.000Z',
    '2022-02-15T12:00:00.00Z',
    '2022-02-15T12:00:00.0000Z',
    '2022-02-15T12:00:00.000+00:00',
    '2022-02-15t12:00:00.000z',
    '2022-02-15T12:00:00.000Z\n',
    '２022-02-15T12:00:00.000Z',
  ])('are taken in the recorded form alone, also on a day that was seen: %j', (text) => {
    expect(field.timestamp.safeParse('2022-02-15T00:00:00.000Z').success).toBe(true);
    expect(field.timestamp.safeParse(text).success).toBe(parseTimestamp(text) === text);
    expect(field.timestamp.safeParse(text).success).toBe(parseTimestamp(text) === text);
  });
});
