/**
 * Runs a task of the project: `node scripts/run.mjs <task> [arguments]`, or `npm run <task>`. It starts on whatever Node
 * (20 or newer) the machine has, does the set-up that is missing, and then runs the task on the pinned Node.
 */
import { join } from 'node:path';
import { endAs, runToEnd } from './processes.mjs';
import { PINNED_NODE, ROOT, SetUpError, ensureBuild, ensurePackages } from './set-up.mjs';

const OLDEST_NODE_MAJOR = 20;

const built = (name) => `dist/apps/ledger/src/${name}.js`;
const tool = (path) => `node_modules/${path}`;
const eslint = (...args) => [tool('eslint/bin/eslint.js'), '.', '--max-warnings=0', ...args];
const prettier = (...args) => [tool('prettier/bin/prettier.cjs'), '.', '--log-level=warn', ...args];
// jest loads ES modules through an interface of Node's that warns of itself in every worker.
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', tool('jest/bin/jest.js')];

/**
 * gRPC names to TLS the server that it goes to, also where that is an address, of which Node warns: a start that fails is to
 * end in one line.
 */
const ADDRESS_AS_NAME = '--disable-warning=DEP0123';

/** What the service gives V8 for what lives shortly, three times so many MiB: by itself it takes several times as much. */
const YOUNG = '--max-semi-space-size=8';

/** Of what its threads have freed, glibc keeps less for each of them. */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };

/** What has more to try than `npm test` has time for. */
const NIGHTLY = ['test/simulation', 'test/security/fuzz', 'test/recovery/kill', 'test/instances/three'];

/** What Node has compiled once, or stripped of its types, it finds again here: each process and each thread starts sooner. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled');

/**
 * For each task its set-up, the environment that it adds, and the commands that the pinned Node then runs in turn, or all
 * at once; `args` are the caller's.
 */
const TASKS = {
  setup: { needs: ensurePackages, commands: () => [] },
  build: { needs: () => ensureBuild({ always: true }), commands: () => [] },
  start: {
    needs: ensureBuild,
    environment: FEW_ARENAS,
    commands: (args) => [[YOUNG, built('main'), ...args]],
  },
  token: { needs: ensureBuild, commands: (args) => [[built('token'), ...args]] },
  demo: { needs: ensureBuild, commands: (args) => [[built('demo/main'), ...args]] },
  rebuild: { needs: ensureBuild, commands: (args) => [[built('rebuild'), ...args]] },
  backup: { needs: ensureBuild, commands: (args) => [[built('backup'), ...args]] },
  restore: { needs: ensureBuild, commands: (args) => [[built('restore'), ...args]] },
  load: { needs: ensureBuild, commands: (args) => [[built('load'), ...args]] },
  copy: { needs: ensureBuild, commands: (args) => [[built('copy'), ...args]] },
  check: { needs: ensureBuild, commands: (args) => [[built('check'), ...args]] },
  eventstoredb: { needs: ensureBuild, commands: (args) => [[built('eventstoredb'), ...args]] },
  openapi: { needs: ensureBuild, commands: (args) => [[built('openapi'), ...args]] },
  catalogue: { needs: ensureBuild, commands: (args) => [[built('catalogue'), ...args]] },
  // Node strips the types of test/bench itself; what it imports by `#` is the build, as without `writ-source`.
  bench: { needs: ensureBuild, commands: (args) => [['test/bench/main.ts', ...args]] },
  // No acknowledgement before its sync, shown by what the service asks of the system.
  'prove-durability': { needs: ensureBuild, commands: (args) => [['test/recovery/prove-durability.ts', ...args]] },
  // A full disk on a real file system of a few MiB, where one may be mounted.
  'prove-full-disk': { needs: ensureBuild, commands: (args) => [['test/recovery/prove-full-disk.ts', ...args]] },
  // Some tests start the built service.
  test: { needs: ensureBuild, commands: (args) => [[...jest, ...args]] },
  // The simulations, for hours: every corner that `npm test` has no time for.
  nightly: {
    needs: ensureBuild,
    environment: { WRIT_EFFORT: 'nightly' },
    commands: (args) => [[...jest, ...(args.length === 0 ? NIGHTLY : args)]],
  },
  // Against the server that WRIT_EVENTSTOREDB_URL names, in streams of their own; without it, the one of the tests.
  'test:eventstoredb': { needs: ensureBuild, commands: (args) => [['test/eventstoredb/main.ts', ...args]] },
  lint: { needs: ensurePackages, atOnce: true, commands: () => [eslint(), prettier('--check')] },
  format: { needs: ensurePackages, commands: () => [eslint('--fix'), prettier('--write')] },
  typecheck: { needs: ensurePackages, commands: () => [[tool('typescript/bin/tsc'), '--noEmit', '-p', '.']] },
  'check-alerts': { needs: ensurePackages, commands: () => [['scripts/check-alerts.mjs']] },
  boundaries: { needs: ensurePackages, commands: () => [['scripts/check-boundaries.mjs']] },
};

async function main([name, ...args]) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE_MAJOR) {
    fail(`Writ needs Node.js ${OLDEST_NODE_MAJOR} or newer to set itself up; this is ${process.version}.`);
  }
  if (!Object.hasOwn(TASKS, name ?? '')) fail(`Usage: npm run <${Object.keys(TASKS).join(' | ')}>`);
  const task = TASKS[name];
  try {
    await task.needs();
  } catch (error) {
    if (error instanceof SetUpError) fail(error.message);
    throw error;
  }
  Object.assign(process.env, { NODE_COMPILE_CACHE: COMPILED, ...process.env, ...task.environment });
  const run = (command) => runToEnd(PINNED_NODE, [ADDRESS_AS_NAME, ...command], { cwd: ROOT });
  const commands = task.commands(args);
  if (task.atOnce === true) {
    const failed = (await Promise.all(commands.map(run))).find(({ code }) => code !== 0);
    if (failed !== undefined) endAs(failed);
    return;
  }
  for (const command of commands) {
    const end = await run(command);
    if (end.code !== 0) return endAs(end);
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

await main(process.argv.slice(2));
