import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES, type Role } from '../auth/roles.ts';
import { describeService } from '../openapi/document.ts';
import { startTestService, type TestService } from '../testing/service.ts';

/** Who may use which route, by the beginning of its path; the first that fits decides. */
const MAY: readonly (readonly [route: RegExp, roles: readonly Role[]])[] = [
  [/^post \/v1\/assets$/, ['ops']],
  [/^post \/v1\/(parties|accounts)/, ['service']],
  // A screening service finds matches by itself.
  [/^post \/v1\/admin\/sanctions-hits$/, ['ops', 'service']],
  [/^post \/v1\/admin\/.*\/(verification|rejection|approval|answer|confirmation|dismissal)$/, ['approver']],
  [/^post \/v1\/admin\//, ['ops']],
  [/^get \/v1\/(assets|parties|accounts)/, ['service', 'ops', 'approver', 'auditor']],
  [/^get \/v1\/trial-balance$/, ['ops', 'auditor']],
  [/^get \/v1\/admin\//, ['ops', 'approver', 'auditor']],
  [/^get \/v1\/audit\//, ['auditor']],
];

let service: TestService;
let routes: readonly (readonly [method: 'GET' | 'POST', path: string, allowed: readonly Role[]])[];
beforeAll(async () => {
  service = await startTestService();
  const { paths } = await describeService();
  routes = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method, path] as const))
    .filter(([, path]) => path.startsWith('/v1'))
    .map(([method, path]) => {
      const allowed = MAY.find(([route]) => route.test(`${method} ${path}`))?.[1] ?? [];
      return [method === 'get' ? 'GET' : 'POST', path.replace(/\{\w+\}/g, 'x'), allowed] as const;
    });
});
afterAll(() => service.close());

async function statusOf(method: 'GET' | 'POST', url: string, roles: readonly string[] | undefined): Promise<number> {
  const body = method === 'POST' ? { body: {} } : {};
  const as = roles === undefined ? {} : { as: ['someone', ...roles] as const };
  return (await service.send({ method, url, ...body, ...as })).statusCode;
}

describe('every route under /v1', () => {
  it('is known to this table', () => {
    expect(routes.filter(([, , allowed]) => allowed.length === 0)).toEqual([]);
    expect(routes.length).toBeGreaterThan(40);
  });

  it('is closed to who brings no token', async () => {
    for (const [method, path] of routes)
      expect([method, path, await statusOf(method, path, undefined)]).toEqual([method, path, 401]);
  });

  it('is closed to a token without roles, or with roles that there are not', async () => {
    for (const [method, path] of routes) {
      expect([method, path, await statusOf(method, path, [])]).toEqual([method, path, 403]);
      expect([method, path, await statusOf(method, path, ['admin', 'root'])]).toEqual([method, path, 403]);
    }
  });

  it.each(ROLES)('is open to %s where it should be, and nowhere else', async (role) => {
    for (const [method, path, allowed] of routes) {
      const status = await statusOf(method, path, [role]);
      expect([method, path, status === 403]).toEqual([method, path, !allowed.includes(role)]);
    }
  });
});
