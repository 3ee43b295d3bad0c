import { dirname, join, relative } from 'node:path';

/**
 * An ESLint rule that holds the table of imports in eslint.config.mjs: each part of the project lists what its files may
 * import, and nothing else may be; a relative import stays within its part.
 *
 * Options: `root`, the project's folder; `parts`, from folder to `{ imports, reaches }`; `also`, more entries for every
 * part. An entry of `imports` is a specifier; `*` at its end stands for anything; `!` before it takes back; the last entry
 * that fits decides. `reaches` names the parts that relative imports may enter.
 */
export const importBoundaries = {
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: {
          root: { type: 'string' },
          parts: { type: 'object' },
          also: { type: 'array', items: { type: 'string' } },
        },
        required: ['root', 'parts'],
        additionalProperties: false,
      },
    ],
    messages: {
      forbidden: '{{part}} may not import {{specifier}} (see the table in eslint.config.mjs).',
      crossing: '{{part}} may not reach into {{target}} by a relative import: import it by its # name.',
      unknown: '{{file}} is in no part of the table in eslint.config.mjs.',
      computed: 'The specifier of an import() must be a plain string.',
    },
  },

  create(context) {
    const { root, parts, also = [] } = context.options[0];
    const file = relative(root, context.filename);
    const part = partOf(parts, file);
    if (part === undefined) {
      return { Program: (node) => context.report({ node, messageId: 'unknown', data: { file } }) };
    }
    const listed = [...parts[part].imports, ...also];
    const reachable = [part, ...(parts[part].reaches ?? [])];

    function check(node, specifier) {
      if (specifier.startsWith('.')) {
        const path = join(dirname(file), specifier);
        const target = partOf(parts, path) ?? path;
        if (!reachable.includes(target)) context.report({ node, messageId: 'crossing', data: { part, target } });
      } else if (!isListed(listed, specifier)) {
        context.report({ node, messageId: 'forbidden', data: { part, specifier } });
      }
    }
    function checkSource(node) {
      if (node.source !== null) check(node, node.source.value);
    }
    return {
      ImportDeclaration: checkSource,
      ExportAllDeclaration: checkSource,
      ExportNamedDeclaration: checkSource,
      TSImportType: checkSource,
      TSExternalModuleReference: (node) => check(node, node.expression.value),
      ImportExpression(node) {
        if (typeof node.source.value === 'string') check(node, node.source.value);
        else context.report({ node, messageId: 'computed' });
      },
    };
  },
};

/** The part with the longest folder that the file is in. */
function partOf(parts, file) {
  return Object.keys(parts)
    .filter((folder) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function isListed(entries, specifier) {
  const decisive = entries.findLast((entry) => fits(entry.replace(/^!/, ''), specifier));
  return decisive !== undefined && !decisive.startsWith('!');
}

function fits(entry, specifier) {
  return entry.endsWith('*') ? specifier.startsWith(entry.slice(0, -1)) : specifier === entry;
}
