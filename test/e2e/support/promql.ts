/** What an expression of PromQL asks of the metrics: one series, and the labels that it names. */
export interface Asked {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface Expression {
  readonly asked: readonly Asked[];
  /** The labels that results are grouped or matched by, of whatever series is inside. */
  readonly grouping: readonly string[];
}

interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'mark';
  readonly text: string;
}

const TOKEN =
  /\s+|#.*|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<number>\d+(?:\.\d+)?(?:[a-z]+\d*)*)|(?<name>[A-Za-z_:][A-Za-z0-9_:]*)|(?<mark>=~|!~|!=|==|<=|>=|[-+*/%^(){}[\],=<>@:])/y;
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);
const GROUPINGS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/**
 * Reads an expression as far as it takes to know which series and labels it names. Grafana's variables must be replaced.
 * @throws Error for whatever it does not understand: nothing is passed over
 */
export function readExpression(expression: string): Expression {
  const tokens = tokensOf(expression);
  const asked: Asked[] = [];
  const grouping: string[] = [];
  let at = 0;
  const next = (): string => tokens[at]?.text ?? '';
  while (at < tokens.length) {
    const { kind, text } = tokens[at] ?? { kind: 'mark', text: '' };
    at += 1;
    if (text === '{') throw new Error(`a series without a name in ${expression}`);
    if (kind !== 'name' || OPERATORS.has(text.toLowerCase())) continue;
    if (GROUPINGS.has(text)) {
      if (next() !== '(') continue;
      const list = upTo(tokens, at, ')');
      grouping.push(...list.filter((token) => token.kind === 'name').map((token) => token.text));
      at += list.length + 1;
    } else if (next() === '{') {
      const list = upTo(tokens, at, '}');
      asked.push({ metric: text, labels: matchedLabels(list, expression) });
      at += list.length + 1;
    } else if (next() !== '(' && !GROUPINGS.has(next())) {
      asked.push({ metric: text, labels: [] });
    }
  }
  if (asked.length === 0) throw new Error(`no series in ${expression}`);
  return { asked, grouping };
}

function tokensOf(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < expression.length) {
    const start = pattern.lastIndex;
    const groups = pattern.exec(expression)?.groups;
    if (groups === undefined) throw new Error(`not understood: ${expression.slice(start)}`);
    for (const kind of ['name', 'text', 'number', 'mark'] as const) {
      const text = groups[kind];
      if (text !== undefined) tokens.push({ kind, text });
    }
  }
  return tokens;
}

/** The tokens from an opening mark up to its closing one, without that. */
function upTo(tokens: readonly Token[], start: number, end: string): readonly Token[] {
  const length = tokens.slice(start).findIndex(({ kind, text }) => kind === 'mark' && text === end);
  if (length < 0) throw new Error(`no ${end}`);
  return tokens.slice(start, start + length);
}

/** `{`, then label, operator and text, with commas between. */
function matchedLabels(list: readonly Token[], expression: string): readonly string[] {
  const labels: string[] = [];
  for (let at = 1; at < list.length; at += 4) {
    const [label, operator, text, comma] = list.slice(at, at + 4);
    const whole = label?.kind === 'name' && operator?.kind === 'mark' && text?.kind === 'text';
    if (!whole || (comma !== undefined && comma.text !== ','))
      throw new Error(`not understood: a matcher in ${expression}`);
    labels.push(label.text);
  }
  return labels;
}

/** The metrics that a service shows, with the labels of their samples. */
export class ShownMetrics {
  readonly #labels = new Map<string, Set<string>>();
  /** Names as they are registered: a histogram is one. */
  readonly registered: readonly string[];

  /** @param text in Prometheus's format */
  constructor(text: string) {
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type] as const);
    this.registered = types.map(([name]) => name);
    for (const [name, type] of types) {
      const endings =
        type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : [''];
      for (const ending of endings) this.#labels.set(name + ending, new Set());
    }
    for (const [, name = '', labels = ''] of text.matchAll(/^([A-Za-z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
      for (const [, label = ''] of labels.matchAll(/([A-Za-z_]\w*)="(?:[^"\\]|\\.)*"/g))
        this.#labels.get(name)?.add(label);
    }
  }

  /** @returns a sentence for each metric and label of the expression that is not shown */
  objections(expression: string): readonly string[] {
    const { asked, grouping } = readExpression(expression);
    const known = new Set(asked.flatMap(({ metric }) => [...this.#labelsOf(metric)]));
    return [
      ...asked.filter(({ metric }) => !this.#isShown(metric)).map(({ metric }) => `there is no ${metric}`),
      ...asked.flatMap(({ metric, labels }) =>
        labels.filter((label) => !this.#labelsOf(metric).has(label)).map((label) => `${metric} has no label ${label}`),
      ),
      ...grouping.filter((label) => !known.has(label)).map((label) => `nothing in it has a label ${label}`),
    ];
  }

  #isShown(metric: string): boolean {
    return metric === UP || this.#labels.has(metric);
  }

  #labelsOf(metric: string): ReadonlySet<string> {
    return new Set([...TARGET_LABELS, ...(this.#labels.get(metric) ?? [])]);
  }
}

/** What Prometheus itself adds: whether a target answered, and which one a sample is of. */
const UP = 'up';
const TARGET_LABELS = ['job', 'instance'];
