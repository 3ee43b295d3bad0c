import { defineTable, putRow, type Change, type Timestamp } from '#kernel';
import type { JudgedEvent } from '#replay';
import type { ViolationView } from './queries-api.ts';

export const violationsTable = defineTable({
  name: 'violations',
  columns: { position: 'text', view: 'text' },
  primaryKey: ['position'],
  indexes: [],
});

export const violationTables = [violationsTable] as const;

/** The event as auditors see it, or undefined when nothing is wrong with it. */
export function violationView({ recorded, violation }: JudgedEvent, detectedAt: Timestamp): ViolationView | undefined {
  if (violation === undefined) return undefined;
  const { stream, revision, position, id: eventId, type } = recorded;
  return { stream, revision, position, eventId, type, ...violation, detectedAt };
}

export function projectViolation(judged: JudgedEvent, detectedAt: Timestamp): readonly Change[] {
  const view = violationView(judged, detectedAt);
  return view === undefined ? [] : [putRow(violationsTable, { position: view.position, view: JSON.stringify(view) })];
}
