import { readConfig, type Environment } from '../config/config.ts';
import { readOptions } from '../options.ts';
import { messageOf } from '../thrown.ts';
import { developmentKey, developmentToken } from './development-key.ts';
import { isRole, ROLES, subjectProblem, type Role } from './roles.ts';

const USAGE = `Usage: npm run --silent token -- --sub <name> --roles <role,role> [--scope <scope>] [--expires <seconds>]
Roles: ${ROLES.join(', ')}`;
const MAX_EXPIRES_S = 365 * 24 * 60 * 60;

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * The token command: a token and nothing else on standard output, or a sentence on standard error.
 * @returns the exit code
 */
export async function printToken(args: readonly string[], environment: Environment, output: Output): Promise<number> {
  try {
    const { sub, roles, scope, expiresInS } = parse(args);
    const { dataDir, identity } = readConfig(environment);
    if (identity.mode !== 'development') {
      throw new Error('An identity provider is configured (WRIT_JWKS_URL or WRIT_JWKS_FILE): tokens come from it.');
    }
    const token = await developmentToken(await developmentKey(dataDir), { sub, roles, scope }, expiresInS);
    output.stdout.write(`${token}\n`);
    return 0;
  } catch (error) {
    output.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

function parse(args: readonly string[]): {
  readonly sub: string;
  readonly roles: readonly Role[];
  readonly scope: string | undefined;
  readonly expiresInS: number | undefined;
} {
  const { sub, roles, scope, expires } = readOptions(args, ['sub', 'roles', 'scope', 'expires'], USAGE);
  if (sub === undefined || roles === undefined) throw new Error(USAGE);
  const problem = subjectProblem(sub);
  if (problem !== undefined) throw new Error(`--sub ${problem}.`);
  const names = roles.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !isRole(name));
  if (unknown.length > 0) throw new Error(`--roles: there is no role "${unknown.join('", "')}".\n${USAGE}`);
  return {
    sub,
    roles: names.filter(isRole),
    scope,
    expiresInS: expires === undefined ? undefined : parseSeconds(expires),
  };
}

function parseSeconds(text: string): number {
  const seconds = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_EXPIRES_S) return seconds;
  throw new Error(`--expires must be a whole number of seconds from 1 to ${String(MAX_EXPIRES_S)}.`);
}
