import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, eventHash, hashHolds, isPosition, pointerTo, sha256Hex, type RecordedEvent } from './index.ts';

const HASH = 'f'.repeat(64);
const event: RecordedEvent = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  type: 'FundsDeposited',
  schemaVersion: 1,
  data: { accountId: 'acc-1', source: { kind: 'bank', reference: 'r' } },
  metadata: {
    actor: { id: 'alice', roles: ['service'] },
    correlationId: 'c-1',
    causationId: null,
    key: { caller: 'alice', homeStream: 'account-acc-1', value: 'k-1' },
    commandHash: 'c'.repeat(64),
    recordedAt: '2022-02-15T12:00:00.000Z',
    previousHash: null,
    hash: HASH,
  },
  stream: 'account-acc-1',
  revision: 3,
  position: '0000000000000007',
};
const hashOf = (other: RecordedEvent): string => eventHash(other.stream, other.revision, other);

type Path = readonly (string | number)[];

/** Every path in a value that leads to something that is no object. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

/** A copy in which one place holds something else. */
function changed(value: unknown, path: Path): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return typeof value === 'number' ? value + 1 : `${String(value)}'`;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, index) => (String(index) === name ? changed(item, rest) : item));
  }
  const members = value as Record<string, unknown>;
  return { ...members, [name]: changed(members[name], rest) };
}

describe('eventHash', () => {
  const paths = leaves(event).map((path) => [path.join('.'), path] as const);
  const ignored = ['metadata.hash', 'position'];

  it.each(paths.filter(([name]) => !ignored.includes(name)))('changes with %s', (_, path) => {
    expect(hashOf(changed(event, path) as RecordedEvent)).not.toBe(hashOf(event));
  });

  it.each(paths.filter(([name]) => ignored.includes(name)))('does not depend on %s', (_, path) => {
    expect(hashOf(changed(event, path) as RecordedEvent)).toBe(hashOf(event));
  });

  it('changes with a member more, or one less', () => {
    expect(hashOf({ ...event, data: { ...(event.data as object), more: null } })).not.toBe(hashOf(event));
    const { reference: _, ...source } = (event.data as { source: { kind: string; reference: string } }).source;
    expect(hashOf({ ...event, data: { accountId: 'acc-1', source } })).not.toBe(hashOf(event));
    const metadata = { ...event.metadata, more: 'x' };
    expect(hashOf({ ...event, metadata })).not.toBe(hashOf(event));
  });

  it('does not depend on the order of members', () => {
    const data = { source: { reference: 'r', kind: 'bank' }, accountId: 'acc-1' };
    expect(hashOf({ ...event, data })).toBe(hashOf(event));
  });

  it('is the SHA-256 of the canonical JSON of all but the hash and the position', () => {
    const { hash: _, ...metadata } = event.metadata;
    const { stream, id, type, schemaVersion, data } = event;
    const text = canonicalJson({ stream, revision: '3', id, type, schemaVersion, data, metadata });
    expect(hashOf(event)).toBe(sha256Hex(text));
    expect(hashOf(event)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('stays what it was when first written: old logs are checked with it', () => {
    expect(hashOf(event)).toBe('1369bbabe2ae923f7c5ed69abf405794d67db355141002214dc7e8bdb27439d8');
  });
});

describe('hashHolds', () => {
  const sealed: RecordedEvent = { ...event, metadata: { ...event.metadata, hash: hashOf(event) } };

  it('holds for what was sealed, wherever the store put it', () => {
    expect(hashHolds(sealed)).toBe(true);
    expect(hashHolds({ ...sealed, position: '0000000000000009' })).toBe(true);
  });

  it('does not hold in another place, for other content, or for content without a canonical form', () => {
    expect(hashHolds(event)).toBe(false);
    expect(hashHolds({ ...sealed, revision: 4 })).toBe(false);
    expect(hashHolds({ ...sealed, stream: 'account-acc-2' })).toBe(false);
    expect(hashHolds({ ...sealed, data: {} })).toBe(false);
    expect(hashHolds({ ...sealed, data: { amount: NaN } })).toBe(false);
  });
});

describe('pointerTo', () => {
  it('names stream, revision as a decimal string, and id', () => {
    expect(pointerTo(event)).toEqual({ stream: 'account-acc-1', revision: '3', eventId: event.id });
  });
});

describe('isPosition', () => {
  it.each(['0000000000000000', '00000000000000ff', '0000000000000001-000000000000000a'])('takes %s', (text) => {
    expect(isPosition(text)).toBe(true);
  });

  it.each([
    '',
    '0',
    '000000000000000G',
    '00000000000000FF',
    '0'.repeat(17),
    `${'0'.repeat(16)}-`,
    `${'0'.repeat(16)}\n`,
  ])('turns down %j', (text) => {
    expect(isPosition(text)).toBe(false);
  });

  it('takes numbers in 16 hexadecimal digits, which compare as they do', () => {
    const numbers = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        const [first, second] = [one.toString(16).padStart(16, '0'), other.toString(16).padStart(16, '0')];
        expect(isPosition(first)).toBe(true);
        expect(first < second).toBe(one < other);
      }),
    );
  });
});
