import { describe, expect, it } from '@jest/globals';
import { StoredEvent } from './stored-event.ts';

const place = { stream: 'account-a', revision: 3, position: '0000000000000007' };
const written = { id: 'id-1', type: 'T', schemaVersion: 2 };

describe('an event that was read', () => {
  it('says what its texts say, and where it stands', () => {
    const event = new StoredEvent({ ...written, data: '{"b":[1]}', metadata: '{"hash":"h"}' }, place);
    expect(event).toEqual({ ...written, ...place, data: { b: [1] }, metadata: { hash: 'h' } });
    expect(StoredEvent.textsOf(event)).toEqual({ data: '{"b":[1]}', metadata: '{"hash":"h"}' });
  });

  it('gives back what is not JSON as it stands', () => {
    const event = new StoredEvent({ ...written, data: '{', metadata: '' }, place);
    expect([event.data, event.metadata]).toEqual(['{', '']);
  });

  it('has no texts once it was copied: the copy may say something else', () => {
    const event = new StoredEvent({ ...written, data: '{}', metadata: '{}' }, place);
    expect(StoredEvent.textsOf(Object.assign({}, event, { data: { b: 2 } }))).toBeUndefined();
    expect(StoredEvent.textsOf(structuredClone(event))).toBeUndefined();
  });
});
