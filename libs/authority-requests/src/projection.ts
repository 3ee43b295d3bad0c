import { defineTable, putRow, setColumns, type Change, type Recorded } from '#kernel';
import type { AuthorityRequestEvent } from './events.ts';
import { authorityRequestView, type AuthorityRequestState } from './state.ts';

export const authorityRequestsTable = defineTable({
  name: 'authorityRequests',
  // `basisId` is of the basis that the answer cites.
  columns: { requestId: 'text', state: 'text', basisId: 'text?', createdPosition: 'text', view: 'text' },
  primaryKey: ['requestId'],
  indexes: [['createdPosition'], ['state', 'createdPosition'], ['basisId', 'createdPosition']],
});

export const authorityRequestTables = [authorityRequestsTable] as const;

/** @param after the request's state after the event */
export function projectAuthorityRequest(
  event: Recorded<AuthorityRequestEvent>,
  after: AuthorityRequestState,
): readonly Change[] {
  const shown = authorityRequestView(after);
  if (shown === undefined || event.type === 'CommandRefused') return [];
  const { requestId, state } = shown;
  const columns = { requestId, state, basisId: shown.answer?.basis?.id ?? null, view: JSON.stringify(shown) };
  if (event.type !== 'AuthorityRequestRegistered') return [setColumns(authorityRequestsTable, columns)];
  return [putRow(authorityRequestsTable, { ...columns, createdPosition: event.position })];
}
