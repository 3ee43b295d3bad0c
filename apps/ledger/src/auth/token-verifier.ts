import type { Bound } from '#kernel';
import { hash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyResult } from 'jose';
import type { KeySet, KeySource } from './key-source.ts';
import { isRole, subjectProblem, type Caller } from './roles.ts';

/** Only what a holder of the public key cannot make. */
const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
];

const MAX_CACHED_TOKENS = 10_000;
/**
 * By so much the clock of the identity provider may be ahead of this one: a token is good that will be so in a moment. For
 * its end there is no such grace: no token is good for longer than its issuer says. When it was issued is not judged.
 */
const NOT_YET_TOLERANCE_S = 5;

/** The last second that is a date (ECMA-262, 21.4.1.1): beyond it a token would be good for ever. */
const LAST_DATE_S = 8_640_000_000_000;

/** Why a request counts as nobody's, in words for its sender. */
export class Unauthenticated {
  readonly detail: string;
  /** False when there was no token at all. */
  readonly tokenGiven: boolean;
  constructor(detail: string, tokenGiven = true) {
    this.detail = detail;
    this.tokenGiven = tokenGiven;
  }
}

export interface TokenRules {
  readonly keys: KeySource;
  readonly issuer: string;
  readonly audience: string;
}

interface CachedToken {
  readonly caller: Caller;
  readonly expiresAtMs: number;
  /** Version of the key set that it was checked against. */
  readonly keys: string;
}

/**
 * Verifies bearer tokens. A signature costs more than all the rest of a request, so what was verified is remembered, by the
 * token's digest, until it expires or the key set changes.
 */
export class TokenVerifier {
  readonly #rules: TokenRules;
  readonly #now: () => number;
  readonly #cache = new Map<string, CachedToken>();

  constructor(rules: TokenRules, now: () => number = Date.now) {
    this.#rules = rules;
    this.#now = now;
  }

  get bound(): Bound {
    return { what: 'verified-tokens', most: MAX_CACHED_TOKENS, inUse: () => this.#cache.size };
  }

  /** Answers at once for a token that was seen before. @param header the `Authorization` header */
  verify(header: string | undefined): Caller | Unauthenticated | Promise<Caller | Unauthenticated> {
    if (header === undefined) return new Unauthenticated('A bearer token is needed.', false);
    const token = bearerToken(header);
    if (token === undefined) return new Unauthenticated('The Authorization header must be "Bearer" and a token.');
    const digest = hash('sha256', token, 'base64url');
    return this.#remembered(digest) ?? this.#verifyNew(token, digest);
  }

  #remembered(digest: string): Caller | undefined {
    const keys = this.#rules.keys.current();
    const cached = this.#cache.get(digest);
    if (cached === undefined || keys === undefined) return undefined;
    if (cached.keys === keys.version && this.#now() < cached.expiresAtMs) return cached.caller;
    this.#cache.delete(digest);
    return undefined;
  }

  async #verifyNew(token: string, digest: string): Promise<Caller | Unauthenticated> {
    try {
      const { payload, keys } = await this.#checkSignature(token);
      const caller = callerOf(payload);
      if (caller instanceof Unauthenticated) return caller;
      this.#remember(digest, { caller, expiresAtMs: (payload.exp ?? 0) * 1000, keys: keys.version });
      return caller;
    } catch (error) {
      return new Unauthenticated(describe(error));
    }
  }

  async #checkSignature(token: string): Promise<{ payload: JWTPayload; keys: KeySet }> {
    const keys = this.#rules.keys.current() ?? (await this.#rules.keys.refreshed());
    try {
      return { payload: await this.#check(token, keys), keys };
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Perhaps a new key of the identity provider.
      const newer = await this.#rules.keys.refreshed();
      if (newer.version === keys.version) throw error;
      return { payload: await this.#check(token, newer), keys: newer };
    }
  }

  async #check(token: string, keys: KeySet): Promise<JWTPayload> {
    const options = {
      algorithms: ALGORITHMS,
      issuer: this.#rules.issuer,
      audience: this.#rules.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: NOT_YET_TOLERANCE_S,
      currentDate: new Date(this.#now()),
    };
    try {
      return this.#inTime((await jwtVerify(token, keys.resolve, options)).payload);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Keys without ids: the one that fits is found by trying.
      for await (const key of error) {
        const verified = await jwtVerify(token, key, options).catch(unlessClaimIsWrong);
        if (verified !== undefined) return this.#inTime(verified.payload);
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  #inTime(payload: JWTPayload): JWTPayload {
    for (const claim of ['exp', 'nbf', 'iat'] as const) {
      if (Math.abs(payload[claim] ?? 0) <= LAST_DATE_S) continue;
      throw new errors.JWTClaimValidationFailed('not a date', payload, claim, 'invalid');
    }
    if ((payload.exp ?? 0) * 1000 > this.#now()) return payload;
    throw new errors.JWTExpired('expired', payload, 'exp', 'check_failed');
  }

  #remember(digest: string, token: CachedToken): void {
    if (this.#cache.size >= MAX_CACHED_TOKENS) {
      const oldest = this.#cache.keys().next();
      if (oldest.done !== true) this.#cache.delete(oldest.value);
    }
    this.#cache.set(digest, token);
  }
}

/** A key that does not fit, or is fit for nothing, leaves the next one its chance. */
function unlessClaimIsWrong(error: unknown): JWTVerifyResult | undefined {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) throw error;
  return undefined;
}

function bearerToken(header: string): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
}

function callerOf(payload: JWTPayload): Caller | Unauthenticated {
  const { sub = '', roles = [] } = payload;
  const problem = subjectProblem(sub);
  if (problem !== undefined) return new Unauthenticated(`The token's "sub" ${problem}.`);
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) {
    return new Unauthenticated('The token\'s "roles" must be an array of strings.');
  }
  const scopes = scopesOf(payload['scope']);
  if (scopes === undefined) {
    return new Unauthenticated('The token\'s "scope" must be names with blanks between them, or an array of them.');
  }
  return { id: sub, roles: [...new Set(roles.filter(isRole))], scopes };
}

/** As OAuth writes it (RFC 8693, section 4.2), or as an array. @returns undefined for anything else */
function scopesOf(scope: unknown): readonly string[] | undefined {
  if (scope === undefined) return [];
  if (typeof scope === 'string') return scope.split(' ').filter((name) => name !== '');
  return Array.isArray(scope) && scope.every((name) => typeof name === 'string') ? scope : undefined;
}

function describe(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) return `The token's "${error.claim}" is not as it must be.`;
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token's algorithm is not allowed.";
  if (error instanceof errors.JOSEError) return 'The token is not signed by a key that is known here.';
  return 'The token could not be checked.';
}
