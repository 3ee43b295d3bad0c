import { expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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
