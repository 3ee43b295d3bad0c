import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Page, paste, root, shows, type PrintedAnswer } from './support/pages.ts';
import { startService, type RunningService } from './support/service.ts';

const readme = new Page('README.md');

describe('the README', () => {
  let service: RunningService;
  let answers: readonly PrintedAnswer[];

  beforeAll(async () => {
    service = await startService();
    const pasted: PrintedAnswer[] = [];
    for (const block of readme.textsIn('sh')) pasted.push(...(await paste(block, service)));
    answers = pasted;
  }, 180_000);

  afterAll(async () => {
    await service.stop();
  });

  it('has no code block that is neither run, nor compared with an answer, nor a picture', () => {
    expect(readme.blocks.map(({ language }) => language)).toEqual(['sh', 'json', 'json', 'json', 'text']);
  });

  it('names the two commands before any code', () => {
    const beginning = readme.text.slice(0, readme.text.indexOf('```'));
    expect(beginning).toContain('- `npm start`');
    expect(beginning).toContain('- `npm test`');
  });

  it('puts an order in force, freezes an account under it, and has a withdrawal refused', () => {
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 201, 201, 201, 200, 201, 423, 200]);
    expect(answers[6]?.body).toMatchObject({ legalOrder: { state: 'verified', verification: { verifiedBy: 'bob' } } });
    expect(answers[7]?.body).toMatchObject({
      freeze: { state: 'in-force', accountId: 'acc-1', stopped: [], inFlight: [] },
    });
    expect(answers[8]?.body).toMatchObject({ code: 'account-frozen' });
    expect(answers[9]?.body).toMatchObject({ accountId: 'acc-1', balances: [{ available: '1.50000000' }] });
  });

  it.each(readme.textsIn('json').map((text, index) => [index + 1, text] as const))(
    'excerpt %d is really answered',
    (_, text) => {
      const shown: unknown = JSON.parse(text);
      expect(answers.filter(({ body }) => shows(shown, body))).toHaveLength(1);
    },
  );

  it('can be pasted again: every answer comes as it came', async () => {
    const again: PrintedAnswer[] = [];
    for (const block of readme.textsIn('sh')) again.push(...(await paste(block, service)));
    expect(again).toEqual(answers);
  }, 180_000);

  it('maps folders that are there', () => {
    const map = readme.textsIn('text').join('\n');
    const folders = [...map.matchAll(/^((?:apps|libs|test|docs|scripts)[\w/-]*\/)/gm)].map(([, path = '']) => path);
    expect(folders.length).toBeGreaterThan(8);
    expect(folders.filter((path) => !existsSync(root + path))).toEqual([]);
  });
});

describe('the pages', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs/'), ...pagesIn('docs/adr/')];

  it.each(pages)('%s points to files that are there', (page) => {
    const links = [...readFileSync(root + page, 'utf8').matchAll(/\]\(([^):#]+)[^)]*\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
  });

  it.each(['docs/legal.md', 'docs/protocols.md'])('%s names what is in the files that it points to', (page) => {
    const text = readFileSync(root + page, 'utf8');
    const links = [...text.matchAll(/\[(`[^\]]+`)\]\(([^)#]+)\)/g)].map(([, label = '', path = '']) => ({
      label,
      path,
    }));
    const missing = links.flatMap(({ label, path }) => {
      const file = readFileSync(join(root, dirname(page), path), 'utf8');
      const names = [...label.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      return names.filter((name) => !file.includes(name) && !path.endsWith(name)).map((name) => `${path}: ${name}`);
    });
    expect(links.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  function pagesIn(folder: string): readonly string[] {
    return readdirSync(root + folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => folder + name);
  }
});
