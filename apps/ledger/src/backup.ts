/** Makes a verified backup of the log, while the service may run: `npm run backup -- --to DIR`. */
import './node-version.ts';

const { runBackup } = await import('./backup/commands.ts');
process.exitCode = await runBackup(process.argv.slice(2), process.env, process);
