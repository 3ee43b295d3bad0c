import { describe, expect, it } from '@jest/globals';
import { assertNever, isRecorded, isRejection, reject, RejectionError, rejectField } from './index.ts';

describe('reject', () => {
  it('makes a value with a stable code', () => {
    expect(reject('account-frozen', 'frozen', { freezeIds: ['f'] })).toEqual({
      rejected: true,
      code: 'account-frozen',
      detail: 'frozen',
      extra: { freezeIds: ['f'] },
    });
    expect(reject('account-closed', 'closed').extra).toEqual({});
  });
});

describe('rejectField', () => {
  it('names the field and the rule', () => {
    expect(rejectField('amount', 'must be more than zero')).toEqual({
      rejected: true,
      code: 'malformed-request',
      detail: 'amount: must be more than zero',
      extra: { errors: [{ field: 'amount', message: 'must be more than zero' }] },
    });
  });
});

describe('isRejection', () => {
  it('tells a rejection from events and whatever else', () => {
    expect(isRejection(reject('account-closed', 'closed'))).toBe(true);
    for (const value of [[], [{ type: 'X', data: {} }], undefined, null, {}, { rejected: 'yes' }, 'rejected']) {
      expect(isRejection(value)).toBe(false);
    }
  });
});

describe('isRecorded', () => {
  it('is true of the list of recorded refusals and of nothing else', () => {
    expect(isRecorded('maker-is-checker')).toBe(true);
    expect(isRecorded('party-named-by-basis')).toBe(true);
    expect(isRecorded('insufficient-funds')).toBe(false);
    expect(isRecorded('party-not-identified')).toBe(false);
  });
});

describe('RejectionError', () => {
  it('carries the rejection unchanged', () => {
    const rejection = reject('overloaded', 'too many wait');
    const error = new RejectionError(rejection);
    expect(error.rejection).toBe(rejection);
    expect(error).toMatchObject({ name: 'RejectionError', message: 'too many wait' });
  });
});

describe('assertNever', () => {
  it('throws with what it got', () => {
    expect(() => assertNever({ type: 'Surprise' } as never)).toThrow('Surprise');
  });
});
