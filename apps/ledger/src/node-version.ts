/**
 * Stops a start on a Node that is too old with a sentence, before modules are loaded that such a Node cannot load. It
 * imports nothing, and is written so that older Nodes can parse it; the rest must therefore be loaded after it, by
 * `import()`.
 */
const OLDEST_MAJOR = 24;

/**
 * @param found the version as `process.version` gives it, e.g. `v24.21.0`
 * @returns what is wrong and what to do, or undefined when the service can run on it
 */
export function nodeVersionProblem(found: string): string | undefined {
  if (Number.parseInt(found.replace('v', ''), 10) >= OLDEST_MAJOR) return undefined;
  return (
    `Writ runs on Node.js ${String(OLDEST_MAJOR)} or newer; this is ${found}. ` +
    'Start it with "npm start", which brings the right Node.js itself.'
  );
}

const problem = nodeVersionProblem(process.version);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
