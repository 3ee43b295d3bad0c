import { inspect } from 'node:util';
import { toldOf, type Answer } from './answer-text.ts';
import { dateText, type Act, type Step, type Table, type Timeline } from './story.ts';
import { besides, COLUMNS, tableLines, timelineLines, wrapped } from './text.ts';

/** One line of the story. */
export interface Line {
  readonly who: string;
  readonly what: string;
  readonly answer: Answer;
  /** What is told of the answer: `{path.to.member}` stands for what is there. Of a problem, its code. */
  readonly tells?: string | undefined;
  /** The status, and what `tells` has to come to. */
  readonly expected: string;
}

/** Where the story is printed; in colours on a terminal. */
export interface Output {
  readonly isTTY: boolean;
  write(text: string): unknown;
}

const WHO_WIDTH = 9;
const WHAT_WIDTH = 50;
const NUMBER_WIDTH = 5;
const DATE_WIDTH = 13;

/** Prints the story as it is played, keeps it for the page, and stops it where something differs. */
export class Stage {
  readonly acts: Act[] = [];
  readonly #out: Output;
  #lines = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  /** How many lines were told and checked. */
  get lines(): number {
    return this.#lines;
  }

  say(text = ''): void {
    for (const line of wrapped(text, COLUMNS)) this.#print(line);
  }

  /** Begins an act. @param about what is real in it and what is not, each a paragraph */
  act(title: string, about: readonly string[]): void {
    this.acts.push({ title, about, days: [], timelines: [], tables: [] });
    this.#print();
    this.#print(this.#styled('bold', title));
    this.#print(this.#styled('bold', '═'.repeat(title.length)));
    for (const paragraph of about) this.say(paragraph);
  }

  /** Begins a day of the act. @param on its date @param fact what happened then */
  day(on: string, fact: string): void {
    this.#act.days.push({ on, fact, steps: [] });
    this.#print();
    for (const line of besides([dateText(on)], wrapped(fact, COLUMNS - DATE_WIDTH), DATE_WIDTH))
      this.#print(this.#styled('bold', line));
  }

  /** @throws Error when the line is not what the story says */
  tell({ who, what, answer, tells, expected }: Line): void {
    const told = toldOf(answer, tells);
    const asExpected = told === expected;
    this.#lines += 1;
    const step = { number: this.#lines, who, what, told, correlationId: answer.correlationId };
    this.#act.days.at(-1)?.steps.push(step);
    this.#printStep(step, asExpected ? 'green' : 'red');
    if (asExpected) return;
    const answered = inspect(answer.body, { depth: 10, breakLength: 100 });
    throw new Error(
      `Line ${String(this.#lines)} is not as expected.\n  expected: ${expected}\n  the answer: ${answered}`,
    );
  }

  timeline(timeline: Timeline): void {
    this.#act.timelines.push(timeline);
    this.#print();
    for (const line of timelineLines(timeline)) this.#print(line);
  }

  table(table: Table): void {
    this.#act.tables.push(table);
    this.#print();
    this.#print(this.#styled('bold', table.title));
    for (const line of tableLines(table)) this.#print(line);
  }

  get #act(): Act {
    const act = this.acts.at(-1);
    if (act === undefined) throw new Error('no act has begun');
    return act;
  }

  #printStep({ number, who, what, told }: Step, style: Style): void {
    const answerAt = NUMBER_WIDTH + WHO_WIDTH + WHAT_WIDTH;
    const head = `${String(number).padStart(NUMBER_WIDTH - 2)}  ${who.padEnd(WHO_WIDTH)}`;
    const left = wrapped(what, WHAT_WIDTH - 2);
    const right = wrapped(told, COLUMNS - answerAt);
    for (let row = 0; row < Math.max(left.length, right.length); row += 1) {
      const begin = row === 0 ? head : ' '.repeat(head.length);
      const end = right[row] === undefined ? '' : this.#styled(style, right[row] ?? '');
      this.#print(`${begin}${(left[row] ?? '').padEnd(end === '' ? 0 : WHAT_WIDTH)}${end}`);
    }
  }

  #print(line = ''): void {
    this.#out.write(`${line}\n`);
  }

  #styled(style: Style, text: string): string {
    if (!this.#out.isTTY || (process.env['NO_COLOR'] ?? '') !== '') return text;
    const [open, close] = inspect.colors[style] ?? [0, 0];
    return `\u001b[${String(open)}m${text}\u001b[${String(close)}m`;
  }
}

type Style = 'bold' | 'green' | 'red';
