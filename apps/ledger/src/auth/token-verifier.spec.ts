import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';
import { fixedKeys, ReloadedKeys } from './key-source.ts';
import type { Caller } from './roles.ts';
import { TokenVerifier, Unauthenticated } from './token-verifier.ts';

const ISSUER = 'https://id.example';
const AUDIENCE = 'writ';
const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const NOW_S = NOW_MS / 1000;

interface Pair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

async function pair(kid: string | undefined, alg = 'ES256'): Promise<Pair> {
  const keys = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), alg };
  return { ...keys, jwk: kid === undefined ? jwk : { ...jwk, kid } };
}

interface Claims {
  readonly sub?: unknown;
  readonly roles?: unknown;
  readonly scope?: unknown;
  readonly iss?: string;
  readonly aud?: string;
  readonly exp?: number | undefined;
  readonly nbf?: number;
  readonly iat?: number;
}

function claimsOf(claims: Claims): Record<string, unknown> {
  return { sub: 'alice', roles: ['ops'], iss: ISSUER, aud: AUDIENCE, exp: NOW_S + 60, ...claims };
}

function sign(key: Pair, claims: Claims = {}, alg = 'ES256'): Promise<string> {
  const kid = key.jwk.kid === undefined ? {} : { kid: key.jwk.kid };
  return new SignJWT(claimsOf(claims)).setProtectedHeader({ alg, ...kid }).sign(key.privateKey);
}

let key: Pair;
let otherKey: Pair;
beforeAll(async () => {
  key = await pair('key-1');
  otherKey = await pair('key-2');
});

function verifier(now: () => number = () => NOW_MS, keys: readonly JWK[] = [key.jwk]): TokenVerifier {
  return new TokenVerifier({ keys: fixedKeys(keys), issuer: ISSUER, audience: AUDIENCE }, now);
}

async function verified(token: string): Promise<Caller | Unauthenticated> {
  return verifier().verify(`Bearer ${token}`);
}

async function expectRefused(token: string, detail: RegExp): Promise<void> {
  const answer = await verified(token);
  expect(answer).toBeInstanceOf(Unauthenticated);
  expect((answer as Unauthenticated).detail).toMatch(detail);
}

describe('a token', () => {
  it('tells who calls, with the roles that exist', async () => {
    expect(await verified(await sign(key, { roles: ['ops', 'emperor', 'approver', 'ops'] }))).toEqual({
      id: 'alice',
      roles: ['ops', 'approver'],
      scopes: [],
    });
  });

  it.each([
    ['confidential', ['confidential']],
    ['openid  confidential', ['openid', 'confidential']],
    [
      ['openid', 'confidential'],
      ['openid', 'confidential'],
    ],
    ['', []],
  ])('may have scopes: %j', async (scope, scopes) => {
    expect(await verified(await sign(key, { scope }))).toMatchObject({ scopes });
  });

  it('may have no roles, and then may do nothing that needs one', async () => {
    expect(await verified(await sign(key, { roles: undefined }))).toEqual({ id: 'alice', roles: [], scopes: [] });
  });

  it.each(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'])('may be signed with %s', async (alg) => {
    const signer = await pair('any', alg);
    const answer = await verifier(undefined, [signer.jwk]).verify(`Bearer ${await sign(signer, {}, alg)}`);
    expect(answer).toMatchObject({ id: 'alice' });
  });

  it('is found by trying where keys have no ids', async () => {
    const [first, second] = [await pair(undefined), await pair(undefined)];
    const both = verifier(undefined, [first.jwk, second.jwk]);
    expect(await both.verify(`Bearer ${await sign(second)}`)).toMatchObject({ id: 'alice' });
    expect(await both.verify(`Bearer ${await sign(await pair(undefined))}`)).toBeInstanceOf(Unauthenticated);
  });

  it.each<[string, Claims, RegExp]>([
    ['expired', { exp: NOW_S - 1 }, /expired/],
    ['expiring now', { exp: NOW_S }, /expired/],
    ['without expiry', { exp: undefined }, /"exp"/],
    ['expired a hair ago', { exp: NOW_S - 0.001 }, /expired/],
    ['not yet valid', { nbf: NOW_S + 60 }, /"nbf"/],
    ['not valid for another six seconds', { nbf: NOW_S + 6 }, /"nbf"/],
    ['that expires at no date that there is', { exp: 1e308 }, /"exp"/],
    ['that expires a second after the last date', { exp: 8_640_000_000_001 }, /"exp"/],
    ['valid from no date that there is', { nbf: -1e308 }, /"nbf"/],
    ['issued at no date that there is', { iat: 1e308 }, /"iat"/],
    ['of another issuer', { iss: 'https://evil.example' }, /"iss"/],
    ['for another audience', { aud: 'other' }, /"aud"/],
    ['without a subject', { sub: undefined }, /"sub"/],
    ['with an empty subject', { sub: '' }, /"sub"/],
    ['with a subject of 129 characters', { sub: 'a'.repeat(129) }, /"sub"/],
    ['with a line break in the subject', { sub: 'alice\nbob' }, /"sub"/],
    ['with an invisible character in the subject', { sub: 'alice\u200b' }, /"sub"/],
    ...['\ufe0f', '\u034f', '\u115f', '\u3164', '\u17b4', '\u180b', '\u2800'].map(
      (unseen): [string, Claims, RegExp] => [
        `with U+${unseen.charCodeAt(0).toString(16)} in the subject`,
        { sub: `ali${unseen}ce` },
        /"sub"/,
      ],
    ),
    ['with a blank before the subject', { sub: ' system:supervisor' }, /"sub"/],
    ['with the service as subject', { sub: 'system:supervisor' }, /system:/],
    ['with the service as subject, written otherwise', { sub: 'SYSTEM：x' }, /system:/],
    ['with a number as subject', { sub: 7 }, /sub/],
    ['with roles that are no array', { roles: 'ops' }, /"roles"/],
    ['with roles that are no strings', { roles: [1] }, /"roles"/],
    ['with null for roles', { roles: null }, /"roles"/],
    ['with a number as scope', { scope: 7 }, /"scope"/],
    ['with scopes that are no strings', { scope: [7] }, /"scope"/],
    ['with null for a scope', { scope: null }, /"scope"/],
  ])('%s is refused', async (_, claims, detail) => {
    await expectRefused(await sign(key, claims), detail);
  });

  it.each<[string, Claims]>([
    ['valid in 5 seconds, by a clock that is ahead', { nbf: NOW_S + 5 }],
    ['issued in the future', { iat: NOW_S + 3_600 }],
    ['that expires at the last date that there is', { exp: 8_640_000_000_000 }],
    ['that lives for a millisecond more', { exp: NOW_S + 0.001 }],
  ])('%s is taken', async (_, claims) => {
    expect(await verified(await sign(key, claims))).toMatchObject({ id: 'alice' });
  });

  it('is refused by the end of its time, whichever way its key was found', async () => {
    const [first, second] = [await pair(undefined), await pair(undefined)];
    const both = verifier(undefined, [first.jwk, second.jwk]);
    for (const exp of [NOW_S - 4, NOW_S]) {
      expect(await both.verify(`Bearer ${await sign(second, { exp })}`)).toMatchObject({
        detail: 'The token has expired.',
      });
    }
  });

  it('finds its key behind one that is fit for nothing', async () => {
    const good = await pair(undefined, 'RS256');
    const weak = { kty: 'RSA', alg: 'RS256', n: 'AQAB', e: 'AQAB' };
    const answer = await verifier(undefined, [weak, good.jwk]).verify(`Bearer ${await sign(good, {}, 'RS256')}`);
    expect(answer).toMatchObject({ id: 'alice' });
  });

  it('finds its key among several of one id', async () => {
    const again = await pair('key-1');
    const answer = await verifier(undefined, [again.jwk, key.jwk]).verify(`Bearer ${await sign(key)}`);
    expect(answer).toMatchObject({ id: 'alice' });
  });

  it('of an unknown key is refused', async () => {
    await expectRefused(await sign(otherKey), /key/);
  });

  it('that uses the id of a known key is refused', async () => {
    await expectRefused(await sign({ ...otherKey, jwk: { ...otherKey.jwk, kid: 'key-1' } }), /key/);
  });

  it('without a signature is refused', async () => {
    await expectRefused(new UnsecuredJWT(claimsOf({})).encode(), /./);
    const [, payload = ''] = (await sign(key)).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: 'key-1' })).toString('base64url');
    await expectRefused(`${header}.${payload}.`, /./);
  });

  it('signed by HMAC with the public key as secret is refused', async () => {
    const [, payload = ''] = (await sign(key)).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'key-1' })).toString('base64url');
    const secret = await exportSPKI(key.publicKey);
    const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
    await expectRefused(`${header}.${payload}.${signature}`, /algorithm/);
  });

  it('whose payload was changed is refused', async () => {
    const [header, , signature] = (await sign(key)).split('.');
    const payload = Buffer.from(JSON.stringify(claimsOf({ sub: 'mallory' }))).toString('base64url');
    await expectRefused([header, payload, signature].join('.'), /key/);
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Bearer ä', 'Bearer x.y.z', 'Bearer ..'])(
    'is not to be had from %j',
    async (header) => {
      expect(await verifier().verify(header)).toBeInstanceOf(Unauthenticated);
    },
  );

  it('that is missing is told apart from a wrong one', async () => {
    expect(await verifier().verify(undefined)).toMatchObject({ tokenGiven: false });
    expect(await verifier().verify('Bearer x')).toMatchObject({ tokenGiven: true });
  });
});

describe('the memory of verified tokens', () => {
  it('answers at once the second time, and no longer than the token lives', async () => {
    let now = NOW_MS;
    const subject = verifier(() => now);
    const header = `Bearer ${await sign(key, { exp: NOW_S + 60 })}`;
    await subject.verify(header);
    expect(subject.verify(header)).toEqual({ id: 'alice', roles: ['ops'], scopes: [] });
    now = NOW_MS + 60_000;
    expect(await subject.verify(header)).toMatchObject({ detail: 'The token has expired.' });
  });

  it('forgets what a removed key had signed', async () => {
    let now = 0;
    let document = JSON.stringify({ keys: [key.jwk, otherKey.jwk] });
    const keys = new ReloadedKeys(() => Promise.resolve(document), { now: () => now });
    const subject = new TokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE }, () => NOW_MS);
    const header = `Bearer ${await sign(otherKey)}`;
    expect(await subject.verify(header)).toMatchObject({ id: 'alice' });
    document = JSON.stringify({ keys: [key.jwk] });
    expect(subject.verify(header)).toMatchObject({ id: 'alice' });
    now = 30_000;
    expect(await subject.verify(header)).toBeInstanceOf(Unauthenticated);
  });

  it('forgets it also when another token made it look', async () => {
    let now = 0;
    let document = JSON.stringify({ keys: [key.jwk, otherKey.jwk] });
    const keys = new ReloadedKeys(() => Promise.resolve(document), { now: () => now });
    const subject = new TokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE }, () => NOW_MS);
    const header = `Bearer ${await sign(otherKey)}`;
    await subject.verify(header);
    document = JSON.stringify({ keys: [key.jwk] });
    now = 30_000;
    await subject.verify(`Bearer ${await sign(key)}`);
    expect(await subject.verify(header)).toBeInstanceOf(Unauthenticated);
  });

  it('takes a new key of the provider at once', async () => {
    let now = 0;
    let document = JSON.stringify({ keys: [key.jwk] });
    const keys = new ReloadedKeys(() => Promise.resolve(document), { now: () => now });
    const subject = new TokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE }, () => NOW_MS);
    await subject.verify(`Bearer ${await sign(key)}`);
    document = JSON.stringify({ keys: [key.jwk, otherKey.jwk] });
    now = 10_000;
    expect(await subject.verify(`Bearer ${await sign(otherKey)}`)).toMatchObject({ id: 'alice' });
  });
});

describe('ReloadedKeys', () => {
  it('outlives a source that is away for a while, but not for good', async () => {
    let now = 0;
    let answer: () => Promise<string> = () => Promise.resolve(JSON.stringify({ keys: [key.jwk] }));
    const keys = new ReloadedKeys(() => answer(), { now: () => now });
    const { version } = await keys.refreshed();
    answer = () => Promise.reject(new Error('away'));
    now = 60_000;
    expect(keys.current()).toBeUndefined();
    expect(await keys.refreshed()).toMatchObject({ version });
    now = 2 * 60 * 60_000;
    await expect(keys.refreshed()).rejects.toThrow('away');
  });

  it('does not hammer a source that does not know a key', async () => {
    let reads = 0;
    const keys = new ReloadedKeys(
      () => {
        reads += 1;
        return Promise.resolve(JSON.stringify({ keys: [key.jwk] }));
      },
      { now: () => 0 },
    );
    await Promise.all(Array.from({ length: 100 }, () => keys.refreshed()));
    await keys.refreshed();
    expect(reads).toBe(1);
  });

  it.each([
    ['no JSON', 'x', /not JSON/],
    ['no keys', '{}', /"keys"/],
    ['null', 'null', /"keys"/],
    ['keys of another shape', '{"keys":[1]}', /"keys"/],
    ['only secrets', '{"keys":[{"kty":"oct","k":"AA"}]}', /no RSA/],
    ['a private key', '{"keys":[{"kty":"EC","d":"AA"}]}', /private/],
  ])('refuses %s', async (_, document, message) => {
    await expect(new ReloadedKeys(() => Promise.resolve(document)).refreshed()).rejects.toThrow(message);
  });
});
