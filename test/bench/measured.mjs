/** Runs a script with its arguments, and says at its end how much processor time the process took, threads included. */
import { pathToFileURL } from 'node:url';

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`cpu-seconds ${((user + system) / 1e6).toFixed(2)}\n`);
});
process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1]).href);
