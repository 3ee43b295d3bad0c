import { type EventTexts, type RecordedEvent, StoredEvent } from '#kernel';
import { CopyError } from './copy-error.ts';

/** Where an event stands and what it is, for a person. */
export function describeEvent({ stream, revision, type, id, position }: RecordedEvent): string {
  return `${stream}@${String(revision)} (${type === '' ? 'no type' : type}, id ${id}, position ${position})`;
}

/** @returns the texts of an event's data and metadata, as they stand in the log */
export function textsOf(event: RecordedEvent): EventTexts {
  const texts = StoredEvent.textsOf(event);
  if (texts !== undefined) return texts;
  return { data: JSON.stringify(event.data), metadata: JSON.stringify(event.metadata) };
}

/**
 * Holds what the destination has against what the source has in the same place of the total order. Positions alone may differ.
 * @throws CopyError that names both
 */
export function demandSame(source: RecordedEvent, destination: RecordedEvent): void {
  const difference = differenceOf(source, destination);
  if (difference === undefined) return;
  throw new CopyError(
    `The destination is no copy of the source: where the source has ${describeEvent(source)}, the destination has ${describeEvent(destination)}, and ${difference} differs. Nothing was changed there. Copy to an empty place.`,
  );
}

function differenceOf(source: RecordedEvent, destination: RecordedEvent): string | undefined {
  if (source.stream !== destination.stream) return 'the stream';
  if (source.revision !== destination.revision) return 'the revision';
  if (source.id !== destination.id) return 'the id';
  if (source.type !== destination.type) return 'the type';
  if (source.schemaVersion !== destination.schemaVersion) return 'the version of the schema';
  const [one, other] = [textsOf(source), textsOf(destination)];
  if (one.data !== other.data) return 'the data';
  return one.metadata === other.metadata ? undefined : 'the metadata';
}
