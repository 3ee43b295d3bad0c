import { eventHash, type EventMetadata, type SealedEvent, uuidv7 } from '#kernel';

/** A sealed event for tests of stores, which look at nothing but its id and type. */
export function sealedEvent(given: Partial<SealedEvent> = {}): SealedEvent {
  const {
    id = uuidv7(),
    type = 'FundsDeposited',
    schemaVersion = 1,
    data = { asset: 'BTC', amount: '150000000' },
  } = given;
  const metadata: Omit<EventMetadata, 'hash'> = {
    actor: { id: 'test-service', roles: ['service'] },
    correlationId: 'test-correlation',
    causationId: null,
    key: { caller: 'test-service', homeStream: 'account-1', value: id },
    commandHash: 'c'.repeat(64),
    recordedAt: '2022-02-15T12:00:00.000Z',
    previousHash: null,
  };
  const event = { id, type, schemaVersion, data, metadata };
  return { ...event, metadata: given.metadata ?? { ...metadata, hash: eventHash('test', 0, event) } };
}

export function sealedEvents(count: number, given: Partial<SealedEvent> = {}): SealedEvent[] {
  return Array.from({ length: count }, () => sealedEvent(given));
}

/** As small as events get, so that the most events fit into one append. */
export function tinyEvents(count: number): SealedEvent[] {
  const actor = { id: 'a', roles: [] };
  const recordedAt = '2022-02-15T12:00:00.000Z';
  const none = { causationId: null, key: null, commandHash: null, previousHash: null };
  return sealedEvents(count, { data: null, metadata: { actor, correlationId: 'c', ...none, recordedAt, hash: 'h' } });
}
