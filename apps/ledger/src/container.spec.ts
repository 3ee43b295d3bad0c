import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfig, VARIABLES } from './config/config.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');

const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
const of = (name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const manifest = JSON.parse(read('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

it('the image brings the Node that the project pins', () => {
  const pinned = `node:${String(manifest.devDependencies['node'])}-bookworm-slim`;
  expect(new Set(of('FROM').map((from) => from.split(' ')[0]))).toEqual(new Set([pinned]));
});

it('what it copies is there, and not ignored', () => {
  const copied = of('COPY')
    .filter((copy) => !copy.startsWith('--from'))
    .flatMap((copy) => copy.split(' ').slice(0, -1));
  const admitted = read('.dockerignore')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? line.slice(1) : []));
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter((path) => !existsSync(root + path))).toEqual([]);
  expect(new Set(copied)).toEqual(new Set(admitted));
});

it('between its stages it copies what the stage before makes', () => {
  const stages = of('FROM').flatMap((from) => from.split(' AS ')[1] ?? []);
  const between = of('COPY').filter((copy) => copy.startsWith('--from'));
  for (const copy of between) expect(stages).toContain(/^--from=(\w+) /.exec(copy)?.[1]);
  expect(between.map((copy) => copy.split(' ').at(-1)).sort()).toEqual(['dist', 'node_modules']);
});

it('node itself is process 1, as somebody who is not root, on a folder of its own', () => {
  expect(of('ENTRYPOINT')).toEqual(['[]']);
  const [program, ...args] = JSON.parse(of('CMD')[0] ?? '') as readonly string[];
  const script = args.find((arg) => !arg.startsWith('--')) ?? '';
  expect(program).toBe('node');
  expect(existsSync(root + script.replace('dist/', '').replace(/\.js$/, '.ts'))).toBe(true);
  expect(of('USER')).toEqual(['1000:1000']);
  const [environment = ''] = of('ENV');
  for (const set of ['NODE_ENV=production', 'WRIT_DATA_DIR=/data', 'SQLITE_TMPDIR=/data'])
    expect(environment).toContain(set);
  expect(of('VOLUME')).toEqual(['/data']);
  expect(of('HEALTHCHECK')[0]).toMatch(/CMD \["node", "-e", /);
});

it('whatever the service imports is a dependency, not one of development', () => {
  const sources = globSync('{apps,libs}/**/*.ts', { cwd: root }).filter(
    (path) => !/\.spec\.ts$|libs\/testing\/|apps\/ledger\/src\/testing\/|libs\/event-store\/src\/contract/.test(path),
  );
  expect(sources.length).toBeGreaterThan(150);
  const imported = sources.flatMap((path) =>
    [...read(path).matchAll(/(?:^(?:import|export) [^;'"=]*from |^import |import\()'([^'.#][^'\n]*)'/gm)].map(
      ([, name = '']) => name,
    ),
  );
  const packages = imported
    .filter((name) => !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  expect(packages.length).toBeGreaterThan(50);
  expect([...new Set(packages)].filter((name) => !Object.hasOwn(manifest.dependencies, name))).toEqual([]);
});

describe.each([
  { folder: 'deploy/one-node', ledgers: ['ledger'], port: 3000 },
  { folder: 'deploy/cluster', ledgers: ['ledger1', 'ledger2'], port: 8080 },
])('the containers of $folder', ({ folder, ledgers, port }) => {
  const compose = read(`${folder}/compose.yaml`);
  const services = namesIn(compose, 'services');
  const guide = read('docs/operations/eventstoredb.md');
  const [lines = ''] = guide.split('```').filter((block) => block.startsWith(`sh\ncd ${folder}\n`));

  it('give the service variables that it knows, and that go together', () => {
    const given = [...compose.matchAll(/^ +((?:WRIT_|PORT|HOST)\w*): (.+)$/gm)].map(([, name = '', value = '']) => ({
      name,
      value,
    }));
    expect(given.length).toBeGreaterThan(4);
    expect(given.filter(({ name }) => !['HOST', 'PORT', ...VARIABLES].includes(name))).toEqual([]);
    const environment = given.map(({ name, value }) => [
      name,
      value.startsWith('$') ? (name === 'WRIT_JWKS_URL' ? 'https://id.example/' : 'something') : value,
    ]);
    const config = readConfig(Object.fromEntries(environment) as Readonly<Record<string, string>>);
    expect(config.store.kind).toBe('eventstoredb');
  });

  it('want of whoever starts them what the page has him set', () => {
    const wanted = [...compose.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name);
    const set = [...lines.matchAll(/^export (.+)$/gm)].flatMap(([, all = '']) =>
      all.split(' ').map((each) => each.split('=')[0]),
    );
    expect([...new Set(wanted)].sort()).toEqual(set.sort());
    expect([...compose.matchAll(/\$\{\w+[^:\w]/g)]).toEqual([]);
  });

  it('are named, asked and told to run what is there, in the lines of the page', () => {
    const commands = [...lines.replaceAll('\\\n', ' ').matchAll(/^docker compose (\w+) (.*)$/gm)];
    expect(commands.length).toBeGreaterThan(0);
    for (const [, verb, rest = ''] of commands) {
      const words = rest
        .replaceAll(/-e \S+/g, '')
        .split(/ +/)
        .filter((word) => /^\w/.test(word));
      const named = verb === 'up' ? words : words.slice(0, 1);
      expect(named.filter((name) => !services.includes(name))).toEqual([]);
    }
    const scripts = [...lines.matchAll(/ dist\/(\S+)\.js /g)].map(([, path = '']) => path);
    expect(scripts.filter((path) => !existsSync(`${root}${path}.ts`))).toEqual([]);
    expect(lines).toContain(`curl http://127.0.0.1:${String(port)}/health/ready\n`);
    expect(compose).toMatch(new RegExp(`- 127\\.0\\.0\\.1:${String(port)}:${String(port)}\n`));
  });

  it('are as many ledgers as are said, each with a volume of its own', () => {
    expect(services.filter((name) => name.startsWith('ledger'))).toEqual(ledgers);
    const volumes = ledgers.map((name) => `${name}:/data`);
    expect(volumes.filter((volume) => compose.split(volume).length !== 2)).toEqual([]);
    expect(namesIn(compose, 'volumes')).toEqual(expect.arrayContaining(ledgers));
  });
});

it('the proxy knows each ledger of the cluster, lets through what they take, and waits for longer than they do', () => {
  const proxy = read('deploy/cluster/proxy.conf');
  const compose = read('deploy/cluster/compose.yaml');
  const { bodyLimitBytes, requestTimeoutMs } = readConfig({});
  const servers = [...proxy.matchAll(/^ {2}server (\w+):3000 /gm)].map(([, name]) => name);
  expect(servers).toEqual(namesIn(compose, 'services').filter((name) => name.startsWith('ledger')));
  expect(Number(/client_max_body_size (\d+)m;/.exec(proxy)?.[1]) * 1024 * 1024).toBeGreaterThanOrEqual(bodyLimitBytes);
  expect(Number(/proxy_read_timeout (\d+)s;/.exec(proxy)?.[1]) * 1000).toBeGreaterThan(requestTimeoutMs);
  const guide = read('docs/operations/eventstoredb.md');
  const user = /WRIT_EVENTSTOREDB_USER: (\w+)/.exec(compose)?.[1] ?? '';
  expect(guide).toContain(`acl --apply --service ${user}\n`);
});

/** The names within one part of a compose file. */
function namesIn(compose: string, part: string): readonly string[] {
  const [, within = ''] = new RegExp(`^${part}:\\n((?:(?: .*)?\\n)+)`, 'm').exec(compose) ?? [];
  return [...within.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
}
