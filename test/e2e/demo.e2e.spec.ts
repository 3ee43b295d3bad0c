import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 90_000;

/** All that the demonstration leaves in the place for temporary files is seen in this one. */
let temporary: string;
let folder: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'writ-demo-test-'));
  folder = mkdtempSync(join(tmpdir(), 'writ-demo-page-'));
});

afterEach(() => {
  rmSync(temporary, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

function startDemo(...args: readonly string[]): ChildProcessWithoutNullStreams {
  const env = { ...process.env, TMPDIR: temporary };
  return spawn(`${root}node_modules/node/bin/node`, [`${root}dist/apps/ledger/src/demo/main.js`, ...args], {
    cwd: folder,
    env,
  });
}

async function played(...args: readonly string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const demo = startDemo(...args);
  const [stdout, stderr, [status]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'close')]);
  return { status, stdout, stderr };
}

/** The figure that stands behind a name, in the table of figures or among those of the page. */
function figure(printed: string, name: string): number {
  return Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(printed)?.[1]);
}

function figureOnPage(page: string, name: string): number {
  return Number(new RegExp(`<dt>${name}</dt>\\s*<dd>(\\d+)</dd>`).exec(page)?.[1]);
}

it(
  'plays three acts to their end, and the log says what it must',
  async () => {
    const { status, stdout, stderr } = await played();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const act of ['Act 1. Ottawa', 'Act 2. April', 'Act 3. Letters', 'What the log says'])
      expect(stdout).toContain(`\n${act}`);
    expect(figure(stdout, 'freezes')).toBe(9);
    expect(figure(stdout, 'freezes without a basis')).toBe(0);
    expect(figure(stdout, 'freezes lifted')).toBe(2);
    expect(figure(stdout, 'lifts without a ground')).toBe(0);
    expect(figure(stdout, 'disclosures recorded')).toBe(0);
    expect(figure(stdout, 'letters refused')).toBe(3);
    expect(figure(stdout, 'letters granted, on a basis')).toBe(1);
    expect(figure(stdout, 'commands refused')).toBe(12);
    expect(stdout).toContain('no instrument: a letter asks, and binds nobody');
    expect(stdout).toMatch(/Freeze A[^\n]*█┤ +lifted: basis-ended\n/);
    expect(stdout).toMatch(/Freeze B[^\n]*█▶ +in force\n/);
    expect(stdout).toMatch(/\nAll \d+ lines are as expected\. The service is stopped, and its log removed\.\n/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => line.length > 100 && !line.includes(folder))).toEqual([]);

    const [, pageFile = ''] = /: (\S+demo\.html)\n$/.exec(stdout) ?? [];
    expectPage(readFileSync(pageFile, 'utf8'), stdout);
    expect(readdirSync(temporary)).toEqual([]);
  },
  LIMIT_MS,
);

function expectPage(page: string, printed: string): void {
  expect(page.startsWith('<!doctype html>')).toBe(true);
  expect(page.trimEnd().endsWith('</html>')).toBe(true);
  // Nothing is fetched from anywhere, and nothing runs.
  expect(page).not.toMatch(/<(script|link|img|iframe|object|embed)\b|\b(src|href)\s*=|url\(|@import/i);
  expect(page.match(/<svg\b/g)).toHaveLength(3);
  expect(page.match(/role="img"/g)).toHaveLength(3);
  expect(page.match(/<desc id=/g)).toHaveLength(3);
  expect(page).not.toMatch(/undefined|NaN|\[object/);
  expect(figureOnPage(page, 'freezes without a basis')).toBe(0);
  expect(figureOnPage(page, 'disclosures recorded')).toBe(0);
  expect(figureOnPage(page, 'freezes, each under a basis')).toBe(figure(printed, 'freezes'));
  expect(page.match(/<td>(legalOrder|sanctionsHit)-[\w-]+, revision \d+<\/td>/g)).toHaveLength(9);
}

it(
  'writes the page where it is told to, and knows no other arguments',
  async () => {
    const wrong = await played('--paper');
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toContain('--page <file>');
    const page = join(folder, 'deep', 'page.html');
    expect(await played('--page', page)).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(page)).toBe(true);
  },
  LIMIT_MS,
);

it(
  'leaves nothing behind when it is interrupted, and does not say that all is well',
  async () => {
    const demo = startDemo();
    const closed = once(demo, 'close');
    await Promise.race([once(demo.stdout, 'data'), closed]);
    expect(readdirSync(temporary)).toHaveLength(1);
    demo.kill('SIGTERM');
    const [status] = await closed;
    expect(status).toBe(1);
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  },
  LIMIT_MS,
);
