import { parseArgs } from 'node:util';
import { readDataDir, type Environment } from './config/config.ts';
import { StartError } from './start-error.ts';
import { messageOf } from './thrown.ts';

/**
 * The options that a command was given, `--name value` or `--name=value`; one that was not given is not there.
 * @param flags options without a value
 * @throws StartError with `usage` for an option that is not one of `names`, has no value, or is no option at all
 */
export function readOptions<Name extends string, Flag extends string = never>(
  args: readonly string[],
  names: readonly Name[],
  usage: string,
  flags: readonly Flag[] = [],
): Partial<Record<Name, string> & Record<Flag, boolean>> {
  const options = Object.fromEntries<{ readonly type: 'string' | 'boolean' }>([
    ...names.map((name) => [name, { type: 'string' as const }] as const),
    ...flags.map((flag) => [flag, { type: 'boolean' as const }] as const),
  ]);
  try {
    return parseArgs({ args: [...args], options }).values as Partial<Record<Name, string> & Record<Flag, boolean>>;
  } catch (error) {
    throw new StartError(`${messageOf(error)}\n${usage}`);
  }
}

/** The data folder that a command works on: what was said to it, or else what the service would take. */
export function dataFolder({ data }: { readonly data?: string }, environment: Environment): string {
  return data === undefined || data === '' ? readDataDir(environment) : data;
}
