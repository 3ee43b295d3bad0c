import { describe, expect, it } from '@jest/globals';
import { loggedError, withoutSecrets } from './logged-error.ts';

describe('an error in the log', () => {
  it('says what it is called, what it says, and the place in the sources', () => {
    const error = Object.assign(new Error('the account has no head'), { code: 'ERR_HEAD' });
    expect(loggedError(error)).toEqual({
      name: 'Error',
      code: 'ERR_HEAD',
      message: 'the account has no head',
      at: expect.stringMatching(/^logged-error\.spec\.ts:\d+$/),
    });
  });

  it('has no stack, whatever else hangs on it', () => {
    const error = new Error('outer', { cause: new Error('inner secret') });
    Object.assign(error, { sql: 'SELECT 1', path: '/srv/writ/events.db', errors: [1] });
    expect(JSON.stringify(loggedError(error))).not.toMatch(/inner|SELECT|srv|\n|node_modules| at /);
  });

  it.each<[string, Error]>([
    ['SyntaxError', new SyntaxError('Unexpected token in "amount":"12.5"')],
    ['RangeError', new RangeError('12.5 can not be converted to a BigInt')],
  ])('a %s says nothing of what was read', (name, error) => {
    expect(loggedError(error)).toEqual({ name, at: expect.any(String) });
  });

  it.each<[unknown, object]>([
    ['thrown as it is', { name: 'string', message: 'thrown as it is' }],
    [undefined, { name: 'undefined', message: 'undefined' }],
    [null, { name: 'object', message: 'null' }],
    [
      { name: 'a b\n', message: 7, code: 'x y', stack: 7 },
      { name: 'object', message: '[object Object]' },
    ],
  ])('that is none, as %j, is shown as well', (thrown, shown) => {
    expect(loggedError(thrown)).toEqual(shown);
  });

  it('gives no more of its name or code than such a thing has', () => {
    const error = Object.assign(new Error('x'), { name: 'a'.repeat(100), code: 'c'.repeat(100) });
    expect(loggedError(error)).toMatchObject({ name: 'object' });
    expect(loggedError(error)).not.toHaveProperty('code');
  });
});

describe('a text of others', () => {
  it.each([
    ["ENOENT: no such file, open '/srv/writ/data/events.db'", "ENOENT: no such file, open '(path)'"],
    ['can not open C:\\Writ\\data\\events.db', 'can not open (path)'],
    ['near /events.db', 'near (path)'],
    ['SqliteError: in SELECT data FROM events WHERE x = 1', 'SqliteError: in (statement)'],
    ['token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.sig is bad', 'token (token) is bad'],
    ['said Bearer abc.def', 'said (token)'],
    ['fetch of https://id.example/keys?x=1 failed', 'fetch of (address) failed'],
    ['it broke\n    at run (file.js:1:2)\n    at next', 'it broke'],
    ['database or disk is full', 'database or disk is full'],
    ['wrong revision: expected 7, found 8', 'wrong revision: expected 7, found 8'],
  ])('%j is logged as %j', (text, logged) => {
    expect(withoutSecrets(text)).toBe(logged);
  });

  it('is bounded', () => {
    expect(withoutSecrets('x'.repeat(10_000))).toHaveLength(300);
    expect(withoutSecrets(`${'x'.repeat(299)}😀`).isWellFormed()).toBe(true);
  });
});
