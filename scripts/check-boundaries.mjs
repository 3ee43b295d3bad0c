/**
 * Proves that the boundaries of eslint.config.mjs bite: lints planted files, which exist nowhere but here, with the
 * project's own configuration. Each violation must be reported by the rule that is there for it, and the imports that are
 * right must pass.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const IMPORTS = 'writ/import-boundaries';
const GLOBALS = 'no-restricted-globals';

const uses = (specifier) => `import * as used from '${specifier}';\nexport const kept = used;\n`;
/** For each part, what it must not import. */
const FORBIDDEN_IMPORTS = {
  'libs/kernel/src': [
    '#assets',
    '#event-store',
    '#command-handling',
    'rxjs',
    'node:fs',
    'node:sqlite',
    '@nestjs/common',
  ],
  'libs/assets/src': [
    '#parties',
    '#accounts',
    '#replay',
    '#event-store',
    'node:fs',
    'node:crypto',
    'uuid',
    'class-validator',
  ],
  'libs/parties/src': ['#accounts', '#freezes', '#legal-orders', '#command-handling', 'node:net', '@nestjs/common'],
  'libs/legal-orders/src': ['#accounts', '#freezes', '#parties', '#projections', 'node:crypto', 'class-transformer'],
  'libs/sanctions/src': ['#accounts', '#freezes', '#legal-orders', '#parties', 'node:crypto', 'class-validator'],
  'libs/authority-requests/src': [
    '#freezes',
    '#accounts',
    '#parties',
    '#sanctions',
    '#replay',
    'node:crypto',
    '@nestjs/common',
  ],
  'libs/freezes/src': [
    '#authority-requests',
    '#accounts',
    '#replay',
    '#event-store',
    '#projections',
    'node:http',
    '@nestjs/swagger',
  ],
  'libs/accounts/src': [
    '#assets',
    '#legal-orders',
    '#sanctions',
    '#replay',
    '#event-store',
    'node:fs',
    'uuid',
    '@nestjs/common',
  ],
  'libs/event-store/src': ['#accounts', '#event-store/sqlite', '#replay', 'node:sqlite', '@eventstore/db-client'],
  'libs/event-store/memory/src': ['#accounts', '#event-store/sqlite', '#command-handling', 'node:sqlite'],
  'libs/event-store/sqlite/src': [
    '#freezes',
    '#event-store/memory',
    '#projections',
    '@eventstore/db-client',
    'fastify',
  ],
  'libs/event-store/eventstoredb/src': [
    '#accounts',
    '#event-store/sqlite',
    '#testing',
    '@grpc/grpc-js',
    'node:sqlite',
    'pino',
  ],
  'libs/replay/src': ['#command-handling', '#projections', '#event-store/sqlite', 'node:sqlite', '@nestjs/core'],
  'libs/command-handling/src': [
    '#projections',
    '#event-store/sqlite',
    '#testing',
    'node:sqlite',
    '@nestjs/common',
    'pino',
  ],
  'libs/projections/src/thread': ['#event-store/memory', '#command-handling', 'node:sqlite', 'rxjs'],
  'libs/projections/src': [
    '#command-handling',
    '#event-store/sqlite',
    '#testing',
    'prom-client',
    '@nestjs/common',
    'jose',
  ],
  'apps/ledger/src': [
    '#testing',
    'node:sqlite',
    '@eventstore/db-client',
    '@eventstore/db-client/generated/streams_pb.js',
    '@grpc/grpc-js',
    'google-protobuf',
  ],
  'test/e2e': ['@eventstore/db-client'],
};
/** For each part, what it needs. */
const ALLOWED_IMPORTS = {
  'libs/kernel/src': ['./money.ts', 'zod'],
  'libs/assets/src': ['#kernel', './events.ts', 'zod'],
  'libs/parties/src': ['#kernel'],
  'libs/legal-orders/src': ['#kernel'],
  'libs/sanctions/src': ['#kernel'],
  'libs/authority-requests/src': ['#kernel', '#legal-orders', 'zod'],
  'libs/freezes/src': ['#kernel', '#parties', '#legal-orders', '#sanctions'],
  'libs/accounts/src': ['#kernel', '#parties', '#freezes'],
  'libs/event-store/src': ['#kernel', 'rxjs'],
  'libs/event-store/memory/src': ['#kernel', '#event-store'],
  'libs/event-store/sqlite/src': ['#kernel', '#event-store', 'node:sqlite', 'node:worker_threads'],
  'libs/event-store/eventstoredb/src': [
    '#kernel',
    '#event-store',
    '@eventstore/db-client',
    '@eventstore/db-client/generated/streams_pb.js',
  ],
  'libs/replay/src': ['#kernel', '#accounts', '#freezes', '#event-store'],
  'libs/command-handling/src': ['#kernel', '#accounts', '#replay', '#event-store', 'rxjs'],
  'libs/projections/src/thread': ['#event-store/sqlite', 'node:worker_threads'],
  'libs/projections/src': ['#kernel', '#accounts', '#replay', '#event-store', 'rxjs', 'node:sqlite'],
  'libs/testing/src': ['#kernel', '#command-handling', '#projections', '@eventstore/db-client', 'node:sqlite'],
  'apps/ledger/src': ['#command-handling', '#event-store/sqlite', '@nestjs/common', 'fastify', 'jose', './main.ts'],
  'test/bench': ['#event-store/eventstoredb', '@eventstore/db-client', '../../apps/ledger/src/main.ts'],
  'test/e2e': ['#testing', '#kernel', 'node:sqlite', '../fixtures/tokens.ts', '../../apps/ledger/src/main.ts'],
};

/** `[file, code, rule that must report it, or undefined when none may]` */
const PLANTED = [
  ...plantImports(FORBIDDEN_IMPORTS, IMPORTS),
  ...plantImports(ALLOWED_IMPORTS, undefined),

  // Every form of an import counts.
  ['libs/assets/src/planted.ts', "import type { Account } from '#accounts';\nexport type Kept = Account;\n", IMPORTS],
  ['libs/assets/src/planted.ts', "export * from '#accounts';\n", IMPORTS],
  ['libs/assets/src/planted.ts', "export { decide } from '#accounts';\n", IMPORTS],
  ['libs/assets/src/planted.ts', "export type Kept = import('#accounts').Account;\n", IMPORTS],
  ['libs/assets/src/planted.ts', "export const kept = await import('#accounts');\n", IMPORTS],
  ['libs/assets/src/planted.ts', "const name = '#accounts';\nexport const kept = await import(name);\n", IMPORTS],

  // A relative import stays in its library.
  ['libs/assets/src/planted.ts', uses('../../accounts/src/index.ts'), IMPORTS],
  ['libs/event-store/sqlite/src/planted.ts', uses('../../src/port.ts'), IMPORTS],
  ['libs/accounts/src/planted.spec.ts', uses('../../freezes/src/events.ts'), IMPORTS],
  ['apps/ledger/src/planted.ts', uses('../../../libs/kernel/src/index.ts'), IMPORTS],
  ['apps/ledger/src/planted.ts', uses('../../../libs/testing/src/eventstoredb-server/index.ts'), IMPORTS],
  ['libs/testing/src/planted.ts', uses('../../../apps/ledger/src/main.ts'), IMPORTS],
  ['test/e2e/planted.ts', uses('../../libs/kernel/src/index.ts'), IMPORTS],
  ['libs/unlisted/src/planted.ts', 'export const kept = 1;\n', IMPORTS],

  // Test tools are for tests; a spec may use them and every library, but not the framework.
  ['libs/accounts/src/planted.ts', uses('#testing'), IMPORTS],
  ['libs/accounts/src/planted.ts', uses('fast-check'), IMPORTS],
  ['libs/accounts/src/planted.spec.ts', uses('#testing'), undefined],
  ['libs/command-handling/src/planted.int.spec.ts', uses('#event-store/sqlite'), undefined],
  ['libs/accounts/src/planted.spec.ts', uses('@nestjs/common'), IMPORTS],
  ['libs/event-store/src/contract-planted.ts', uses('@jest/globals'), undefined],
  ['libs/event-store/src/planted.ts', uses('@jest/globals'), IMPORTS],

  // Domain code has no clock, no randomness, no I/O.
  ...['kernel', 'assets', 'parties', 'legal-orders', 'sanctions', 'authority-requests', 'freezes', 'accounts'].flatMap(
    (library) =>
      [
        ['Date.now()', GLOBALS],
        ['new Date()', GLOBALS],
        ['performance.now()', GLOBALS],
        ['crypto.randomUUID()', GLOBALS],
        ['globalThis.Date.now()', GLOBALS],
        ["fetch('http://localhost')", GLOBALS],
        ['process.env', GLOBALS],
        ['Math.random()', 'no-restricted-properties'],
      ].map(([expression, rule]) => [`libs/${library}/src/planted.ts`, `export const kept = ${expression};\n`, rule]),
  ),
  ['libs/kernel/src/clock.ts', 'export const kept = Date.now();\n', undefined],
  ['libs/kernel/src/planted.ts', "export { randomUUID } from 'node:crypto';\n", 'no-restricted-imports'],
  ['libs/kernel/src/planted.ts', "export { v7 } from 'uuid';\n", 'no-restricted-imports'],
  ['libs/kernel/src/planted.ts', "export { hash } from 'node:crypto';\n", undefined],
  ['libs/kernel/src/ids.ts', "export { v7 } from 'uuid';\n", undefined],

  // Every test runs.
  ['libs/kernel/src/planted.spec.ts', "it.skip('is skipped', () => undefined);\n", 'no-restricted-syntax'],
  ['libs/kernel/src/planted.spec.ts', "describe.only('is alone', () => undefined);\n", 'no-restricted-syntax'],
];

function plantImports(table, rule) {
  return Object.entries(table).flatMap(([folder, specifiers]) =>
    specifiers.map((specifier) => [`${folder}/planted.ts`, uses(specifier), rule]),
  );
}

/** Rules that need types are off: TypeScript knows no planted file, and no boundary needs types. */
const eslint = new ESLint({ cwd: ROOT, overrideConfig: [tseslint.configs.disableTypeChecked] });
const BOUNDARY_RULES = [IMPORTS, GLOBALS, 'no-restricted-properties', 'no-restricted-imports', 'no-restricted-syntax'];

async function problemWith([file, code, rule]) {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  const broken = result.messages.filter((message) => message.fatal || message.ruleId === null);
  const reported = result.messages.filter((message) => message.severity === 2).map((message) => message.ruleId);
  if (broken.length > 0) return `could not be linted: ${broken[0].message}`;
  if (rule !== undefined) return reported.includes(rule) ? undefined : `passed, ${rule} should have caught it`;
  return reported.some((id) => BOUNDARY_RULES.includes(id)) ? `was refused (${reported.join(', ')})` : undefined;
}

let failures = 0;
for (const planted of PLANTED) {
  const problem = await problemWith(planted);
  if (problem === undefined) continue;
  failures += 1;
  console.error(`${planted[0]}: ${problem}:\n${planted[1]}`);
}
const violations = PLANTED.filter(([, , rule]) => rule !== undefined).length;
console.log(
  `${violations} planted violations and ${PLANTED.length - violations} rightful imports: ${failures} judged wrongly`,
);
process.exitCode = failures === 0 ? 0 : 1;
