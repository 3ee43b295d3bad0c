import { inspect } from 'node:util';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

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

const WHO_WIDTH = 8;
const WHAT_WIDTH = 52;

/** Prints the story line by line, in columns, and stops it where something differs. */
export class Stage {
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
    this.#out.write(`${text}\n`);
  }

  chapter(title: string): void {
    this.say(`\n${this.#styled('bold', title)}`);
  }

  /** @throws Error when the line is not what the story says */
  tell({ who, what, answer, tells, expected }: Line): void {
    const told = toldOf(answer, tells);
    const asExpected = told === expected;
    this.#lines += 1;
    const number = String(this.#lines).padStart(3);
    const columns = `${number}  ${who.padEnd(WHO_WIDTH)}  ${what.padEnd(WHAT_WIDTH)}  `;
    this.say(`${columns}${this.#styled(asExpected ? 'green' : 'red', told)}`);
    if (asExpected) return;
    const answered = inspect(answer.body, { depth: 10, breakLength: 100 });
    throw new Error(
      `Line ${String(this.#lines)} is not as expected.\n  expected: ${expected}\n  the answer: ${answered}`,
    );
  }

  /** Prints rows under their titles; columns of numbers are aligned to the right. */
  table(titles: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = titles.map((title, column) =>
      Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
    );
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return rows.every((row) => /^[0-9.]+$/.test(row[column] ?? '')) ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd();
    this.say(this.#styled('bold', line(titles)));
    this.say(widths.map((width) => '-'.repeat(width)).join('  '));
    for (const row of rows) this.say(line(row));
  }

  #styled(style: 'bold' | 'green' | 'red', text: string): string {
    if (!this.#out.isTTY || process.env['NO_COLOR'] !== undefined) return text;
    const [open, close] = inspect.colors[style] ?? [0, 0];
    return `\u001b[${String(open)}m${text}\u001b[${String(close)}m`;
  }
}

/** What a line tells of an answer. */
export function toldOf({ status, body }: Answer, tells = ''): string {
  return `${String(status)} ${status < 400 ? filled(tells, body) : memberText(body, 'code')}`.trim();
}

function filled(template: string, body: unknown): string {
  return template.replaceAll(/\{([A-Za-z.]+)\}/g, (_, path: string) => memberText(body, path));
}

/** The member at a dotted path as text; of the members of a list, all of them. `-` for what is empty or not there. */
export function memberText(body: unknown, path: string): string {
  const value = memberAt(body, path.split('.'));
  const text = Array.isArray(value) ? value.join(', ') : isWord(value) ? String(value) : '';
  return text === '' ? '-' : text;
}

function isWord(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function memberAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return name === undefined ? value : undefined;
  if (Array.isArray(value) && name !== 'length') return value.map((item: unknown) => memberAt(item, [name, ...rest]));
  return memberAt((value as Readonly<Record<string, unknown>>)[name], rest);
}
