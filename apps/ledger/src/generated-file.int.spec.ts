import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOrCheck } from './generated-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-generated-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(content: string, ...args: readonly string[]): { code: number; err: string; path: string } {
  let err = '';
  const path = join(folder, 'docs', 'file.md');
  const output = { stdout: { write: () => true }, stderr: { write: (text: string) => (err += text) } };
  const code = writeOrCheck(args, { path, content, command: 'npm run it' }, output);
  return { code, err, path };
}

describe('writeOrCheck', () => {
  it('writes, and finds what it wrote', () => {
    const { path } = run('a\nb\n');
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
    expect(run('a\nb\n', '--check')).toMatchObject({ code: 0, err: '' });
  });

  it('says where a file differs, and what to do', () => {
    expect(run('a\n', '--check')).toMatchObject({ code: 1, err: expect.stringContaining('there is none') });
    const { path } = run('a\nb\n');
    expect(run('a\nc\n', '--check')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/line 2: found "b", should be "c".*npm run it/),
    });
    writeFileSync(path, 'a\nb\nmore\n');
    expect(run('a\nb\n', '--check')).toMatchObject({ code: 1, err: expect.stringContaining('line 3') });
  });

  it('knows no other option', () => {
    expect(run('a', '--chek')).toMatchObject({ code: 1, err: expect.stringContaining('--chek') });
  });
});
