import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startService, type RunningService } from './support/service.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** One answer as the lines of the README print it: the body, a blank, the status in brackets. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function codeBlocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

const blocks = codeBlocks(readme);
const textsIn = (language: string): readonly string[] =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);

/** Runs a block as a newcomer does who pastes it, but for the address; stops where a line fails. */
async function paste(block: string, service: RunningService): Promise<readonly Answer[]> {
  expect(block).toContain('WRIT=http://127.0.0.1:3000\n');
  const script = block.replace('WRIT=http://127.0.0.1:3000\n', `WRIT=${service.url}\n`);
  // A bash whose input is a socket takes itself for a remote shell and reads the machine's settings, unless told not to.
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, WRIT_DATA_DIR: service.dataDir },
    timeout: 120_000,
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n').map(parseAnswer);
}

function parseAnswer(line: string): Answer {
  const [, body, status] = /^(\{.*\}) \((\d{3})\)$/.exec(line) ?? [];
  if (body === undefined) throw new Error(`not an answer: ${line}`);
  return { status: Number(status), body: JSON.parse(body) as unknown };
}

/** True when all that an excerpt shows is there. `…` stands for any text. */
function shows(excerpt: unknown, actual: unknown): boolean {
  if (excerpt === '…') return typeof actual === 'string' && actual !== '';
  if (typeof excerpt !== 'object' || excerpt === null) return excerpt === actual;
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(excerpt) && (!Array.isArray(actual) || excerpt.length !== actual.length)) return false;
  return Object.entries(excerpt).every(([name, value]) => shows(value, (actual as Record<string, unknown>)[name]));
}

describe('the README', () => {
  let service: RunningService;
  let answers: readonly Answer[];

  beforeAll(async () => {
    service = await startService();
    const pasted: Answer[] = [];
    for (const block of textsIn('sh')) pasted.push(...(await paste(block, service)));
    answers = pasted;
  }, 180_000);

  afterAll(async () => {
    await service.stop();
  });

  it('has no code block that is neither run, nor compared with an answer, nor a picture', () => {
    expect(blocks.map(({ language }) => language)).toEqual(['sh', 'json', 'json', 'json', 'text']);
  });

  it('names the two commands before any code', () => {
    const beginning = readme.slice(0, readme.indexOf('```'));
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

  it.each(textsIn('json').map((text, index) => [index + 1, text] as const))(
    'excerpt %d is really answered',
    (_, text) => {
      const shown: unknown = JSON.parse(text);
      expect(answers.filter(({ body }) => shows(shown, body))).toHaveLength(1);
    },
  );

  it('can be pasted again: every answer comes as it came', async () => {
    const again: Answer[] = [];
    for (const block of textsIn('sh')) again.push(...(await paste(block, service)));
    expect(again).toEqual(answers);
  }, 180_000);

  it('maps folders that are there', () => {
    const map = textsIn('text').join('\n');
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

  function pagesIn(folder: string): readonly string[] {
    return readdirSync(root + folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => folder + name);
  }
});
