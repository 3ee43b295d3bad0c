/** Throws the read models away and builds them anew from the log, while the service is stopped: `npm run rebuild`. */
import './node-version.ts';

const { rebuildReadModels } = await import('./rebuild-command.ts');
process.exitCode = await rebuildReadModels(process.argv.slice(2), process.env, process);
