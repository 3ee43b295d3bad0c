import { defineTable, putRow, type Change, type Recorded } from '#kernel';
import type { LedgerEvent } from '#replay';
import type { RefusalView } from './queries-api.ts';

export const refusalsTable = defineTable({
  name: 'refusals',
  columns: { position: 'text', view: 'text' },
  primaryKey: ['position'],
  indexes: [],
});

export const refusalTables = [refusalsTable] as const;

/** A refusal is a fact of its own, or an opening that was abandoned because a basis names a holder. */
export function projectRefusal(event: Recorded<LedgerEvent>): readonly Change[] {
  const refused = refusalOf(event);
  if (refused === undefined) return [];
  const { stream, revision, position, id: eventId } = event;
  const { key, actor, recordedAt } = event.metadata;
  // Who asked, also where the supervisor finished the step.
  const view: RefusalView = {
    stream,
    revision,
    position,
    eventId,
    ...refused,
    actor: key?.caller ?? actor.id,
    recordedAt,
  };
  return [putRow(refusalsTable, { position, view: JSON.stringify(view) })];
}

type Refused = Pick<RefusalView, 'command' | 'code' | 'detail' | 'extra' | 'request' | 'decidedOn'>;

function refusalOf(event: Recorded<LedgerEvent>): Refused | undefined {
  if (event.type === 'CommandRefused') return event.data;
  if (event.type !== 'AccountOpeningAbandoned' || event.data.reason !== 'party-named-by-basis') return undefined;
  const { accountId, holders, partyId, decidedOn } = event.data;
  return {
    command: 'OpenAccount',
    code: 'party-named-by-basis',
    detail: 'A basis in force names a holder: no account opens for it.',
    extra: partyId === undefined ? {} : { partyId },
    request: { accountId, holders },
    decidedOn,
  };
}
