import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical.ts';
import { eventHash, hashHolds, SUPERVISOR, type EventMetadata, type RecordedEvent } from './envelope.ts';
import { linkIn, sealEvent, sealHolds, sealHoldsIn } from './seal.ts';
import { StoredEvent } from './stored-event.ts';

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
    const { hash, texts } = sealEvent('account-a', 12, event);
    expect(hash).toBe(eventHash('account-a', 12, event));
    expect(texts).toEqual({ data: canonicalJson(data), metadata: canonicalJson({ ...metadata, hash }) });
  });
});

describe('sealHolds', () => {
  /** An event as it may stand in a log: well formed metadata, whatever content, and any one of its parts changed since. */
  const stored = fc
    .record({
      id: fc.string(),
      type: fc.string(),
      schemaVersion: fc.integer(),
      data: fc.jsonValue(),
      stream: fc.string(),
      revision: fc.nat(),
      metadata: fc.record({
        actor: fc.record({ id: fc.string({ unit: 'binary' }), roles: fc.array(fc.string()) }),
        correlationId: fc.string({ unit: 'binary' }),
        causationId: fc.option(fc.string()),
        key: fc.option(fc.record({ caller: fc.string(), homeStream: fc.string(), value: fc.string() })),
        commandHash: fc.option(fc.string()),
        recordedAt: fc.string(),
        previousHash: fc.option(fc.string()),
      }),
    })
    .map(({ metadata, ...event }) => {
      const hash = eventHash(event.stream, event.revision, { ...event, metadata });
      return { ...event, position: '', metadata: { ...metadata, hash } };
    });
  const changed = fc
    .tuple(stored, fc.constantFrom('data', 'id', 'stream', 'actor', 'key', 'recordedAt', 'hash'))
    .map(([event, part]): RecordedEvent => {
      const isOutside = part === 'data' || part === 'id' || part === 'stream';
      if (isOutside) return { ...event, [part]: 'changed since' };
      return { ...event, metadata: { ...event.metadata, [part]: { id: 'changed', roles: [] } } };
    });

  it('says what hashHolds says', () => {
    fc.assert(fc.property(stored, (event) => hashHolds(event) && sealHolds(event)));
    fc.assert(fc.property(changed, (event) => sealHolds(event) === hashHolds(event)));
  });

  it('says the same of the texts that an event was read from', () => {
    const read = (event: RecordedEvent): boolean => {
      const texts = { data: canonicalJson(event.data), metadata: canonicalJson(event.metadata) };
      const recorded = new StoredEvent({ ...event, ...texts }, event);
      expect(StoredEvent.textsOf(recorded)).toEqual(texts);
      return sealHoldsIn(recorded, texts);
    };
    // A text with a quote in it has no plain shape: see `canonicalShape`.
    const isPlain = (event: RecordedEvent): boolean => !JSON.stringify(event).includes('\\');
    fc.assert(fc.property(stored.filter(isPlain), read));
    const isHash = ({ metadata }: RecordedEvent): boolean => typeof metadata.hash === 'string';
    const plainlyChanged = changed.filter((event) => isPlain(event) && isHash(event));
    fc.assert(fc.property(plainlyChanged, (event) => read(event) === hashHolds(event)));
  });

  it('leaves the link in the text, whatever stands in the other members', () => {
    const hex = fc.array(
      fc.nat(15).map((digit) => digit.toString(16)),
      { minLength: 64, maxLength: 64 },
    );
    const sha256 = hex.map((digits) => digits.join(''));
    const text = fc.oneof(
      fc.constantFrom('hash', 'previousHash', 'recordedAt', 'key', 'null', ',hash:', ',previousHash:,', '},{', ':'),
      fc.string().map((any) => any.replaceAll(/["\\]/g, ',')),
    );
    const metadata = fc.record({
      actor: fc.record({ id: text, roles: fc.array(text) }),
      causationId: fc.option(text),
      commandHash: fc.option(sha256),
      correlationId: text,
      hash: sha256,
      key: fc.option(fc.record({ caller: text, homeStream: text, value: text })),
      previousHash: fc.option(sha256),
      recordedAt: fc.constantFrom('2022-02-15T12:00:00.000Z', '1999-12-31T23:59:59.999Z'),
    });
    fc.assert(
      fc.property(metadata, (content) => {
        const { hash, previousHash, recordedAt } = content;
        expect(linkIn(canonicalJson(content))).toEqual({ hash, previousHash, recordedAt });
      }),
    );
  });

  it('does not hold for content that has no canonical form', () => {
    const event = {
      id: 'id-1',
      type: 'T',
      schemaVersion: 1,
      data: { text: '\ud800' },
      stream: 'account-a',
      revision: 0,
    };
    const recorded = { ...event, position: '', metadata: { ...unsealed, hash: 'a'.repeat(64) } };
    expect([hashHolds(recorded), sealHolds(recorded)]).toEqual([false, false]);
  });
});
