import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { runToEnd } from './processes.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The Node that everything runs on: the npm package `node` brings it. */
export const PINNED_NODE = join(ROOT, 'node_modules/node/bin/node');

const BUILD_STAMP = join(ROOT, 'dist/.built-from');
const BUILT_FILES = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json'];
const BUILT_FOLDERS = ['apps', 'libs'];

/** What went wrong in a set-up, told to a person. */
export class SetUpError extends Error {}

/** Installs the packages of package-lock.json, unless they are there. */
export async function ensurePackages() {
  if (packagesAreInstalled() && existsSync(PINNED_NODE)) return;
  await withLock(ROOT, installPackages);
}

/** Builds into dist/, unless it was built from the sources as they are. */
export async function ensureBuild({ always = false } = {}) {
  await ensurePackages();
  if (!always && buildIsFresh()) return;
  await withLock(ROOT, async (lock) => {
    if (always || !buildIsFresh()) await build(lock);
  });
}

async function installPackages(lock) {
  if (!packagesAreInstalled()) {
    say('installing dependencies');
    await npm(lock, ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--include=peer']);
  }
  // Of all packages only this one needs its install script: it brings the pinned Node for this platform.
  if (!existsSync(PINNED_NODE)) await npm(lock, ['rebuild', 'node', '--ignore-scripts=false']);
  if (!existsSync(PINNED_NODE)) {
    throw new SetUpError(`The npm package "node" has no binary for ${process.platform} ${process.arch}.`);
  }
}

/**
 * npm writes node_modules/.package-lock.json last, so an interrupted install has none, or an old one. Folders are looked
 * at as well, because people delete them.
 */
function packagesAreInstalled() {
  const wanted = readLockFile('package-lock.json');
  const installed = readLockFile('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    // An optional package may be meant for another platform.
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity && existsSync(join(ROOT, path, 'package.json'));
  });
}

function readLockFile(name) {
  try {
    return JSON.parse(readFileSync(join(ROOT, name), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function npm(lock, args) {
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier', '--no-progress'];
  // Under `npm run` these two name npm and the Node that runs it, unless an install just took that Node away.
  const { npm_node_execpath: machineNode = '', npm_execpath: npmScript = '' } = process.env;
  const sameNpm = existsSync(machineNode) && npmScript.endsWith('npm-cli.js');
  const [command, ...first] = sameNpm ? [machineNode, npmScript] : ['npm'];
  await runStep(lock, command, [...first, ...args, ...quiet], `npm ${args[0]}`);
}

async function build(lock) {
  say('building');
  const sources = hashOfSources();
  rmSync(BUILD_STAMP, { force: true });
  await runStep(
    lock,
    PINNED_NODE,
    [join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js'), 'build', 'ledger'],
    'The build',
  );
  writeFileSync(BUILD_STAMP, sources);
}

function buildIsFresh() {
  return existsSync(BUILD_STAMP) && readFileSync(BUILD_STAMP, 'utf8') === hashOfSources();
}

/** Over names and contents of all that the build reads. */
function hashOfSources() {
  const hash = createHash('sha256');
  for (const path of [...BUILT_FILES, ...BUILT_FOLDERS.flatMap(filesBelow)]) {
    hash.update(`${path}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(ROOT, path)))
        .digest(),
    );
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path);
      return path.endsWith('.spec.ts') ? [] : [path];
    });
}

/** Runs one step of the set-up in silence; what it printed is shown only when it fails. */
async function runStep(lock, command, args, name) {
  const { code, signal, output } = await runToEnd(command, args, {
    cwd: ROOT,
    capture: true,
    onStart: lock.alsoHeldBy,
  });
  if (code === 0) return;
  throw new SetUpError(`${output.trimEnd()}\n${name} failed (${signal ?? `exit code ${code}`}).`);
}

/** On standard error, so that a script's own output stays clean; not at all under `npm run --silent`. */
function say(what) {
  if (process.env.npm_config_loglevel !== 'silent') process.stderr.write(`writ: ${what} …\n`);
}
