import { describe, expect, it } from '@jest/globals';
import { ConfigError, isLoopback, readConfig, unknownVariables, type Environment } from './config.ts';

const PROVIDER = {
  WRIT_JWKS_URL: 'https://id.example/jwks',
  WRIT_JWT_ISSUER: 'https://id.example',
  WRIT_JWT_AUDIENCE: 'writ',
};

function problemsOf(environment: Environment): readonly { variable: string; rule: string }[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('readConfig', () => {
  it('needs nothing: development mode on loopback, with defaults', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: 'data',
      store: { kind: 'sqlite' },
      identity: { mode: 'development' },
      logLevel: 'info',
      rateLimit: 0,
      refusalLimit: 60,
      snapshotEvery: 250,
      streamsInMemory: 10_000,
      bodyLimitBytes: 1_048_576,
      concurrencyLimit: 512,
      requestTimeoutMs: 15_000,
    });
  });

  it('takes a variable that is set to nothing as not set', () => {
    expect(readConfig({ PORT: '', WRIT_JWKS_URL: '', HOST: '' })).toEqual(readConfig({}));
  });

  it('reads an identity provider, and then limits callers', () => {
    const config = readConfig({ ...PROVIDER, HOST: '0.0.0.0', NODE_ENV: 'production' });
    expect(config.identity).toEqual({
      mode: 'identity-provider',
      jwks: { url: new URL('https://id.example/jwks') },
      issuer: 'https://id.example',
      audience: 'writ',
    });
    expect(config.rateLimit).toBe(1000);
  });

  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '0x10'],
    ['PORT', ' 80'],
    ['WRIT_STORE', 'mongodb'],
    ['WRIT_RATE_LIMIT', '1.5'],
    ['WRIT_REFUSAL_LIMIT', '0'],
    ['WRIT_LOG_LEVEL', 'loud'],
    ['WRIT_BODY_LIMIT', '10'],
    ['WRIT_STREAMS_IN_MEMORY', '10'],
    ['WRIT_CONCURRENCY_LIMIT', '0'],
    ['WRIT_REQUEST_TIMEOUT_MS', '1'],
    ['HOST', 'not a host'],
  ])('names %s for %j', (variable, value) => {
    expect(problemsOf({ [variable]: value }).map((problem) => problem.variable)).toEqual([variable]);
  });

  it('reports every broken rule at once, each with its variable', () => {
    const problems = problemsOf({ PORT: 'x', WRIT_LOG_LEVEL: 'y', WRIT_RATE_LIMIT: 'z' });
    expect(problems.map((problem) => problem.variable)).toEqual(['PORT', 'WRIT_LOG_LEVEL', 'WRIT_RATE_LIMIT']);
  });

  it('never repeats a value, which may be a secret', () => {
    expect(JSON.stringify(problemsOf({ WRIT_JWKS_URL: 'ftp://user:hunter2@host/' }))).not.toContain('hunter2');
  });

  it.each(['0.0.0.0', '::', '192.168.1.1', 'ledger.example', '128.0.0.1'])(
    'serves nobody but this machine in development mode: %s',
    (HOST) => {
      expect(problemsOf({ HOST })).toEqual([{ variable: 'HOST', rule: expect.stringContaining('loopback') }]);
      expect(problemsOf({ ...PROVIDER, HOST })).toEqual([]);
    },
  );

  it('refuses development mode in production', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toEqual([
      { variable: 'WRIT_JWKS_URL', rule: expect.stringContaining('NODE_ENV') },
    ]);
  });

  it.each(['WRIT_JWT_ISSUER', 'WRIT_JWT_AUDIENCE'])('wants %s with a key set, and not without', (variable) => {
    expect(problemsOf({ ...PROVIDER, [variable]: undefined })).toEqual([{ variable, rule: expect.any(String) }]);
    expect(problemsOf({ [variable]: 'x' })).toEqual([{ variable, rule: expect.any(String) }]);
  });

  it('takes one source of keys', () => {
    expect(problemsOf({ ...PROVIDER, WRIT_JWKS_FILE: 'keys.json' }).map((problem) => problem.variable)).toEqual([
      'WRIT_JWKS_FILE',
    ]);
    expect(readConfig({ ...PROVIDER, WRIT_JWKS_URL: undefined, WRIT_JWKS_FILE: 'keys.json' }).identity).toMatchObject({
      jwks: { file: 'keys.json' },
    });
  });

  it.each(['http://id.example/jwks', 'ftp://id.example', 'keys', 'file:///keys.json', 'http://127.evil.example/'])(
    'fetches keys over https only: %s',
    (url) => {
      expect(problemsOf({ ...PROVIDER, WRIT_JWKS_URL: url }).map((problem) => problem.variable)).toEqual([
        'WRIT_JWKS_URL',
      ]);
    },
  );

  it.each(['http://127.0.0.1:8080/jwks', 'http://localhost/jwks', 'http://[::1]:8080/jwks'])(
    'fetches keys over http on this machine: %s',
    (url) => {
      expect(problemsOf({ ...PROVIDER, WRIT_JWKS_URL: url })).toEqual([]);
    },
  );
});

it.each(['https://user:hunter2@id.example/jwks', 'https://hunter2@id.example/jwks', 'https://:hunter2@id.example/'])(
  'fetches keys from a URL without user and password only, and tells neither: %s',
  (url) => {
    const problems = problemsOf({ ...PROVIDER, WRIT_JWKS_URL: url });
    expect(problems).toEqual([{ variable: 'WRIT_JWKS_URL', rule: expect.stringContaining('no password') }]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  },
);

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost', '::ffff:127.0.0.1'])('%s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['0.0.0.0', '10.0.0.1', '::', '127.0.0.1.example', 'localhost.example', '::ffff:10.0.0.1', ''])(
    'not %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('unknownVariables', () => {
  it('finds misspelt names', () => {
    expect(unknownVariables({ WRIT_RATELIMIT: '1', WRIT_RATE_LIMIT: '1', PATH: 'x' })).toEqual(['WRIT_RATELIMIT']);
  });
});

describe('a store on a server', () => {
  const SERVER = { WRIT_STORE: 'eventstoredb', WRIT_EVENTSTOREDB_URL: 'esdb://db.example:2113' };

  it('needs to know where, and no more', () => {
    expect(readConfig(SERVER).store).toEqual({ kind: 'eventstoredb', connectionString: 'esdb://db.example:2113' });
    expect(problemsOf({ WRIT_STORE: 'eventstoredb' })).toEqual([
      { variable: 'WRIT_EVENTSTOREDB_URL', rule: expect.stringContaining('must be set') as unknown },
    ]);
  });

  it('takes a CA file, a prefix, and user and password beside the URL', () => {
    const store = readConfig({
      ...SERVER,
      WRIT_EVENTSTOREDB_CA_FILE: '/etc/ca.pem',
      WRIT_EVENTSTOREDB_PREFIX: 'ledger-1.',
      WRIT_EVENTSTOREDB_USER: 'writ',
      WRIT_EVENTSTOREDB_PASSWORD: 'p@ss:word/?',
    }).store;
    expect(store).toEqual({
      kind: 'eventstoredb',
      connectionString: 'esdb://writ:p%40ss%3Aword%2F%3F@db.example:2113',
      caFile: '/etc/ca.pem',
      streamPrefix: 'ledger-1.',
    });
  });

  it.each([
    ['WRIT_EVENTSTOREDB_URL', { WRIT_EVENTSTOREDB_URL: 'http://writ:hunter2@db.example' }],
    ['WRIT_EVENTSTOREDB_USER', { WRIT_EVENTSTOREDB_PASSWORD: 'hunter2' }],
    ['WRIT_EVENTSTOREDB_PASSWORD', { WRIT_EVENTSTOREDB_USER: 'writ' }],
    ['WRIT_EVENTSTOREDB_PREFIX', { WRIT_EVENTSTOREDB_PREFIX: '$mine' }],
    [
      'WRIT_EVENTSTOREDB_USER',
      {
        WRIT_EVENTSTOREDB_URL: 'esdb://writ:hunter2@db.example',
        WRIT_EVENTSTOREDB_USER: 'writ',
        WRIT_EVENTSTOREDB_PASSWORD: 'hunter2',
      },
    ],
  ])('says what is wrong with %s, and no password', (variable, changed) => {
    const problems = problemsOf({ ...SERVER, ...changed });
    expect(problems.map((problem) => problem.variable)).toEqual([variable]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('is not set up for nothing', () => {
    expect(problemsOf({ WRIT_EVENTSTOREDB_PREFIX: 'x' })).toEqual([
      { variable: 'WRIT_EVENTSTOREDB_PREFIX', rule: expect.stringContaining('has no effect') as unknown },
    ]);
  });
});
