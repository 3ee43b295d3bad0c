import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { foldRules } from './fold-rules.ts';

const LIBRARIES = fileURLToPath(new URL('../../', import.meta.url));

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'writ-rules-'));
  cpSync(LIBRARIES, copy, { recursive: true });
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

describe('the name of the code that folds', () => {
  it('is the same for the same code, wherever it stands', () => {
    expect(foldRules()).toMatch(/^[0-9a-f]{64}$/);
    expect(foldRules(copy)).toBe(foldRules());
  });

  it.each(['accounts/src/state.ts', 'freezes/src/resolve.ts', 'kernel/src/money.ts', 'replay/src/fold.ts'])(
    'is another when %s differs by one character',
    (file) => {
      appendFileSync(join(copy, file), ' ');
      expect(foldRules(copy)).not.toBe(foldRules());
    },
  );

  it('is another when a module is added', () => {
    writeFileSync(join(copy, 'accounts/src/added.ts'), '');
    expect(foldRules(copy)).not.toBe(foldRules());
  });

  it('has nothing to do with specs', () => {
    writeFileSync(join(copy, 'accounts/src/added.spec.ts'), 'it()');
    expect(foldRules(copy)).toBe(foldRules());
  });

  it('is not made of a service that is not whole', () => {
    rmSync(join(copy, 'freezes'), { recursive: true });
    expect(() => foldRules(copy)).toThrow();
  });
});
