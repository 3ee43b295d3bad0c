/**
 * A command turned down for an expected reason: a value, never thrown by the domain. `code` is stable and public (it ends
 * the problem's `type`); `detail` is a sentence for people; `extra` holds the further members that the code promises.
 */
export interface Rejection {
  readonly rejected: true;
  readonly code: RejectionCode;
  readonly detail: string;
  readonly extra: Readonly<Record<string, unknown>>;
  /** See `rejectFieldNow`. */
  readonly isOfState?: true;
}

/** The refusals that are recorded as facts (invariant 10). No other code is ever recorded. */
export const RECORDED_CODES = [
  'account-frozen',
  'basis-not-found',
  'basis-not-in-force',
  'basis-does-not-name-account',
  'scope-exceeds-basis',
  'maker-is-checker',
  'ground-not-established',
  'party-named-by-basis',
] as const;
export type RecordedCode = (typeof RECORDED_CODES)[number];

/** Things that a 404 can name: `<thing>-not-found`. */
export type Thing =
  | 'account'
  | 'party'
  | 'asset'
  | 'deposit'
  | 'withdrawal'
  | 'transfer'
  | 'legal-order'
  | 'change'
  | 'sanctions-hit'
  | 'clearance'
  | 'freeze'
  | 'lift-request'
  | 'authority-request'
  | 'stream';

/** Every code with which a command or query can be turned down. */
export type RejectionCode =
  | RecordedCode
  | `${Thing}-not-found`
  | 'malformed-request'
  | 'already-exists'
  | 'revision-conflict'
  | 'revision-mismatch'
  | 'insufficient-funds'
  | 'party-not-identified'
  | 'too-many-open-withdrawals'
  | 'invalid-transition'
  | 'account-closed'
  | 'account-not-empty'
  | 'idempotency-key-reused'
  | 'rate-limited'
  | 'read-model-behind'
  | 'overloaded'
  | 'store-unavailable'
  | 'shutting-down'
  | 'clock-unreliable';

/** Makes a rejection. @param extra members that go into the problem beside the standard ones, e.g. `{freezeIds}`. */
export function reject(code: RejectionCode, detail: string, extra: Readonly<Record<string, unknown>> = {}): Rejection {
  return { rejected: true, code, detail, extra };
}

/** One field of the request that breaks a rule: `malformed-request` with its `errors`. */
export function rejectField(field: string, message: string): Rejection {
  return reject('malformed-request', `${field}: ${message}`, { errors: [{ field, message }] });
}

/** As `rejectField`, of what the field asks for as the thing is now: `If-Match` comes first. */
export function rejectFieldNow(field: string, message: string): Rejection {
  return { ...rejectField(field, message), isOfState: true };
}

export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value !== null && (value as { rejected?: unknown }).rejected === true;
}

/** True for the codes that invariant 10 lists: the refusal becomes an event. */
export function isRecorded(code: RejectionCode): code is RecordedCode {
  return (RECORDED_CODES as readonly string[]).includes(code);
}

/**
 * Thrown by infrastructure (store, lanes, edge) where a value can't travel: carries the rejection to the edge unchanged.
 */
export class RejectionError extends Error {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    super(rejection.detail);
    this.name = 'RejectionError';
    this.rejection = rejection;
  }
}
