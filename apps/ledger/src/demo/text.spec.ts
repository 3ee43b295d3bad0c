import { describe, expect, it } from '@jest/globals';
import { dayText, share, type Timeline } from './story.ts';
import { tableLines, timelineLines, wrapped } from './text.ts';

const MONTH = { from: '2022-02-14', to: '2022-03-09' };
const TIMELINE: Timeline = {
  ...MONTH,
  ticks: ['2022-02-15', '2022-02-16', '2022-02-23'],
  rows: [
    { kind: 'bar', label: 'A', from: '2022-02-16', to: '2022-02-23', told: 'lifted: basis-ended' },
    { kind: 'bar', label: 'B', from: '2022-02-17', told: 'in force' },
    { kind: 'mark', label: 'a letter', on: '2022-02-28', told: 'froze nothing' },
  ],
};

it('breaks text between words', () => {
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrapped('longer-than-that', 7)).toEqual(['longer-than-that']);
});

it('knows days', () => {
  expect(dayText('2022-02-05')).toBe('5 Feb');
  expect([share('2022-02-14', MONTH), share('2022-03-09', MONTH)]).toEqual([0, 1]);
  expect([share('2021-01-01', MONTH), share('2023-01-01', MONTH)]).toEqual([0, 1]);
});

describe('a timeline', () => {
  const lines = timelineLines(TIMELINE);

  it('draws a bar to its end, or on while it is in force, and a cross for what froze nothing', () => {
    expect(lines[0]).toMatch(/^A +█+┤ +lifted: basis-ended$/);
    expect(lines[1]).toMatch(/^B +█+▶ +in force$/);
    expect(lines[2]).toMatch(/^a letter +× +froze nothing$/);
    const [first = '', second = ''] = lines;
    expect(second.indexOf('█')).toBeGreaterThan(first.indexOf('█'));
    expect(second.lastIndexOf('█')).toBeGreaterThan(first.lastIndexOf('█'));
  });

  it('names the days, none over another, within the page', () => {
    const names = lines.slice(4).join('\n');
    for (const name of ['15 Feb', '16 Feb', '23 Feb']) expect(names).toContain(name);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

it('aligns a table: numbers to the right, words to the left', () => {
  const rows = [
    ['frozen', '10.5'],
    ['a', '2'],
  ];
  expect(tableLines({ columns: ['moment', 'available'], rows })).toEqual([
    'moment  available',
    '------  ---------',
    'frozen       10.5',
    'a               2',
  ]);
});
