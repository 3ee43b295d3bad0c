import { expect, it } from '@jest/globals';
import { accepts } from './headers.ts';

it.each([
  ['application/x-ndjson', true],
  ['APPLICATION/X-NDJSON', true],
  ['application/json;q=0.5, application/x-ndjson; q=0.8', true],
  ['application/x-ndjson;charset=utf-8', true],
  ['application/x-ndjson;q=0.001', true],
  ['application/x-ndjson;q=0', false],
  ['application/json, application/x-ndjson ; Q=0.000', false],
  ['application/x-ndjsons', false],
  ['*/*', false],
  ['', false],
  [undefined, false],
])('of %j lines of JSON are asked for: %s', (accept, isAsked) => {
  expect(accepts(accept, 'application/x-ndjson')).toBe(isAsked);
});
