import { dayText, share, type Bar, type Mark, type Table, type Timeline } from './story.ts';

/** Most columns of what is printed. */
export const COLUMNS = 100;
const LABEL_WIDTH = 28;
const CHART_WIDTH = 40;

/** Text in lines of at most `width` characters, broken between words; a word that is longer has a line to itself. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Two texts side by side, the left one in a column of `width`. */
export function besides(left: readonly string[], right: readonly string[], width: number): readonly string[] {
  const height = Math.max(left.length, right.length);
  return Array.from({ length: height }, (_, row) => `${(left[row] ?? '').padEnd(width)}${right[row] ?? ''}`.trimEnd());
}

/** A table under its titles; columns of numbers are aligned to the right. */
export function tableLines({ columns, rows }: Pick<Table, 'columns' | 'rows'>): readonly string[] {
  const widths = columns.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return rows.every((row) => /^[0-9.]+$/.test(row[column] ?? '')) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

/** A timeline drawn in characters: a bar for what restricts, a cross for what did not. */
export function timelineLines(timeline: Timeline): readonly string[] {
  const told = COLUMNS - LABEL_WIDTH - CHART_WIDTH - 4;
  const rows = timeline.rows.flatMap((row) => {
    const left = besides(wrapped(row.label, LABEL_WIDTH - 2), [drawn(row, timeline)], LABEL_WIDTH);
    return besides(left, wrapped(row.told, told), LABEL_WIDTH + CHART_WIDTH + 3);
  });
  return [...rows, ...axis(timeline).map((line) => ' '.repeat(LABEL_WIDTH) + line)];
}

function column(on: string, timeline: Timeline): number {
  return Math.round(share(on, timeline) * (CHART_WIDTH - 1));
}

function drawn(row: Bar | Mark, timeline: Timeline): string {
  if (row.kind === 'mark') return `${' '.repeat(column(row.on, timeline))}×`;
  const start = column(row.from, timeline);
  const end = row.to === undefined ? CHART_WIDTH - 1 : column(row.to, timeline);
  return `${' '.repeat(start)}${'█'.repeat(Math.max(0, end - start))}${row.to === undefined ? '▶' : '┤'}`;
}

/** The line of the days, and their names under it, on as many lines as it takes for none to touch another. */
function axis(timeline: Timeline): readonly string[] {
  const line = [...'─'.repeat(CHART_WIDTH)];
  const names: string[] = [];
  for (const on of timeline.ticks) {
    const at = column(on, timeline);
    line[at] = '┴';
    const free = names.findIndex((row) => row.length === 0 || row.length < at);
    const row = free === -1 ? names.length : free;
    names[row] = `${(names[row] ?? '').padEnd(at)}${dayText(on)} `;
  }
  return [line.join(''), ...names.map((row) => row.trimEnd())];
}
