import { get, type Cast } from '../cast.ts';
import { figuresOf, type LogFigures } from '../log-figures.ts';
import type { LoggedEvent } from '../log-figures.ts';
import type { Stage } from '../stage.ts';

const ABOUT = [
  'Counted from the events of the log alone, as the audit API gives them: no other answer of the service has a part in the figures.',
];
const MAX_REFUSALS = 500;

/** What was counted, and the log that it was counted from. */
export interface Reckoning {
  readonly figures: LogFigures;
  readonly log: readonly LoggedEvent[];
}

/** Counts what the log says, and holds it against the service's own lists. @throws Error when a figure is not as it must be */
export async function reckon({ auditor, log: readLog }: Cast, stage: Stage): Promise<Reckoning> {
  stage.act('What the log says', ABOUT);
  const log = await readLog();
  const figures = figuresOf(log);
  stage.day(today(log), 'The day of the demonstration, by the clock of the service: every event was recorded then.');
  const end = log.at(-1)?.position ?? '';
  await auditor(
    'looks for events that should not be',
    get(`audit/violations?atLeast=${end}`),
    '200 violations: -',
    'violations: {items.code}',
  );
  await auditor(
    'counts the refusals on record',
    get(`audit/refusals?atLeast=${end}&limit=${String(MAX_REFUSALS)}`),
    `200 ${String(figures.refusals.length)} refusals`,
    '{items.length} refusals',
  );
  mustBe('freezes without a basis', figures.withoutBasis, 0);
  mustBe('lifts without a ground', figures.withoutGround, 0);
  mustBe('disclosures', figures.disclosures, 0);
  stage.table({ title: 'Figures', columns: ['what', 'count'], rows: figureRows(figures) });
  stage.table({
    title: 'Commands refused, and kept as facts',
    columns: ['where', 'code', 'times'],
    rows: refusalRows(figures),
  });
  stage.table({
    title: 'Letters refused',
    columns: ['letter', 'reason'],
    rows: figures.refusedLetters.map(({ reference, reason }) => [reference, reason]),
  });
  return { figures, log };
}

function mustBe(what: string, found: readonly string[], count: number): void {
  if (found.length !== count) throw new Error(`The log has ${String(found.length)} ${what}: ${found.join(', ')}`);
}

function figureRows(figures: LogFigures): readonly (readonly string[])[] {
  return [
    ['events', figures.events],
    ['freezes', figures.freezes],
    ['freezes without a basis', figures.withoutBasis.length],
    ['freezes lifted', figures.lifts],
    ['lifts without a ground', figures.withoutGround.length],
    ['letters', figures.letters],
    ['letters refused', figures.lettersRefused],
    ['letters granted, on a basis', figures.lettersGranted],
    ['disclosures recorded', figures.disclosures.length],
    ['commands refused', figures.refusals.length],
  ].map((row) => row.map(String));
}

/** The refusals by where and why, with how often. */
function refusalRows({ refusals }: LogFigures): readonly (readonly string[])[] {
  const counts = new Map<string, number>();
  for (const { stream, code } of refusals) {
    const where = `${stream} ${code}`;
    counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return [...counts].map(([where, count]) => [...where.split(' '), String(count)]);
}

function today(log: readonly LoggedEvent[]): string {
  return String(log.at(-1)?.metadata['recordedAt']).slice(0, 10);
}
