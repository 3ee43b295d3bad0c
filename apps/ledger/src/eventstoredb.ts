/** Looks after the server that holds the log: `npm run eventstoredb -- acl --check`. */
import './node-version.ts';

const { runEventStoreDb } = await import('./eventstoredb/acl-command.ts');
process.exitCode = await runEventStoreDb(process.argv.slice(2), process.env, process);
