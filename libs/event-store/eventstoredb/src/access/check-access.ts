import { jsonEvent } from '@eventstore/db-client';
import type { StreamsConnection } from '../client.ts';
import { streamNameOf, type WireEvent } from '../event-codec.ts';
import { OwnStreams } from '../own-streams.ts';
import { positionAt } from '../places.ts';
import { readToEnd } from '../read-call.ts';
import { readOfAll } from '../requests.ts';
import type { EventStoreDbSettings } from '../settings.ts';
import { bounded, connected, isDenied } from './connection.ts';

/** Who the user of a connection is meant to be: a service appends and reads, an auditor only reads. */
export type AccessRole = 'service' | 'auditor';

/** All that can be found; docs/operations/eventstoredb.md says of each what to do. */
export const ACCESS_FINDINGS = [
  'may-not-read',
  'may-not-append',
  'may-append',
  'may-delete',
  'may-set-metadata',
  'may-change-access',
  'limited',
  'deleted',
  'access-of-its-own',
] as const;

export interface AccessFinding {
  readonly code: (typeof ACCESS_FINDINGS)[number];
  /** What it is about, and why that is wrong, in one line. */
  readonly detail: string;
}

/** What is found beyond so many is only counted. */
const MOST_FINDINGS = 1_000;
/** A revision that no stream ever has: a call that expects it changes nothing, and is denied or else fails on it. */
const IMPOSSIBLE_REVISION = BigInt(Number.MAX_SAFE_INTEGER - 1);
const PAGE_EVENTS = 1_000;
/** A server that looks for rare events says nothing until it has found one, or is through its log. */
const SCAN_IDLE_MS = 600_000;

const METADATA = '$metadata';
const DELETION = '$streamDeleted';

/**
 * Finds out by trial what the user of these settings may do, and reads from the log whether events of our streams may
 * disappear or have disappeared. Nothing is changed: every trial expects a revision that no stream has.
 * @returns what is wrong; nothing when all is well
 * @throws StoreError `store-unavailable` that says in one line what is wrong with the connection, and never the password
 */
export function checkAccess(settings: EventStoreDbSettings, role: AccessRole): Promise<readonly AccessFinding[]> {
  const own = new OwnStreams(settings);
  return connected(settings, async (connection) => {
    const rights = await rightsOf(connection, own, role);
    const mayRead = !rights.some(({ code }) => code === 'may-not-read');
    return mayRead ? [...rights, ...(await disappearances(connection, own))] : rights;
  });
}

async function rightsOf(
  connection: StreamsConnection,
  own: OwnStreams,
  role: AccessRole,
): Promise<readonly AccessFinding[]> {
  const findings: AccessFinding[] = [];
  const stream = own.neverUsed;
  const expected = { expectedRevision: IMPOSSIBLE_REVISION };
  const append = (to: string): Promise<boolean> =>
    isAllowed(() => connection.appendToStream(to, jsonEvent({ type: 'access-check', data: {} }), expected));

  if (!(await isAllowed(() => readOne(connection)))) {
    findings.push({ code: 'may-not-read', detail: `the ${role} may not read $all, from which everything is followed` });
  }
  const mayAppend = await append(stream);
  if (role === 'service' && !mayAppend) {
    findings.push({ code: 'may-not-append', detail: 'the service may not append to its streams' });
  }
  if (role === 'auditor' && mayAppend) {
    findings.push({ code: 'may-append', detail: 'the auditor may append to the streams of the ledger' });
  }
  if (await isAllowed(() => connection.deleteStream(stream, expected))) {
    findings.push({ code: 'may-delete', detail: `the ${role} may delete streams: nobody but admins should` });
  }
  if (await append(`$$${stream}`)) {
    const detail = `the ${role} may set the metadata of streams, by which events disappear: nobody but admins should`;
    findings.push({ code: 'may-set-metadata', detail });
  }
  if (await append('$settings')) {
    const detail = `the ${role} may change who may do what: it is in $admins, or the server asks nobody who he is`;
    findings.push({ code: 'may-change-access', detail });
  }
  return findings;
}

/** @returns false when it is denied; true when it went well, or failed for the revision that it expected */
async function isAllowed(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await bounded(call());
    return true;
  } catch (error) {
    if ((error as { type?: unknown }).type === 'wrong-expected-version') return true;
    return !isDenied(error);
  }
}

function readOne(connection: StreamsConnection): Promise<void> {
  const request = readOfAll(undefined, { backwards: true, count: 1 });
  return readToEnd(connection, request, { idleMs: SCAN_IDLE_MS }, () => true);
}

/** What the latest metadata of a stream say, for streams of ours that have any, and deletions for good. */
async function disappearances(connection: StreamsConnection, own: OwnStreams): Promise<readonly AccessFinding[]> {
  const byStream = new Map<string, readonly AccessFinding[]>();
  const isOurs = (name: string): boolean => own.fromServer(name) !== undefined;
  await eachOfTypes(connection, [METADATA, DELETION], (event) => {
    const name = streamNameOf(event);
    const type = event.getMetadataMap().get('type');
    if (type === METADATA && name.startsWith('$$') && isOurs(name.slice(2))) {
      byStream.set(name.slice(2), ofMetadata(name.slice(2), event));
    } else if (type === DELETION && isOurs(name)) {
      byStream.set(name, [{ code: 'deleted', detail: `${name} was deleted for good` }]);
    }
    if (byStream.size > MOST_FINDINGS) return 'enough';
    return 'more';
  });
  return [...byStream.values()].flat();
}

const LIMITS = ['$maxAge', '$maxCount', '$tb'] as const;

function ofMetadata(stream: string, event: WireEvent): readonly AccessFinding[] {
  let metadata: Readonly<Record<string, unknown>>;
  try {
    metadata = JSON.parse(Buffer.from(event.getData_asU8()).toString()) as typeof metadata;
  } catch {
    return [{ code: 'limited', detail: `${stream} has metadata that can't be read` }];
  }
  const findings: AccessFinding[] = LIMITS.filter((limit) => metadata[limit] !== undefined).map((limit) => ({
    code: 'limited',
    detail: `${stream} has ${limit} ${JSON.stringify(metadata[limit])}: events of it disappear, or have disappeared`,
  }));
  if (metadata['$acl'] !== undefined) {
    findings.push({
      code: 'access-of-its-own',
      detail: `${stream} has an $acl of its own, which goes before that of $settings`,
    });
  }
  return findings;
}

/** Events of these types in the order of the log, page by page. */
async function eachOfTypes(
  connection: StreamsConnection,
  types: readonly string[],
  take: (event: WireEvent) => 'more' | 'enough',
): Promise<void> {
  const filter = { by: 'type', prefixes: types } as const;
  let from: string | undefined;
  for (;;) {
    const start = from;
    const page = { events: 0, isLast: false };
    const request = readOfAll(start, { backwards: false, count: PAGE_EVENTS, filter });
    await readToEnd(connection, request, { idleMs: SCAN_IDLE_MS }, (message) => {
      const event = message.getEvent()?.getEvent();
      if (event === undefined) return false;
      const place = positionAt(event.getCommitPosition(), event.getPreparePosition());
      page.events += 1;
      // A page begins with the event at its start, which was seen at the end of the last.
      if (place !== start && take(event) === 'enough') page.isLast = true;
      from = place ?? from;
      return page.isLast || page.events >= PAGE_EVENTS;
    });
    if (page.isLast || page.events < PAGE_EVENTS) return;
  }
}
