import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SnapshotFiles } from './snapshot-files.ts';
import type { SnapshotOutcome } from './snapshots.ts';

let parent: string;
let folder: string;
let outcomes: SnapshotOutcome[];
let files: SnapshotFiles;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'writ-snapshots-'));
  folder = join(parent, 'snapshots');
  outcomes = [];
  files = new SnapshotFiles({ folder, watch: (outcome) => void outcomes.push(outcome) });
});
afterEach(async () => {
  await files.close();
  rmSync(parent, { recursive: true, force: true });
});

describe('the files of snapshots', () => {
  it('give back what was put last, to whoever opens them next', async () => {
    files.put('account-a', 'old');
    await files.idle();
    files.put('account-a', 'new: \u{1f600}');
    files.put('account-A', 'another');
    await files.idle();
    const next = new SnapshotFiles({ folder });
    expect(await next.read('account-a')).toBe('new: \u{1f600}');
    expect(await next.read('account-A')).toBe('another');
    expect(await next.read('account-b')).toBeUndefined();
    expect(outcomes).toEqual(['written', 'written', 'written']);
  });

  it('are for their owner alone, and leave nothing beside them', async () => {
    files.put('account-a', 'text');
    await files.idle();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(files.fileOf('account-a')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('are written over what a dead process left unfinished', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'unfinished'), 'half of a long text that was never brought to its end', { mode: 0o600 });
    files.put('account-a', 'text');
    await files.idle();
    expect(await files.read('account-a')).toBe('text');
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('are written again after their folder was deleted', async () => {
    files.put('account-a', 'text');
    await files.idle();
    rmSync(folder, { recursive: true });
    expect(await files.read('account-a')).toBeUndefined();
    files.put('account-a', 'text');
    await files.idle();
    expect(await files.read('account-a')).toBe('text');
  });

  it('take the latest text of each stream, and let go what there is no room for', async () => {
    for (let n = 0; n < 40; n += 1) files.put(`account-${String(n)}`, 'first');
    files.put('account-3', 'second');
    await files.idle();
    expect(await files.read('account-3')).toBe('second');
    expect(outcomes.filter((outcome) => outcome === 'not-written').length).toBeGreaterThan(20);
    expect(readdirSync(folder).length).toBe(outcomes.filter((outcome) => outcome === 'written').length);
  });

  it('are of a bounded size', async () => {
    files.put('account-a', 'x'.repeat(5 * 1024 * 1024));
    await files.idle();
    expect(outcomes).toEqual(['not-written']);
    mkdirSync(folder);
    writeFileSync(files.fileOf('account-a'), 'x'.repeat(5 * 1024 * 1024));
    expect(await files.read('account-a')).toBe('');
  });

  it('fail nobody when the folder can not be made', async () => {
    writeFileSync(folder, 'a file in its place');
    files.put('account-a', 'text');
    await files.idle();
    expect(outcomes).toEqual(['not-written']);
    expect(await files.read('account-a')).toBeUndefined();
    expect(readFileSync(folder, 'utf8')).toBe('a file in its place');
  });

  it('are not touched any more once they are closed', async () => {
    files.put('account-a', 'text');
    await files.close();
    files.put('account-b', 'text');
    expect(await files.read('account-b')).toBeUndefined();
  });
});
