import { describe, expect, it } from '@jest/globals';
import { memberText, Stage, toldOf } from './stage.ts';

const ANSWER = {
  status: 201,
  body: { freeze: { state: 'in-force', stopped: ['wd-1', 'wd-2'], inFlight: [], lift: null } },
};

function stageWithOutput(): { stage: Stage; printed: () => string } {
  let text = '';
  const out = { isTTY: false, write: (part: string) => (text += part) !== '' };
  return { stage: new Stage(out), printed: () => text };
}

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

  it('reads the members of all items of a list, and its length', () => {
    const body = { items: [{ code: 'a' }, { code: 'b' }] };
    expect([memberText(body, 'items.code'), memberText(body, 'items.length')]).toEqual(['a, b', '2']);
  });
});

describe('a line', () => {
  it('is numbered and counted when it is as expected', () => {
    const { stage, printed } = stageWithOutput();
    stage.tell({ who: 'maker', what: 'freezes', answer: ANSWER, tells: '{freeze.state}', expected: '201 in-force' });
    expect(printed()).toMatch(/^ {2}1 {2}maker +freezes +201 in-force\n$/);
    expect(stage.lines).toBe(1);
  });

  it('stops the story when it differs, and shows the answer', () => {
    const { stage } = stageWithOutput();
    const line = { who: 'maker', what: 'freezes', answer: ANSWER, expected: '423 account-frozen' };
    expect(() => {
      stage.tell(line);
    }).toThrow(/Line 1 is not as expected.*423 account-frozen.*in-force/s);
  });
});

it('aligns a table: numbers to the right, words to the left', () => {
  const { stage, printed } = stageWithOutput();
  stage.table(
    ['moment', 'available'],
    [
      ['frozen', '10.5'],
      ['a', '2'],
    ],
  );
  expect(printed()).toBe('moment  available\n------  ---------\nfrozen       10.5\na               2\n');
});
