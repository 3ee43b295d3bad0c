import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import { messageOf } from '../thrown.ts';

/** The public keys that tokens may be signed with. Two sets with one version hold the same keys. */
export interface KeySet {
  readonly version: string;
  readonly resolve: JWTVerifyGetKey;
}

/** Gives the keys as they are now. */
export interface KeySource {
  /** The keys, when nobody has to wait for a look at the source first. Sees to it that they do not grow old. */
  current(): KeySet | undefined;
  /**
   * The keys after a look at the source, unless there was one a moment ago, or the last one failed a short time ago: then
   * as they are known, and the look goes on behind.
   * @throws Error when they can't be read and the last ones are too old
   */
  refreshed(): Promise<KeySet>;
  /** How long ago the keys were read, in seconds; 0 for those that never change. */
  ageSeconds(): number;
}

/** Is told when the source can't be read, and when it can again. */
export interface KeyWatch {
  failed(error: unknown): void;
  recovered(): void;
}

/** Keys of this age are read again, while they go on being used. */
const REFRESH_AFTER_MS = 15_000;
/** Keys of this age are used no more before a look at the source: so long, and the time of one look, lives a removed key. */
const FRESH_MS = 30_000;
/** From the end of one look at the source to the next, when it failed or was for a key that nobody knows. */
const COOLDOWN_MS = 5_000;
/** While the source can't be read, the last keys are used for at most this long. */
const STALE_LIMIT_MS = 60 * 60_000;
/** Nobody waits for a source again that failed so short a time ago. */
const RECENT_FAILURE_MS = 30_000;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_DOCUMENT_BYTES = 1024 * 1024;
/** A token that names no key is tried on all of them. */
const MAX_KEYS = 100;

const ASYMMETRIC_KEY_TYPES: readonly (string | undefined)[] = ['RSA', 'EC', 'OKP'];

/** Keys that never change. */
export function fixedKeys(publicKeys: readonly JWK[]): KeySource {
  const keys = toKeySet(JSON.stringify({ keys: publicKeys }), 'whole');
  return { current: () => keys, refreshed: () => Promise.resolve(keys), ageSeconds: () => 0 };
}

export function keysFromFile(path: string, watch?: KeyWatch): ReloadedKeys {
  return new ReloadedKeys(() => readFileBounded(path), { watch });
}

/** Follows no redirection: the keys come from where the configuration says, or not at all. */
export function keysFromUrl(url: URL, { watch, now, timeoutMs = FETCH_TIMEOUT_MS }: UrlOptions = {}): ReloadedKeys {
  const load = async (): Promise<string> => {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    if (!response.ok) throw new Error(`the key set's server answered ${String(response.status)}`);
    return readBounded(response);
  };
  return new ReloadedKeys(() => load().catch(retold), { watch, now });
}

interface Options {
  readonly watch?: KeyWatch | undefined;
  /** A clock that never goes back, in milliseconds. */
  readonly now?: (() => number) | undefined;
}
interface UrlOptions extends Options {
  readonly timeoutMs?: number;
}

/** Reads a document again when it has grown old. Exported for its tests, which bring their own time. */
export class ReloadedKeys implements KeySource {
  readonly #load: () => Promise<string>;
  readonly #watch: KeyWatch | undefined;
  readonly #now: () => number;
  #keys: KeySet | undefined;
  /** When the look began that the keys are from: what it shows may be as old as that. */
  #readAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #lastError: unknown;
  #watchKnowsOfFailure = false;

  constructor(load: () => Promise<string>, { watch, now = () => performance.now() }: Options = {}) {
    this.#load = load;
    this.#watch = watch;
    this.#now = now;
  }

  current(): KeySet | undefined {
    const ageMs = this.#now() - this.#readAtMs;
    if (ageMs < REFRESH_AFTER_MS) return this.#keys;
    if (this.#isCool()) this.#look();
    return ageMs < FRESH_MS || this.#outlastsFailure() ? this.#keys : undefined;
  }

  async refreshed(): Promise<KeySet> {
    if (this.#keys === undefined || this.#isCool()) this.#look();
    if (!this.#outlastsFailure()) await this.#underWay;
    if (this.#keys === undefined || this.#now() - this.#readAtMs > STALE_LIMIT_MS) throw this.#lastError;
    return this.#keys;
  }

  ageSeconds(): number {
    return (this.#now() - this.#readAtMs) / 1000;
  }

  /** True while nobody waits for the source: it failed a short time ago, and there are keys that may be used meanwhile. */
  #outlastsFailure(): boolean {
    const nowMs = this.#now();
    return nowMs - this.#failedAtMs < RECENT_FAILURE_MS && nowMs - this.#readAtMs <= STALE_LIMIT_MS;
  }

  #isCool(): boolean {
    return this.#now() - this.#lookedAtMs >= COOLDOWN_MS;
  }

  #look(): void {
    this.#underWay ??= this.#reload().finally(() => (this.#underWay = undefined));
  }

  async #reload(): Promise<void> {
    const beganAtMs = this.#now();
    try {
      // Who starts the service is told of all that is odd. Later what is left of the set counts: a key that is not in it
      // any more must not go on because of the state of the others.
      const keys = toKeySet(await this.#load(), this.#keys === undefined ? 'whole' : 'what is usable');
      if (keys.version !== this.#keys?.version) this.#keys = keys;
      this.#readAtMs = beganAtMs;
      this.#failedAtMs = Number.NEGATIVE_INFINITY;
      if (this.#watchKnowsOfFailure) this.#watch?.recovered();
      this.#watchKnowsOfFailure = false;
    } catch (error) {
      this.#lastError = error;
      this.#failedAtMs = this.#now();
      // Before the first keys it is for whoever starts the service to tell.
      if (this.#keys !== undefined && !this.#watchKnowsOfFailure) {
        this.#watchKnowsOfFailure = true;
        this.#watch?.failed(error);
      }
    }
    this.#lookedAtMs = this.#now();
  }
}

function toKeySet(document: string, demand: 'whole' | 'what is usable'): KeySet {
  const keys = parseKeys(document);
  if (keys.length > MAX_KEYS) throw new Error(`the key set has more than ${String(MAX_KEYS)} keys`);
  const asymmetric = keys.filter((key) => ASYMMETRIC_KEY_TYPES.includes(key.kty));
  // Whoever can read the set could sign with it.
  const usable = asymmetric.filter((key) => key.d === undefined);
  if (demand === 'whole' && asymmetric.length === 0) throw new Error('the key set has no RSA, EC or OKP key');
  if (demand === 'whole' && usable.length < asymmetric.length) {
    throw new Error('the key set holds a private key: it must not');
  }
  const resolve = createLocalJWKSet({ keys: [...usable] } satisfies JSONWebKeySet);
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

/** What `fetch` throws says next to nothing, or quotes the URL with all that is in it; its cause says why. */
function retold(error: unknown): never {
  const { name, cause } = Object(error) as { readonly name?: unknown; readonly cause?: unknown };
  if (cause !== undefined) throw new Error(`the key set's server can't be asked: ${messageOf(cause)}`);
  throw name === 'TypeError' ? new Error("the key set's server can't be asked: its URL is none to fetch from") : error;
}

async function readFileBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    if ((await file.stat()).size > MAX_DOCUMENT_BYTES) throw new Error(TOO_LARGE);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

const TOO_LARGE = 'the key set is too large';

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) {
    sizeBytes += part.byteLength;
    if (sizeBytes > MAX_DOCUMENT_BYTES) throw new Error(TOO_LARGE);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
