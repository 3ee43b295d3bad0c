/** Writes docs/openapi.json; with `--check` says whether it is as the code has it. */
import './node-version.ts';

const { describeService } = await import('./openapi/document.ts');
const { writeOrCheck } = await import('./generated-file.ts');
const content = `${JSON.stringify(await describeService(), undefined, 2)}\n`;
const file = { path: 'docs/openapi.json', content, command: 'npm run openapi' };
process.exitCode = writeOrCheck(process.argv.slice(2), file, process);
