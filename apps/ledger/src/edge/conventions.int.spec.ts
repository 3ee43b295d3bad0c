import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Hex, canonicalJson } from '#kernel';
import type { LightMyRequestResponse } from 'fastify';
import { startTestService, type TestRequest, type TestService } from '../testing/service.ts';

const OPS = ['ops-1', 'ops'] as const;
const SERVICE = ['billing', 'service'] as const;
const APPROVER = ['auditor-1', 'approver'] as const;
const AUDITOR = ['ulf', 'auditor'] as const;
const SHA256 = 'ab'.repeat(32);
const SOURCE = { kind: 'onchain', reference: 'tx-1' };

let service: TestService;
/** Position of the last answer, to read one's own writes. */
let position: string;

type Body = Record<string, unknown>;

async function send(request: TestRequest, expected: number): Promise<{ body: Body; response: LightMyRequestResponse }> {
  const response = await service.send(request);
  const body: Body = response.json();
  expect([request.url, response.statusCode, response.statusCode === expected ? '' : body]).toEqual([
    request.url,
    expected,
    '',
  ]);
  if (typeof body['position'] === 'string' && request.body !== undefined) position = body['position'];
  return { body, response };
}

async function read(
  url: string,
  as: NonNullable<TestRequest['as']> = AUDITOR,
): Promise<{ body: Body; response: LightMyRequestResponse }> {
  const mark = url.includes('?') ? '&' : '?';
  return send({ url: `${url}${mark}atLeast=${position}`, as }, 200);
}

function nextOf(body: Body): string | null {
  return body['nextCursor'] as string | null;
}

beforeAll(async () => {
  service = await startTestService();
  await send({ url: '/v1/assets', as: OPS, body: { code: 'BTC', scale: 8, kind: 'crypto' } }, 201);
  await send({ url: '/v1/parties', as: SERVICE, body: { partyId: 'p-1', kind: 'person', externalRef: 'crm:7' } }, 201);
  const identification = { method: 'passport', evidenceSha256: SHA256, identifiedAt: '2022-01-01T00:00:00Z' };
  await send({ url: '/v1/parties/p-1/identification', as: SERVICE, body: identification }, 200);
  const holders = [{ partyId: 'p-1', capacity: 'owner' }];
  for (const accountId of ['acc-1', 'acc-2'])
    await send({ url: '/v1/accounts', as: SERVICE, body: { accountId, holders } }, 201);
});
afterAll(() => service.close());

function deposit(depositId: string, amount = '1.5', accountId = 'acc-1'): TestRequest & { readonly url: string } {
  const body = { depositId, asset: 'BTC', amount, source: SOURCE };
  return { url: `/v1/accounts/${accountId}/deposits`, as: SERVICE, body };
}

describe('a command', () => {
  it('answers with what was recorded, and the revision as ETag', async () => {
    const { body, response } = await send(deposit('d-1'), 201);
    expect(body).toEqual({
      streamRevision: '1',
      position: expect.stringMatching(/^[0-9a-f]{16}$/),
      events: [{ id: expect.any(String), type: 'FundsDeposited' }],
      deposit: {
        accountId: 'acc-1',
        depositId: 'd-1',
        asset: 'BTC',
        amount: '1.50000000',
        source: SOURCE,
        state: 'deposited',
        cause: null,
        reason: null,
        taken: null,
        shortfall: null,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    });
    expect(response.headers.etag).toBe('"1"');
    expect(response.headers['idempotent-replayed']).toBeUndefined();
  });

  it('repeated with its key answers as it did, however the amount is written', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await send({ ...deposit('d-2', '0.50'), headers }, 201);
    const again = await send({ ...deposit('d-2', '0.5'), headers }, 201);
    expect(again.response.headers['idempotent-replayed']).toBe('true');
    expect([again.response.body, again.response.headers.etag]).toEqual([
      first.response.body,
      first.response.headers.etag,
    ]);
    const encoded = await send({ ...deposit('d-2'), url: '/v1/accounts/%61cc-1/deposits', headers }, 422);
    expect(encoded.body).toMatchObject({ code: 'idempotency-key-reused', instance: '/v1/accounts/acc-1/deposits' });
  });

  it('is known by the canonical JSON of its method, path and content', async () => {
    const { body } = await send(deposit('d-hash', '2.50'), 201);
    const [{ id }] = body['events'] as [{ id: string }];
    const { body: log } = await read('/v1/audit/streams/account-acc-1?limit=500');
    const event = (log['items'] as { id: string; metadata: { commandHash: string } }[]).find((item) => item.id === id);
    const content = { depositId: 'd-hash', asset: 'BTC', amount: '2.5', source: SOURCE };
    const expected = { method: 'POST', path: '/v1/accounts/acc-1/deposits', content };
    expect(event?.metadata.commandHash).toBe(sha256Hex(canonicalJson(expected)));
  });

  it.each(['a b', 'ä', 'x'.repeat(256)])('with the key %j is refused', async (key) => {
    const { body } = await send({ ...deposit('d-x'), headers: { 'idempotency-key': key } }, 400);
    expect(body).toMatchObject({ code: 'malformed-request', errors: [{ field: 'Idempotency-Key' }] });
  });

  it('without a key is refused', async () => {
    const { body } = await send({ ...deposit('d-x'), headers: { 'idempotency-key': '' } }, 400);
    expect(body).toMatchObject({ code: 'idempotency-key-missing' });
  });

  it('heeds If-Match, quoted or bare', async () => {
    const { body } = await send(deposit('m-1', '1', 'acc-2'), 201);
    const revision = String(body['streamRevision']);
    await send({ ...deposit('m-2', '1', 'acc-2'), headers: { 'if-match': `"${revision}"` } }, 201);
    const { body: refused } = await send({ ...deposit('m-3', '1', 'acc-2'), headers: { 'if-match': revision } }, 412);
    expect(refused).toMatchObject({ code: 'revision-mismatch' });
    await send({ ...deposit('m-4', '1', 'acc-2'), headers: { 'if-match': '*' } }, 201);
  });

  it.each(['W/"1"', '"1", "2"', '"x"', '01', '-1', '"1', ''])('with If-Match %s is refused', async (tag) => {
    const { body } = await send({ ...deposit('d-x'), headers: { 'if-match': tag } }, 400);
    expect(body).toMatchObject({ code: 'malformed-request', errors: [{ field: 'If-Match' }] });
  });

  it('carries its correlation id into the log', async () => {
    await send({ ...deposit('d-trace'), headers: { 'x-correlation-id': 'trace-42' } }, 201);
    const { body } = await read('/v1/audit/streams/account-acc-1?limit=500');
    expect(JSON.stringify(body)).toContain('"correlationId":"trace-42"');
  });
});

describe('a read', () => {
  it('waits for the position that it is asked for, and is refused what is none', async () => {
    expect((await read('/v1/accounts/acc-1', SERVICE)).response.headers.etag).toMatch(/^"\d+"$/);
    await send({ url: '/v1/accounts/acc-1?atLeast=soon', as: SERVICE }, 400);
    const { body, response } = await send({ url: '/v1/accounts/acc-1?atLeast=7fffffffffffffff', as: SERVICE }, 503);
    expect(body).toMatchObject({ code: 'read-model-behind' });
    expect(response.headers['retry-after']).toBe('1');
  });

  it('of a list goes page by page', async () => {
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await read(`/v1/accounts/acc-1/entries?limit=2${cursor && `&cursor=${cursor}`}`);
      expect((body['items'] as unknown[]).length).toBeLessThanOrEqual(2);
      seen.push(...(body['items'] as unknown[]));
      cursor = nextOf(body);
    }
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(seen[0]).toMatchObject({
      amount: '1.50000000',
      balance: '1.50000000',
      revision: '1',
      ledgerAccount: 'available',
    });
  });

  it.each([
    'limit=0',
    'limit=501',
    'limit=x',
    'cursor=bogus',
    'state=gone',
    'frozen=maybe',
    'partyId=..',
    'limit=1&limit=2',
  ])('with %s is refused, and the field named', async (query) => {
    const { body } = await send({ url: `/v1/accounts?${query}`, as: SERVICE }, 400);
    expect(body['errors']).toEqual([{ field: query.split('=')[0], message: expect.any(String) }]);
  });

  it('of what there is not is 404', async () => {
    const absent: readonly (readonly [string, string])[] = [
      ['/v1/assets/XRP', 'asset'],
      ['/v1/parties/p-9', 'party'],
      ['/v1/accounts/acc-9', 'account'],
      ['/v1/accounts/acc-9/deposits/d-1', 'account'],
      ['/v1/accounts/acc-9/entries', 'account'],
      ['/v1/accounts/acc-1/deposits/d-9', 'deposit'],
      ['/v1/accounts/acc-1/withdrawals/w-9', 'withdrawal'],
      ['/v1/admin/legal-orders/o-9', 'legal-order'],
      ['/v1/admin/legal-orders/o-9/changes/c', 'legal-order'],
      ['/v1/admin/freezes/01a1fdd2-5518-7195-af27-d97f48d0a31e', 'freeze'],
      ['/v1/audit/streams/account-acc-9', 'stream'],
      ['/v1/audit/accounts/acc-9', 'account'],
    ];
    for (const [url, thing] of absent) {
      const { body } = await send({ url, as: AUDITOR }, 404);
      expect([url, body['code']]).toEqual([url, `${thing}-not-found`]);
    }
  });
});

describe('what is seen of a freeze', () => {
  let freezeId: string;
  beforeAll(async () => {
    const order = {
      orderId: 'ord-1',
      kind: 'freezing-order',
      authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
      caseReference: 'CL-2022-000123',
      statute: 's.37',
      subjects: [{ kind: 'party', partyId: 'p-1' }],
      scope: { direction: 'debit', assets: 'all' },
      issuedAt: '2022-02-15T12:00:00Z',
      receivedAt: '2022-02-15T12:00:00Z',
      effectiveAt: '2022-02-15T12:00:00Z',
      documentSha256: SHA256,
    };
    await send({ url: '/v1/admin/legal-orders', as: OPS, body: order }, 201);
    await send({ url: '/v1/admin/legal-orders/ord-1/verification', as: APPROVER, body: { method: 'call' } }, 200);
    const freeze = { basis: { kind: 'legal-order', id: 'ord-1' }, blockedFrom: '2022-02-15T12:00:00Z' };
    const { body } = await send({ url: '/v1/admin/accounts/acc-1/freezes', as: OPS, body: freeze }, 201);
    expect((body['events'] as { type: string }[]).map(({ type }) => type)).toEqual([
      'FreezeAuthorised',
      'AccountFrozen',
    ]);
    freezeId = String((body['freeze'] as Body)['freezeId']);
    expect((body['events'] as { id: string }[])[0]?.id).toBe(freezeId);
  });

  it('by a service: that it is there, its direction and assets, and no more', async () => {
    const { body } = await read('/v1/accounts/acc-1', SERVICE);
    expect(body['freezes']).toEqual([{ freezeId, direction: 'debit', assets: 'all' }]);
    expect(Object.keys((body['balances'] as Body[])[0] ?? {})).toEqual(['asset', 'available', 'reserved', 'held']);
    const party = await read('/v1/parties/p-1', SERVICE);
    expect(party.response.body + JSON.stringify(body)).not.toContain('ord-1');
  });

  it('by others: all of it', async () => {
    const { body } = await read('/v1/accounts/acc-1', OPS);
    const scope = { direction: 'debit', assets: 'all' };
    const basis = { kind: 'legal-order', id: 'ord-1' };
    expect(body['freezes']).toEqual([{ freezeId, direction: 'debit', assets: 'all', scope, basis }]);
    const [balance] = body['balances'] as [Body];
    expect(balance['frozen']).toBe(balance['available']);
    expect((await read('/v1/parties/p-1', OPS)).body).toMatchObject({ namedBy: [basis], accounts: ['acc-1', 'acc-2'] });
    expect((await read(`/v1/admin/freezes/${freezeId}`, OPS)).body).toMatchObject({
      freezeId,
      state: 'in-force',
      basis,
      placedBy: 'ops-1',
      blockedFrom: '2022-02-15T12:00:00.000Z',
      lift: null,
    });
    expect((await read('/v1/accounts?frozen=true', OPS)).body['items']).toMatchObject([{ accountId: 'acc-1' }]);
  });

  it('a refusal keeps its first correlation id when it is repeated', async () => {
    const body = { withdrawalId: 'w-1', asset: 'BTC', amount: '1', destination: { kind: 'bank' } };
    const headers = { 'idempotency-key': 'refused-once', 'x-correlation-id': 'first' };
    const request = { url: '/v1/accounts/acc-1/withdrawals', as: SERVICE, body, headers };
    const first = await send(request, 423);
    expect(first.body).toMatchObject({ code: 'account-frozen', freezeIds: [freezeId], correlationId: 'first' });
    const again = await send({ ...request, headers: { ...headers, 'x-correlation-id': 'second' } }, 423);
    expect(again.response.body).toBe(first.response.body);
    expect(again.response.headers['idempotent-replayed']).toBe('true');
    expect(again.response.headers['x-correlation-id']).toBe('second');
  });

  it('is lifted by two people', async () => {
    const url = `/v1/admin/freezes/${freezeId}/lift-requests`;
    const request = { requestId: 'l-1', ground: 'placed-in-error', note: 'Another account was meant.' };
    const asked = await send({ url, as: OPS, body: request }, 201);
    expect(asked.body['liftRequest']).toMatchObject({ requestId: 'l-1', state: 'requested', requestedBy: 'ops-1' });
    await send({ url: `${url}/l-1/approval`, as: ['ops-1', 'approver'], body: {} }, 422);
    const approved = await send({ url: `${url}/l-1/approval`, as: APPROVER, body: { note: 'Checked.' } }, 200);
    expect(approved.body['liftRequest']).toMatchObject({
      state: 'approved',
      decidedBy: 'auditor-1',
      note: request.note,
    });
    expect((await read(`${url}/l-1`, OPS)).body).toEqual(approved.body['liftRequest']);
    expect((await read(`/v1/admin/freezes/${freezeId}`, OPS)).body).toMatchObject({
      state: 'lifted',
      lift: { approvedBy: 'auditor-1' },
    });
  });

  it('an order and its changes are read as they were answered', async () => {
    const ending = {
      changeId: 'c-1',
      kind: 'ending',
      how: 'discharged',
      documentSha256: SHA256,
      issuedAt: '2022-03-01T00:00:00Z',
      reference: 'order of 1 March',
    };
    const proposed = await send({ url: '/v1/admin/legal-orders/ord-1/changes', as: OPS, body: ending }, 201);
    expect(proposed.body['change']).toMatchObject({ changeId: 'c-1', state: 'proposed', proposedBy: 'ops-1' });
    const url = '/v1/admin/legal-orders/ord-1/changes/c-1';
    const verified = await send({ url: `${url}/verification`, as: APPROVER, body: { method: 'call' } }, 200);
    expect((await read(url, OPS)).body).toEqual(verified.body['change']);
    expect((await read('/v1/admin/legal-orders/ord-1', OPS)).body).toMatchObject({ state: 'discharged' });
    expect((await read('/v1/admin/legal-orders?basisId=ord-1&partyId=p-1', OPS)).body['items']).toHaveLength(1);
    expect((await read('/v1/admin/legal-orders?basisId=ord-1&state=verified', OPS)).body['items']).toEqual([]);
  });
});

describe('the log, for auditors', () => {
  async function lines(query = ''): Promise<Body[]> {
    const request = { url: `/v1/audit/events${query}`, as: AUDITOR, headers: { accept: 'application/x-ndjson' } };
    const response = await service.send(request);
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    return response.body === ''
      ? []
      : response.body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Body);
  }

  it('is whole as NDJSON, and in pages as JSON', async () => {
    const all = await lines();
    expect(all.length).toBeGreaterThan(20);
    expect(all.map((event) => event['position'])).toEqual(all.map((event) => event['position']).sort());
    const paged: Body[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await send(
        { url: `/v1/audit/events?limit=7${cursor && `&cursor=${cursor}`}`, as: AUDITOR },
        200,
      );
      paged.push(...(body['items'] as Body[]));
      cursor = nextOf(body);
    }
    expect(paged).toEqual(all);
  });

  it('begins after a position, keeps to some types, one stream, or so many', async () => {
    const all = await lines();
    const after = String(all[4]?.['position']);
    expect(await lines(`?after=${after}`)).toEqual(all.slice(5));
    expect(await lines('?limit=3')).toEqual(all.slice(0, 3));
    const frozen = await lines('?types=AccountFrozen,AccountUnfrozen');
    expect(frozen.map((event) => event['type'])).toEqual(['AccountFrozen', 'AccountUnfrozen']);
    const one = await lines('?stream=account-acc-1');
    expect(new Set(one.map((event) => event['stream']))).toEqual(new Set(['account-acc-1']));
    expect(await lines('?stream=account-acc')).toEqual([]);
  });

  it('has all after its beginning, and nothing where it is empty', async () => {
    const after = `/v1/audit/events?after=${'0'.repeat(16)}`;
    const { body } = await send({ url: after, as: AUDITOR }, 200);
    expect((body['items'] as unknown[]).length).toBeGreaterThan(0);
    const empty = await startTestService();
    try {
      expect((await empty.send({ url: after, as: AUDITOR })).json()).toEqual({ items: [], nextCursor: null });
    } finally {
      await empty.close();
    }
  });

  it('has nothing after its end, and does not say so of a position that it has not reached', async () => {
    const head = String((await lines()).at(-1)?.['position']);
    const beyond = (BigInt(`0x${head}`) + 1n).toString(16).padStart(16, '0');
    const refused: Promise<{ body: Body }>[] = [];
    for (const name of ['after', 'cursor']) {
      expect(await lines(`?${name}=${head}`)).toEqual([]);
      const { body } = await send({ url: `/v1/audit/events?${name}=${head}`, as: AUDITOR }, 200);
      expect(body).toEqual({ items: [], nextCursor: null });
      const ahead = { url: `/v1/audit/events?${name}=${beyond}`, as: AUDITOR };
      refused.push(send(ahead, 503), send({ ...ahead, headers: { accept: 'application/x-ndjson' } }, 503));
    }
    for (const { body } of await Promise.all(refused)) expect(body).toMatchObject({ code: 'read-model-behind' });
  });

  it.each(['after=x', 'types=', 'types=a;b', 'stream=nothing', 'limit=501', 'stream=account-..', 'before=1'])(
    'refuses %s',
    async (query) => {
      const { body } = await send({ url: `/v1/audit/events?${query}`, as: AUDITOR }, 400);
      expect(body['errors']).toMatchObject([{ field: query.split('=')[0] }]);
    },
  );

  it('is read stream by stream', async () => {
    const { body } = await send({ url: '/v1/audit/streams/account-acc-1?limit=2', as: AUDITOR }, 200);
    expect(body['items']).toMatchObject([{ revision: '0' }, { revision: '1' }]);
    const next = await send(
      { url: `/v1/audit/streams/account-acc-1?limit=2&cursor=${String(body['nextCursor'])}`, as: AUDITOR },
      200,
    );
    expect(next.body['items']).toMatchObject([{ revision: '2' }, { revision: '3' }]);
  });

  it('tells an account as of a position or a time', async () => {
    const [opened, funded] = await lines('?stream=account-acc-1&limit=2');
    const before = await send({ url: `/v1/audit/accounts/acc-1?at=${String(opened?.['position'])}`, as: AUDITOR }, 200);
    expect(before.body).toMatchObject({ balances: [], streamRevision: '0' });
    const { recordedAt } = funded?.['metadata'] as { recordedAt: string };
    const after = await send({ url: `/v1/audit/accounts/acc-1?at=${recordedAt}`, as: AUDITOR }, 200);
    expect(after.body['balances']).toMatchObject([{ asset: 'BTC' }]);
    await send({ url: '/v1/audit/accounts/acc-1?at=2001-01-01T00:00:00Z', as: AUDITOR }, 404);
    await send({ url: '/v1/audit/accounts/acc-1?at=yesterday', as: AUDITOR }, 400);
    await send({ url: '/v1/audit/accounts/acc-1?at=7fffffffffffffff', as: AUDITOR }, 503);
  });

  it('lists refusals, and violations if there were any', async () => {
    const { body } = await read('/v1/audit/refusals');
    expect(body['items']).toMatchObject([
      { code: 'account-frozen', actor: 'billing' },
      { code: 'maker-is-checker', actor: 'ops-1' },
    ]);
    expect((await read('/v1/audit/violations')).body).toEqual({ items: [], nextCursor: null });
  });
});
