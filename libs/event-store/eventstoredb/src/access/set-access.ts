import { StoreError } from '#event-store';
import { canonicalJson } from '#kernel';
import { jsonEvent, NO_STREAM, StreamNotFoundError } from '@eventstore/db-client';
import type { StreamsConnection } from '../client.ts';
import type { EventStoreDbSettings } from '../settings.ts';
import { bounded, connected } from './connection.ts';

/** Users or groups of the server. */
export interface AccessGrant {
  /** Appends and reads. */
  readonly service: string;
  /** Read. */
  readonly auditors: readonly string[];
}

/** What a system stream said of access before, and says now. */
export interface AccessChange {
  readonly stream: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The default of the whole server: for streams without an ACL of their own. */
const SETTINGS = '$settings';
/** The metadata of $all, which says who may read all streams at once. */
const OF_ALL = '$$$all';
const ADMINS = '$admins';
const LAST = { direction: 'backwards', fromRevision: 'end', maxCount: 1, requiresLeader: true } as const;

/**
 * Lets the service append and read, auditors read, and nobody but admins delete streams or set metadata, in all streams of
 * users on the server. To be called as an admin.
 * @param options.replace that a different rule may be overwritten: others that use the server rely on it, perhaps
 * @returns what was changed; nothing when it was so already
 * @throws StoreError `store-unavailable`: no connection, no permission, another rule stands there, or somebody else
 * changed it at the same moment
 */
export function setAccess(
  settings: EventStoreDbSettings,
  grant: AccessGrant,
  { replace }: { readonly replace: boolean },
): Promise<readonly AccessChange[]> {
  return connected(settings, async (connection) => {
    // Reading comes first: a service that may append and can't follow what it appended would be of no use.
    const plans = [await planOfAll(connection, grant), await planOfSettings(connection, grant)];
    const changes = plans.filter(({ before, after }) => canonicalJson(before ?? null) !== canonicalJson(after));
    for (const { stream, rule } of changes) {
      if (rule === undefined || replace) continue;
      throw new StoreError(
        'store-unavailable',
        `${stream} has another rule already, ${JSON.stringify(rule)}: others may rely on it. To overwrite it, say --replace`,
      );
    }
    for (const plan of changes) await write(connection, plan);
    return changes.map(({ stream, before, after }) => ({ stream, before, after }));
  });
}

interface Plan extends AccessChange {
  readonly type: string;
  readonly revision: bigint | typeof NO_STREAM;
  /** The rule that would be overwritten, if there is one. */
  readonly rule: unknown;
}

async function planOfSettings(connection: StreamsConnection, { service, auditors }: AccessGrant): Promise<Plan> {
  const { revision, data } = await latest(connection, SETTINGS);
  const after = {
    $userStreamAcl: {
      $r: [service, ...auditors, ADMINS],
      $w: [service, ADMINS],
      $d: [ADMINS],
      $mr: [ADMINS],
      $mw: [ADMINS],
    },
    $systemStreamAcl: { $r: [ADMINS], $w: [ADMINS], $d: [ADMINS], $mr: [ADMINS], $mw: [ADMINS] },
  };
  return { stream: SETTINGS, type: 'update-default-acl', revision, before: data, rule: data, after };
}

async function planOfAll(connection: StreamsConnection, { service, auditors }: AccessGrant): Promise<Plan> {
  const { revision, data } = await latest(connection, OF_ALL);
  const others = data ?? {};
  const rule = others['$acl'];
  const acl = { $r: [service, ...auditors, ADMINS], $w: [ADMINS], $d: [ADMINS], $mr: [ADMINS], $mw: [ADMINS] };
  return { stream: OF_ALL, type: '$metadata', revision, before: data, rule, after: { ...others, $acl: acl } };
}

/** What a system stream says: its last event. */
async function latest(
  connection: StreamsConnection,
  stream: string,
): Promise<Pick<Plan, 'revision'> & { readonly data: Readonly<Record<string, unknown>> | undefined }> {
  try {
    return await bounded(readLast(connection, stream));
  } catch (error) {
    if (error instanceof StreamNotFoundError) return { revision: NO_STREAM, data: undefined };
    throw error;
  }
}

/** Reads to the end of the answer: one that is left before is not closed by the client. */
async function readLast(connection: StreamsConnection, stream: string): ReturnType<typeof latest> {
  let found: Awaited<ReturnType<typeof latest>> = { revision: NO_STREAM, data: undefined };
  for await (const { event } of connection.readStream(stream, LAST)) {
    if (event !== undefined) found = { revision: event.revision, data: event.data as Record<string, unknown> };
  }
  return found;
}

async function write(connection: StreamsConnection, { stream, type, after, revision }: Plan): Promise<void> {
  try {
    const event = jsonEvent({ type, data: after as Record<string, unknown> });
    await bounded(connection.appendToStream(stream, event, { expectedRevision: revision, requiresLeader: true }));
  } catch (error) {
    if ((error as { type?: unknown }).type !== 'wrong-expected-version') throw error;
    throw new StoreError('store-unavailable', `${stream} was changed by somebody else at the same moment: look again`);
  }
}
