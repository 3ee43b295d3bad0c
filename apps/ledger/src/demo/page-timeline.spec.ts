import { expect, it } from '@jest/globals';
import { pageTimeline } from './page-timeline.ts';

const picture = pageTimeline(
  {
    from: '2022-02-14',
    to: '2022-03-09',
    ticks: ['2022-02-15', '2022-02-16', '2022-02-28'],
    rows: [
      { kind: 'bar', label: 'Freeze A', from: '2022-02-16', to: '2022-02-23', told: 'lifted' },
      { kind: 'bar', label: 'Freeze <B>', from: '2022-02-17', told: 'in force' },
      { kind: 'mark', label: 'A letter', on: '2022-02-28', told: 'froze nothing' },
    ],
  },
  'act-1-1',
  'Act 1',
).text;

function attribute(name: string, element: string): number {
  return Number(new RegExp(` ${name}="([\\d.]+)"`).exec(element)?.[1]);
}

it('draws each freeze from its day to its end, and on to the edge while it is in force', () => {
  const [lifted = '', inForce = ''] = [...picture.matchAll(/<rect[^>]+>/g)].map(([element]) => element);
  expect(lifted).toContain('class="lifted"');
  expect(inForce).toContain('class="in-force"');
  expect(attribute('x', inForce)).toBeGreaterThan(attribute('x', lifted));
  const end = (element: string): number => attribute('x', element) + attribute('width', element);
  expect(end(inForce)).toBeGreaterThan(end(lifted));
  expect(picture.match(/<polygon/g)).toHaveLength(1);
  expect(picture.match(/<path\s+class="mark"/g)).toHaveLength(1);
});

it('says all that it shows', () => {
  const spoken = /<desc[^>]*>([^<]*)</.exec(picture)?.[1] ?? '';
  expect(spoken).toContain('Freeze A, from 16 Feb 2022 to 23 Feb 2022: lifted.');
  expect(spoken).toContain('Freeze &lt;B&gt;, from 17 Feb 2022 on: in force.');
  expect(spoken).toContain('A letter, 28 Feb 2022: froze nothing.');
});

it('keeps names of days that are close together on different lines', () => {
  const heights = [...picture.matchAll(/<text x="\d+" y="(\d+)" text-anchor="middle">/g)].map(([, y]) => y);
  expect(heights).toHaveLength(3);
  expect(heights[0]).not.toBe(heights[1]);
  expect(heights[0]).toBe(heights[2]);
});
