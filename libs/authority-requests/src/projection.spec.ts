import { describe, expect, it } from '@jest/globals';
import type { Basis, CommandRefused, DomainEvent, Recorded } from '#kernel';
import { answeredRequest, LogBuilder, projectTwice, registeredRequest, SAMPLE_REQUEST_STREAM } from '#testing';
import {
  authorityRequestsTable,
  authorityRequestView,
  evolveAuthorityRequest,
  initialAuthorityRequestState,
  projectAuthorityRequest,
  type AuthorityRequestEvent,
} from './index.ts';

const basis: Basis = { kind: 'legal-order', id: 'ord-1' };
const inForceAt = { stream: 'legalOrder-ord-1', revision: '1' };
const refused: CommandRefused = {
  type: 'CommandRefused',
  data: { command: 'x', code: 'maker-is-checker', detail: 'n', extra: {}, request: {}, decidedOn: null },
};

describe('the projection of authority requests', () => {
  it.each<readonly [string, string | null, readonly DomainEvent[]]>([
    ['registered', null, [registeredRequest().event]],
    ['registered', null, [registeredRequest().event, refused]],
    ['refused', null, [registeredRequest().event, answeredRequest().event]],
    ['withdrawn', null, [registeredRequest().event, answeredRequest({ outcome: 'withdrawn' }).event]],
    ['granted', 'ord-1', [registeredRequest().event, answeredRequest({ outcome: 'granted', basis, inForceAt }).event]],
  ])('shows a request that is %s, under %s, as its state does', (state, basisId, events) => {
    const log = new LogBuilder();
    const recorded = events.map((event) => log.append(SAMPLE_REQUEST_STREAM, event) as Recorded<AuthorityRequestEvent>);
    let after = initialAuthorityRequestState();
    const rows = projectTwice(
      recorded,
      (event) => (after = evolveAuthorityRequest(after, event)),
      projectAuthorityRequest,
    );
    expect(rows.of(authorityRequestsTable)).toEqual([
      {
        requestId: 'req-1',
        state,
        basisId,
        createdPosition: recorded[0]?.position,
        view: JSON.stringify(authorityRequestView(after)),
      },
    ]);
  });

  it('has no row for what was never registered', () => {
    const recorded = new LogBuilder().append(SAMPLE_REQUEST_STREAM, refused) as Recorded<AuthorityRequestEvent>;
    expect(projectAuthorityRequest(recorded, initialAuthorityRequestState())).toEqual([]);
  });
});
