import type { LoggedEvent, LogFigures } from './log-figures.ts';
import { pageTimeline } from './page-timeline.ts';
import { html, type Html } from './html.ts';
import { PAGE_STYLE } from './page-style.ts';
import { dateText, type Act, type Day, type Step, type Table } from './story.ts';

export interface Page {
  readonly about: readonly string[];
  readonly acts: readonly Act[];
  /** How many lines were checked. */
  readonly lines: number;
  readonly figures: LogFigures;
  readonly log: readonly LoggedEvent[];
}

/** The story as one HTML document that needs nothing else: no script, no font, no picture from elsewhere. */
export function pageOf(page: Page): string {
  /** By correlation id the last event that was recorded for a request. */
  const recorded = new Map(page.log.map((event) => [String(event.metadata['correlationId']), event]));
  const written = String(page.log.at(-1)?.metadata['recordedAt']).slice(0, 10);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Writ: three acts on real facts</title>
        <style>
          ${PAGE_STYLE}
        </style>
      </head>
      <body>
        <header>
          <h1>Writ: no account is frozen without a writ</h1>
          <p class="sub">A demonstration in three acts, recorded on ${dateText(written)}</p>
          ${page.about.map((paragraph) => html`<p>${paragraph}</p>`)} ${keyFigures(page)}
        </header>
        <main>${page.acts.map((act, index) => actOf(act, index, recorded))} ${freezesOf(page.log)}</main>
        <footer>
          <p>
            Made by <code>npm run demo</code>. ${page.lines} answers of the service were each held against what they had
            to be; one that differs ends the demonstration, and no page is written.
          </p>
        </footer>
      </body>
    </html> `.text;
}

function keyFigures({ figures }: Page): Html {
  const shown: readonly (readonly [number, string])[] = [
    [figures.withoutBasis.length, 'freezes without a basis'],
    [figures.withoutGround.length, 'lifts without a ground'],
    [figures.disclosures.length, 'disclosures recorded'],
    [figures.freezes, 'freezes, each under a basis'],
    [figures.refusals.length, 'commands refused, each a fact in the log'],
    [figures.lettersRefused, 'letters refused'],
  ];
  return html`<dl class="figures" aria-label="What the log says">
    ${shown.map(
      ([count, what]) =>
        html`<div>
          <dt>${what}</dt>
          <dd>${count}</dd>
        </div>`,
    )}
  </dl>`;
}

function actOf(act: Act, index: number, recorded: ReadonlyMap<string, LoggedEvent>): Html {
  const id = `act-${String(index + 1)}`;
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${act.title}</h2>
    ${act.about.map((paragraph) => html`<p class="about">${paragraph}</p>`)}
    ${act.timelines.map((timeline, number) => pageTimeline(timeline, `${id}-${String(number + 1)}`, act.title))}
    ${stepsOf(act, recorded)} ${act.tables.map(tableOf)}
  </section>`;
}

function stepsOf({ title, days }: Act, recorded: ReadonlyMap<string, LoggedEvent>): Html {
  return html`<table class="steps">
    <caption>
      ${title}: every step, in order. Without a time of record: a reading, or a request of which nothing is kept.
    </caption>
    <thead>
      <tr>
        <th scope="col">No.</th>
        <th scope="col">Who</th>
        <th scope="col">What</th>
        <th scope="col">Answer</th>
        <th scope="col">Recorded by the service (UTC)</th>
      </tr>
    </thead>
    ${days.map((day) => dayOf(day, recorded))}
  </table>`;
}

function dayOf({ on, fact, steps }: Day, recorded: ReadonlyMap<string, LoggedEvent>): Html {
  return html`<tbody>
    <tr class="day">
      <th scope="rowgroup" colspan="5"><time datetime="${on}">${dateText(on)}</time> ${fact}</th>
    </tr>
    ${steps.map((step) => stepOf(step, recorded))}
  </tbody>`;
}

function stepOf({ number, who, what, told, correlationId }: Step, recorded: ReadonlyMap<string, LoggedEvent>): Html {
  const event = recorded.get(correlationId);
  return html`<tr class="${isRefusal(told) ? 'refused' : 'done'}">
    <td class="number">${number}</td>
    <td>${who}</td>
    <td>${what}</td>
    <td class="answer">${told}</td>
    <td class="recorded">${event === undefined ? '' : recordedText(event)}</td>
  </tr>`;
}

/** Of a status of 400 and above. */
function isRefusal(told: string): boolean {
  return /^[45]\d\d\b/.test(told);
}

function recordedText({ metadata, position }: LoggedEvent): string {
  const at = String(metadata['recordedAt']);
  return `${at.slice(0, 10)} ${at.slice(11, 23)}, position ${position}`;
}

function tableOf({ title, columns, rows }: Table): Html {
  return html`<table>
    <caption>
      ${title}
    </caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Each freeze of the log with the event that it cites. */
function freezesOf(log: readonly LoggedEvent[]): Html {
  const rows = log
    .filter(({ type }) => type === 'AccountFrozen')
    .map(({ stream, data, metadata }) => {
      const citation = data['citation'] as Readonly<Record<string, unknown>>;
      return [
        stream.replace(/^account-/, ''),
        String(data['freezeId']),
        `${String(citation['stream'])}, revision ${String(citation['revision'])}`,
        String(data['blockedFrom']).slice(0, 10),
        String(metadata['recordedAt']).slice(0, 19).replace('T', ' '),
      ];
    });
  return html`<section aria-labelledby="citations">
    <h2 id="citations">Every freeze, and what it cites</h2>
    <p class="about">
      A freeze points to the event that authorised it, on the stream of its basis. Whoever has the log can follow the
      pointer, and apply the rule again.
    </p>
    ${tableOf({
      title: 'Freezes of the log',
      columns: ['Account', 'Freeze', 'Cites', 'Blocked from (history)', 'Recorded (UTC)'],
      rows,
    })}
  </section>`;
}
