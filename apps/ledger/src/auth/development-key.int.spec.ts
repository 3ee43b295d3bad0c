import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, developmentKey, developmentToken } from './development-key.ts';
import { fixedKeys, keysFromFile, keysFromUrl } from './key-source.ts';
import { printToken } from './token-command.ts';
import { TokenVerifier } from './token-verifier.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-key-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function verifierOf(dataDir: string): Promise<TokenVerifier> {
  const { publicKey } = await developmentKey(dataDir);
  return new TokenVerifier({
    keys: fixedKeys([publicKey]),
    issuer: DEVELOPMENT_ISSUER,
    audience: DEVELOPMENT_AUDIENCE,
  });
}

describe('the key of development mode', () => {
  it('survives, belongs to its owner alone, and leaves nothing beside it', async () => {
    const dataDir = join(folder, 'new', 'data');
    const first = await developmentKey(dataDir);
    expect(await developmentKey(dataDir)).toEqual(first);
    expect(readdirSync(dataDir)).toEqual(['development-key.json']);
    expect(statSync(join(dataDir, 'development-key.json')).mode & 0o777).toBe(0o600);
  });

  it('is one, however many make it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => developmentKey(folder)));
    expect(new Set(keys.map((key) => key.publicKey.x)).size).toBe(1);
  });

  it('has a public half without the private one', async () => {
    expect(await developmentKey(folder)).toMatchObject({
      publicKey: expect.not.objectContaining({ d: expect.anything() }),
    });
  });

  it('is refused when others can read it, or when it is something else', async () => {
    await developmentKey(folder);
    const path = join(folder, 'development-key.json');
    chmodSync(path, 0o644);
    await expect(developmentKey(folder)).rejects.toThrow('chmod 600');
    chmodSync(path, 0o600);
    writeFileSync(path, '{"kty":"oct"}');
    await expect(developmentKey(folder)).rejects.toThrow('delete it');
  });

  it('makes tokens that its public half verifies', async () => {
    const token = await developmentToken(await developmentKey(folder), { sub: 'alice', roles: ['ops'] });
    expect(await (await verifierOf(folder)).verify(`Bearer ${token}`)).toEqual({
      id: 'alice',
      roles: ['ops'],
      scopes: [],
    });
  });
});

describe('the token command', () => {
  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const printed = { out: '', err: '' };
    const code = await printToken(
      args,
      { WRIT_DATA_DIR: folder },
      { stdout: { write: (text) => (printed.out += text) }, stderr: { write: (text) => (printed.err += text) } },
    );
    return { code, ...printed };
  }

  it('prints a token and nothing else', async () => {
    const { code, out, err } = await run('--sub', 'alice', '--roles', 'ops,approver', '--scope', 'confidential');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const caller = await (await verifierOf(folder)).verify(`Bearer ${out.trim()}`);
    expect(caller).toEqual({ id: 'alice', roles: ['ops', 'approver'], scopes: ['confidential'] });
  });

  it('takes a shorter life', async () => {
    const { out } = await run('--sub', 'alice', '--roles', 'ops', '--expires', '60');
    const claims = JSON.parse(Buffer.from(out.split('.')[1] ?? '', 'base64url').toString()) as {
      iat: number;
      exp: number;
    };
    expect(claims.exp - claims.iat).toBe(60);
  });

  it.each([
    [[], /Usage/],
    [['--sub', 'alice'], /Usage/],
    [['--sub', 'alice', '--roles', 'king'], /no role "king"/],
    [['--sub', 'system:supervisor', '--roles', 'ops'], /system:/],
    [['--sub', 'alice', '--roles', 'ops', '--expires', '0'], /--expires/],
    [['--sub', 'alice', '--roles', 'ops', '--verbose'], /Usage/],
  ])('answers %j with a sentence', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
  });

  it('makes none where an identity provider does', async () => {
    let err = '';
    const environment = { WRIT_DATA_DIR: folder, WRIT_JWKS_FILE: 'k', WRIT_JWT_ISSUER: 'i', WRIT_JWT_AUDIENCE: 'a' };
    const output = { stdout: { write: () => true }, stderr: { write: (text: string) => (err += text) } };
    expect(await printToken(['--sub', 'alice', '--roles', 'ops'], environment, output)).toBe(1);
    expect(err).toContain('identity provider');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('keys of an identity provider', () => {
  let server: Server | undefined;
  afterEach(async () => {
    const running = server;
    server = undefined;
    if (running !== undefined) await new Promise((resolve) => running.close(resolve));
  });

  async function serve(status: number, body: string): Promise<URL> {
    const started = createServer((_, response) => response.writeHead(status, { connection: 'close' }).end(body));
    server = started;
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return new URL(`http://127.0.0.1:${String((started.address() as AddressInfo).port)}/jwks`);
  }

  it('come from a file', async () => {
    const { publicKey } = await developmentKey(folder);
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [publicKey] }));
    expect((await keysFromFile(join(folder, 'jwks.json')).refreshed()).version).toMatch(/./);
    await expect(keysFromFile(join(folder, 'none.json')).refreshed()).rejects.toThrow('ENOENT');
  });

  it('come from a URL', async () => {
    const { publicKey } = await developmentKey(folder);
    const keys = keysFromUrl(await serve(200, JSON.stringify({ keys: [publicKey] })));
    expect((await keys.refreshed()).version).toMatch(/./);
  });

  it('are not taken from an error page, nor from an endless one', async () => {
    await expect(keysFromUrl(await serve(500, '')).refreshed()).rejects.toThrow('500');
    const endless = `{"keys":[${' '.repeat(2 * 1024 * 1024)}]}`;
    await new Promise((resolve) => server?.close(resolve));
    await expect(keysFromUrl(await serve(200, endless)).refreshed()).rejects.toThrow('too large');
  });
});
