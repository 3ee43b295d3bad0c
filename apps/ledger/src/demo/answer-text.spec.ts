import { describe, expect, it } from '@jest/globals';
import { memberText, toldOf } from './answer-text.ts';

const ANSWER = {
  status: 201,
  body: { freeze: { state: 'in-force', stopped: ['wd-1', 'wd-2'], inFlight: [], lift: null } },
};

describe('what a line tells of an answer', () => {
  it.each([
    ['{freeze.state}', '201 in-force'],
    ['stopped: {freeze.stopped}', '201 stopped: wd-1, wd-2'],
    ['in flight: {freeze.inFlight}', '201 in flight: -'],
    ['{freeze.lift} {freeze.nothing.there}', '201 - -'],
    ['', '201'],
  ])('%s', (tells, told) => {
    expect(toldOf(ANSWER, tells)).toBe(told);
  });

  it('is the code of a problem, whatever was to be told', () => {
    expect(toldOf({ status: 423, body: { code: 'account-frozen' } }, '{freeze.state}')).toBe('423 account-frozen');
  });

  it('says how many freezes stand against it', () => {
    const problem = (freezeIds: readonly string[]): string =>
      toldOf({ status: 423, body: { code: 'account-frozen', freezeIds } });
    expect(problem(['f-1'])).toBe('423 account-frozen: 1 freeze');
    expect(problem(['f-1', 'f-2'])).toBe('423 account-frozen: 2 freezes');
  });

  it('reads the members of all items of a list, and its length', () => {
    const body = { items: [{ code: 'a' }, { code: 'b' }] };
    expect([memberText(body, 'items.code'), memberText(body, 'items.length')]).toEqual(['a, b', '2']);
  });
});
