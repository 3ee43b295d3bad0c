/** ES modules through @swc/jest; `#kernel` and its like are the sources, by the condition `writ-source`. */
export default {
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  testEnvironment: '<rootDir>/scripts/test-environment.mjs',
  testEnvironmentOptions: { customExportConditions: ['writ-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // One more than the cores of the machine that this is measured on: some tests wait for a minute and calculate nothing.
  maxWorkers: 3,
  // What a file leaves behind in its worker, above all the modules that it loaded, is never given back: without a bound a worker
  // ends with 1.6 GB, and takes so long to end that jest warns of it.
  workerIdleMemoryLimit: '500MB',
  // A bound, not a measure: on a busy machine a start of the service alone may take half a minute.
  testTimeout: 120_000,
  watchman: false,
  reporters: ['default', '<rootDir>/scripts/closing-line.mjs'],
};
