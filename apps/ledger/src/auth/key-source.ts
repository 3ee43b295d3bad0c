import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';

/** The public keys that tokens may be signed with. Two sets with one version hold the same keys. */
export interface KeySet {
  readonly version: string;
  readonly resolve: JWTVerifyGetKey;
}

/** Gives the keys as they are now. */
export interface KeySource {
  /** The keys, when they were read recently enough to be trusted without looking again. */
  current(): KeySet | undefined;
  /**
   * The keys after looking, unless that was done a moment ago.
   * @throws Error when they can't be read and the last ones are too old
   */
  refreshed(): Promise<KeySet>;
}

/** A key that was taken out of the set is honoured for at most this long. */
const FRESH_MS = 30_000;
/** Reads that fail or are asked for again and again (unknown key ids) are at least this far apart. */
const COOLDOWN_MS = 5_000;
/** While the source can't be reached, the last keys are used for at most this long. */
const STALE_LIMIT_MS = 60 * 60_000;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_DOCUMENT_BYTES = 1024 * 1024;

const ASYMMETRIC_KEY_TYPES: readonly (string | undefined)[] = ['RSA', 'EC', 'OKP'];

/** Keys that never change. */
export function fixedKeys(publicKeys: readonly JWK[]): KeySource {
  const keys = toKeySet(JSON.stringify({ keys: publicKeys }));
  return { current: () => keys, refreshed: () => Promise.resolve(keys) };
}

export function keysFromFile(path: string): KeySource {
  return new ReloadedKeys(() => readFile(path, 'utf8'));
}

export function keysFromUrl(url: URL): KeySource {
  return new ReloadedKeys(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'error' });
    if (!response.ok) throw new Error(`the key set's server answered ${String(response.status)}`);
    return readBounded(response);
  });
}

/** Reads a document again when it has grown old. Exported for its tests, which bring their own time. */
export class ReloadedKeys implements KeySource {
  readonly #load: () => Promise<string>;
  readonly #now: () => number;
  #keys: KeySet | undefined;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #lastError: unknown;

  constructor(load: () => Promise<string>, now: () => number = () => performance.now()) {
    this.#load = load;
    this.#now = now;
  }

  current(): KeySet | undefined {
    return this.#now() - this.#loadedAtMs < FRESH_MS ? this.#keys : undefined;
  }

  async refreshed(): Promise<KeySet> {
    if (this.#now() - this.#triedAtMs >= COOLDOWN_MS || this.#keys === undefined) {
      this.#underWay ??= this.#reload().finally(() => (this.#underWay = undefined));
    }
    await this.#underWay;
    if (this.#keys === undefined || this.#now() - this.#loadedAtMs > STALE_LIMIT_MS) throw this.#lastError;
    return this.#keys;
  }

  async #reload(): Promise<void> {
    this.#triedAtMs = this.#now();
    try {
      const keys = toKeySet(await this.#load());
      if (keys.version !== this.#keys?.version) this.#keys = keys;
      this.#loadedAtMs = this.#now();
    } catch (error) {
      this.#lastError = error;
    }
  }
}

function toKeySet(document: string): KeySet {
  const usable = parseKeys(document).filter((key) => ASYMMETRIC_KEY_TYPES.includes(key.kty));
  if (usable.length === 0) throw new Error('the key set has no RSA, EC or OKP key');
  if (usable.some((key) => key.d !== undefined)) throw new Error('the key set holds a private key: it must not');
  const resolve = createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet);
  return { version: createHash('sha256').update(document).digest('base64url'), resolve };
}

function parseKeys(document: string): readonly JWK[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    throw new Error('the key set is not JSON');
  }
  const keys: unknown = isObject(parsed) ? parsed['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new Error('the key set has no "keys"');
  return keys;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) {
    sizeBytes += part.byteLength;
    if (sizeBytes > MAX_DOCUMENT_BYTES) throw new Error('the key set is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
