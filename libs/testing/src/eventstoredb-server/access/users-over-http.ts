import { createServer, type IncomingMessage, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { type EventLog } from '../log/event-log.ts';
import { type EventStoreDbUser } from '../options.ts';
import { type Caller, type Users } from './users.ts';

/** `POST /users/` as an admin makes a user, and nothing else of what a real server answers over HTTP. It listens nowhere. */
export function usersOverHttp(users: Users, log: EventLog): Server {
  return createServer((request, response) => {
    void answerTo(request, users, log).then((status) => response.writeHead(status).end());
  });
}

async function answerTo(request: IncomingMessage, users: Users, log: EventLog): Promise<number> {
  if (request.url !== '/users/' || request.method !== 'POST') return 404;
  if (!callerOf(request, users)?.groups.includes('$admins')) return 401;
  const user = userIn(await json(request).catch(() => undefined));
  if (user === undefined) return 400;
  return users.add(log, user) ? 201 : 409;
}

function callerOf(request: IncomingMessage, users: Users): Caller | undefined {
  try {
    return users.caller(request.headers.authorization);
  } catch {
    return undefined;
  }
}

function userIn(body: unknown): EventStoreDbUser | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { loginName: name, password, groups = [] } = body as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof password !== 'string' || !Array.isArray(groups)) return undefined;
  return { name, password, groups: groups.map(String) };
}
