import { isStoreError } from '#event-store';
import { type AccessRole, checkAccess, type EventStoreDbSettings, setAccess } from '#event-store/eventstoredb';
import { parseArgs } from 'node:util';
import { type Environment, readServerConfig } from '../config/config.ts';
import { describeStartFailure, StartError } from '../start-error.ts';
import { settingsOf } from '../store/eventstoredb.ts';
import type { Output } from '../terminal.ts';
import { messageOf, sentence } from '../thrown.ts';

const USAGE = `Usage: npm run eventstoredb -- acl --check [--as service|auditor]
       npm run eventstoredb -- acl --apply --service <user or group> [--auditors <user or group>,…] [--replace]
The server is that of WRIT_EVENTSTOREDB_URL: --check as the user that is meant, --apply as an admin.`;

/** Names of users and groups: those that begin with $ are the server's own. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/;

type Task =
  | { readonly kind: 'check'; readonly role: AccessRole }
  | {
      readonly kind: 'apply';
      readonly service: string;
      readonly auditors: readonly string[];
      readonly replace: boolean;
    };

/**
 * Checks or sets who may do what on the server that holds the log.
 * @returns the exit code: 0 when all is as it should be, otherwise 1
 */
export async function runEventStoreDb(
  args: readonly string[],
  environment: Environment,
  output: Output,
): Promise<number> {
  try {
    const task = parse(args);
    const settings = serverOf(environment);
    return task.kind === 'check' ? await check(settings, task.role, output) : await apply(settings, task, output);
  } catch (error) {
    const said = isStoreError(error)
      ? sentence(messageOf(error))
      : describeStartFailure(error, { host: '', port: 0, dataDir: '' });
    output.stderr.write(`${said}\n`);
    return 1;
  }
}

async function check(settings: EventStoreDbSettings, role: AccessRole, { stdout }: Output): Promise<number> {
  const findings = await checkAccess(settings, role);
  for (const { code, detail } of findings) stdout.write(`${code}: ${detail}.\n`);
  const verdict =
    findings.length === 0
      ? 'nothing is wrong'
      : `${String(findings.length)} finding${findings.length === 1 ? '' : 's'}`;
  stdout.write(`Access of the ${role}, and what may make events disappear: ${verdict}.\n`);
  return findings.length === 0 ? 0 : 1;
}

async function apply(
  settings: EventStoreDbSettings,
  { service, auditors, replace }: Task & { readonly kind: 'apply' },
  { stdout }: Output,
): Promise<number> {
  const changes = await setAccess(settings, { service, auditors }, { replace });
  for (const { stream, before, after } of changes) {
    stdout.write(`${stream}\n  before ${before === undefined ? 'nothing' : JSON.stringify(before)}\n`);
    stdout.write(`  now    ${JSON.stringify(after)}\n`);
  }
  if (changes.length === 0) stdout.write('It was so already: nothing was changed.\n');
  stdout.write(`Now check it as ${service}: npm run eventstoredb -- acl --check\n`);
  return 0;
}

function serverOf(environment: Environment): EventStoreDbSettings {
  return settingsOf(readServerConfig(environment));
}

function parse(args: readonly string[]): Task {
  const { values, positionals } = read(args);
  const { check = false, apply = false, replace = false, service, auditors, as: role = 'service' } = values;
  if (positionals.length !== 1 || positionals[0] !== 'acl' || check === apply) throw new StartError(USAGE);
  if (check) {
    if (role !== 'service' && role !== 'auditor') throw new StartError('--as must be service or auditor.');
    if (service !== undefined || auditors !== undefined || replace) throw new StartError(USAGE);
    return { kind: 'check', role };
  }
  if (service === undefined || values.as !== undefined) throw new StartError(USAGE);
  const names = auditors === undefined || auditors === '' ? [] : auditors.split(',');
  for (const [option, name] of [
    ['--service', service],
    ...names.map((each) => ['--auditors', each] as const),
  ] as const) {
    if (!NAME.test(name)) {
      throw new StartError(
        `${option} must be the name of a user or group, up to 64 letters, digits and _.@-, not a $ group.`,
      );
    }
  }
  return { kind: 'apply', service, auditors: names, replace };
}

function read(args: readonly string[]): {
  readonly values: {
    readonly check?: boolean;
    readonly apply?: boolean;
    readonly replace?: boolean;
    readonly as?: string;
    readonly service?: string;
    readonly auditors?: string;
  };
  readonly positionals: readonly string[];
} {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { check: flag, apply: flag, replace: flag, as: text, service: text, auditors: text };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new StartError(`${messageOf(error)}\n${USAGE}`);
  }
}
