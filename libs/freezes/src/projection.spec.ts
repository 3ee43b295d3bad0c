import { describe, expect, it } from '@jest/globals';
import type { Recorded, Row } from '#kernel';
import { LogBuilder, projectTwice, testId, type ProjectedRows } from '#testing';
import type { FreezeEvent } from './events.ts';
import {
  freezeFromRow,
  freezesTable,
  freezeVariationsTable,
  freezeView,
  isFreezeEvent,
  liftRequestFromRow,
  liftRequestsTable,
  liftRequestView,
  projectFreeze,
} from './projection.ts';

const accountId = 'acc-1';
const freezeId = testId(900);
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: freezeId };
const requestCitation = { stream: 'account-acc-1', revision: '2', eventId: testId(901) };

type Of<Type extends FreezeEvent['type']> = Extract<FreezeEvent, { readonly type: Type }>;

const frozen: Of<'AccountFrozen'> = {
  type: 'AccountFrozen',
  data: {
    accountId,
    freezeId,
    basis,
    citation,
    scope: { direction: 'debit', assets: ['BTC'] },
    claimGroup: 'legal-order/ord-1',
    placedBy: 'maker',
    blockedFrom: '2022-02-28T00:00:00.000Z',
    balancesAtFreeze: [{ asset: 'BTC', available: '5', reserved: '0', held: '0' }],
    stopped: ['w-1'],
    inFlight: ['w-2'],
  },
};
function varied(found: { readonly stopped: string[]; readonly inFlight: string[] }): Of<'FreezeVaried'> {
  const replaces = citation;
  const scope = { direction: 'debit', assets: 'all' } as const;
  return { type: 'FreezeVaried', data: { accountId, freezeId, basis, citation, replaces, scope, ...found } };
}
const abandoned: Of<'FreezeAbandoned'> = {
  type: 'FreezeAbandoned',
  data: { accountId, freezeId, basis, citation, reason: 'basis-ended' },
};
function requested(requestId: string): Of<'LiftRequested'> {
  const data = {
    accountId,
    freezeId,
    requestId,
    ground: 'placed-in-error',
    note: 'wrong man',
    requestedBy: 'maker',
  } as const;
  return { type: 'LiftRequested', data };
}
const rejected: Of<'LiftRejected'> = {
  type: 'LiftRejected',
  data: {
    accountId,
    freezeId,
    requestId: 'r-1',
    citation: requestCitation,
    reason: 'right man',
    rejectedBy: 'checker',
  },
};
const approved: Of<'AccountUnfrozen'> = {
  type: 'AccountUnfrozen',
  data: {
    accountId,
    freezeId,
    ground: 'placed-in-error',
    citation: requestCitation,
    requestId: 'r-2',
    requestedBy: 'maker',
    approvedBy: 'checker',
  },
};
const basisEnded: Of<'AccountUnfrozen'> = {
  type: 'AccountUnfrozen',
  data: { accountId, freezeId, ground: 'basis-ended', citation, requestedBy: 'maker', approvedBy: 'checker' },
};

function record<Event extends FreezeEvent>(log: LogBuilder, event: Event): Recorded<Event> {
  return log.append('account-acc-1', event, {
    actor: 'system:supervisor',
    key: { caller: 'maker', value: event.type },
  }) as unknown as Recorded<Event>;
}

function project(...events: readonly FreezeEvent[]): {
  rows: ProjectedRows;
  recorded: readonly Recorded<FreezeEvent>[];
} {
  const log = new LogBuilder();
  const recorded = events.map((event) => record(log, event));
  return { recorded, rows: projectTwice(recorded, () => undefined, projectFreeze) };
}

const freezesIn = (rows: ProjectedRows): unknown[] => {
  const found = `[${rows
    .of(freezeVariationsTable)
    .map((row) => row['found'])
    .join(',')}]`;
  return rows.of(freezesTable).map((row) => freezeFromRow({ ...(row as Row & Shown), found }));
};
type Shown = Omit<Parameters<typeof freezeFromRow>[0], 'found'>;
const requestsIn = (rows: ProjectedRows): unknown[] =>
  rows.of(liftRequestsTable).map(({ view, state, decidedBy, reason, updatedAt }) => {
    const row = { view, state, decidedBy, reason, updatedAt };
    return liftRequestFromRow(row as Row & Parameters<typeof liftRequestFromRow>[0]);
  });

describe('the register of freezes', () => {
  it('shows a freeze in force', () => {
    const { rows, recorded } = project(frozen);
    const placedAt = recorded[0]?.metadata.recordedAt;
    const times = { placedAt, createdAt: placedAt, updatedAt: placedAt };
    expect(freezesIn(rows)).toEqual([{ ...frozen.data, state: 'in-force', lift: null, ...times }]);
    expect(rows.of(freezesTable)).toMatchObject([
      { freezeId, accountId, basisId: 'ord-1', state: 'in-force', createdPosition: recorded[0]?.position },
    ]);
  });

  it('shows its lift, and the freeze as it was', () => {
    const { rows, recorded } = project(frozen, basisEnded);
    const [began, ended] = recorded.map(({ metadata }) => metadata.recordedAt);
    expect(freezesIn(rows)).toEqual([
      {
        ...frozen.data,
        state: 'lifted',
        placedAt: began,
        createdAt: began,
        updatedAt: ended,
        lift: { ground: 'basis-ended', citation, requestedBy: 'maker', approvedBy: 'checker', liftedAt: ended },
      },
    ]);
    expect(rows.of(freezesTable)).toMatchObject([{ state: 'lifted', createdPosition: recorded[0]?.position }]);
  });

  it('shows what each variation stopped and found in flight, each withdrawal once', () => {
    const first = varied({ stopped: ['w-4', 'w-3'], inFlight: ['w-2', 'w-5'] });
    const second = varied({ stopped: ['w-6'], inFlight: ['w-5'] });
    const { rows, recorded } = project(frozen, first, varied({ stopped: [], inFlight: [] }), second, basisEnded);
    expect(freezesIn(rows)).toMatchObject([
      {
        state: 'lifted',
        scope: first.data.scope,
        balancesAtFreeze: frozen.data.balancesAtFreeze,
        stopped: ['w-1', 'w-4', 'w-3', 'w-6'],
        inFlight: ['w-2', 'w-5'],
        updatedAt: recorded.at(-1)?.metadata.recordedAt,
      },
    ]);
  });

  it('shows an authorisation that came to nothing, with the one who asked for it', () => {
    const { rows } = project(abandoned);
    expect(freezesIn(rows)).toMatchObject([
      { freezeId, state: 'abandoned', scope: null, basis, placedBy: 'maker', lift: null },
    ]);
  });

  it('lifts nothing that it does not know', () => {
    expect(freezesIn(project(basisEnded).rows)).toEqual([]);
  });
});

describe('lift requests', () => {
  it('are shown as requested, rejected or approved', () => {
    const { rows } = project(frozen, requested('r-1'), rejected, requested('r-2'), approved);
    const common = { freezeId, accountId, ground: 'placed-in-error', note: 'wrong man', requestedBy: 'maker' };
    expect(requestsIn(project(frozen, requested('r-1')).rows)).toMatchObject([
      { ...common, requestId: 'r-1', state: 'requested', decidedBy: null, reason: null },
    ]);
    expect(requestsIn(rows)).toMatchObject([
      { ...common, requestId: 'r-1', state: 'rejected', decidedBy: 'checker', reason: 'right man' },
      { ...common, requestId: 'r-2', state: 'approved', decidedBy: 'checker', reason: null },
    ]);
    expect(freezesIn(rows)).toMatchObject([{ state: 'lifted', lift: { ground: 'placed-in-error' } }]);
  });

  it('show the same from their events as from their rows', () => {
    const log = new LogBuilder();
    const [asked, no] = [record(log, requested('r-1')), record(log, rejected)];
    const rows = projectTwice<Recorded<FreezeEvent>, undefined>([asked, no], () => undefined, projectFreeze);
    expect(requestsIn(rows)).toEqual([liftRequestView(asked, no)]);
  });

  it('stay requested when the freeze ends for another reason', () => {
    expect(requestsIn(project(frozen, requested('r-1'), basisEnded).rows)).toMatchObject([{ state: 'requested' }]);
  });
});

describe('the views of freezes', () => {
  it('are those that the register shows', () => {
    const log = new LogBuilder();
    const placed = record(log, frozen);
    const rows = projectTwice<Recorded<FreezeEvent>, undefined>([placed], () => undefined, projectFreeze);
    expect(freezesIn(rows)).toEqual([freezeView(placed)]);
  });

  it('are of the events about freezes alone', () => {
    expect(isFreezeEvent(frozen)).toBe(true);
    expect(isFreezeEvent({ type: 'FundsDeposited' })).toBe(false);
  });
});
