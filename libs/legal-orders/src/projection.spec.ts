import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '#kernel';
import {
  authorisedFreeze,
  endedOrder,
  LogBuilder,
  projectTwice,
  proposedEnding,
  registeredOrder,
  rejectedChange,
  rejectedOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  verifiedOrder,
  type ProjectedRows,
} from '#testing';
import type { LegalOrderEvent, Subject } from './events.ts';
import {
  authorisationsTable,
  changeView,
  legalOrderFromRow,
  legalOrdersTable,
  orderSubjectsTable,
  projectLegalOrder,
} from './projection.ts';
import { evolveLegalOrder, initialLegalOrderState, legalOrderView, type LegalOrderState } from './state.ts';

interface Projected {
  readonly rows: ProjectedRows;
  readonly state: LegalOrderState;
  readonly recorded: readonly Recorded<LegalOrderEvent>[];
}

function project(...events: readonly LegalOrderEvent[]): Projected {
  const log = new LogBuilder();
  const recorded = events.map((event) => log.append(SAMPLE_ORDER_STREAM, event) as Recorded<LegalOrderEvent>);
  let state = initialLegalOrderState();
  const rows = projectTwice(recorded, (event) => (state = evolveLegalOrder(state, event)), projectLegalOrder);
  return { rows, state, recorded };
}

function shown({ rows }: Projected): unknown {
  return rows
    .of(legalOrdersTable)
    .map(({ view, updatedAt }) => legalOrderFromRow({ view: String(view), updatedAt: String(updatedAt) }));
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const refused: LegalOrderEvent = {
  type: 'CommandRefused',
  data: {
    command: 'VerifyLegalOrder',
    code: 'maker-is-checker',
    detail: 'no',
    extra: {},
    request: {},
    decidedOn: null,
  },
};

describe('the projection of legal orders', () => {
  it.each([
    ['registered', [registeredOrder()]],
    ['verified', [registeredOrder(), verifiedOrder()]],
    ['rejected', [registeredOrder(), rejectedOrder()]],
    ['verified', [registeredOrder(), verifiedOrder(), proposedEnding()]],
    ['verified', [registeredOrder(), verifiedOrder(), proposedEnding(), rejectedChange()]],
    ['verified', [registeredOrder(), verifiedOrder(), authorisedFreeze()]],
    ['discharged', [registeredOrder(), verifiedOrder(), proposedEnding(), endedOrder()]],
    ['registered', [registeredOrder(), refused]],
  ] as const)('shows an order that is %s as its state does', (state, events) => {
    const projected = project(...events);
    expect(projected.rows.of(legalOrdersTable)).toMatchObject([
      { orderId: 'ord-1', state, createdPosition: projected.recorded[0]?.position },
    ]);
    expect(shown(projected)).toEqual([asJson(legalOrderView(projected.state))]);
  });

  it('has a row for each subject', () => {
    expect(project(registeredOrder(), verifiedOrder()).rows.of(orderSubjectsTable)).toMatchObject([
      { kind: 'account', subjectId: 'acc-1', orderId: 'ord-1', named: 1, position: '0000000000000001' },
      { kind: 'party', subjectId: 'p-1', orderId: 'ord-1', named: 1, position: '0000000000000001' },
    ]);
  });

  it('keeps the row of a subject that a variation leaves, and tells whom it drops and whom it brings in', () => {
    const named = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });
    const external = { kind: 'external', sha256: 'e'.repeat(64) } as const;
    const document = { documentSha256: 'd'.repeat(64), issuedAt: '2022-04-01T00:00:00.000Z', reference: 'r' };
    const change = { orderId: 'ord-1', changeId: 'chg-1', subjects: [named('b'), external] };
    const { rows } = project(
      registeredOrder({ subjects: [named('a'), named('b')] }),
      verifiedOrder(),
      {
        type: 'LegalOrderChangeProposed',
        data: { ...change, kind: 'variation', ...document, proposedBy: SAMPLE_MAKER },
      },
      {
        type: 'LegalOrderVaried',
        data: { ...change, method: 'm', proposedBy: SAMPLE_MAKER, verifiedBy: SAMPLE_CHECKER },
      },
    );
    const told = rows.of(orderSubjectsTable).map(({ subjectId, named: isNamed, position }) => {
      return [subjectId, isNamed, Number(position)];
    });
    expect(told.sort()).toEqual([
      ['["bitcoin","a"]', 0, 4],
      ['["bitcoin","b"]', 1, 1],
      [external.sha256, 1, 4],
    ]);
  });

  it('tells which account, and through which party, a freeze is for', () => {
    const { rows, recorded } = project(
      registeredOrder(),
      verifiedOrder(),
      authorisedFreeze(),
      authorisedFreeze({ accountId: 'acc-2', partyId: 'p-1' }),
    );
    expect(rows.of(authorisationsTable)).toEqual([
      { freezeId: recorded[2]?.id, orderId: 'ord-1', accountId: 'acc-1', partyId: null },
      { freezeId: recorded[3]?.id, orderId: 'ord-1', accountId: 'acc-2', partyId: 'p-1' },
    ]);
  });
});

describe('a change as it is shown', () => {
  it('is proposed, and then what was decided', () => {
    const proposal = [registeredOrder(), verifiedOrder(), proposedEnding()] as const;
    expect(changeView(project(...proposal).state, 'chg-1')).toMatchObject({ state: 'proposed', decidedBy: null });
    expect(changeView(project(...proposal, endedOrder()).state, 'chg-1')).toMatchObject({ state: 'verified' });
    expect(changeView(project(...proposal).state, 'chg-2')).toBeUndefined();
  });
});
