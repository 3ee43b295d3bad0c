import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './thrown.ts';

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Writes a file that is generated and committed, or with `--check` only says whether it is as it should be.
 * @param command what makes it anew, told to whoever has to
 * @returns the exit code
 */
export function writeOrCheck(
  args: readonly string[],
  file: { readonly path: string; readonly content: string; readonly command: string },
  output: Output,
): number {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    output.stderr.write(`Unknown: ${unknown.join(' ')}. Only --check is known.\n`);
    return 1;
  }
  if (!args.includes('--check')) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.content);
    output.stdout.write(`${file.path} is written.\n`);
    return 0;
  }
  const difference = firstDifference(readIfThere(file.path), file.content);
  if (difference === undefined) return 0;
  output.stderr.write(`${file.path} is not what the code says${difference}. Run "${file.command}" and commit it.\n`);
  return 1;
}

function firstDifference(found: string | undefined, expected: string): string | undefined {
  if (found === undefined) return ' (there is none)';
  if (found === expected) return undefined;
  const [foundLines, expectedLines] = [found.split('\n'), expected.split('\n')];
  const line = expectedLines.findIndex((text, index) => text !== foundLines[index]);
  const at = line < 0 ? expectedLines.length : line;
  return ` (line ${String(at + 1)}: found ${quoted(foundLines[at])}, should be ${quoted(expectedLines[at])})`;
}

function quoted(line: string | undefined): string {
  return line === undefined ? 'the end' : JSON.stringify(line.trim().slice(0, 100));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
