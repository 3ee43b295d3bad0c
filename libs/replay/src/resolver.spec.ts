import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { pointerTo, type RecordedEvent } from '#kernel';
import { HIT_SCOPE, type FreezeAuthorised } from '#sanctions';
import {
  authorisedUnderHit,
  forceIn,
  LedgerWorld,
  putHit,
  SAMPLE_HIT_STREAM,
  SAMPLE_MAKER,
  sampleAddress,
  seal,
  type SealOptions,
} from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { StreamFold } from './fold.ts';
import { Judge } from './judge.ts';
import { CitationResolver } from './resolver.ts';

const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const source = { kind: 'bank', reference: 'r' } as const;
const order = 'legalOrder-ord-1';
const account = 'account-acc-1';
/** The key of an authorisation that was left open. */
const key = { caller: 'maker', value: 'f', homeStream: account };

/** Appends an event past the rules of its stream, well sealed. */
async function force(
  store: EventStore,
  stream: string,
  type: string,
  data: unknown,
  { wrongLink = false, ...options }: SealOptions & { readonly wrongLink?: boolean } = {},
): Promise<RecordedEvent> {
  const last = (await store.read(stream)).at(-1);
  if (last === undefined) throw new Error(`${stream} has no event`);
  const recordedAt = '2022-02-15T12:00:00.000Z';
  const end = { revision: last.revision, hash: wrongLink ? 'f'.repeat(64) : last.metadata.hash };
  await store.append(stream, last.revision, seal(stream, end, [{ type, data }], { recordedAt, ...options }));
  const [event] = await store.read(stream, { from: last.revision + 1 });
  if (event === undefined) throw new Error('nothing was stored');
  return event;
}

async function violations(store: EventStore, stream: string): Promise<readonly (string | undefined)[]> {
  const judge = new Judge(store);
  const found: (string | undefined)[] = [];
  for (const event of await store.read(stream)) found.push((await judge.judge(event)).violation?.detail);
  return found.slice(-1);
}

describe('an authorisation that was abandoned because its key was used', () => {
  let store: MemoryEventStore;
  let world: LedgerWorld;
  let authorisation: RecordedEvent;

  beforeEach(async () => {
    store = new MemoryEventStore();
    world = new LedgerWorld({ store });
    await world.openAccount();
    await world.putOrder();
    authorisation = await authorise('ord-1');
  });

  /** On record, and left open by whoever asked for it under the key. */
  async function authorise(orderId: string): Promise<RecordedEvent> {
    const stream = `legalOrder-${orderId}`;
    const [registration] = await store.read(stream);
    if (registration === undefined) throw new Error('no order');
    const namedBy = { stream, revision: '0', eventId: registration.id };
    const scope = { direction: 'debit', assets: 'all' };
    const data = { orderId, accountId: 'acc-1', scope, namedBy, requestedBy: 'maker' };
    return force(store, stream, 'FreezeAuthorised', data, { key, actor: { id: 'maker', roles: [] } });
  }

  const abandon = (): Promise<RecordedEvent> => {
    const { id, stream, revision } = authorisation;
    const citation = { stream, revision: String(revision), eventId: id };
    const data = { accountId: 'acc-1', freezeId: id, basis: freeze.basis, citation, reason: 'key-used' };
    return force(store, account, 'FreezeAbandoned', data);
  };
  const deposit = (depositId: string, with_: SealOptions['key']): Promise<RecordedEvent> => {
    const data = { accountId: 'acc-1', depositId, asset: 'BTC', amount: '1', source };
    return force(store, account, 'FundsDeposited', data, { key: with_ ?? null });
  };

  it('resolves where the key stands, however long ago it was used', async () => {
    await deposit('d-first', key);
    for (let n = 0; n < 1_200; n += 1) await deposit(`d-${String(n)}`, { caller: 'payments', value: `k-${String(n)}` });
    await abandon();
    expect(await violations(store, account)).toEqual([undefined]);
  });

  it.each<[string, SealOptions['key'][]]>([
    ['no key was used', [null]],
    ['another caller used such a key', [{ ...key, caller: 'payments' }]],
    ['another key was used', [{ ...key, value: 'g' }]],
    ['the key was used at another place', [{ ...key, homeStream: 'account-acc-2' }]],
  ])('is a violation where %s', async (_name, keys) => {
    for (const [at, used] of keys.entries()) await deposit(`d-${String(at)}`, used);
    await abandon();
    expect(await violations(store, account)).toEqual(['the key of the authorisation was not used on the account']);
  });

  it('is a violation where the key is used only later', async () => {
    await abandon();
    const judge = new Judge(store);
    const [opened, abandoned] = await store.read(account);
    if (opened === undefined || abandoned === undefined) throw new Error('no account');
    await deposit('d-1', key);
    await judge.judge(opened);
    expect((await judge.judge(abandoned)).violation?.code).toBe('citation-unresolved');
  });

  it.each<[string, string, object, { readonly wrongLink: boolean }]>([
    [
      'does not link to the one before it',
      'CommandRefused',
      { command: 'CloseAccount', code: 'account-frozen', detail: 'd', extra: {}, request: {}, decidedOn: null },
      { wrongLink: true },
    ],
    [
      'is not legal where it stands',
      'FundsHeld',
      { accountId: 'acc-1', depositId: 'd', asset: 'BTC', amount: '1', source },
      { wrongLink: false },
    ],
  ])('is a violation where the event with the key %s', async (_name, type, data, { wrongLink }) => {
    await force(store, account, type, data, { key, wrongLink });
    await abandon();
    expect(await violations(store, account)).toEqual(['the key of the authorisation was not used on the account']);
  });

  it('may be decided together with the command that uses the key, before either is stored', async () => {
    const gate = gated(store);
    const slow = new LedgerWorld({ store: gate.store });
    await world.putOrder({ orderId: 'ord-2' });
    await authorise('ord-2');
    const funds = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', amount: '1', source } as const;
    const first = slow.ask({ ...funds, depositId: 'd-0' });
    await gate.reached;
    const settled: Promise<void>[] = [];
    for (const id of ['ord-2', 'ord-1']) {
      settled.push(slow.ledger.supervisor.tendBasis({ kind: 'legal-order', id }));
      // Nothing but the account waits for anything: after some turns the settling stands in its lane.
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(slow.ledger.waiting).toBe(3);
    gate.open();
    await Promise.all([first, ...settled]);
    expect((await store.read(account)).slice(-2)).toMatchObject([
      { type: 'AccountFrozen', data: { basis: { id: 'ord-2' } }, metadata: { key: { value: 'f' } } },
      { type: 'FreezeAbandoned', data: { reason: 'key-used' }, metadata: { key: null } },
    ]);
    expect(gate.appends).toEqual([1, 2]);
    expect(await violations(store, account)).toEqual([undefined]);
  });
});

describe('a freeze that rests on a tie which is a violation itself', () => {
  const party = 'party-p-1';
  const { chain, address } = sampleAddress;
  const link = { partyId: 'p-1', chain, address, role: 'holder-controlled' };
  let store: MemoryEventStore;
  let world: LedgerWorld;

  beforeEach(async () => {
    store = new MemoryEventStore();
    world = new LedgerWorld({ store });
    await world.openAccount();
  });

  const attachment = (accountId: string): object => {
    const holder = { partyId: 'p-1', capacity: 'owner' };
    const opening = { accountId, holders: [holder], key: { caller: 'svc', value: accountId }, commandHash };
    return { ...holder, accountId, opening };
  };
  const commandHash = 'c'.repeat(64);

  /** Authorised by the hit, which is well formed and legal, and frozen. @returns what is found of the freeze */
  async function frozen(data: Partial<FreezeAuthorised['data']>): Promise<string | undefined> {
    const authorised = await force(store, SAMPLE_HIT_STREAM, 'FreezeAuthorised', authorisedUnderHit(data).data);
    const { accountId = 'acc-1' } = data;
    const citation = pointerTo(authorised);
    const found = { balancesAtFreeze: [], stopped: [], inFlight: [], blockedFrom: '2022-02-15T00:00:00.000Z' };
    const placed = { placedBy: SAMPLE_MAKER, claimGroup: 'sanctions-hit/hit-1', scope: HIT_SCOPE, ...found };
    const hit = { kind: 'sanctions-hit', id: 'hit-1' };
    const freeze = { accountId, freezeId: authorised.id, basis: hit, citation, ...placed };
    await force(store, `account-${accountId}`, 'AccountFrozen', freeze, { schemaVersion: 2 });
    return (await violations(store, `account-${accountId}`)).at(-1);
  }

  it.each([
    [false, undefined],
    [true, 'the event that links the address does not exist'],
  ])('by an address, linked to the chain of events wrongly: %s', async (wrongLink, found) => {
    await putHit(world, { subject: sampleAddress });
    const linked = await force(store, party, 'AddressLinked', link, { wrongLink });
    const namedBy = pointerTo(await attached());
    expect(await frozen({ namedBy, linkedBy: pointerTo(linked) })).toBe(found);
  });

  it.each([
    [false, undefined],
    [true, 'the event that names the account does not exist'],
  ])('by an attachment, linked to the chain of events wrongly: %s', async (wrongLink, found) => {
    const namedBy = pointerTo(await force(store, party, 'AccountAttached', attachment('acc-2'), { wrongLink }));
    await putHit(world);
    await openForged('acc-2');
    expect(await frozen({ accountId: 'acc-2', namedBy })).toBe(found);
  });

  it('by an attachment that came when a basis named the party', async () => {
    await putHit(world);
    await world.ledger.supervisor.pass();
    const namedBy = pointerTo(await force(store, party, 'AccountAttached', attachment('acc-2')));
    await openForged('acc-2');
    expect(await frozen({ accountId: 'acc-2', namedBy })).toBe('the event that names the account does not exist');
  });

  it('is not placed by the supervisor either', async () => {
    await putHit(world, { subject: sampleAddress });
    const linkedBy = pointerTo(await force(store, party, 'AddressLinked', link, { wrongLink: true }));
    const data = authorisedUnderHit({ namedBy: pointerTo(await attached()), linkedBy }).data;
    await force(store, SAMPLE_HIT_STREAM, 'FreezeAuthorised', data);
    await new LedgerWorld({ store, clock: world.clock }).ledger.supervisor.pass();
    expect((await store.read(account)).map(({ type }) => type)).toEqual(['AccountOpened']);
  });

  async function attached(): Promise<RecordedEvent> {
    const found = (await store.read(party)).find(({ type }) => type === 'AccountAttached');
    if (found === undefined) throw new Error('nothing was attached');
    return found;
  }

  async function openForged(accountId: string): Promise<void> {
    const data = { accountId, holders: [{ partyId: 'p-1', capacity: 'owner' }] };
    await forceIn(store, `account-${accountId}`, { type: 'AccountOpened', data });
  }
});

describe('a transfer that was decided', () => {
  it('can be cited once it is stored, and never before', async () => {
    const world = new LedgerWorld();
    const { store } = world;
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const deposit = { accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '5', source };
    await force(store, account, 'FundsDeposited', deposit);
    const resolver = new CitationResolver(store);
    const [sender, receiver] = await Promise.all(
      ['acc-1', 'acc-2'].map(async (id) => {
        const fold = new StreamFold(`account-${id}`, resolver);
        for (const event of await store.read(fold.stream)) await fold.apply(event);
        return fold;
      }),
    );
    if (sender === undefined || receiver === undefined) throw new Error('two folds were asked for');
    const next = ({ stream, revision, lastHash }: StreamFold, type: string, data: object): RecordedEvent => {
      const [event] = seal(stream, { revision, hash: lastHash ?? '' }, [{ type, data }]);
      if (event === undefined) throw new Error('nothing was sealed');
      return { ...event, stream, revision: revision + 1, position: '' };
    };
    const transfer = { transferId: 't-1', asset: 'BTC', amount: '5' };
    const sent = next(sender, 'TransferSent', { accountId: 'acc-1', to: 'acc-2', ...transfer });
    const citation = { stream: account, revision: String(sent.revision), eventId: sent.id };
    const received = { accountId: 'acc-2', from: 'acc-1', citation, ...transfer };
    expect(await sender.applyOwn(sent)).toMatchObject({ violation: undefined });
    const early = await receiver.applyOwn(next(receiver, 'TransferReceived', received));
    expect(early.violation?.code).toBe('citation-unresolved');
    await store.append(account, sent.revision - 1, [sent]);
    const inTime = await receiver.applyOwn(next(receiver, 'TransferReceived', received));
    expect(inTime.violation).toBeUndefined();
  });
});

describe('what cites a transfer', () => {
  it.each([
    ['2022-02-15T12:00:00.000Z', [undefined, undefined]],
    ['2022-02-15T12:00:00.001Z', ['cites no transfer that was sent', 'cites no refusal of a transfer']],
  ])('has a time that is no earlier: %s', async (recordedAt, found) => {
    const world = new LedgerWorld();
    const { store } = world;
    for (const n of ['1', '2', '3']) await world.openAccount(`acc-${n}`, `p-${n}`);
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '5', source });
    await world.accept({ type: 'CloseAccount', accountId: 'acc-3', reason: 'asked' });
    const sendTo = (to: string, at?: string): Promise<RecordedEvent> => {
      const data = { accountId: 'acc-1', to, transferId: to, asset: 'BTC', amount: '1' };
      return force(store, account, 'TransferSent', data, at === undefined ? {} : { recordedAt: at });
    };
    const outcome = (to: string, sent: RecordedEvent): object => ({
      accountId: to,
      from: 'acc-1',
      transferId: to,
      asset: 'BTC',
      amount: '1',
      citation: pointerTo(sent),
    });
    const toClosed = await sendTo('acc-3');
    const refusal = { ...outcome('acc-3', toClosed), reason: 'closed' };
    const refused = await force(store, 'account-acc-3', 'TransferRefused', refusal, { recordedAt });
    const returned = { ...outcome('acc-3', refused), accountId: 'acc-1', to: 'acc-3', reason: 'closed' };
    const { from: _, ...data } = returned as { from?: string };
    await force(store, account, 'TransferReturned', data);
    const [ofReturn] = await violations(store, account);
    const sent = await sendTo('acc-2', recordedAt);
    await force(store, 'account-acc-2', 'TransferReceived', outcome('acc-2', sent));
    expect([...(await violations(store, 'account-acc-2')), ofReturn]).toEqual(found);
  });
});

describe('the freezes of one order', () => {
  /** How often the order's events are looked into while the freezes of so many accounts are judged. */
  async function looksFor(freezes: number): Promise<number> {
    const world = new LedgerWorld();
    await world.openAccount('acc-0');
    const accounts = Array.from({ length: freezes }, (_, n) => `acc-${String(n)}`);
    const holders = [{ partyId: 'p-1', capacity: 'owner' }] as const;
    for (const accountId of accounts.slice(1)) await world.accept({ type: 'OpenAccount', accountId, holders });
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    for (const accountId of accounts) await world.accept({ ...freeze, accountId });
    let looks = 0;
    const counted = (event: RecordedEvent): RecordedEvent => {
      const metadata = new Proxy(event.metadata, {
        get: (target, name): unknown => {
          looks += 1;
          return Reflect.get(target, name);
        },
      });
      return { ...event, metadata };
    };
    const { store } = world;
    const judge = new Judge({
      read: async (stream, options) => {
        const events = await store.read(stream, options);
        return stream === order ? events.map(counted) : events;
      },
      readAll: (options) => store.readAll(options),
      head: () => store.head(),
      subscribeAll: (options) => store.subscribeAll(options),
      close: () => store.close(),
    });
    const frozen = (await world.log()).filter(({ type }) => type === 'AccountFrozen');
    expect(frozen).toHaveLength(freezes);
    for (const event of frozen) expect((await judge.judge(event)).violation).toBeUndefined();
    return looks;
  }

  it('cost as much each, however many there are: the order is folded once', async () => {
    expect((await looksFor(80)) / (await looksFor(40))).toBeLessThan(2.2);
  });
});

/** A store whose first append of the account waits until it is let through. */
function gated(inner: EventStore): {
  readonly store: EventStore;
  readonly reached: Promise<void>;
  readonly open: () => void;
  /** How many events each append of the account had. */
  readonly appends: readonly number[];
} {
  const appends: number[] = [];
  const reached = Promise.withResolvers<undefined>();
  const opened = Promise.withResolvers<undefined>();
  const append: EventStore['append'] = async (...call) => {
    if (call[0] !== account) return inner.append(...call);
    appends.push(call[2].length);
    reached.resolve(undefined);
    await opened.promise;
    return inner.append(...call);
  };
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === 'append') return append;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, reached: reached.promise.then(() => undefined), open: () => opened.resolve(undefined), appends };
}

describe('an event that was about to be appended, and was not', () => {
  it('lends its name to no other that came to stand in its place', async () => {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd', asset: 'BTC', amount: '1', source });
    const transfer = (units: string): object => ({ transferId: 't', asset: 'BTC', amount: units });
    const sentBy = (units: string): object => ({ accountId: 'acc-1', to: 'acc-2', ...transfer(units) });
    const folds = new Map([[account, new StreamFold(account, new CitationResolver(store))]]);
    const fold = folds.get(account);
    for (const event of await store.read(account)) await fold?.apply(event);
    const forged = await force(store, account, 'TransferSent', sentBy('900000000'));
    await fold?.applyOwn({ ...forged, id: '00000000-0000-7000-8000-000000000001', data: sentBy('1') });

    const citation = pointerTo(forged);
    const data = { accountId: 'acc-2', from: 'acc-1', ...transfer('900000000'), citation };
    const received = await force(store, 'account-acc-2', 'TransferReceived', data);
    const receiver = new StreamFold(received.stream, new CitationResolver(store, { folded: (of) => folds.get(of) }));
    const found: (string | undefined)[] = [];
    for (const event of await store.read(received.stream)) found.push((await receiver.apply(event)).violation?.code);
    expect(found.at(-1)).toBe('citation-unresolved');
  });
});

describe('an event that another account may cite', () => {
  const citable = (resolver: CitationResolver): number =>
    resolver.bounds.find(({ what }) => what === 'citable-events')?.inUse() ?? NaN;

  it('is kept for it, unless others judge that account', async () => {
    const world = new LedgerWorld();
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd', asset: 'BTC', amount: '2', source });
    const transfer = { transferId: 't', asset: 'BTC', amount: '1', reference: 'r' };
    await world.accept({ type: 'SendTransfer', accountId: 'acc-1', to: 'acc-2', ...transfer });
    const kept: number[] = [];
    for (const theirs of [undefined, 'account-acc-3', 'account-acc-2']) {
      const others = { judge: (stream: string) => stream === theirs, askLater: () => undefined };
      const resolver = new CitationResolver(world.store, theirs === undefined ? {} : { others });
      const fold = new StreamFold(account, resolver);
      for (const event of await world.store.read(account)) await fold.apply(event);
      kept.push(citable(resolver));
    }
    expect(kept).toEqual([1, 1, 0]);
  });
});
