import { describe, it } from '@jest/globals';
import { LIMIT_MS } from './effort.ts';
import { asking, exploreAll, supervisor, type Case } from './interleaving.ts';
import { open, openAlone, openingScene, verifyOrder } from './scenes.ts';

describe('every interleaving of an opening', () => {
  const casesOf = (command: typeof open | typeof openAlone, whose: string, tooMany: boolean): readonly Case[] => [
    [`${whose} and its repetition`, { 'o first': asking(command, 'o'), 'o second': asking(command, 'o') }, { tooMany }],
    [
      `${whose} and another opening of the same id`,
      { o: asking(command, 'o'), p: asking(command, 'p') },
      { tooMany, large: true },
    ],
    [`${whose} that crashes, beside a supervisor`, { o: asking(command, 'o'), supervisor }, { crashes: 1, tooMany }],
    [`${whose} and an order that comes to name a holder`, { o: asking(command, 'o'), verifyOrder }, { tooMany }],
    [`${whose} with lost acknowledgements`, { o: asking(command, 'o') }, { faults: 2, tooMany }],
    [
      `${whose}, its repetition and a supervisor`,
      { 'o first': asking(command, 'o'), 'o second': asking(command, 'o'), supervisor },
      { crashes: 1, tooMany: true },
    ],
  ];
  const cases = [...casesOf(openAlone, 'for one holder', false), ...casesOf(open, 'for two holders', true)];
  it.each(cases)('%s', async (...each) => exploreAll(each[0], await openingScene(), each), LIMIT_MS);
});
