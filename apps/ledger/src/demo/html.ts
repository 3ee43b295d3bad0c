/** Markup that is safe as it stands. */
export interface Html {
  readonly text: string;
  readonly isHtml: true;
}

type Part = Html | string | number | readonly Part[];

/** A template of markup: what is put into it is escaped, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map((each, index) => each + (index < parts.length ? textOf(parts[index] ?? '') : '')).join('');
  return { text, isHtml: true };
}

/** Markup that was not made here, such as a style sheet. It must not come from outside of the program. */
export function trusted(text: string): Html {
  return { text, isHtml: true };
}

function textOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'isHtml' in part ? part.text : part.map(textOf).join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (each) => ENTITIES[each] ?? each);
}
