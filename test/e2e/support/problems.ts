import { expect } from '@jest/globals';
import type { Answer } from './http.ts';

const RETRYABLE = [429, 503];

/** The codes that were expected, and came, so far in this file. */
export const seenCodes = new Set<string>();

/** Expects a whole problem as RFC 9457 and the API have it; `more` are the members that its code brings. */
export function expectProblem(
  answer: Answer,
  status: number,
  code: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  expect(answer.body).toMatchObject({
    type: `urn:writ:problem:${code}`,
    title: expect.stringMatching(/./),
    status,
    code,
    detail: expect.stringMatching(/./),
    instance: expect.any(String),
    correlationId: expect.stringMatching(/./),
    ...more,
  });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['x-correlation-id']).toMatch(/./);
  if (RETRYABLE.includes(status)) expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
  if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|SQLITE|SELECT |INSERT /);
  seenCodes.add(code);
}

/** Expects a 400 that names a field. */
export function expectFieldRefused(answer: Answer, field: string): void {
  expectProblem(answer, 400, 'malformed-request', {
    errors: expect.arrayContaining([{ field, message: expect.stringMatching(/./) }]),
  });
}
