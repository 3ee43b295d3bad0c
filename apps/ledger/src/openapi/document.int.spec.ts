import { beforeAll, describe, expect, it } from '@jest/globals';
import { PROBLEM_KINDS } from '../http/problem.ts';
import { describeService } from './document.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters: readonly { name: string; in: string; required?: boolean }[];
  readonly responses: Readonly<Record<string, { description: string; headers?: object; content?: object }>>;
}

let document: { openapi: string; components: { schemas: Record<string, object> } };
let operations: readonly (readonly [method: string, path: string, operation: Operation])[];
beforeAll(async () => {
  document = (await describeService()) as unknown as typeof document;
  const { paths } = document as unknown as { paths: Record<string, Record<string, Operation>> };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method, path, operation] as const),
  );
});

describe('the OpenAPI document', () => {
  it('is of version 3.1 and has every route of the slice', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations.map(([method, path]) => `${method} ${path}`).sort()).toEqual(ROUTES);
  });

  it('gives each operation a name of its own', () => {
    const names = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it('points to nothing that is not there, and has nothing that is not pointed to', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]*)"/g)].map(
      ([, name]) => name,
    );
    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  it('describes every field of every schema', () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect([name, Object.keys((schema as { properties?: object }).properties ?? {}).length > 0]).toEqual([
        name,
        true,
      ]);
    }
  });

  it('lets requests have no members but those that it names, at any depth', () => {
    const { schemas } = document.components;
    for (const name of [
      'DepositBody',
      'SourceBody',
      'RegisterLegalOrderBody',
      'PartySubjectBody',
      'ScopeBody',
      'NoteBody',
    ]) {
      expect([name, schemas[name]]).toEqual([name, expect.objectContaining({ additionalProperties: false })]);
    }
    expect(schemas['Account']).not.toHaveProperty('additionalProperties');
  });

  it('asks for a token under /v1 and nowhere else', () => {
    for (const [, path, { operationId, security }] of operations) {
      expect([operationId, security]).toEqual([operationId, path.startsWith('/v1') ? [{ bearer: [] }] : []]);
    }
  });

  it('says of the metrics what others than this machine may be answered', () => {
    const metrics = operations.find(([, path]) => path === '/metrics')?.[2].responses ?? {};
    expect(Object.keys(metrics)).toEqual(['200', '401', '403', '429', '503']);
    expect(metrics['200']).toMatchObject({ content: { 'text/plain': {} } });
  });

  it('lists the problems of each route under /v1, by their status', () => {
    for (const [method, path, { operationId, responses, parameters }] of operations) {
      if (!path.startsWith('/v1')) continue;
      for (const [status, { description }] of Object.entries(responses)) {
        if (status.startsWith('2')) continue;
        const codes = [...description.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code);
        expect(codes.length).toBeGreaterThan(0);
        expect(codes.map((code) => [code, PROBLEM_KINDS.get(code)?.status])).toEqual(
          codes.map((code) => [code, Number(status)]),
        );
      }
      expect([operationId, Object.keys(responses)]).toEqual([
        operationId,
        expect.arrayContaining(['400', '401', '403', '429', '500', '503']),
      ]);
      const header = parameters.find(({ name }) => name === 'Idempotency-Key');
      expect([operationId, header?.required]).toEqual([operationId, method === 'post' ? true : undefined]);
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      expect(inPath).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  });
});

const ROUTES = [
  'get /health/live',
  'get /health/ready',
  'get /metrics',
  'get /v1/accounts',
  'get /v1/accounts/{accountId}',
  'get /v1/accounts/{accountId}/deposits',
  'get /v1/accounts/{accountId}/deposits/{depositId}',
  'get /v1/accounts/{accountId}/entries',
  'get /v1/accounts/{accountId}/transfers',
  'get /v1/accounts/{accountId}/transfers/{transferId}',
  'get /v1/accounts/{accountId}/withdrawals',
  'get /v1/accounts/{accountId}/withdrawals/{withdrawalId}',
  'get /v1/admin/authority-requests',
  'get /v1/admin/authority-requests/{requestId}',
  'get /v1/admin/freezes',
  'get /v1/admin/freezes/{freezeId}',
  'get /v1/admin/freezes/{freezeId}/lift-requests/{requestId}',
  'get /v1/admin/legal-orders',
  'get /v1/admin/legal-orders/{orderId}',
  'get /v1/admin/legal-orders/{orderId}/changes/{changeId}',
  'get /v1/admin/lift-requests',
  'get /v1/admin/sanctions-hits',
  'get /v1/admin/sanctions-hits/{hitId}',
  'get /v1/admin/sanctions-hits/{hitId}/clearances/{clearanceId}',
  'get /v1/admin/tasks',
  'get /v1/assets',
  'get /v1/assets/{code}',
  'get /v1/audit/accounts/{accountId}',
  'get /v1/audit/events',
  'get /v1/audit/freezes',
  'get /v1/audit/refusals',
  'get /v1/audit/streams/{stream}',
  'get /v1/audit/violations',
  'get /v1/parties',
  'get /v1/parties/{partyId}',
  'get /v1/trial-balance',
  'post /v1/accounts',
  'post /v1/accounts/{accountId}/closure',
  'post /v1/accounts/{accountId}/deposits',
  'post /v1/accounts/{accountId}/deposits/{depositId}/reversal',
  'post /v1/accounts/{accountId}/transfers',
  'post /v1/accounts/{accountId}/withdrawals',
  'post /v1/accounts/{accountId}/withdrawals/{withdrawalId}/cancellation',
  'post /v1/accounts/{accountId}/withdrawals/{withdrawalId}/dispatch',
  'post /v1/accounts/{accountId}/withdrawals/{withdrawalId}/settlement',
  'post /v1/admin/accounts/{accountId}/freezes',
  'post /v1/admin/authority-requests',
  'post /v1/admin/authority-requests/{requestId}/answer',
  'post /v1/admin/freezes/{freezeId}/lift-requests',
  'post /v1/admin/freezes/{freezeId}/lift-requests/{requestId}/approval',
  'post /v1/admin/freezes/{freezeId}/lift-requests/{requestId}/rejection',
  'post /v1/admin/legal-orders',
  'post /v1/admin/legal-orders/{orderId}/changes',
  'post /v1/admin/legal-orders/{orderId}/changes/{changeId}/rejection',
  'post /v1/admin/legal-orders/{orderId}/changes/{changeId}/verification',
  'post /v1/admin/legal-orders/{orderId}/freezes',
  'post /v1/admin/legal-orders/{orderId}/rejection',
  'post /v1/admin/legal-orders/{orderId}/verification',
  'post /v1/admin/sanctions-hits',
  'post /v1/admin/sanctions-hits/{hitId}/clearances',
  'post /v1/admin/sanctions-hits/{hitId}/clearances/{clearanceId}/approval',
  'post /v1/admin/sanctions-hits/{hitId}/clearances/{clearanceId}/rejection',
  'post /v1/admin/sanctions-hits/{hitId}/confirmation',
  'post /v1/admin/sanctions-hits/{hitId}/dismissal',
  'post /v1/admin/sanctions-hits/{hitId}/freezes',
  'post /v1/assets',
  'post /v1/parties',
  'post /v1/parties/{partyId}/addresses',
  'post /v1/parties/{partyId}/identification',
];
