import { expect, it } from '@jest/globals';
import { FreezeAllBody } from '../freezes/freezes-of-basis.dto.ts';
import { IdentifyPartyBody } from '../parties/party.dto.ts';
import { readBody } from '../validation/dto.pipe.ts';
import type { Dto } from '../validation/plan.ts';
import { commandText } from './command-hash.ts';

/** What docs/events.md says of a command's hash, beside its example. */
it.each<[what: string, Dto, body: object, content: string]>([
  ['nothing', FreezeAllBody, {}, '{}'],
  [
    'a time, with its milliseconds, and members in the order of their names',
    IdentifyPartyBody,
    { method: 'passport', identifiedAt: '2022-02-15T12:00:00Z', evidenceSha256: 'a'.repeat(64) },
    `{"evidenceSha256":"${'a'.repeat(64)}","identifiedAt":"2022-02-15T12:00:00.000Z","method":"passport"}`,
  ],
  [
    'a list as it is, and what was left out',
    FreezeAllBody,
    { scope: { direction: 'debit', assets: ['EUR', 'BTC'] } },
    '{"scope":{"assets":["EUR","BTC"],"direction":"debit"}}',
  ],
  [
    'whole numbers that are names before all others, by their size',
    FreezeAllBody,
    { shares: { b: { BTC: '7.0' }, '10': { BTC: '1' }, '4294967295': { BTC: '1' }, '9': { EUR: '1', BTC: '0.50' } } },
    '{"shares":{"9":{"BTC":"0.5","EUR":"1"},"10":{"BTC":"1"},"4294967295":{"BTC":"1"},"b":{"BTC":"7"}}}',
  ],
])('hashes %s', (_what, dto, body, content) => {
  const text = commandText('POST', '/v1/x', readBody(dto, body));
  expect(text).toBe(`{"content":${content},"method":"POST","path":"/v1/x"}`);
});
