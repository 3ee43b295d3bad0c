import { describe, expect, it } from '@jest/globals';
import { LogBuilder, TEST_EPOCH } from '#testing';
import { isUpTo } from './moment.ts';

const refused = { type: 'CommandRefused', data: {} };

describe('a moment in the log', () => {
  const log = new LogBuilder();
  const event = log.append('account-a', refused, { recordedAt: '2022-03-01T00:00:05.000Z' });

  it('is inclusive, as a position and as a time', () => {
    expect(isUpTo(event, undefined)).toBe(true);
    expect(isUpTo(event, { position: event.position })).toBe(true);
    expect(isUpTo(event, { position: '0'.repeat(16) })).toBe(false);
    expect(isUpTo(event, { time: '2022-03-01T00:00:05.000Z' })).toBe(true);
    expect(isUpTo(event, { time: '2022-03-01T00:00:04.999Z' })).toBe(false);
  });

  it.each([null, {}, { recordedAt: 3000 }, { recordedAt: 'soon' }])(
    'is not ended by metadata of %j',
    (wholeMetadata) => {
      const forged = log.forge('account-a', refused, { wholeMetadata });
      expect(isUpTo(forged, { time: TEST_EPOCH })).toBe(true);
    },
  );
});
