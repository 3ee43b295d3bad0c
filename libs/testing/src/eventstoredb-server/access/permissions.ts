import { type EventLog } from '../log/event-log.ts';
import { describedStreamOf, isMetadataStream, isSystemStream, type StreamAcl } from '../log/stream-metadata.ts';
import { type Caller } from './users.ts';

export const ALL_STREAM = '$all';

export type StreamAction = 'read' | 'write' | 'delete';

const EVERYBODY = '$all';
const ADMINS = '$admins';

const forAll = (...roles: readonly string[]): Required<StreamAcl> => ({
  read: roles,
  write: roles,
  delete: roles,
  metaRead: roles,
  metaWrite: roles,
});

/** Anybody who is known does anything to streams of users; those of the system are the admins'. */
const DEFAULT_USER_ACL = forAll(EVERYBODY);
const DEFAULT_SYSTEM_ACL = forAll(ADMINS);

/**
 * Whether the caller may. A stream's own ACL goes before that of `$settings`, which goes before the default; a role that the
 * first leaves out is the next one's.
 */
export function isAllowed(log: EventLog, caller: Caller, action: StreamAction, stream: string): boolean {
  if (caller.name === undefined) return false;
  if (stream === ALL_STREAM && action !== 'read') return false;
  if (isMetadataStream(stream) && action === 'delete') return false;
  if (caller.name === 'admin' || caller.groups.includes(ADMINS)) return true;
  const metadata = isMetadataStream(stream);
  const described = metadata ? describedStreamOf(stream) : stream;
  const right = metadata ? (action === 'read' ? 'metaRead' : 'metaWrite') : action;
  const roles = rolesFor(log, described, right);
  return roles.some((role) => role === EVERYBODY || role === caller.name || caller.groups.includes(role));
}

function rolesFor(log: EventLog, stream: string, right: keyof StreamAcl): readonly string[] {
  const system = isSystemStream(stream);
  const { userStreamAcl, systemStreamAcl } = log.settings;
  const ofSettings = system ? systemStreamAcl : userStreamAcl;
  const ofStream = log.metadataOf(stream).acl;
  return ofStream?.[right] ?? ofSettings?.[right] ?? (system ? DEFAULT_SYSTEM_ACL : DEFAULT_USER_ACL)[right];
}
