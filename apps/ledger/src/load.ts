/** Makes a log to try things on: `npm run load`. */
import './node-version.ts';

const { loadLog } = await import('./load/load-command.ts');
process.exitCode = loadLog(process.argv.slice(2), process.env, process);
