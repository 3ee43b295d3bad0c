import { describe, expect, it } from '@jest/globals';
import { StoreError } from '#event-store';
import { reject, rejectField, RejectionError } from '#kernel';
import { MalformedCursorError } from '#projections';
import { BadRequestException, NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { malformedRequest, ProblemError } from './problem.ts';
import { problemOfThrown } from './thrown-problem.ts';

const SECRET = 'SELECT * FROM events WHERE /var/lib/writ';

describe('problemOfThrown', () => {
  it.each<[string, unknown, string]>([
    ['a problem', new ProblemError({ code: 'forbidden', detail: 'No.' }), 'forbidden'],
    ['a rejection', new RejectionError(reject('account-not-found', 'No.')), 'account-not-found'],
    ['a foreign cursor', new MalformedCursorError(), 'malformed-request'],
    ['a store that is away', new StoreError('store-unavailable', SECRET), 'store-unavailable'],
    ['a store that does not know', new StoreError('outcome-unknown', SECRET), 'store-unavailable'],
    ['a route that is not there', new NotFoundException(SECRET), 'not-found'],
    ['a request that is too large', new PayloadTooLargeException(SECRET), 'payload-too-large'],
    ['a request that is wrong', new BadRequestException(SECRET), 'malformed-request'],
    ['a URI that is too long', { statusCode: 414, message: SECRET }, 'malformed-request'],
    ['a type that is not taken', { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }, 'unsupported-media-type'],
    ['a service that is overloaded', { statusCode: 503, message: SECRET }, 'overloaded'],
    ['a bug', new TypeError(SECRET), 'internal-error'],
    ['a redirect', { statusCode: 302 }, 'internal-error'],
    ['a text', SECRET, 'internal-error'],
    ['nothing', undefined, 'internal-error'],
    ['null', null, 'internal-error'],
  ])('makes of %s the right code, and tells no secret', (_, thrown, code) => {
    const problem = problemOfThrown(thrown);
    expect(problem.code).toBe(code);
    expect(problem.detail).not.toBe('');
    expect(JSON.stringify(problem)).not.toContain('SELECT');
  });

  it('keeps the fields that a rejection names', () => {
    const problem = problemOfThrown(new RejectionError(rejectField('amount', 'must be more than zero')));
    expect(problem.extra).toEqual(malformedRequest([{ field: 'amount', message: 'must be more than zero' }]).extra);
  });
});
