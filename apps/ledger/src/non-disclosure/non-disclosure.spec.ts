import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '#kernel';
import { STREAM_PAGE_EVENTS, type StreamReader } from '#replay';
import { NonDisclosure } from './non-disclosure.ts';

const UNTIL = '2022-06-01T00:00:00.000Z';
const FREEZE = 'f-1';

/** A log with an order on its own stream, and a freeze under it on the account's, behind so many deposits. */
function logWith(nonDisclosureUntil: unknown, deposits: number): StreamReader {
  const streams: Readonly<Record<string, readonly object[]>> = {
    'legalOrder-ord-1': [
      { type: 'CommandRefused', data: null },
      { type: 'LegalOrderRegistered', id: 'e-1', data: { nonDisclosureUntil } },
    ],
    'account-a': [
      ...Array.from({ length: deposits }, () => ({ type: 'FundsDeposited', data: {} })),
      { type: 'AccountFrozen', data: { freezeId: FREEZE, basis: { kind: 'legal-order', id: 'ord-1' } } },
      { type: 'AccountFrozen', data: { freezeId: 'f-2', basis: 'none' } },
      {
        type: 'LiftRequested',
        data: { freezeId: 'f-4', requestId: 'r-1', ground: 'release-ordered', orderId: 'ord-1' },
      },
      { type: 'LiftRequested', data: { freezeId: 'f-4', requestId: 'r-2', ground: 'placed-in-error' } },
    ],
  };
  return {
    read: (stream, { from = 0, limit = Infinity } = {}) => {
      if (limit > STREAM_PAGE_EVENTS) throw new Error('more is read than a page');
      const events = (streams[stream] ?? []).map((event, revision) => ({ ...event, revision }) as RecordedEvent);
      return Promise.resolve(events.slice(from, from + limit));
    },
  };
}

function subject(nonDisclosureUntil: unknown = UNTIL, nowMs = Date.parse(UNTIL) - 1, deposits = 0): NonDisclosure {
  const reader = logWith(nonDisclosureUntil, deposits);
  return new NonDisclosure({
    reader,
    basisOfFreeze: () => undefined,
    orderOfLift: () => undefined,
    clock: { now: () => nowMs },
  });
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

  it('is on which order of release a request of a lift relies, of which only what came of it is shown', async () => {
    const rejected = (requestId: string): object => ({
      ...asked('f-4'),
      type: 'LiftRejected',
      data: { freezeId: 'f-4', requestId, reason: 'x' },
    });
    const refused = (requestId: string): object => ({
      ...asked('f-4'),
      type: 'CommandRefused',
      data: { command: 'ApproveLift', decidedOn: null, request: { freezeId: 'f-4', requestId, note: 'n' } },
    });
    for (const event of [rejected, refused]) {
      expect(await subject().withheld(event('r-1'))).toMatchObject({ data: null });
      expect(await subject(null).withheld(event('r-1'))).toEqual(event('r-1'));
      for (const other of ['r-2', 'r-3']) expect(await subject().withheld(event(other))).toEqual(event(other));
    }
  });

  it('is found on any page of the account', async () => {
    const behind = subject(UNTIL, Date.parse(UNTIL) - 1, STREAM_PAGE_EVENTS);
    const data = { freezeId: 'f-4', requestId: 'r-1', reason: 'x' };
    expect(await behind.withheld(asked(FREEZE))).toMatchObject({ data: null });
    expect(await behind.withheld({ ...asked('f-4'), type: 'LiftRejected', data })).toMatchObject({ data: null });
    expect(await behind.withheld(asked('f-3'))).toEqual(asked('f-3'));
  });

  it('is nothing of a freeze that is not there, or is malformed', async () => {
    for (const freezeId of ['f-2', 'f-3']) expect(await subject().withheld(asked(freezeId))).toEqual(asked(freezeId));
  });
});
