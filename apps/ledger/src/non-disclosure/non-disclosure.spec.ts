import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '#kernel';
import { NonDisclosure } from './non-disclosure.ts';

const UNTIL = '2022-06-01T00:00:00.000Z';
const FREEZE = 'f-1';

/** A log with an order on its own stream, and a freeze under it on the account's. */
function logWith(nonDisclosureUntil: unknown): { read(stream: string): Promise<readonly RecordedEvent[]> } {
  const streams: Readonly<Record<string, readonly object[]>> = {
    'legalOrder-ord-1': [
      { type: 'CommandRefused', data: null },
      { type: 'LegalOrderRegistered', id: 'e-1', data: { nonDisclosureUntil } },
    ],
    'account-a': [
      { type: 'AccountFrozen', data: { freezeId: FREEZE, basis: { kind: 'legal-order', id: 'ord-1' } } },
      { type: 'AccountFrozen', data: { freezeId: 'f-2', basis: 'none' } },
    ],
  };
  return { read: (stream) => Promise.resolve((streams[stream] ?? []) as RecordedEvent[]) };
}

function subject(nonDisclosureUntil: unknown = UNTIL, nowMs = Date.parse(UNTIL) - 1): NonDisclosure {
  const reader = logWith(nonDisclosureUntil);
  return new NonDisclosure({ reader, basisOfFreeze: () => undefined, clock: { now: () => nowMs } });
}

const asked = (freezeId: string): object => ({
  stream: 'account-a',
  type: 'LiftRequested',
  schemaVersion: 1,
  data: { freezeId, requestId: 'r', note: 'n' },
  metadata: { hash: 'h' },
});

describe('what the log alone tells of non-disclosure', () => {
  it('is whether an order is secret now', async () => {
    expect(await subject().isSecret('ord-1')).toBe(true);
    expect(await subject(UNTIL, Date.parse(UNTIL)).isSecret('ord-1')).toBe(false);
    expect(await subject(null).isSecret('ord-1')).toBe(false);
    expect(await subject(7).isSecret('ord-1')).toBe(false);
    expect(await subject().isSecret('ord-2')).toBe(false);
  });

  it('is on what a freeze rests that no read model knows yet', async () => {
    expect(await subject().withheld(asked(FREEZE))).toMatchObject({ data: null });
    expect(await subject(null).withheld(asked(FREEZE))).toEqual(asked(FREEZE));
  });

  it('is nothing of a freeze that is not there, or is malformed', async () => {
    for (const freezeId of ['f-2', 'f-3']) expect(await subject().withheld(asked(freezeId))).toEqual(asked(freezeId));
  });
});
