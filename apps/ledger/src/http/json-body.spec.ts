import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJsonBody, UnreadableBody } from './json-body.ts';

const parse = (body: string): unknown => parseJsonBody(Buffer.from(body), {});

const TWICE = new UnreadableBody({
  code: 'malformed-request',
  detail: expect.any(String) as unknown as string,
  extra: { errors: [{ field: 'body', message: 'must not have a name twice in one object' }] },
});

/** What looks like that which stands around it. */
const text = fc.oneof(fc.constantFrom('a', '__proto__', '":', '\\', '\\"', 'a:b', '{', ''), fc.string());
/** Without a backslash: once it has met a name that is one, V8 takes each name with an escape in that place for it. */
const name = text.filter((each) => !each.includes('\\'));
const value = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
}));

const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/);

/** Writes a value with spaces where they may be; of the nth object, if any, with its first member written twice. */
function written(of: unknown, gap: () => string, doubled: { left: number }): string {
  const list = (items: readonly string[], [open, close]: readonly [string, string]): string =>
    `${open}${gap()}${items.join(`${gap()},${gap()}`)}${gap()}${close}`;
  if (Array.isArray(of))
    return list(
      of.map((each) => written(each, gap, doubled)),
      ['[', ']'],
    );
  if (typeof of !== 'object' || of === null) return JSON.stringify(of);
  const members = Object.entries(of).map(([key, each]) => {
    const member = `${JSON.stringify(key)}${gap()}:${gap()}${written(each, gap, doubled)}`;
    doubled.left -= 1;
    return doubled.left === 0 ? `${member},${gap()}${JSON.stringify(key)}:${gap()}null` : member;
  });
  return list(members, ['{', '}']);
}

describe('a body of JSON', () => {
  it('is taken as JSON.parse reads it, whatever its names, texts and spaces', () => {
    fc.assert(
      fc.property(value.value, fc.infiniteStream(space), (of, gaps) => {
        const body = written(of, () => gaps.next().value as string, { left: 0 });
        expect(parse(body)).toEqual(JSON.parse(body));
      }),
    );
  });

  it('is refused with a name twice in one object, however deep that is', () => {
    fc.assert(
      fc.property(value.object, fc.infiniteStream(space), fc.nat(), (of, gaps, chosen) => {
        const gap = (): string => gaps.next().value as string;
        const count = { left: 0 };
        written(of, gap, count);
        fc.pre(count.left < 0);
        expect(parse(written(of, gap, { left: 1 + (chosen % -count.left) }))).toEqual(TWICE);
      }),
    );
  });

  it.each([
    ['{"amount":"1","amount":"900"}'],
    ['{"a":1,"\\u0061":2}'],
    ['{"__proto__":1,"__proto__":2}'],
    ['[{"a":{}},[{"b":[{"c":1,"c":1}]}]]'],
  ])('is refused: %s', (body) => {
    expect(parse(body)).toEqual(TWICE);
  });

  it.each([
    ['{"a":{"a":{"a":":"}},"b":[{"a":1},{"a":1}]}'],
    ['{}'],
    ['[[],{},"\\\\",":\\":"]'],
    ['{"__proto__":{"constructor":1}}'],
  ])('is taken: %s', (body) => {
    expect(JSON.stringify(parse(body))).toBe(body);
  });

  it('is read as fast as it is long, however it is made', () => {
    const most = 1024 * 1024;
    const bodies = [
      '['.repeat(most / 2) + ']'.repeat(most / 2),
      `"${'\\\\'.repeat(most / 2 - 1)}"`,
      `"${'\\"'.repeat(most / 2 - 1)}"`,
      `["${':'.repeat(most)}"]`,
      `${'{"a":'.repeat(most / 6)}1${'}'.repeat(most / 6)}`,
    ];
    for (const body of bodies) expect(parse(body)).not.toBeInstanceOf(UnreadableBody);
    expect(parse('"'.repeat(most))).toMatchObject({ problem: { code: 'malformed-request' } });
  });
});
