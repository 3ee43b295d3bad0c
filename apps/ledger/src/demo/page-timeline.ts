import { html, type Html } from './html.ts';
import { dateText, dayText, share, type Bar, type Mark, type Timeline } from './story.ts';
import { wrapped } from './text.ts';

const WIDTH = 960;
const LABEL_WIDTH = 250;
const TOLD_WIDTH = 190;
const CHART_WIDTH = WIDTH - LABEL_WIDTH - TOLD_WIDTH;
const ROW_HEIGHT = 44;
const BAR_HEIGHT = 18;
const TOP = 12;
const LINE_HEIGHT = 15;
const LABEL_CHARACTERS = 32;
const TOLD_CHARACTERS = 27;
/** The least distance between two names of days on one line. */
const TICK_WIDTH = 52;

/** A timeline as a picture, with all that it shows as text for those who do not see it. */
export function pageTimeline(timeline: Timeline, id: string, title: string): Html {
  const bottom = TOP + timeline.rows.length * ROW_HEIGHT;
  const ticks = tickLines(timeline);
  const height = bottom + 22 + Math.max(1, ...ticks.map(({ line }) => line + 1)) * LINE_HEIGHT;
  return html`<figure>
    <svg
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-labelledby="${id}-title ${id}-desc"
      xmlns="http://www.w3.org/2000/svg"
    >
      <title id="${id}-title">Timeline: ${title}</title>
      <desc id="${id}-desc">${timeline.rows.map(spoken).join(' ')}</desc>
      <g class="grid">
        ${ticks.map(({ x }) => html`<line x1="${x}" y1="${TOP}" x2="${x}" y2="${bottom + 6}" />`)}
        <line x1="${LABEL_WIDTH}" y1="${bottom}" x2="${LABEL_WIDTH + CHART_WIDTH}" y2="${bottom}" />
      </g>
      ${timeline.rows.map((row, index) => rowOf(row, TOP + index * ROW_HEIGHT, timeline))}
      <g class="days">
        ${ticks.map(
          ({ x, on, line }) =>
            html`<text x="${x}" y="${bottom + 20 + line * LINE_HEIGHT}" text-anchor="middle">${dayText(on)}</text>`,
        )}
      </g>
    </svg>
    <figcaption>
      ${dateText(timeline.from)} to ${dateText(timeline.to)}, by the dates of history. A bar is a freeze, with an arrow
      while it is in force; a cross is a letter that froze nothing.
    </figcaption>
  </figure>`;
}

function xOf(on: string, timeline: Timeline): number {
  return Math.round(LABEL_WIDTH + share(on, timeline) * CHART_WIDTH);
}

function rowOf(row: Bar | Mark, top: number, timeline: Timeline): Html {
  const middle = top + ROW_HEIGHT / 2;
  return html`<g>
    ${linesOf(row.label, LABEL_CHARACTERS, 0, middle, 'label')}
    ${row.kind === 'bar' ? barOf(row, middle, timeline) : markOf(row, middle, timeline)}
    ${linesOf(row.told, TOLD_CHARACTERS, LABEL_WIDTH + CHART_WIDTH + 22, middle, 'told')}
  </g>`;
}

function barOf(bar: Bar, middle: number, timeline: Timeline): Html {
  const x = xOf(bar.from, timeline);
  const end = xOf(bar.to ?? timeline.to, timeline);
  const top = middle - BAR_HEIGHT / 2;
  const rectangle = html`<rect
    class="${bar.to === undefined ? 'in-force' : 'lifted'}"
    x="${x}"
    y="${top}"
    width="${Math.max(2, end - x)}"
    height="${BAR_HEIGHT}"
  />`;
  if (bar.to !== undefined)
    return html`${rectangle}<line class="end" x1="${end}" y1="${top - 4}" x2="${end}" y2="${top + BAR_HEIGHT + 4}" />`;
  return html`${rectangle}<polygon
      class="in-force"
      points="${end},${top - 4} ${end + 13},${middle} ${end},${top + BAR_HEIGHT + 4}"
    />`;
}

function markOf(mark: Mark, middle: number, timeline: Timeline): Html {
  const x = xOf(mark.on, timeline);
  return html`<path
    class="mark"
    d="M${x - 7} ${middle - 7} L${x + 7} ${middle + 7} M${x - 7} ${middle + 7} L${x + 7} ${middle - 7}"
  />`;
}

/** Text over as many lines as it takes, around a height. */
function linesOf(text: string, characters: number, x: number, middle: number, name: string): Html {
  const lines = wrapped(text, characters);
  const first = middle + 4 - ((lines.length - 1) * LINE_HEIGHT) / 2;
  return html`<text class="${name}" x="${x}">
    ${lines.map((line, index) => html`<tspan x="${x}" y="${first + index * LINE_HEIGHT}">${line}</tspan>`)}
  </text>`;
}

interface Tick {
  readonly on: string;
  readonly x: number;
  readonly line: number;
}

/** The days under the picture, on as many lines as it takes for none to touch another. */
function tickLines(timeline: Timeline): readonly Tick[] {
  const ends: number[] = [];
  return timeline.ticks.map((on) => {
    const x = xOf(on, timeline);
    const free = ends.findIndex((end) => end + TICK_WIDTH <= x);
    const line = free === -1 ? ends.length : free;
    ends[line] = x;
    return { on, x, line };
  });
}

function spoken(row: Bar | Mark): string {
  if (row.kind === 'mark') return `${row.label}, ${dateText(row.on)}: ${row.told}.`;
  const until = row.to === undefined ? 'on' : `to ${dateText(row.to)}`;
  return `${row.label}, from ${dateText(row.from)} ${until}: ${row.told}.`;
}
