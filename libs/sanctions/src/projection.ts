import { addressName, defineTable, putRow, setColumns, type Change, type Recorded } from '#kernel';
import type { HitSubject, SanctionsHitEvent } from './events.ts';
import { sanctionsHitView, type SanctionsHitState } from './state.ts';
import type { SanctionsHitView } from './views.ts';

export const sanctionsHitsTable = defineTable({
  name: 'sanctionsHits',
  // `view` without `updatedAt`: an authorisation changes nothing else.
  columns: {
    hitId: 'text',
    state: 'text',
    partyId: 'text?',
    subject: 'text',
    entrySha256: 'text',
    createdPosition: 'text',
    updatedAt: 'text',
    view: 'text',
  },
  primaryKey: ['hitId'],
  indexes: [
    ['createdPosition'],
    ['state', 'createdPosition'],
    ['subject', 'createdPosition'],
    ['entrySha256', 'subject', 'createdPosition'],
  ],
});

/** Which account, and through which party, each freeze under a hit is for: known before the freeze is placed. */
export const hitAuthorisationsTable = defineTable({
  name: 'hitAuthorisations',
  columns: { freezeId: 'text', hitId: 'text', accountId: 'text', partyId: 'text?' },
  primaryKey: ['freezeId'],
  indexes: [['partyId']],
});

export const sanctionsHitTables = [sanctionsHitsTable, hitAuthorisationsTable] as const;

/** A subject as one text: the same for the same subject. No id looks like the name of an address. */
export function hitSubjectName(subject: HitSubject): string {
  return subject.kind === 'party' ? subject.partyId : addressName(subject);
}

/** The hit as a row of `sanctionsHits` tells it. */
export function sanctionsHitFromRow(row: { readonly view: string; readonly updatedAt: string }): SanctionsHitView {
  const shown = JSON.parse(row.view) as Omit<SanctionsHitView, 'updatedAt'>;
  return { ...shown, updatedAt: row.updatedAt };
}

/** @param after the hit's state after the event */
export function projectSanctionsHit(event: Recorded<SanctionsHitEvent>, after: SanctionsHitState): readonly Change[] {
  if (event.type === 'CommandRefused') return [];
  const { hitId } = event.data;
  if (event.type === 'FreezeAuthorised') {
    const { accountId, partyId = null } = event.data;
    return [
      putRow(hitAuthorisationsTable, { freezeId: event.id, hitId, accountId, partyId }),
      setColumns(sanctionsHitsTable, { hitId, updatedAt: event.metadata.recordedAt }),
    ];
  }
  const shown = sanctionsHitView(after);
  if (shown === undefined) return [];
  const { updatedAt, ...rest } = shown;
  const columns = { hitId, state: shown.state, updatedAt, view: JSON.stringify(rest) };
  if (event.type !== 'SanctionsHitRaised') return [setColumns(sanctionsHitsTable, columns)];
  const { subject, entry } = event.data;
  return [
    putRow(sanctionsHitsTable, {
      ...columns,
      partyId: subject.kind === 'party' ? subject.partyId : null,
      subject: hitSubjectName(subject),
      entrySha256: entry.sha256,
      createdPosition: event.position,
    }),
  ];
}
