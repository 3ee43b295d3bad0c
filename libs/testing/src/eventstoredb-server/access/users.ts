import { randomUUID } from 'node:crypto';
import { type EventLog } from '../log/event-log.ts';
import { type ProposedEvent } from '../log/log-event.ts';
import { metadataStreamOf } from '../log/stream-metadata.ts';
import { type EventStoreDbUser } from '../options.ts';
import { unauthenticated } from '../wire/errors.ts';

/** Whoever calls. Without a name: nobody who could be asked for one. */
export interface Caller {
  readonly name: string | undefined;
  readonly groups: readonly string[];
}

export const ADMIN: EventStoreDbUser = { name: 'admin', password: 'changeit', groups: ['$admins'] };

const ANONYMOUS: Caller = { name: undefined, groups: [] };

/** The users of a server that asks for credentials. */
export class Users {
  readonly #users: Map<string, EventStoreDbUser>;

  constructor(users: readonly EventStoreDbUser[]) {
    this.#users = new Map([ADMIN, ...users].map((user) => [user.name, user]));
  }

  /**
   * Who calls, by the authorization of the call's metadata.
   * @throws CallError "Unauthenticated", for a wrong name or password alike
   */
  caller(authorization: string | undefined): Caller {
    if (authorization === undefined) return ANONYMOUS;
    const [scheme, credentials = ''] = authorization.split(' ');
    const [name = '', ...password] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
    const user = this.#users.get(name);
    if (user === undefined || scheme !== 'Basic' || user.password !== password.join(':')) throw unauthenticated();
    return { name: user.name, groups: user.groups ?? [] };
  }

  /** A real server keeps its users as events: who is in which group is read there, by who may. */
  record(log: EventLog): void {
    for (const user of this.#users.values()) recordUser(log, user);
  }

  /** Takes one more, until the process ends: no password is kept. @returns false when there is one of that name */
  add(log: EventLog, user: EventStoreDbUser): boolean {
    if (this.#users.has(user.name)) return false;
    this.#users.set(user.name, user);
    recordUser(log, user);
    return true;
  }
}

function recordUser(log: EventLog, user: EventStoreDbUser): void {
  const stream = `$user-${user.name}`;
  if (log.eventsOf(stream).length > 0) return;
  log.append(metadataStreamOf(stream), 'any', [
    jsonEvent('$metadata', { $acl: { $w: '$admins', $d: '$admins', $mw: '$admins' } }),
  ]);
  log.append(stream, 'no_stream', [jsonEvent('$UserCreated', userData(user))]);
}

function userData(user: EventStoreDbUser): unknown {
  return {
    loginName: user.name,
    fullName: user.name,
    salt: 'none: a server for tests',
    hash: 'none: a server for tests',
    disabled: false,
    groups: user.groups ?? [],
  };
}

function jsonEvent(type: string, data: unknown): ProposedEvent {
  return { id: randomUUID(), type, isJson: true, data: Buffer.from(JSON.stringify(data)), metadata: new Uint8Array() };
}
