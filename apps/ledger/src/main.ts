/** Starts the service: `npm start`. */
// First of all: everything else may be more than an old Node can load.
import './node-version.ts';
import './heap-growth.ts';
import './helper-priority.ts';

const { start } = await import('./start.ts');
await start(process, process.argv.slice(2));
