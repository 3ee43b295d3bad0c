import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Page, paste, shows, type PrintedAnswer } from './support/pages.ts';
import { startService, type RunningService } from './support/service.ts';

const LIMIT_MS = 180_000;
const cookbook = new Page('docs/cookbook.md');
const readme = new Page('README.md');

/** What the lines of each part of the page are answered, in order. */
const STATUSES = [
  [201, 201, 200, 201, 201],
  [201, 200],
  [201, 423],
  [200, 200],
  [201, 200],
  [201, 201, 200, 200],
  [201, 200, 201],
  [201, 200, 200],
  [201, 200],
  [200, 200],
  [200, 200, 200, 200],
];

interface Item {
  readonly stream: string;
  readonly type?: string;
  readonly data?: { readonly ground?: string };
}

function items(body: unknown): readonly Item[] {
  return (body as { readonly items: readonly Item[] }).items;
}

/** The answer to a command that is in the log: it stays what it was. What is read changes. */
function isOfCommand({ body }: PrintedAnswer): boolean {
  return Object.hasOwn(body as object, 'events');
}

describe('the cookbook', () => {
  let service: RunningService;
  let answers: readonly PrintedAnswer[];
  /** What one part of the page was answered; 0 is the set-up. */
  const partOf = (part: number): readonly PrintedAnswer[] => {
    const before = STATUSES.slice(0, part).flat().length;
    return answers.slice(before, before + (STATUSES[part]?.length ?? 0));
  };

  beforeAll(async () => {
    service = await startService();
    // README's lines come first, as for somebody who goes on from there.
    for (const block of readme.textsIn('sh')) await paste(block, service);
    answers = await paste(cookbook.textsIn('sh').join('\n'), service);
  }, LIMIT_MS);

  afterAll(async () => {
    await service.stop();
  });

  it('has ten recipes, each with lines to run and an answer to compare', () => {
    const titles = [...cookbook.text.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number));
    expect(titles).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(cookbook.blocks.map(({ language }) => language)).toEqual(['sh', ...titles.flatMap(() => ['sh', 'json'])]);
  });

  it('is answered as it should be, line by line', () => {
    expect(answers.map(({ status }) => status)).toEqual(STATUSES.flat());
  });

  it.each(cookbook.textsIn('json').map((text, index) => [index + 1, text] as const))(
    'recipe %d shows what is really answered',
    (part, text) => {
      const shown: unknown = JSON.parse(text);
      expect(partOf(part).filter(({ body }) => shows(shown, body))).toHaveLength(1);
    },
  );

  it('freezes three times, and each freeze has ended in its own way', () => {
    const [events, , refusals, violations] = partOf(10).map(({ body }) => items(body));
    const ends = events?.filter(({ type }) => type === 'AccountUnfrozen').map(({ data }) => data?.ground);
    expect(events).toHaveLength(6);
    expect(ends).toEqual(['placed-in-error', 'basis-ended', 'basis-ended']);
    expect(refusals?.filter(({ stream }) => stream === 'account-cook-acc')).toHaveLength(1);
    expect(violations).toEqual([]);
    expect(partOf(9)[1]?.body).toMatchObject({ freezes: [], balances: [{ available: '2.00000000' }] });
  });

  it(
    'can be pasted again: every command is answered as it was',
    async () => {
      const again = await paste(cookbook.textsIn('sh').join('\n'), service);
      expect(again.filter(isOfCommand)).toEqual(answers.filter(isOfCommand));
      expect(again.map(({ status }) => status)).toEqual(STATUSES.flat());
    },
    LIMIT_MS,
  );
});
