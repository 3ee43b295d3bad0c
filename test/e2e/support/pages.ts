import { expect } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withoutOurs, type RunningService } from './service.ts';

/** The folder of the project. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

const ADDRESS = 'WRIT=http://127.0.0.1:3000\n';
const PASTE_LIMIT_MS = 120_000;

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** One answer as the lines of a page print it: the body, a blank, the status in brackets. */
export interface PrintedAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A page of the project, with its blocks of code. */
export class Page {
  readonly text: string;
  readonly blocks: readonly Block[];

  /** @param path from the folder of the project */
  constructor(path: string) {
    this.text = readFileSync(root + path, 'utf8');
    // A block of a list is indented as its item is.
    this.blocks = [...this.text.matchAll(/^( *)```(.*)\n([\s\S]*?)^\1```$/gm)].map(
      ([, indent = '', language = '', text = '']) => ({
        language,
        text: text.replaceAll(`\n${indent}`, '\n').trimStart(),
      }),
    );
  }

  textsIn(language: string): readonly string[] {
    return this.blocks.filter((block) => block.language === language).map(({ text }) => text);
  }
}

/** Runs lines as a newcomer does who pastes them, but for the address; stops where one fails. */
export async function paste(lines: string, service: RunningService): Promise<readonly PrintedAnswer[]> {
  expect(lines).toContain(ADDRESS);
  const script = lines.replace(ADDRESS, `WRIT=${service.url}\n`);
  // A bash whose input is a socket takes itself for a remote shell and reads the machine's settings, unless told not to.
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...withoutOurs(process.env), WRIT_DATA_DIR: service.dataDir },
    timeout: PASTE_LIMIT_MS,
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n').map(parseAnswer);
}

function parseAnswer(line: string): PrintedAnswer {
  const [, body, status] = /^(\{.*\}) \((\d{3})\)$/.exec(line) ?? [];
  if (body === undefined) throw new Error(`not an answer: ${line}`);
  return { status: Number(status), body: JSON.parse(body) as unknown };
}

/** True when all that an excerpt shows is there. `…` stands for any text. */
export function shows(excerpt: unknown, actual: unknown): boolean {
  if (excerpt === '…') return typeof actual === 'string' && actual !== '';
  if (typeof excerpt !== 'object' || excerpt === null) return excerpt === actual;
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(excerpt) && (!Array.isArray(actual) || excerpt.length !== actual.length)) return false;
  return Object.entries(excerpt).every(([name, value]) => shows(value, (actual as Record<string, unknown>)[name]));
}
