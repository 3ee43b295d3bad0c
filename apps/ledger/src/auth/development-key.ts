import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, SignJWT, type JWK } from 'jose';
import { codeOf } from '../thrown.ts';
import type { Role } from './roles.ts';

/** In development mode the service is its own identity provider; these are its name and its audience. */
export const DEVELOPMENT_ISSUER = 'writ-development';
export const DEVELOPMENT_AUDIENCE = 'writ';

const KEY_FILE = 'development-key.json';
const OWNER_ONLY = 0o600;
const TOKEN_LIFE_S = 12 * 60 * 60;

/** The key pair of development mode; the private half never leaves the data folder. */
export interface DevelopmentKey {
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

/**
 * Reads the key of this data folder, and makes it first if there is none. Processes that do so at once agree on one.
 * @throws Error when the file is not a key or others can read it
 */
export async function developmentKey(dataDir: string): Promise<DevelopmentKey> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, KEY_FILE);
  let text = readIfThere(path);
  if (text === undefined) {
    await placeNewKey(path);
    text = readFileSync(path, 'utf8');
  }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new Error(`${path} signs tokens, and others can read it: run chmod 600 on it, or delete it for a new key.`);
  }
  return parseKey(text, path);
}

/** Makes a token of development mode. @param expiresInS its life in seconds; 12 hours if absent */
export async function developmentToken(
  key: DevelopmentKey,
  claims: { readonly sub: string; readonly roles: readonly Role[]; readonly scope?: string | undefined },
  expiresInS: number = TOKEN_LIFE_S,
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  return new SignJWT({ roles: claims.roles, ...(claims.scope === undefined ? {} : { scope: claims.scope }) })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.publicKey.kid ?? '' })
    .setSubject(claims.sub)
    .setIssuer(DEVELOPMENT_ISSUER)
    .setAudience(DEVELOPMENT_AUDIENCE)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + expiresInS)
    .sign(key.privateKey);
}

/** The whole file appears at once under its name, or another process's does. */
async function placeNewKey(path: string): Promise<void> {
  const privateKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(privateKey);
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', OWNER_ONLY);
  try {
    writeSync(file, `${JSON.stringify({ ...privateKey, kid, alg: 'EdDSA', use: 'sig' }, undefined, 2)}\n`);
    fsyncSync(file);
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    rmSync(draft, { force: true });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseKey(text: string, path: string): DevelopmentKey {
  try {
    const privateKey = JSON.parse(text) as JWK;
    const { d, ...publicKey } = privateKey;
    if (privateKey.crv === 'Ed25519' && typeof d === 'string' && typeof privateKey.kid === 'string') {
      return { privateKey, publicKey };
    }
  } catch {
    // Said below, with what to do.
  }
  throw new Error(`${path} is not a key of development mode: delete it for a new one.`);
}
