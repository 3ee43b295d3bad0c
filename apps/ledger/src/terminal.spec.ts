import { expect, it } from '@jest/globals';
import { Progress, progressText } from './terminal.ts';

function written(isTTY: boolean): { readonly text: () => string; readonly at: (ms: number, done: number) => void } {
  let [output, nowMs] = ['', 0];
  const progress = new Progress({ isTTY, write: (text) => (output += text) }, 'verifying', () => nowMs);
  return {
    text: () => output,
    at: (ms, done) => {
      nowMs = ms;
      progress.at(done, 1_000, 'events');
    },
  };
}

it('tells part, rate and time left', () => {
  expect(progressText(1_200_000, 5_000_000, 12, 'events')).toBe(
    '1,200,000 of 5,000,000 events (24%), 100,000/s, 38 s left',
  );
  expect(progressText(10, 10_000, 1, 'pages')).toBe('10 of 10,000 pages (0%), 10/s, 17 min left');
  expect(progressText(0, 0, 0, 'events')).toBe('0 of 0 events (100%), 0/s');
});

it('replaces its line on a terminal, and writes few lines elsewhere', () => {
  const [terminal, log] = [written(true), written(false)];
  for (const each of [terminal, log]) {
    each.at(400, 100);
    each.at(600, 200);
    each.at(700, 300);
    each.at(10_500, 900);
  }
  expect(terminal.text().split('\r')).toHaveLength(3);
  expect(terminal.text()).toContain('verifying [#####...................] 200 of 1,000 events (20%)');
  expect(log.text()).toBe('verifying: 900 of 1,000 events (90%), 86/s, 2 s left\n');
});
