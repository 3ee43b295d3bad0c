/** Puts the log of a backup into a data folder that has none: `npm run restore -- --from DIR`. */
import './node-version.ts';

const { runRestore } = await import('./backup/commands.ts');
process.exitCode = await runRestore(process.argv.slice(2), process.env, process);
