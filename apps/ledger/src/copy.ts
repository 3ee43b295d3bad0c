/** Copies a log from one store to another, and cuts over: `npm run copy -- --from sqlite:DIR --to eventstoredb`. */
import './node-version.ts';

const { runCopy } = await import('./copy/copy-command.ts');
process.exitCode = await runCopy(process.argv.slice(2), process.env, process);
