import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAsWritten, StoredEvent } from './stored-event.ts';

const place = { stream: 'account-a', revision: 3, position: '0000000000000007' };
const written = { id: 'id-1', type: 'T', schemaVersion: 2 };

describe('an event that was read', () => {
  it('says what its texts say, and where it stands', () => {
    const event = new StoredEvent({ ...written, data: '{"b":[1]}', metadata: '{"hash":"h"}' }, place);
    expect(event).toEqual({ ...written, ...place, data: { b: [1] }, metadata: { hash: 'h' } });
    expect(StoredEvent.textsOf(event)).toEqual({ data: '{"b":[1]}', metadata: '{"hash":"h"}' });
  });

  it('gives back what is not JSON as it stands', () => {
    const event = new StoredEvent({ ...written, data: '{', metadata: '' }, place);
    expect([event.data, event.metadata]).toEqual(['{', '']);
  });

  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
    ['brackets after a text with quotes', '[1,"]\\"",', ']'],
  ])('gives back %s that nest too deep as they stand, so that everybody can write it again', (_, open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    const [most, tooDeep, unclosed] = [nested(1_000), nested(1_001), open.repeat(200_000)];
    const read = (text: string): unknown => new StoredEvent({ ...written, data: text, metadata: text }, place);
    expect(read(most)).toMatchObject({ data: JSON.parse(most), metadata: JSON.parse(most) });
    expect(read(tooDeep)).toMatchObject({ data: tooDeep, metadata: tooDeep });
    expect(read(unclosed)).toMatchObject({ data: unclosed, metadata: unclosed });
    expect(JSON.stringify(structuredClone(read(most)))).toContain(most);
    expect(JSON.stringify(structuredClone(read(nested(200_000))))).toContain(JSON.stringify(nested(200_000)));
  });

  it('parses what is wide and has brackets in its texts', () => {
    const text = JSON.stringify({ a: '[{'.repeat(2_000), b: Array.from({ length: 2_000 }, () => [{ c: '"[\\' }]) });
    const event = new StoredEvent({ ...written, data: text, metadata: '{}' }, place);
    expect(event.data).toEqual(JSON.parse(text));
  });

  it('is to everybody what it would be with its metadata parsed at once', () => {
    const parsed = (text: string): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    };
    const text = fc.oneof(fc.json(), fc.string(), fc.constantFrom('null', '{"__proto__":1}', '{"a":1,"a":2}'));
    fc.assert(
      fc.property(text, text, (data, metadata) => {
        const event = new StoredEvent({ ...written, data, metadata }, place);
        const whole = { ...written, data: parsed(data), metadata: parsed(metadata), ...place };
        expect(JSON.stringify(event)).toBe(JSON.stringify(whole));
        expect(Object.entries(event)).toEqual(Object.entries(whole));
        for (const same of [event, Object.assign({}, event), structuredClone(event), Object.freeze(event)]) {
          expect(same).toEqual(whole);
        }
        expect(event.metadata).toBe(event.metadata);
      }),
    );
  });

  it('has no texts once it was copied: the copy may say something else', () => {
    const event = new StoredEvent({ ...written, data: '{}', metadata: '{}' }, place);
    expect(StoredEvent.textsOf(Object.assign({}, event, { data: { b: 2 } }))).toBeUndefined();
    expect(StoredEvent.textsOf(structuredClone(event))).toBeUndefined();
  });
});

describe('isAsWritten', () => {
  it.each([
    ['canonical JSON', '{"a":"1","b":2}', true],
    ['the same in another order', '{"b":2,"a":"1"}', true],
    ['a member that stands twice', '{"a":"1","a":"1000"}', false],
    ['a blank between members', '{"a":"1", "b":2}', false],
    ['a letter that is escaped for nothing', '{"a":"\\u0031"}', false],
    ['a number in another form', '{"b":2.0}', false],
    ['half of a surrogate pair', '"\ud800"', false],
    ['no JSON', '{', false],
  ])('of %s', (_, text, expected) => {
    const event = new StoredEvent({ ...written, data: text, metadata: '{}' }, place);
    const other = new StoredEvent({ ...written, data: '{}', metadata: text }, place);
    expect([isAsWritten(event), isAsWritten(other)]).toEqual([expected, expected]);
    expect(isAsWritten(Object.assign({}, event))).toBe(true);
  });
});
