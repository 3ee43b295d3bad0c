/** Checks a log from its first event to its last: `npm run check`. */
import './node-version.ts';

const { checkDataFolder } = await import('./check/check-command.ts');
process.exitCode = await checkDataFolder(process.argv.slice(2), process.env, process);
