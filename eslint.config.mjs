import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { importBoundaries } from './scripts/import-boundaries.mjs';

const root = import.meta.dirname;

const DOMAIN = ['#assets', '#parties', '#accounts', '#legal-orders', '#sanctions', '#authority-requests', '#freezes'];

/**
 * Which part may import what: kernel <- domain libraries (parties, legal orders, sanctions <- freezes <- accounts; legal orders <- authority requests) <- replay <- command
 * handling, projections <- apps. Whatever is not listed is refused, so Nest, class-validator and HTTP stay in apps.
 * `npm run boundaries` proves that each line bites.
 */
const PARTS = {
  'libs/kernel': { imports: ['node:crypto', 'zod', 'uuid'] },

  'libs/assets': { imports: ['#kernel', 'zod'] },
  'libs/parties': { imports: ['#kernel', 'zod'] },
  'libs/legal-orders': { imports: ['#kernel', 'zod'] },
  'libs/sanctions': { imports: ['#kernel', 'zod'] },
  'libs/authority-requests': { imports: ['#kernel', '#legal-orders', 'zod'] },
  'libs/freezes': { imports: ['#kernel', '#parties', '#legal-orders', '#sanctions', 'zod'] },
  'libs/accounts': { imports: ['#kernel', '#parties', '#freezes', 'zod'] },

  'libs/event-store': { imports: ['#kernel', 'rxjs'] },
  'libs/event-store/memory': { imports: ['#kernel', '#event-store', 'rxjs'] },
  'libs/event-store/sqlite': { imports: ['#kernel', '#event-store', 'rxjs', 'node:*'] },
  'libs/event-store/eventstoredb': {
    imports: ['#kernel', '#event-store', 'rxjs', 'node:*', '!node:sqlite', '@eventstore/db-client*'],
  },

  'libs/replay': { imports: ['#kernel', ...DOMAIN, '#event-store', 'zod'] },
  'libs/command-handling': {
    imports: ['#kernel', ...DOMAIN, '#replay', '#event-store', 'rxjs', 'zod', 'node:*', '!node:sqlite'],
  },
  'libs/projections': { imports: ['#kernel', ...DOMAIN, '#replay', '#event-store', 'rxjs', 'zod', 'node:*'] },
  // The projections' thread opens the log by itself: what is open can't cross from another thread.
  'libs/projections/src/thread': {
    imports: ['#event-store/sqlite', '#event-store/eventstoredb', 'node:worker_threads'],
    reaches: ['libs/projections'],
  },

  'libs/testing': { imports: ['*'] },
  'apps/ledger': {
    imports: ['*', '!#testing', '!node:sqlite', '!@eventstore/db-client*', '!@grpc/grpc-js', '!google-protobuf'],
  },
  test: { imports: ['*', '!@eventstore/db-client*'], reaches: ['apps/ledger'] },
  // What the client does alone is what the store on it is compared with.
  'test/bench': { imports: ['*'], reaches: ['apps/ledger', 'test'] },
};
/** What a spec may import beyond what its part may. */
const SPECS_ALSO = ['#*', 'node:*', '@jest/globals', 'fast-check', 'canonicalize'];

const PURE = ['libs/{kernel,assets,parties,accounts,legal-orders,sanctions,authority-requests,freezes}/**/*.ts'];
/** What only tests run: the store's contract suite stands beside the port that it describes. */
const SPECS = ['**/*.spec.ts', 'libs/event-store/src/contract*.ts'];

const IMPURE_GLOBALS = [
  'Date',
  'performance',
  'crypto',
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'console',
  'globalThis',
  'global',
].map((name) => ({ name, message: 'Domain code has no clock, no randomness, no I/O: it arrives with the command.' }));

/** Focus and skips: a test that does not run proves nothing, and one that runs alone hides the others. */
const UNRUN_TESTS = [
  'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(skip|only|todo|failing)$/]',
  'CallExpression[callee.name=/^(xit|xtest|xdescribe|fit|fdescribe)$/]',
].map((selector) => ({ selector, message: 'Every test runs, always.' }));

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'data/', 'coverage/'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A name that stands in no type is written in brackets.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // Nest's modules are classes without members.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // It asks for `!`, which no-non-null-assertion refuses.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // Types are structural here: a plain object answers as a DTO, an error is known by its code.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    // jest's matchers are typed `any`, and the methods that an expectation names are not called there.
    files: [...SPECS, 'test/**/*.ts', 'libs/testing/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-console': 'off',
      'no-restricted-syntax': ['error', ...UNRUN_TESTS],
    },
  },
  {
    // A DTO is spread into a plain command: losing its class is meant.
    files: ['apps/**/*.ts'],
    rules: { '@typescript-eslint/no-misused-spread': 'off' },
  },

  {
    files: ['**/*.ts'],
    plugins: { writ: { rules: { 'import-boundaries': importBoundaries } } },
    rules: { 'writ/import-boundaries': ['error', { root, parts: PARTS }] },
  },
  { files: SPECS, rules: { 'writ/import-boundaries': ['error', { root, parts: PARTS, also: SPECS_ALSO }] } },

  {
    files: PURE,
    ignores: [...SPECS, 'libs/kernel/src/clock.ts'],
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Domain code has no randomness: ids arrive with the command.' },
      ],
    },
  },
  {
    files: ['libs/kernel/**/*.ts'],
    ignores: [...SPECS, 'libs/kernel/src/ids.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { name: 'node:crypto', allowImportNames: ['hash'], message: 'The kernel hashes, and draws nothing.' },
        { name: 'uuid', message: 'Only ids.ts makes ids.' },
      ],
    },
  },

  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
);
