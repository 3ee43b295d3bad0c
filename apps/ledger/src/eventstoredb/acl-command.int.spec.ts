import { type EventStoreDbServer, startEventStoreDbServer, TEST_CA_FILE } from '#testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runEventStoreDb } from './acl-command.ts';

let server: EventStoreDbServer;
beforeAll(async () => {
  const users = [
    { name: 'writ', password: 'writ-secret' },
    { name: 'eve', password: 'eve-secret' },
  ];
  server = await startEventStoreDbServer({ inMemory: true, tls: true, users });
});
afterAll(() => server.stop());

async function run(
  args: string,
  environment: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runEventStoreDb(args.split(' '), environment, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

const as = (user: string, password: string): Record<string, string> => ({
  WRIT_EVENTSTOREDB_URL: `esdb://localhost:${String(server.ports[0])}`,
  WRIT_EVENTSTOREDB_CA_FILE: TEST_CA_FILE,
  WRIT_EVENTSTOREDB_USER: user,
  WRIT_EVENTSTOREDB_PASSWORD: password,
});

it('sets access as an admin, and checks it as who is meant', async () => {
  const before = await run('acl --check', as('writ', 'writ-secret'));
  expect(before.code).toBe(1);
  expect(before.out).toMatch(/^may-not-read: .*\nmay-delete: .*\nmay-set-metadata: .*\n.*: 3 findings\.\n$/);

  const set = await run('acl --apply --service writ --auditors eve', as('admin', 'changeit'));
  expect(set).toMatchObject({ code: 0, err: '' });
  expect(set.out).toMatch(/^\$\$\$all\n {2}before nothing\n {2}now {4}\{.*\}\n\$settings\n/);
  const again = await run('acl --apply --service writ --auditors eve', as('admin', 'changeit'));
  expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^It was so already: nothing was changed\.\n/) });

  const well = 'and what may make events disappear: nothing is wrong.\n';
  expect(await run('acl --check', as('writ', 'writ-secret'))).toEqual({
    code: 0,
    out: `Access of the service, ${well}`,
    err: '',
  });
  expect(await run('acl --check --as auditor', as('eve', 'eve-secret'))).toEqual({
    code: 0,
    out: `Access of the auditor, ${well}`,
    err: '',
  });
});

it('says in one line why it can not, and never the password', async () => {
  const denied = await run('acl --apply --service eve --replace', as('writ', 'writ-secret'));
  expect(denied).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^the event store at .*writ no permission.*\n$/),
  });
  const wrong = await run('acl --check', as('writ', 'hunter2'));
  expect(wrong).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^the event store at .* refuses the password of writ\.\n$/),
  });
  const nowhere = await run('acl --check', { WRIT_EVENTSTOREDB_URL: 'esdb://127.0.0.1:1?tls=false' });
  expect(nowhere).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^the event store at 127\.0\.0\.1:1 can't be reached: .*[^.]\.\n$/),
  });
  expect(await run('acl --check')).toMatchObject({
    code: 1,
    err: 'WRIT_EVENTSTOREDB_URL must be set: esdb://user:password@host:2113\n',
  });
});

it.each([
  ['acl', /^Usage:/],
  ['--check', /^Usage:/],
  ['acl --check --apply --service writ', /^Usage:/],
  ['acl --check --service writ', /^Usage:/],
  ['acl --apply', /^Usage:/],
  ['acl --check --as admin', /^--as must be service or auditor/],
  ['acl --apply --service $admins', /^--service must be the name/],
  ['acl --apply --service writ --auditors eve,', /^--auditors must be the name/],
  ['acl --chek', /Unknown option.*\nUsage:/],
])('refuses %s', async (args, said) => {
  expect(await run(args, as('admin', 'changeit'))).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(said),
  });
});
