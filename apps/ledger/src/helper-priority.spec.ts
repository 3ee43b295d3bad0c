import { expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';

/** Names and niceness of the threads of a process, before and after it loads the module. */
const SCRIPT = `
  import { existsSync, readdirSync, readFileSync } from 'node:fs';
  import { getPriority } from 'node:os';
  const tasks = '/proc/self/task';
  const niceness = () => !existsSync(tasks) ? [] : readdirSync(tasks).map((thread) => {
    const name = readFileSync(tasks + '/' + thread + '/comm', 'utf8').trim();
    return { thread, isHelper: name === 'V8Worker', nice: getPriority(Number(thread)) };
  });
  const before = niceness();
  await import(${JSON.stringify(new URL('./helper-priority.ts', import.meta.url).href)});
  console.log(JSON.stringify({ before, after: niceness() }));
`;

interface Thread {
  readonly thread: string;
  readonly isHelper: boolean;
  readonly nice: number;
}

it('makes the helpers of V8 nicer than they were, and no other thread', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], { encoding: 'utf8' });
  const { before, after } = JSON.parse(text) as { readonly before: Thread[]; readonly after: Thread[] };
  expect(before.some(({ isHelper }) => isHelper)).toBe(process.platform === 'linux');
  expect(after).toEqual(before.map((each) => ({ ...each, nice: each.nice + (each.isHelper ? 5 : 0) })));
});
