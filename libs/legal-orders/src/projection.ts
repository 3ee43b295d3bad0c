import { defineTable, putRow, setColumns, type Change, type Recorded } from '#kernel';
import type {
  FreezeAuthorised,
  Instrument,
  LegalOrderEvent,
  LegalOrderRegistered,
  LegalOrderVaried,
  ReleaseInstrument,
  Subject,
} from './events.ts';
import { subjectKey, subjectName } from './instrument.ts';
import { legalOrderView, type LegalOrderState } from './state.ts';
import type { ChangeView, LegalOrderView } from './views.ts';

export const legalOrdersTable = defineTable({
  name: 'legalOrders',
  // `view` without `updatedAt`: an authorisation changes nothing else, and an order may name a thousand subjects.
  columns: {
    orderId: 'text',
    state: 'text',
    expiresAt: 'text?',
    createdPosition: 'text',
    updatedAt: 'text',
    view: 'text',
  },
  primaryKey: ['orderId'],
  indexes: [['createdPosition'], ['state', 'createdPosition']],
});

/** Whom an order names, to find orders by account or party, and the parties that an address or a reference matches. */
export const orderSubjectsTable = defineTable({
  name: 'orderSubjects',
  // `named` is 0 for whom a variation dropped.
  columns: { kind: 'text', subjectId: 'text', orderId: 'text', named: 'integer', position: 'text', recordedAt: 'text' },
  primaryKey: ['kind', 'subjectId', 'orderId'],
  indexes: [],
});

/** Which account, and through which party, each freeze is for: known before the freeze is placed. */
export const authorisationsTable = defineTable({
  name: 'authorisations',
  columns: { freezeId: 'text', orderId: 'text', accountId: 'text', partyId: 'text?' },
  primaryKey: ['freezeId'],
  indexes: [['partyId']],
});

export const legalOrderTables = [legalOrdersTable, orderSubjectsTable, authorisationsTable] as const;

/** A proposed change as it is shown, or undefined when the order has none of that id. */
export function changeView(state: LegalOrderState, changeId: string): ChangeView | undefined {
  return state.changes.get(changeId);
}

/** The order as a row of `legalOrders` tells it. */
export function legalOrderFromRow(row: { readonly view: string; readonly updatedAt: string }): LegalOrderView {
  return { ...(JSON.parse(row.view) as LegalOrderView), updatedAt: row.updatedAt };
}

/** @param after the order's state after the event */
export function projectLegalOrder(event: Recorded<LegalOrderEvent>, after: LegalOrderState): readonly Change[] {
  if (event.type === 'CommandRefused') return [];
  const { orderId } = event.data;
  if (event.type === 'FreezeAuthorised') return [...projectAuthorisation(event), touch(event)];
  const shown = legalOrderView(after);
  if (shown === undefined) return [];
  const { updatedAt, ...rest } = shown;
  const { state, expiresAt = null } = shown;
  const columns = { orderId, state, expiresAt, updatedAt, view: JSON.stringify(rest) };
  if (event.type === 'LegalOrderVaried') return [setColumns(legalOrdersTable, columns), ...projectVaried(event, after)];
  if (event.type !== 'LegalOrderRegistered') return [setColumns(legalOrdersTable, columns)];
  return [
    putRow(legalOrdersTable, { ...columns, createdPosition: event.position }),
    ...subjectsOf(event.data).map((subject) => projectSubject(event, subject, 1)),
  ];
}

/** An order of release is found by the accounts that it names, like any. */
function subjectsOf(instrument: Instrument | ReleaseInstrument): readonly Subject[] {
  if (instrument.effect === 'restrain') return instrument.subjects;
  return (instrument.releases.accountIds ?? []).map((accountId) => ({ kind: 'account', accountId }));
}

function projectVaried(event: Recorded<LegalOrderVaried>, { terms }: LegalOrderState): readonly Change[] {
  const [before = [], after = []] = terms.slice(-2).map(({ listed }) => listed);
  return [
    ...without(before, after).map((subject) => projectSubject(event, subject, 0)),
    ...without(after, before).map((subject) => projectSubject(event, subject, 1)),
  ];
}

function without(subjects: readonly Subject[], others: readonly Subject[]): readonly Subject[] {
  const known = new Set(others.map(subjectKey));
  return subjects.filter((subject) => !known.has(subjectKey(subject)));
}

/** One that varies a freeze places none. */
function projectAuthorisation(event: Recorded<FreezeAuthorised>): readonly Change[] {
  if (event.data.replaces !== undefined) return [];
  const { orderId, accountId, partyId = null } = event.data;
  return [putRow(authorisationsTable, { freezeId: event.id, orderId, accountId, partyId })];
}

function touch(event: Recorded<FreezeAuthorised>): Change {
  return setColumns(legalOrdersTable, { orderId: event.data.orderId, updatedAt: event.metadata.recordedAt });
}

function projectSubject(
  { position, metadata, data }: Recorded<LegalOrderRegistered | LegalOrderVaried>,
  subject: Subject,
  named: 0 | 1,
): Change {
  const columns = { kind: subject.kind, subjectId: subjectName(subject), orderId: data.orderId, named };
  return putRow(orderSubjectsTable, { ...columns, position, recordedAt: metadata.recordedAt });
}
