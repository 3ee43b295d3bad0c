import { describe, expect, it } from '@jest/globals';
import type { DomainEvent, RecordedEvent } from '#kernel';
import {
  answeredRequest,
  registeredOrder,
  registeredRequest,
  rejectedOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  SAMPLE_REQUEST_STREAM,
  seal,
  verifiedOrder,
} from '#testing';
import { authorityRequestAsOf, legalOrderAsOf, partyAsOf } from './as-of.ts';

/** A stream as it stands in the log, each event with whoever acted. */
function recorded(stream: string, ...steps: readonly (readonly [DomainEvent, string])[]): readonly RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const [event, actor] of steps) {
    const last = events.at(-1);
    const end = last === undefined ? undefined : { revision: last.revision, hash: last.metadata.hash };
    const [sealed] = seal(stream, end, [event], { actor: { id: actor, roles: [] } });
    if (sealed === undefined) throw new Error('nothing was sealed');
    events.push({ ...sealed, stream, revision: events.length, position: String(events.length).padStart(16, '0') });
  }
  return events;
}

describe('an order as of a revision', () => {
  it('is what its events up to there made of it', () => {
    const events = recorded(SAMPLE_ORDER_STREAM, [registeredOrder(), SAMPLE_MAKER], [verifiedOrder(), SAMPLE_CHECKER]);
    expect(legalOrderAsOf(events.slice(0, 1))).toMatchObject({ state: 'registered', verification: null });
    expect(legalOrderAsOf(events)).toMatchObject({ state: 'verified', verification: { verifiedBy: SAMPLE_CHECKER } });
  });

  it('takes nothing from an event that should never have been recorded', () => {
    const events = recorded(
      SAMPLE_ORDER_STREAM,
      [registeredOrder(), SAMPLE_MAKER],
      [verifiedOrder(SAMPLE_MAKER), SAMPLE_MAKER],
      [rejectedOrder(), SAMPLE_CHECKER],
    );
    expect(legalOrderAsOf(events.slice(0, 2))).toMatchObject({ state: 'registered', verification: null });
    expect(legalOrderAsOf(events)).toMatchObject({ state: 'rejected', verification: null });
  });

  it('needs its registration', () => {
    expect(() => legalOrderAsOf([])).toThrow();
  });
});

describe('an authority request as of a revision', () => {
  const registered = [registeredRequest().event, SAMPLE_MAKER] as const;

  it('is what its events up to there made of it', () => {
    const events = recorded(SAMPLE_REQUEST_STREAM, registered, [answeredRequest().event, SAMPLE_CHECKER]);
    expect(authorityRequestAsOf(events.slice(0, 1))).toMatchObject({ state: 'registered', answer: null });
    expect(authorityRequestAsOf(events)).toMatchObject({ state: 'refused', answer: { answeredBy: SAMPLE_CHECKER } });
  });

  it('takes nothing from an answer that should never have been recorded', () => {
    const own = answeredRequest({ answeredBy: SAMPLE_MAKER }).event;
    const events = recorded(SAMPLE_REQUEST_STREAM, registered, [own, SAMPLE_MAKER]);
    expect(authorityRequestAsOf(events)).toMatchObject({ state: 'registered', answer: null });
  });

  it('needs its registration', () => {
    expect(() => authorityRequestAsOf([])).toThrow();
  });
});

describe('a party as of a revision', () => {
  const registered = { type: 'PartyRegistered', data: { partyId: 'p-1', kind: 'person', externalRef: 'crm:7' } };
  const named = {
    partyId: 'p-1',
    method: 'passport',
    evidenceSha256: 'ab'.repeat(32),
    identifiedAt: '2022-01-01T00:00:00.000Z',
  };

  it('is what its events up to there made of it', () => {
    const events = recorded('party-p-1', [registered, 'a'], [{ type: 'PartyIdentified', data: named }, 'a']);
    expect(partyAsOf(events.slice(0, 1))).toMatchObject({ partyId: 'p-1', identification: null });
    expect(partyAsOf(events)).toMatchObject({ identification: { method: 'passport' } });
  });

  it('takes nothing from an event of another party', () => {
    const foreign = { type: 'PartyIdentified', data: { ...named, partyId: 'p-2' } };
    expect(partyAsOf(recorded('party-p-1', [registered, 'a'], [foreign, 'a']))).toMatchObject({ identification: null });
  });
});
