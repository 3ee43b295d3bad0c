import type { RejectionCode, Thing } from '#kernel';

/** The codes that only the edge gives; all others come from the core. */
type EdgeCode =
  | 'idempotency-key-missing'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'internal-error';

export type ProblemCode = RejectionCode | EdgeCode;

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Seconds after which asking again makes sense. */
  readonly retryAfterS?: number;
}

const THINGS: Readonly<Record<Thing, string>> = {
  account: 'account',
  party: 'party',
  asset: 'asset',
  deposit: 'deposit',
  withdrawal: 'withdrawal',
  transfer: 'transfer',
  'legal-order': 'legal order',
  change: 'change of the order',
  'sanctions-hit': 'sanctions hit',
  clearance: 'clearance',
  freeze: 'freeze',
  'lift-request': 'lift request',
  'authority-request': 'authority request',
  stream: 'stream',
};

type NotFoundCode = `${Thing}-not-found`;

const OTHER_KINDS: Readonly<Record<Exclude<ProblemCode, NotFoundCode>, ProblemKind>> = {
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'idempotency-key-missing': { status: 400, title: 'The Idempotency-Key header is missing' },
  unauthenticated: { status: 401, title: 'Authentication is needed' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  'not-found': { status: 404, title: 'There is no such route' },
  'already-exists': { status: 409, title: 'The id is taken' },
  'revision-conflict': { status: 409, title: 'Others kept changing it' },
  'revision-mismatch': { status: 412, title: 'It is no longer at that revision' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is not application/json' },
  'insufficient-funds': { status: 422, title: 'The available balance does not suffice' },
  'basis-not-found': { status: 422, title: 'There is no such basis' },
  'basis-not-in-force': { status: 422, title: 'The basis is not in force' },
  'basis-does-not-name-account': { status: 422, title: 'The basis does not name the account' },
  'scope-exceeds-basis': { status: 422, title: 'The scope is wider than that of the basis' },
  'maker-is-checker': { status: 422, title: 'Nobody may approve what they asked for' },
  'ground-not-established': { status: 422, title: 'The ground of the lift is not established' },
  'party-not-identified': { status: 422, title: 'The party is not identified' },
  'party-named-by-basis': { status: 422, title: 'A basis in force names the party' },
  'too-many-open-withdrawals': { status: 422, title: 'The account has too many open withdrawals' },
  'invalid-transition': { status: 422, title: 'Its state does not allow this' },
  'account-closed': { status: 422, title: 'The account is closed' },
  'account-not-empty': { status: 422, title: 'The account is not empty' },
  'idempotency-key-reused': { status: 422, title: 'The key belongs to another command' },
  'account-frozen': { status: 423, title: 'The account is frozen' },
  'rate-limited': { status: 429, title: 'Too many requests', retryAfterS: 1 },
  'read-model-behind': { status: 503, title: 'The read model is not there yet', retryAfterS: 1 },
  overloaded: { status: 503, title: 'The service is overloaded', retryAfterS: 1 },
  'store-unavailable': { status: 503, title: 'The store is not available', retryAfterS: 5 },
  'shutting-down': { status: 503, title: 'The service is shutting down', retryAfterS: 5 },
  'clock-unreliable': { status: 503, title: 'The clock is not reliable', retryAfterS: 10 },
  'internal-error': { status: 500, title: 'Something went wrong here' },
};

/** The one map from codes to status and title. */
export const PROBLEM_KINDS: ReadonlyMap<string, ProblemKind> = new Map([
  ...Object.entries(THINGS).map(([thing, name]): [string, ProblemKind] => [
    `${thing}-not-found`,
    { status: 404, title: `There is no such ${name}` },
  ]),
  ...Object.entries(OTHER_KINDS),
]);

/** An error answer by RFC 9457, without what the request adds to it. */
export interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  /** Further members that the code promises. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Of the first answer, when this repeats one that is on record. */
  readonly correlationId?: string | undefined;
  readonly retryAfterS?: number | undefined;
}

export function problemKind(code: ProblemCode): ProblemKind {
  return PROBLEM_KINDS.get(code) ?? OTHER_KINDS['internal-error'];
}

/** What stands in an `application/problem+json` body. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly correlationId: string;
  readonly [extra: string]: unknown;
}

export function problemBody(problem: Problem, request: { instance: string; correlationId: string }): ProblemBody {
  const { status, title } = problemKind(problem.code);
  const standard = {
    type: `urn:writ:problem:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.detail,
    instance: request.instance,
    correlationId: problem.correlationId ?? request.correlationId,
  };
  // Twice, so that they come first and no further member replaces one.
  return { ...standard, ...problem.extra, ...standard };
}

/** One field of a request that breaks a rule. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A 400 that names every field that breaks a rule. */
export function malformedRequest(errors: readonly FieldError[]): Problem {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return { code: 'malformed-request', detail: shortened(detail), extra: { errors } };
}

const MAX_DETAIL_LENGTH = 500;
function shortened(text: string): string {
  return text.length <= MAX_DETAIL_LENGTH ? text : `${text.slice(0, MAX_DETAIL_LENGTH).toWellFormed()} …`;
}

/** Carries a problem from wherever it is found to the one place that answers with it. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}
