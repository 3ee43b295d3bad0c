export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What the request was sent with; it stands in whatever was recorded for it. */
  readonly correlationId: string;
}

/**
 * What a line tells of an answer: its status, and `tells` with `{path.to.member}` filled in; of a problem, its code, and
 * how many freezes stand against it.
 */
export function toldOf({ status, body }: Pick<Answer, 'status' | 'body'>, tells = ''): string {
  return `${String(status)} ${status < 400 ? filled(tells, body) : problemText(body)}`.trim();
}

function problemText(body: unknown): string {
  const freezes = memberText(body, 'freezeIds.length');
  const code = memberText(body, 'code');
  return freezes === '-' ? code : `${code}: ${freezes} freeze${freezes === '1' ? '' : 's'}`;
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
