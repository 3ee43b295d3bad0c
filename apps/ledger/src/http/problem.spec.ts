import { describe, expect, it } from '@jest/globals';
import { malformedRequest, PROBLEM_KINDS, problemBody, type ProblemCode } from './problem.ts';

/** The contract of the edge, written out: clients rely on each line. */
const STATUS_OF: Readonly<Record<string, number>> = {
  'malformed-request': 400,
  'idempotency-key-missing': 400,
  unauthenticated: 401,
  forbidden: 403,
  'account-not-found': 404,
  'party-not-found': 404,
  'asset-not-found': 404,
  'deposit-not-found': 404,
  'withdrawal-not-found': 404,
  'transfer-not-found': 404,
  'legal-order-not-found': 404,
  'change-not-found': 404,
  'sanctions-hit-not-found': 404,
  'clearance-not-found': 404,
  'freeze-not-found': 404,
  'lift-request-not-found': 404,
  'authority-request-not-found': 404,
  'stream-not-found': 404,
  'not-found': 404,
  'already-exists': 409,
  'revision-conflict': 409,
  'revision-mismatch': 412,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'insufficient-funds': 422,
  'basis-not-found': 422,
  'basis-not-in-force': 422,
  'basis-does-not-name-account': 422,
  'scope-exceeds-basis': 422,
  'maker-is-checker': 422,
  'ground-not-established': 422,
  'party-not-identified': 422,
  'party-named-by-basis': 422,
  'too-many-open-withdrawals': 422,
  'invalid-transition': 422,
  'account-closed': 422,
  'account-not-empty': 422,
  'idempotency-key-reused': 422,
  'account-frozen': 423,
  'rate-limited': 429,
  'internal-error': 500,
  'read-model-behind': 503,
  overloaded: 503,
  'store-unavailable': 503,
  'shutting-down': 503,
  'clock-unreliable': 503,
};

const REQUEST = { instance: '/v1/accounts/a', correlationId: 'c-1' };

describe('the map of codes', () => {
  it('has each code with its status, and no other', () => {
    expect(Object.fromEntries([...PROBLEM_KINDS].map(([code, kind]) => [code, kind.status]))).toEqual(STATUS_OF);
  });

  it('tells when to try again for every 429 and 503, and for nothing else', () => {
    for (const [code, kind] of PROBLEM_KINDS) {
      expect([code, kind.retryAfterS !== undefined]).toEqual([code, kind.status === 429 || kind.status === 503]);
    }
  });
});

describe('problemBody', () => {
  it('is as RFC 9457 has it, with the members that the code promises', () => {
    const extra = { freezeIds: ['f-1'] };
    expect(problemBody({ code: 'account-frozen', detail: 'Frozen.', extra }, REQUEST)).toEqual({
      type: 'urn:writ:problem:account-frozen',
      title: 'The account is frozen',
      status: 423,
      code: 'account-frozen',
      detail: 'Frozen.',
      instance: '/v1/accounts/a',
      correlationId: 'c-1',
      freezeIds: ['f-1'],
    });
  });

  it('keeps the first correlation id of a repeated answer', () => {
    expect(problemBody({ code: 'account-frozen', detail: '', correlationId: 'c-0' }, REQUEST).correlationId).toBe(
      'c-0',
    );
  });

  it('lets no further member replace a standard one', () => {
    const extra = { status: 200, code: 'ok', type: 'x' };
    expect(problemBody({ code: 'account-frozen', detail: '', extra }, REQUEST)).toMatchObject({
      status: 423,
      code: 'account-frozen',
    });
  });

  it('hides a code that is not on the map', () => {
    expect(problemBody({ code: 'made-up' as ProblemCode, detail: '' }, REQUEST).status).toBe(500);
  });
});

describe('malformedRequest', () => {
  it('names every field, and stays short', () => {
    const errors = Array.from({ length: 100 }, (_, index) => ({
      field: `field${String(index)}`,
      message: 'is not known',
    }));
    const problem = malformedRequest(errors);
    expect(problem.extra).toEqual({ errors });
    expect(problem.detail).toMatch(/^field0: is not known; field1: /);
    expect(problem.detail.length).toBeLessThan(520);
  });
});
