/** Writes docs/events.md; with `--check` says whether it is as the code has it. */
import './node-version.ts';

const { describeEvents } = await import('./events/catalogue.ts');
const { writeOrCheck } = await import('./generated-file.ts');
const file = { path: 'docs/events.md', content: describeEvents(), command: 'npm run catalogue' };
process.exitCode = writeOrCheck(process.argv.slice(2), file, process);
