import { MemoryEventStore } from '#event-store/memory';
import { isRejection, type RecordedEvent } from '#kernel';
import { indexEntries, Judge, type NameKind } from '#replay';
import { danglingFreeze, forceIn, LedgerWorld, sampleAddress, sampleHit, tellStory, type ToldStory } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MalformedCursorError, type Page, type PageRequest, type Queries } from './queries-api.ts';
import type { ProjectionEvent } from './projection-events.ts';
import { startProjections, type Projections } from './start.ts';

const TIMEOUT_MS = 20_000;
const ALL = { limit: 500 };

let store: MemoryEventStore;
let story: ToldStory;
let projections: Projections;
let queries: Queries;
let log: readonly RecordedEvent[];
let forged: RecordedEvent;

beforeAll(async () => {
  store = new MemoryEventStore();
  story = await tellStory(new LedgerWorld({ store }));
  forged = await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
  await forceIn(store, 'account-acc-3', { type: 'FundsDeposited', data: { amount: 'a lot' } });
  projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  ({ queries } = projections);
  expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
  log = (await store.readAll({ limit: 10_000 })).events;
});
afterAll(() => projections.close());

/** The freeze of acc-5 that came too late. */
function abandoned(): string {
  const event = log.find(({ type }) => type === 'FreezeAbandoned');
  return (event?.data as { readonly freezeId: string }).freezeId;
}

/** The items of a list, read in pages of this size. */
function readAllPages<Item>(list: (page: PageRequest) => Page<Item>, limit: number): { items: Item[]; pages: number } {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const page = list({ limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.nextCursor === null) return { items, pages };
    cursor = page.nextCursor;
  }
}

const lists: Record<string, (page: PageRequest) => Page<unknown>> = {
  assets: (page) => queries.assets(page),
  parties: (page) => queries.parties({}, page),
  accounts: (page) => queries.accounts({}, page),
  'accounts of a party': (page) => queries.accounts({ partyId: 'p-1' }, page),
  entries: (page) => queries.entries('acc-1', page),
  deposits: (page) => queries.deposits('acc-1', page),
  withdrawals: (page) => queries.withdrawals('acc-1', {}, page),
  transfers: (page) => queries.transfers('acc-1', {}, page),
  'legal orders': (page) => queries.legalOrders({}, page),
  freezes: (page) => queries.freezes({}, page),
  'lift requests': (page) => queries.liftRequests({}, page),
  'authority requests': (page) => queries.authorityRequests({}, page),
  tasks: (page) => queries.tasks({}, '2022-06-01T00:00:00.000Z', page),
  refusals: (page) => queries.refusals(page),
  violations: (page) => queries.violations(page),
};

describe('lists', () => {
  it.each(Object.keys(lists))('of %s are the same whatever the size of a page', (name) => {
    const list = lists[name];
    if (list === undefined) throw new Error('no such list');
    const whole = list(ALL);
    expect(whole.nextCursor).toBeNull();
    expect(whole.items.length).toBeGreaterThan(1);
    for (const limit of [1, 2, 3]) {
      const { items, pages } = readAllPages(list, limit);
      expect(items).toEqual(whole.items);
      expect(pages).toBe(Math.ceil(whole.items.length / limit));
    }
  });

  it.each(Object.keys(lists))('of %s refuse a cursor that is not theirs', (name) => {
    const other = queries.entries('acc-1', { limit: 1 }).nextCursor ?? '';
    const foreign = name === 'entries' ? (queries.deposits('acc-1', { limit: 1 }).nextCursor ?? '') : other;
    expect(() => lists[name]?.({ limit: 1, cursor: foreign })).toThrow(MalformedCursorError);
    expect(() => lists[name]?.({ limit: 1, cursor: 'nonsense' })).toThrow(MalformedCursorError);
  });

  it.each(Object.keys(lists))(
    'of %s refuse a cursor that was given before the log moved to another kind of store',
    (name) => {
      const text = Buffer.from(lists[name]?.({ limit: 1 }).nextCursor ?? '', 'base64url').toString();
      const moved = text.replace(/"([0-9a-f]{16})"/, '"$1-$1"');
      // Revisions are the same in every store.
      if (moved === text) return;
      const cursor = Buffer.from(moved).toString('base64url');
      expect(() => lists[name]?.({ limit: 1, cursor })).toThrow(MalformedCursorError);
    },
  );

  it('have a bound on a page', () => {
    expect(() => queries.assets({ limit: 501 })).toThrow(RangeError);
    expect(() => queries.assets({ limit: 0 })).toThrow(RangeError);
  });

  it('are newest first, but for entries, refusals and violations', () => {
    expect(queries.assets(ALL).items.map(({ code }) => code)).toEqual(['EUR', 'BTC']);
    expect(queries.accounts({}, ALL).items.map(({ accountId }) => accountId)).toEqual(
      [5, 4, 3, 2, 1].map((n) => `acc-${String(n)}`),
    );
    expect(queries.deposits('acc-1', ALL).items.map(({ depositId }) => depositId)).toEqual(
      [6, 5, 4, 3, 2, 1].map((n) => `d-${String(n)}`),
    );
    expect(queries.legalOrders({}, ALL).items.map(({ orderId }) => orderId)).toEqual([
      'ord-4',
      'ord-7',
      'ord-8',
      'rel-1',
      'ord-6',
      'ord-5',
      'ord-3',
      'ord-2',
      'ord-1',
    ]);
    const freezeIds = queries.freezes({}, ALL).items.map(({ freezeId }) => freezeId);
    const first = [story.released, story.hitCleared, story.basisEnded, story.placedInError];
    // The two of one command come in the order of their appends.
    const together = [story.releaseOrdered, story.dropped].sort().reverse();
    expect(freezeIds).toEqual([story.inForce, abandoned(), story.raced, ...together, ...first]);
    const revisions = queries.entries('acc-1', ALL).items.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
    const positions = queries.violations(ALL).items.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort());
  });
});

describe('filters', () => {
  const ids = {
    accounts: (filter: Parameters<Queries['accounts']>[0]) =>
      queries.accounts(filter, ALL).items.map((item) => item.accountId),
    parties: (externalRef: string) => queries.parties({ externalRef }, ALL).items.map((item) => item.partyId),
    orders: (filter: Parameters<Queries['legalOrders']>[0]) =>
      queries.legalOrders(filter, ALL).items.map((item) => item.orderId),
    freezes: (filter: Parameters<Queries['freezes']>[0]) =>
      queries.freezes(filter, ALL).items.map((item) => item.freezeId),
    requests: (filter: Parameters<Queries['liftRequests']>[0]) =>
      queries.liftRequests(filter, ALL).items.map((item) => item.requestId),
    letters: (filter: Parameters<Queries['authorityRequests']>[0]) =>
      queries.authorityRequests(filter, ALL).items.map((item) => item.requestId),
    withdrawals: (state: Parameters<Queries['withdrawals']>[1]['state']) =>
      queries.withdrawals('acc-1', { state }, ALL).items.map((item) => item.withdrawalId),
  };

  it('of accounts', () => {
    expect(ids.accounts({ partyId: 'p-1' })).toEqual(['acc-3', 'acc-1']);
    expect(ids.accounts({ partyId: 'p-2' })).toEqual(['acc-2']);
    expect(ids.accounts({ partyId: 'nobody' })).toEqual([]);
    expect(ids.accounts({ state: 'open' })).toEqual(['acc-5', 'acc-4', 'acc-2', 'acc-1']);
    expect(ids.accounts({ state: 'closed' })).toEqual(['acc-3']);
    expect(ids.accounts({ frozen: true })).toEqual(['acc-1']);
    expect(ids.accounts({ frozen: false })).toEqual(['acc-5', 'acc-4', 'acc-3', 'acc-2']);
    expect(ids.accounts({ partyId: 'p-1', frozen: false, state: 'closed' })).toEqual(['acc-3']);
    expect(ids.accounts({ partyId: 'p-1', frozen: false, state: 'open' })).toEqual([]);
  });

  it('of parties', () => {
    expect(ids.parties('ref-p-2')).toEqual(['p-2']);
    expect(ids.parties('ref')).toEqual([]);
  });

  it('of legal orders', () => {
    expect(ids.orders({ accountId: 'acc-1' })).toEqual(['ord-4', 'ord-7', 'ord-3', 'ord-1']);
    // The one names the account, the other names who holds it.
    expect(ids.orders({ accountId: 'acc-2' })).toEqual(['ord-5', 'ord-2']);
    // It named p-3, and was varied.
    expect(ids.orders({ accountId: 'acc-4' })).toEqual(['ord-6']);
    expect(ids.orders({ partyId: 'p-3' })).toEqual([]);
    expect(ids.orders({ partyId: 'p-2' })).toEqual(['ord-2']);
    expect(ids.orders({ partyId: 'acc-1' })).toEqual([]);
    expect(ids.orders({ state: 'verified' })).toEqual(['ord-4', 'rel-1', 'ord-6', 'ord-1']);
    expect(ids.orders({ state: 'expired' })).toEqual(['ord-7']);
    expect(ids.orders({ state: 'rejected', accountId: 'acc-1' })).toEqual(['ord-3']);
    expect(ids.orders({ state: 'discharged' })).toEqual(['ord-8', 'ord-5', 'ord-2']);
  });

  it('of freezes', () => {
    expect(ids.freezes({ accountId: 'acc-1' })).toEqual([story.inForce, story.placedInError]);
    expect(ids.freezes({ basisId: 'ord-2' })).toEqual([story.basisEnded]);
    expect(ids.freezes({ state: 'in-force' })).toEqual([story.inForce]);
    expect(ids.freezes({ basisId: 'hit-1' })).toEqual([story.hitCleared]);
    const others = [story.inForce, abandoned()];
    expect(ids.freezes({ state: 'lifted' })).toEqual(ids.freezes({}).filter((freezeId) => !others.includes(freezeId)));
    expect(ids.freezes({ state: 'abandoned' })).toEqual([abandoned()]);
    expect(new Set(ids.freezes({ basisId: 'ord-6' }))).toEqual(new Set([story.releaseOrdered, story.dropped]));
    expect(ids.freezes({ accountId: 'acc-5' })).toEqual([abandoned(), story.raced, story.dropped]);
    expect(ids.freezes({ partyId: 'p-2' })).toEqual([story.released, story.hitCleared, story.basisEnded]);
    expect(ids.freezes({ partyId: 'p-1' })).toEqual([story.inForce, story.placedInError]);
    expect(ids.freezes({ partyId: 'p-1', state: 'lifted', accountId: 'acc-1', basisId: 'ord-1' })).toEqual([
      story.placedInError,
    ]);
  });

  it('of lift requests', () => {
    expect(ids.requests({ partyId: 'p-1' })).toEqual(['r-2', 'r-1']);
    expect(ids.requests({ partyId: 'p-1', state: 'rejected' })).toEqual(['r-1']);
    expect(ids.requests({ partyId: 'p-2' })).toEqual([]);
    expect(ids.requests({ accountId: 'acc-1' })).toEqual(['r-2', 'r-1']);
    expect(ids.requests({ accountId: 'acc-2' })).toEqual([]);
    expect(ids.requests({ freezeId: story.placedInError, state: 'approved' })).toEqual(['r-2']);
    expect(ids.requests({ freezeId: story.inForce })).toEqual([]);
    expect(ids.requests({ basisId: 'ord-1', state: 'rejected' })).toEqual(['r-1']);
    expect(ids.requests({ basisId: 'ord-2' })).toEqual([]);
  });

  it('of authority requests', () => {
    expect(ids.letters({})).toEqual(['req-3', 'req-2', 'req-1']);
    expect(ids.letters({ state: 'registered' })).toEqual(['req-3']);
    expect(ids.letters({ state: 'refused' })).toEqual(['req-1']);
    expect(ids.letters({ basisId: 'ord-4' })).toEqual(['req-2']);
    expect(ids.letters({ basisId: 'ord-4', state: 'refused' })).toEqual([]);
  });

  it('of withdrawals', () => {
    expect(ids.withdrawals(undefined)).toEqual(['w-stopped', 'w-in-flight', 'w-cancelled', 'w-settled']);
    for (const state of ['settled', 'cancelled', 'stopped'] as const)
      expect(ids.withdrawals(state)).toEqual([`w-${state}`]);
    expect(ids.withdrawals('dispatched')).toEqual(['w-in-flight']);
    expect(ids.withdrawals('reserved')).toEqual([]);
  });
});

describe('single things', () => {
  function streamEnd(stream: string): RecordedEvent {
    const last = log.filter((event) => event.stream === stream).at(-1);
    if (last === undefined) throw new Error(`no ${stream}`);
    return last;
  }

  it('are shown with the revision of their stream', () => {
    expect(queries.asset('BTC')).toMatchObject({ view: { code: 'BTC', scale: 8, kind: 'crypto' }, streamRevision: 0 });
    expect(queries.assetFacts('EUR')).toEqual({ code: 'EUR', scale: 2 });
    const party = queries.party('p-1');
    expect(party).toMatchObject({ view: { partyId: 'p-1', accounts: ['acc-1', 'acc-3'], namedBy: [] } });
    expect(party?.streamRevision).toBe(streamEnd('party-p-1').revision);
    const { revision, position } = streamEnd('account-acc-1');
    const account = queries.account('acc-1');
    expect(account?.streamRevision).toBe(revision);
    expect(account?.view).toMatchObject({
      streamRevision: revision,
      position,
      holders: [{ partyId: 'p-1', capacity: 'owner' }],
    });
    expect(account?.view.freezes.map(({ freezeId }) => freezeId)).toEqual([story.inForce]);
    expect(queries.legalOrder('ord-2')).toMatchObject({
      view: { state: 'discharged', changes: [{ changeId: 'chg-1', state: 'verified' }] },
      streamRevision: streamEnd('legalOrder-ord-2').revision,
    });
    expect(queries.freeze(story.basisEnded)).toMatchObject({
      view: { state: 'lifted', lift: { ground: 'basis-ended', requestedBy: 'maker', approvedBy: 'checker' } },
      streamRevision: streamEnd('account-acc-2').revision,
    });
    expect(queries.freeze(story.releaseOrdered)).toMatchObject({
      view: { state: 'lifted', lift: { ground: 'release-ordered', requestedBy: 'maker', approvedBy: 'checker' } },
    });
    expect(queries.freeze(story.dropped)).toMatchObject({
      view: { state: 'lifted', lift: { ground: 'basis-varied' } },
    });
    expect(queries.liftRequest(story.placedInError, 'r-1')).toMatchObject({ state: 'rejected', reason: 'no proof' });
    expect(queries.authorityRequest('req-2')).toMatchObject({
      view: { state: 'granted', answer: { basis: { id: 'ord-4' }, inForceAt: { stream: 'legalOrder-ord-4' } } },
      streamRevision: streamEnd('authorityRequest-req-2').revision,
    });
    expect(queries.deposit('acc-1', 'd-6')).toMatchObject({ asset: 'EUR', amount: '1234', state: 'deposited' });
    expect(queries.deposit('acc-2', 'd-2')).toMatchObject({ amount: '50000000', state: 'deposited' });
    expect(queries.withdrawal('acc-1', 'w-stopped')).toMatchObject({ state: 'stopped', freezeId: story.placedInError });
  });

  it('are not there when nobody made them', () => {
    expect([
      queries.asset('XRP'),
      queries.assetFacts('XRP'),
      queries.party('p-9'),
      queries.account('acc-9'),
      queries.legalOrder('ord-9'),
      queries.freeze(forged.id),
      queries.liftRequest(story.placedInError, 'r-9'),
      queries.authorityRequest('req-9'),
      queries.deposit('acc-2', 'd-6'),
      queries.withdrawal('acc-2', 'w-stopped'),
    ]).toEqual(Array.from({ length: 10 }, () => undefined));
  });

  it('count a violation among the revisions of a stream, and nothing else', () => {
    const { revision, position } = streamEnd('account-acc-3');
    expect(queries.account('acc-3')).toMatchObject({
      streamRevision: revision,
      view: { freezes: [], balances: [], position },
    });
    expect(queries.violationCount()).toBe(2);
    expect(queries.violations(ALL).items).toMatchObject([
      { stream: 'account-acc-3', eventId: forged.id, type: 'AccountFrozen', code: 'citation-unresolved' },
      { stream: 'account-acc-3', type: 'FundsDeposited', code: 'malformed-event' },
    ]);
  });

  it('tell the refusals with what was asked', () => {
    expect(queries.refusals(ALL).items).toMatchObject([
      { stream: 'account-acc-1', command: 'ReserveWithdrawal', code: 'account-frozen', actor: 'payments' },
      { stream: 'account-acc-1', command: 'FreezeAccount', code: 'basis-not-in-force', actor: 'maker' },
      { stream: 'legalOrder-ord-3', command: 'VerifyLegalOrder', code: 'maker-is-checker', actor: 'maker' },
      { stream: 'sanctionsHit-hit-3', command: 'ConfirmSanctionsHit', code: 'maker-is-checker', actor: 'maker' },
      { stream: 'authorityRequest-req-1', command: 'AnswerAuthorityRequest', code: 'maker-is-checker', actor: 'maker' },
    ]);
  });

  it('give a trial balance that sums to zero, and is what the accounts hold', () => {
    const held = new Map<string, bigint>();
    for (const { balances } of queries.accounts({}, ALL).items) {
      for (const { asset, ...parts } of balances) {
        for (const part of ['available', 'reserved', 'held'] as const) {
          const name = `${asset} ${part}`;
          held.set(name, (held.get(name) ?? 0n) + BigInt(parts[part]));
        }
      }
    }
    const items = queries.trialBalance();
    expect(items.map(({ asset }) => asset)).toEqual(['BTC', 'EUR']);
    for (const { asset, external, transit, sum, ...parts } of items) {
      for (const part of ['available', 'reserved', 'held'] as const) {
        expect([asset, part, parts[part]]).toEqual([asset, part, String(held.get(`${asset} ${part}`))]);
      }
      const inside = BigInt(parts.available) + BigInt(parts.reserved) + BigInt(parts.held);
      expect([external, transit, sum]).toEqual([String(-inside), '0', '0']);
      expect(inside).toBeGreaterThan(0n);
    }
  });

  it('have a trial balance of zeros for what was never moved', async () => {
    const world = new LedgerWorld();
    await world.accept({ type: 'RegisterAsset', code: 'XAU', scale: 4, kind: 'crypto' });
    const live = startProjections({ kind: 'in-process', reader: world.store, readModelFile: ':memory:' });
    expect(await live.caughtUp(TIMEOUT_MS)).toBe(true);
    const zeros = { external: '0', available: '0', reserved: '0', held: '0', transit: '0', sum: '0' };
    expect(live.queries.trialBalance()).toEqual([{ asset: 'XAU', ...zeros }]);
    await live.close();
  });

  it('give a balance for each line of a statement', () => {
    const { items } = queries.entries('acc-1', ALL);
    const balances = new Map(items.map((item) => [`${item.asset} ${item.ledgerAccount}`, item.balance]));
    const shown = queries.account('acc-1')?.view.balances ?? [];
    for (const { asset, available, reserved } of shown) {
      expect(balances.get(`${asset} available`)).toBe(available);
      expect(balances.get(`${asset} reserved`) ?? '0').toBe(reserved);
    }
  });
});

describe('transfers', () => {
  it('tell under their sender how they went on', () => {
    const states = queries.transfers('acc-1', {}, ALL).items.map(({ transferId, state }) => [transferId, state]);
    expect(states).toEqual([
      ['t-returned', 'returned'],
      ['t-received', 'received'],
    ]);
    expect(queries.transfers('acc-1', { state: 'returned' }, ALL).items).toEqual([
      queries.transfer('acc-1', 't-returned'),
    ]);
    expect(queries.transfer('acc-1', 't-returned')).toMatchObject({ to: 'acc-3', reason: 'closed' });
    expect(queries.transfer('acc-2', 't-received')).toBeUndefined();
    expect(queries.transfers('acc-1', { state: 'sent' }, ALL).items).toEqual([]);
  });
});

describe('the index of names', () => {
  it('knows what every legal event names, by its first revision and latest value', async () => {
    const expected = new Map<string, { revision: number; value: string }>();
    const judge = new Judge(store);
    for (const recorded of log) {
      const { event } = await judge.judge(recorded);
      if (event === undefined) continue;
      for (const { kind, id, value } of indexEntries(event)) {
        const name = JSON.stringify([event.stream, kind, id]);
        const known = expected.get(name);
        if (known === undefined) expected.set(name, { revision: event.revision, value });
        else if (kind !== 'key') known.value = value;
      }
    }
    expect(expected.size).toBeGreaterThan(30);
    for (const [name, entry] of expected) {
      const [stream, kind, id] = JSON.parse(name) as [string, NameKind, string];
      expect([name, projections.index.lookup(stream, kind, id)]).toEqual([name, entry]);
    }
  });

  it('knows nothing else', () => {
    expect(projections.index.lookup('account-acc-2', 'deposit', 'd-6')).toBeUndefined();
    expect(projections.index.lookup('party-xacc-1', 'deposit', 'd-1')).toBeUndefined();
    expect(projections.index.lookup('account-acc-1', 'key', 'd-1')).toBeUndefined();
  });

  it('knows how far it reaches', () => {
    const ends = new Map(log.map(({ stream, revision }) => [stream, revision]));
    for (const [stream, revision] of ends) expect(projections.index.indexedRevision(stream)).toBe(revision);
    expect(projections.index.indexedRevision('account-acc-9')).toBe(-1);
    expect(projections.index.checkpoint()).toBe(log.at(-1)?.position);
  });

  it('knows the account of a freeze', () => {
    expect(projections.index.accountOfFreeze(story.basisEnded)).toBe('acc-2');
    expect(projections.index.accountOfFreeze(story.hitCleared)).toBe('acc-2');
    const party = { kind: 'party', partyId: 'p-2' } as const;
    expect(projections.index.hitsOf(sampleAddress, sampleHit.entry.sha256)).toEqual(['hit-1']);
    expect(projections.index.hitsOf(party, sampleHit.entry.sha256)[0]).toBe('hit-2');
    expect(projections.index.hitsOf(party, 'f'.repeat(64))).toEqual([]);
    expect(projections.index.partiesControlling(sampleAddress)).toEqual(['p-2']);
    const spelled = { ...sampleAddress, chain: 'Bitcoin' };
    expect(projections.index.hitsOf(spelled, sampleHit.entry.sha256)).toEqual(['hit-1']);
    expect(projections.index.partiesControlling(spelled)).toEqual(['p-2']);
    expect(projections.index.partiesControlling({ ...sampleAddress, chain: 'litecoin' })).toEqual([]);
    expect(projections.index.accountOfFreeze(forged.id)).toBeUndefined();
  });
});

describe('a deposit that was forced in under the id of another', () => {
  it('has moved money and is a line of the statement, but the deposit is the first', async () => {
    const twice = new MemoryEventStore();
    await tellStory(new LedgerWorld({ store: twice }));
    const data = {
      accountId: 'acc-1',
      depositId: 'd-6',
      asset: 'EUR',
      amount: '1',
      source: { kind: 'bank', reference: 'r' },
    };
    const { revision } = await forceIn(twice, 'account-acc-1', { type: 'FundsDeposited', data });
    const live = startProjections({ kind: 'in-process', reader: twice, readModelFile: ':memory:' });
    expect(await live.caughtUp(TIMEOUT_MS)).toBe(true);
    expect(live.queries.violationCount()).toBe(0);
    expect(live.queries.deposits('acc-1', ALL)).toEqual(queries.deposits('acc-1', ALL));
    expect(live.queries.deposit('acc-1', 'd-6')).toEqual(queries.deposit('acc-1', 'd-6'));
    expect(live.index.lookup('account-acc-1', 'deposit', 'd-6')?.revision).toBeLessThan(revision);
    const last = live.queries.entries('acc-1', ALL).items.at(-1);
    expect(last).toMatchObject({ revision, type: 'FundsDeposited', reference: 'd-6', amount: '1', balance: '1235' });
    await live.close();
  });
});

describe('waiting', () => {
  it('cuts the rest between two transactions, however long', async () => {
    const world = new LedgerWorld();
    const limits = { lingerMs: 2 * TIMEOUT_MS };
    const live = startProjections({ kind: 'in-process', reader: world.store, readModelFile: ':memory:', limits });
    for (const code of ['BTC', 'EUR', 'ETH', 'XRP']) {
      await world.accept({ type: 'RegisterAsset', code, scale: 2, kind: 'crypto' });
      const head = await world.store.head();
      expect(await live.queries.waitFor(head ?? '', TIMEOUT_MS)).toBe(true);
    }
    await live.close();
  });

  it('ends when the position is reached, and at once when it was before', async () => {
    const world = new LedgerWorld();
    const live = startProjections({ kind: 'in-process', reader: world.store, readModelFile: ':memory:' });
    expect(await live.caughtUp(TIMEOUT_MS)).toBe(true);
    const position = `${'0'.repeat(15)}1`;
    let over = false;
    const waiting = live.queries.waitFor(position, TIMEOUT_MS).finally(() => (over = true));
    expect(await live.queries.waitFor(position, 5)).toBe(false);
    expect([over, live.queries.asset('BTC')]).toEqual([false, undefined]);
    await world.accept({ type: 'RegisterAsset', code: 'BTC', scale: 8, kind: 'crypto' });
    expect(await waiting).toBe(true);
    expect(live.queries.asset('BTC')).toBeDefined();
    expect(live.queries.checkpoint()).toBe(position);
    expect(await live.queries.waitFor(position, 0)).toBe(true);
    await live.close();
  });

  it('ends when its time is over', async () => {
    expect(await queries.waitFor('f'.repeat(16), 10)).toBe(false);
  });

  it('ends when the projections close', async () => {
    const live = startProjections({ kind: 'in-process', reader: new MemoryEventStore(), readModelFile: ':memory:' });
    const waiting = live.queries.waitFor('f'.repeat(16), TIMEOUT_MS);
    await live.close();
    expect(await waiting).toBe(false);
    expect(live.status().state).toBe('closed');
  });
});

describe('while the read models are being built', () => {
  function observe({ queries: behind, index }: Projections): unknown {
    const asked = [
      () => behind.account('acc-1'),
      () => index.lookup('account-acc-1', 'deposit', 'd-1'),
      () => index.accountOfFreeze(story.inForce),
    ];
    return [...asked.map(codeThrownBy), index.indexedRevision('account-acc-1'), index.checkpoint()];
  }
  const nothing = ['read-model-behind', 'read-model-behind', 'read-model-behind', -1, undefined];

  it('nothing is answered, and nothing may be forgotten in favour of the index', async () => {
    const observed: unknown[] = [];
    const events: ProjectionEvent[] = [];
    const live = startProjections({
      kind: 'in-process',
      reader: store,
      readModelFile: ':memory:',
      limits: { batch: 10 },
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'committed' && !event.servable)
          observed.push([observe(live), live.queries.violationCount()]);
      },
    });
    expect(observe(live)).toEqual(nothing);
    await live.caughtUp(TIMEOUT_MS);
    const batches = observed.length;
    expect(batches).toBeGreaterThan(3);
    expect(observed).toEqual(observed.map(() => [nothing, 0]));
    expect(live.queries.violationCount()).toBe(2);
    await live.rebuild();
    expect(observed.slice(batches)).toEqual(Array.from({ length: batches }, () => [nothing, 2]));
    expect(live.queries.account('acc-1')).toEqual(queries.account('acc-1'));
    expect(events.filter(({ type }) => type === 'violation')).toHaveLength(2);
    await live.close();
  });
});

function codeThrownBy(ask: () => unknown): string | undefined {
  try {
    ask();
  } catch (error) {
    const { rejection } = error as { readonly rejection?: unknown };
    if (isRejection(rejection)) return rejection.code;
  }
  return undefined;
}
