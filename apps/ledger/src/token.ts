/**
 * Prints a token of development mode: `npm run --silent token -- --sub alice --roles ops,approver`. It needs no running
 * service and disturbs none.
 */
import './node-version.ts';

const { printToken } = await import('./auth/token-command.ts');
process.exitCode = await printToken(process.argv.slice(2), process.env, process);
