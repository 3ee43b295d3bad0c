import { memberText } from './answer-text.ts';
import { get, type Answered, type Cast } from './cast.ts';
import type { Stage } from './stage.ts';

/** A point in the log that is looked at again by replay. */
export interface Moment {
  readonly title: string;
  readonly position: string;
  /** What is told of the account as of then, one text for each of the columns. */
  readonly expected: readonly string[];
}

export interface Column {
  readonly title: string;
  /** The path of the member in the account. */
  readonly path: string;
}

/** @param answer has the position of what just happened */
export function momentOf(title: string, answer: Answered, ...expected: readonly string[]): Moment {
  return { title, position: memberText(answer, 'position'), expected };
}

/** Has the auditor replay an account as of each moment, and shows what it was. @throws Error where it differs */
export async function replayMoments(
  { auditor }: Cast,
  stage: Stage,
  accountId: string,
  columns: readonly Column[],
  moments: readonly Moment[],
): Promise<void> {
  const tells = columns.map(({ path }) => `{${path}}`).join(' | ');
  for (const { title, position, expected } of moments) {
    const request = get(`audit/accounts/${accountId}?at=${position}`);
    await auditor(`replays ${accountId}: ${title}`, request, `200 ${expected.join(' | ')}`, tells);
  }
  stage.table({
    title: `${accountId} as of each moment, by replay`,
    columns: ['position', 'moment', ...columns.map((column) => column.title)],
    rows: moments.map(({ position, title, expected }) => [position, title, ...expected]),
  });
}
