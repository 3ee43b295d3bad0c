import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from './canonical.ts';
import { eventHash, SUPERVISOR, type EventMetadata } from './envelope.ts';
import { sealEvent } from './seal.ts';

const unsealed: Omit<EventMetadata, 'hash'> = {
  actor: { id: 'maker "1"\n', roles: ['ops', 'é'] },
  correlationId: 'c-1',
  causationId: null,
  key: { value: 'k', homeStream: 'account-a', caller: 'maker' },
  commandHash: 'a'.repeat(64),
  recordedAt: '2022-02-15T12:00:00.000Z',
  previousHash: null,
};

describe('sealing an event', () => {
  it.each([
    ['the first of a command', unsealed, { b: 1, a: ['x', null, { d: undefined, c: '\u2028"' }] }],
    [
      'one that follows',
      {
        ...unsealed,
        actor: SUPERVISOR,
        key: null,
        commandHash: null,
        causationId: 'id-0',
        previousHash: 'b'.repeat(64),
      },
      {},
    ],
  ])('gives the hash that the chain is checked by, and the text of the metadata: %s', (_name, metadata, data) => {
    const event = { id: 'id-1', type: 'T', schemaVersion: 2, data, metadata };
    const { hash, metadataText } = sealEvent('account-a', 12, event);
    expect(hash).toBe(eventHash('account-a', 12, event));
    expect(metadataText).toBe(canonicalJson({ ...metadata, hash }));
  });
});
