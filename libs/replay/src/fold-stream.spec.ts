import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';
import {
  checker,
  LedgerWorld,
  lengthen,
  letterRegistration,
  service,
  storeWith,
  watched,
  type Watched,
} from '#testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { foldStream, pagesOf, STREAM_PAGE_EVENTS as PAGE } from './fold-stream.ts';
import { StreamFold, type Folded } from './fold.ts';
import { Judge } from './judge.ts';
import { replayAccount } from './replay-account.ts';
import { replayFreezes } from './replay-freezes.ts';
import { CitationResolver } from './resolver.ts';

const LONG = 'account-acc-1';
const ORDER = 'legalOrder-ord-1';
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const deposit = (n: number): { type: string; data: object } => ({
  type: 'FundsDeposited',
  data: {
    accountId: 'acc-1',
    depositId: `d-${String(n)}`,
    asset: 'BTC',
    amount: '1',
    source: { kind: 'bank', reference: 'r' },
  },
});

/** What is on the other streams, or rests on them. */
const MADE = ['AccountFrozen', 'AccountUnfrozen', 'TransferReceived', 'DepositReversed', 'AuthorityRequestAnswered'];

/** An account and an order of several pages each, and others that cite events behind their first page. */
const store = new MemoryEventStore();
let watch: Watched;

beforeAll(async () => {
  const world = new LedgerWorld({ store });
  await world.openAccount('acc-1', 'p-1');
  await world.openAccount('acc-2', 'p-2');
  await lengthen(store, LONG, PAGE + 100, deposit);
  const subjects = ['acc-1', 'acc-2'].map((accountId) => ({ kind: 'account' as const, accountId }));
  await world.putOrder({ subjects, scope: { direction: 'debit', assets: ['BTC'], limits: { BTC: '0.00000001' } } });
  await lengthen(store, ORDER, PAGE + 100, () => ({ type: 'Unknown', data: {} }));
  const fresh = new LedgerWorld({ store });
  const transfer = { transferId: 't-1', asset: 'BTC', amount: '0.00000001', reference: 'r' };
  await fresh.accept({ type: 'SendTransfer', accountId: 'acc-1', to: 'acc-2', ...transfer });
  const [frozen] = await fresh.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
  const lift = { accountId: 'acc-1', freezeId: (frozen?.data as { freezeId: string }).freezeId, requestId: 'r-1' };
  await fresh.accept({ type: 'RequestLift', ...lift, ground: 'placed-in-error', note: 'n' });
  await fresh.accept({ type: 'ApproveLift', ...lift }, { actor: checker });
  // Of the first page; and judged on another, with the name that it had there.
  const reversal = { accountId: 'acc-1', depositId: 'd-0', cause: 'mistake', reason: 'r' } as const;
  await fresh.accept({ type: 'ReverseDeposit', ...reversal }, { actor: service });
  // There is room for this one because the other has ended.
  await fresh.accept({ type: 'FreezeAccount', accountId: 'acc-2', basis });
  await fresh.accept(letterRegistration());
  const granted = {
    type: 'AnswerAuthorityRequest',
    requestId: 'req-1',
    outcome: 'granted',
    reason: 'r',
    basis,
  } as const;
  await fresh.accept(granted, { actor: checker });
  await lengthen(store, LONG, PAGE, (n) => deposit(n + 10_000));
  await fresh.accept({ type: 'RegisterParty', partyId: 'p-3', kind: 'person', externalRef: 'r' });
  await lengthen(store, LONG, 1, () => deposit(20_000));
});
beforeEach(() => {
  watch = watched(store);
});
afterEach(() => watch.end());

/** The most events of each of these streams that one read answered. */
function largestPages(...streams: string[]): readonly number[] {
  return streams.map((stream) => {
    const reads = watch.reads.filter((read) => read.stream === stream);
    return Math.max(...reads.map(({ events }) => events));
  });
}

const foldOf = (stream: string, reader: EventStore = store): StreamFold =>
  new StreamFold(stream, new CitationResolver(reader));

/** What a fold of all events at once comes to. */
async function foldedAtOnce(stream: string, isWanted: (event: RecordedEvent) => boolean): Promise<Folded> {
  const fold = foldOf(stream);
  for (const event of (await store.read(stream)).filter(isWanted)) await fold.apply(event);
  return fold.folded;
}

describe('the pages of a stream', () => {
  it('are its events in order, and everything else has its turn between two', async () => {
    const found: RecordedEvent[] = [];
    for await (const page of pagesOf(watch.store, LONG)) found.push(...page);
    expect(found).toEqual(await store.read(LONG));
    expect(watch.reads.length).toBeGreaterThan(2);
    expect(largestPages(LONG)).toEqual([PAGE]);
    const turns = watch.reads.map(({ turn }) => turn);
    expect(turns).toEqual([...new Set(turns)]);
  });

  it.each([
    ['a short stream', 'account-acc-2', {}],
    ['what is left of a long one', LONG, { from: PAGE + 1 + PAGE }],
    ['a range that ends a page', LONG, { to: PAGE - 1 }],
    ['no event', 'account-acc-9', {}],
  ])('cost %s one read, and no turn', async (_, stream, range) => {
    const turns = new Set<number>();
    let events = 0;
    let turn = 0;
    const counting = setImmediate(() => (turn += 1));
    for await (const page of pagesOf(watch.store, stream, range)) {
      turns.add(turn);
      events += page.length;
    }
    turns.add(turn);
    clearImmediate(counting);
    expect(watch.reads).toHaveLength(1);
    expect(watch.reads[0]?.events).toBe(events);
    expect([...turns]).toEqual([0]);
  });

  it('have what was appended while they were read', async () => {
    const growing = new MemoryEventStore();
    await new LedgerWorld({ store: growing }).openAccount();
    await lengthen(growing, LONG, PAGE, deposit);
    const pages: number[] = [];
    for await (const page of pagesOf(growing, LONG)) {
      pages.push(page.length);
      if (pages.length === 1) await lengthen(growing, LONG, 10, (n) => deposit(n + 1_000));
    }
    expect(pages).toEqual([PAGE, 11]);
  });
});

/** In the middle of a page, at its last event, and after that. */
const CUTS = [0, PAGE / 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE];

describe('a fold in pages', () => {
  it.each(CUTS)('up to revision %d is the fold of all events at once', async (to) => {
    const fold = foldOf(LONG);
    await foldStream(store, fold, { to });
    expect(fold.folded).toEqual(await foldedAtOnce(LONG, ({ revision }) => revision <= to));
    expect(fold.revision).toBe(to);
  });

  it('ends before the first event that is not wanted, and reads no further', async () => {
    const fold = foldOf(LONG);
    await foldStream(watch.store, fold, { isWanted: ({ revision }) => revision !== 7 });
    expect(fold.folded).toEqual(await foldedAtOnce(LONG, ({ revision }) => revision < 7));
    expect(watch.reads).toHaveLength(1);
  });

  it('goes on from where it is, to the end', async () => {
    const fold = foldOf(LONG);
    const revisions: number[] = [];
    const onFolded = ({ recorded }: { recorded: RecordedEvent }): void => void revisions.push(recorded.revision);
    for (const to of [PAGE + 7, undefined]) await foldStream(store, fold, { to, onFolded });
    expect(fold.folded).toEqual(await foldedAtOnce(LONG, () => true));
    expect(revisions).toEqual((await store.read(LONG)).map(({ revision }) => revision));
  });

  it('can be called again when the store failed in the middle', async () => {
    let reads = 0;
    const broken = {
      read: (...asked: Parameters<EventStore['read']>) => {
        reads += 1;
        return reads === 2 ? Promise.reject(new Error('gone')) : store.read(...asked);
      },
    };
    const fold = foldOf(LONG);
    await expect(foldStream(broken, fold)).rejects.toThrow('gone');
    expect(fold.revision).toBe(PAGE - 1);
    await foldStream(broken, fold);
    expect(fold.folded).toEqual(await foldedAtOnce(LONG, () => true));
  });
});

describe('an account of several pages', () => {
  it.each(CUTS)('is as of a position what its events up to revision %d made of it', async (revision) => {
    const [last] = await store.read(LONG, { from: revision, to: revision });
    const position = last?.position ?? '';
    const account = await replayAccount(watch.store, 'acc-1', { position });
    const atOnce = await foldedAtOnce(LONG, (event) => event.position <= position);
    expect(account).toMatchObject({ streamRevision: revision, position, state: atOnce.contents?.state });
    expect(largestPages(LONG)[0]).toBeLessThanOrEqual(PAGE);
  });

  it('shows its freezes, whatever lies between them', async () => {
    const { items } = await replayFreezes(watch.store, undefined, { limit: 10 });
    expect(items).toMatchObject([{ accountId: 'acc-2', state: 'in-force', basis }]);
    expect(largestPages(LONG, ORDER)).toEqual([PAGE, PAGE]);
  });
});

describe('folds at the same time, of what rests on the same long streams', () => {
  it('come to the same as one alone: none goes on with what another is folding', async () => {
    // Slow enough for all to ask before any has an answer.
    const read: EventStore['read'] = async (...asked) => {
      await new Promise((resolve) => setImmediate(resolve));
      return store.read(...asked);
    };
    const slow = storeWith(store, { read });
    const resolver = new CitationResolver(slow);
    // The order is known from then on up to the freeze of this one; that of the others stands further on.
    await foldStream(slow, new StreamFold(LONG, resolver));
    const folds = [1, 2, 3].map(() => new StreamFold('account-acc-2', resolver));
    // What was received rests on the account, the freeze after it on the order.
    for (const to of [1, undefined]) await Promise.all(folds.map((fold) => foldStream(slow, fold, { to })));
    const alone = await foldedAtOnce('account-acc-2', () => true);
    expect(folds.map(({ folded }) => folded)).toEqual([alone, alone, alone]);
    expect(alone.contents).toMatchObject({ state: { freezes: { inForce: { size: 1 } } } });
  });
});

describe('a judge that knows nothing from before', () => {
  it('finds each event as it is, and reads no stream at once', async () => {
    const { events } = await store.readAll({ limit: 10_000 });
    const made = events.filter(({ type }) => type !== 'Unknown' && type !== 'FundsDeposited');
    expect(made.map(({ type }) => type)).toEqual(expect.arrayContaining(MADE));
    expect(made.some(({ data }) => Object.hasOwn(Object(data) as object, 'endedFreezes'))).toBe(true);
    for (const event of made) expect((await new Judge(watch.store).judge(event)).violation).toBeUndefined();
    expect(largestPages(LONG, ORDER)).toEqual([PAGE, PAGE]);
  });
});
