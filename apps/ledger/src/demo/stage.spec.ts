import { beforeEach, describe, expect, it } from '@jest/globals';
import { Stage } from './stage.ts';

const ANSWER = { status: 201, body: { freeze: { state: 'in-force' } }, correlationId: 'c-1' };
const LINE = { who: 'maker', what: 'freezes', answer: ANSWER, tells: '{freeze.state}', expected: '201 in-force' };

let printed: string;
let stage: Stage;

function stageOn(isTTY: boolean): Stage {
  printed = '';
  const on = new Stage({ isTTY, write: (part: string) => (printed += part) !== '' });
  on.act('Act 1', ['a scene']);
  on.day('2022-04-05', 'something happens');
  printed = '';
  return on;
}

beforeEach(() => {
  stage = stageOn(false);
});

describe('a line', () => {
  it('is numbered, printed, and kept for the page when it is as expected', () => {
    stage.tell(LINE);
    expect(printed).toMatch(/^ {2}1 {2}maker +freezes +201 in-force\n$/);
    expect(stage.lines).toBe(1);
    const step = { number: 1, who: 'maker', what: 'freezes', told: '201 in-force', correlationId: 'c-1' };
    expect(stage.acts[0]?.days[0]?.steps).toEqual([step]);
  });

  it('stops the story when it differs, and shows the answer', () => {
    expect(() => {
      stage.tell({ ...LINE, expected: '423 account-frozen' });
    }).toThrow(/Line 1 is not as expected.*423 account-frozen.*in-force/s);
  });

  it('is broken between words, and never wider than the page', () => {
    stage.tell({ ...LINE, what: 'freezes '.repeat(20).trim() });
    const lines = printed.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

it('uses colours on a terminal alone', () => {
  stageOn(true).tell(LINE);
  expect(printed).toContain('\u001b[');
  stageOn(false).tell(LINE);
  expect(printed).not.toContain('\u001b[');
});
