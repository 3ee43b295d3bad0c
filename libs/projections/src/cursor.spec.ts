import { describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { MalformedCursorError } from './queries-api.ts';

describe('cursors', () => {
  it('are URL-safe and come back as they were', () => {
    const cursor = encodeCursor('entries', [7, 'ÿþ?>~']);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeCursor('entries', cursor, [0, ''])).toEqual([7, 'ÿþ?>~']);
  });

  it.each([
    ['of another list', encodeCursor('deposits', [1])],
    ['with a part of another type', encodeCursor('entries', ['1'])],
    ['with too many parts', encodeCursor('entries', [1, 2])],
    ['with too few parts', encodeCursor('entries', [])],
    ['that is empty', ''],
    ['that is no base64url', '§§§'],
    ['with something after it', `${encodeCursor('entries', [1])}!`],
    ['that is padded', `${encodeCursor('entries', [1])}==`],
    ['that is no JSON', Buffer.from('entries').toString('base64url')],
    ['that is no array', Buffer.from('{"0":"entries"}').toString('base64url')],
    ['with white space in it', Buffer.from('["entries", 1]').toString('base64url')],
  ])('refuse one %s', (_, cursor) => {
    expect(() => decodeCursor('entries', cursor, [0])).toThrow(MalformedCursorError);
  });
});
