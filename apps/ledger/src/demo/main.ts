/** Plays a freeze from the deposit to its end, on a service of its own: `npm run demo`. */
import '../node-version.ts';

const { demonstrate } = await import('./demonstrate.ts');
process.exitCode = await demonstrate(process);
