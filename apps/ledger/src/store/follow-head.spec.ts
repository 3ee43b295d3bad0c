import { expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { followHead } from './follow-head.ts';

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1_000) throw new Error('waited in vain');
    await delay(5);
  }
}

it('tells of each new end, and of none while the store can not be read', async () => {
  let head: string | undefined;
  let looks = 0;
  const told: string[] = [];
  const store = {
    head: (): Promise<string | undefined> => {
      looks += 1;
      return head === 'lost' ? Promise.reject(new Error('no connection')) : Promise.resolve(head);
    },
  };
  const looked = (): Promise<void> => {
    const before = looks;
    return until(() => looks > before + 2);
  };
  const stop = followHead(store, (position) => told.push(position), 1);
  await looked();
  for (const next of ['a', 'lost', 'b']) {
    head = next;
    await looked();
  }
  stop();
  expect(told).toEqual(['a', 'b']);
  const last = looks;
  await delay(20);
  expect(looks).toBe(last);
});
