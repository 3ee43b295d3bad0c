import { readStoreConfig, type Environment } from '../config/config.ts';
import { StartError } from '../start-error.ts';

/**
 * For tools that work on the log's file.
 * @param instead what to do where there is none
 * @throws StartError when the log is on a server, ConfigError when nobody can tell
 */
export function demandFile(environment: Environment, instead: string): void {
  if (readStoreConfig(environment).kind === 'sqlite') return;
  throw new StartError(`The log is on EventStoreDB (WRIT_STORE), not in a file. ${instead}`);
}
