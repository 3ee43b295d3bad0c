import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld } from '#testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCopy } from './copy-command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-places-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a file of which acknowledged events are gone is no source of a copy, and stays to be seen', async () => {
  const live = join(folder, 'live.db');
  const path = join(folder, 'events.db');
  const store = await SqliteEventStore.open({ path: live });
  await new LedgerWorld({ store }).openAccount();
  for (const end of ['', '-shm']) cpSync(live + end, path + end);
  await store.close();
  const to = join(folder, 'copy');
  for (let times = 0; times < 2; times += 1) {
    const { code, err } = await copied('--from', `sqlite:${folder}`, '--to', `sqlite:${to}`);
    expect(code).toBe(1);
    expect(err).toContain(`${path}-wal is gone, and with it what was not merged`);
  }
  expect(existsSync(to)).toBe(false);
  expect(existsSync(`${path}-wal`)).toBe(false);
});

async function copied(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const output = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  return { code: await runCopy(args, {}, output), out, err };
}

it('of a sealed file it is said that it is sealed, and not that it goes on', async () => {
  const [home, there, elsewhere] = ['home', 'there', 'elsewhere'].map((name) => `sqlite:${join(folder, name)}`);
  const store = await SqliteEventStore.open({ path: join(folder, 'home', 'events.db') });
  await new LedgerWorld({ store }).openAccount();
  await store.close();
  const copy = (to = '', ...flags: readonly string[]): ReturnType<typeof copied> =>
    copied('--from', home ?? '', '--to', to, ...flags);
  expect((await copy(there)).out).toContain('The source goes on, and the copy does not follow it');
  expect(await copy(there, '--seal')).toMatchObject({ code: 0, err: '' });
  const [again, other] = [await copy(there), await copy(elsewhere)];
  for (const { code, out } of [again, other]) {
    expect({ code, out }).toEqual({ code: 0, out: expect.not.stringContaining('goes on') });
    expect(out).toContain(`is sealed: the ledger has moved to ${there ?? ''}/events.db`);
  }
  expect(again.out).toContain('the same command with --seal ends the cut-over');
  expect(other.out).toContain('start no service on it');
});

it('speaks of no variable that nobody set', async () => {
  expect(await copied('--from', `sqlite:${folder}`, '--to', 'eventstoredb')).toEqual({
    code: 1,
    out: '',
    err: 'WRIT_EVENTSTOREDB_URL must be set: esdb://user:password@host:2113\n',
  });
});

it('tells of a wrong connection string what to look at, and nothing of files', async () => {
  const { code, err } = await copied('--from', `sqlite:${folder}`, '--to', 'esdb://127.0.0.1:1?tls=maybe');
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/^the connection string .* See WRIT_EVENTSTOREDB_URL .* in docs\/operations\.md\.\n$/),
  });
  expect(err).not.toContain('WRIT_DATA_DIR');
});

it('of a server that is not there says why, with one full stop', async () => {
  const { code, err } = await copied('--from', 'esdb://127.0.0.1:1?tls=false', '--to', `sqlite:${folder}`);
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("can't be reached: ") });
  expect(err).not.toContain('..');
});
