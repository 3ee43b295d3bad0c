import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';
import { forceIn, LedgerWorld } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { PartCheck } from './part-check.ts';
import { checkLogOnServer } from './server-check.ts';

const SHA256 = 'a'.repeat(64);

describe('an opening in which something was forced into the store', () => {
  let store: MemoryEventStore;
  /** Of the account that was opened as it should be. */
  let key: { readonly caller: string; readonly value: string };
  const holders = [{ partyId: 'p-1', capacity: 'owner' }];

  const attach = (accountId: string, value: string, holdersOf = holders): Promise<RecordedEvent> => {
    const opening = { accountId, holders: holdersOf, key: { caller: 'svc', value }, commandHash: SHA256 };
    const data = { partyId: 'p-1', accountId, capacity: 'owner', opening };
    return forceIn(store, 'party-p-1', { type: 'AccountAttached', data });
  };
  const open = (accountId: string, value: string | null, holdersOf = holders): Promise<RecordedEvent> => {
    const stream = `account-${accountId}`;
    const bears = value === null ? null : { caller: 'svc', homeStream: stream, value };
    return forceIn(
      store,
      stream,
      { type: 'AccountOpened', data: { accountId, holders: holdersOf } },
      { key: bears, commandHash: value === null ? null : SHA256 },
    );
  };
  const detach = (accountId: string, by: { readonly caller: string; readonly value: string }): Promise<RecordedEvent> =>
    forceIn(store, 'party-p-1', { type: 'AccountDetached', data: { partyId: 'p-1', accountId, key: by } });

  beforeEach(async () => {
    store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount('acc-1', 'p-1');
    const [opened] = await store.read('account-acc-1');
    if (opened === undefined || opened.metadata.key === null) throw new Error('no account was opened by a key');
    const { caller, value } = opened.metadata.key;
    key = { caller, value };
  });

  /** What is wrong, how many openings are left, and whether threads that share the streams find all at its end. */
  async function seen(): Promise<{ findings: readonly string[]; underWay: number; inParts: boolean }> {
    const { findings, unfinished } = await checkLogOnServer(store);
    const { events } = await store.readAll({ limit: 1_000 });
    // By the last characters of the names account-acc-2 is of another part than party-p-1, and account-acc-1 of the same.
    const parts = [0, 1].map((index) => new PartCheck(store, { index, of: 2 }));
    for (const part of parts) await part.take(events);
    const results = parts.map((part) => part.result());
    expect(results.flatMap((result) => result.findings)).toEqual([]);
    const inParts = results.reduce((sum, { openingsLeft }) => sum + openingsLeft, 0n) === 0n;
    const named = findings.map(({ code, stream, revision }) => `${code} ${stream}@${String(revision)}`);
    return { findings: named, underWay: unfinished.openings, inParts };
  }

  it('is right where each holder was attached by it before', async () => {
    expect(await seen()).toEqual({ findings: [], underWay: 0, inParts: true });
    await attach('acc-2', 'k-2');
    expect(await seen()).toEqual({ findings: [], underWay: 1, inParts: false });
    await open('acc-2', 'k-2');
    expect(await seen()).toEqual({ findings: [], underWay: 0, inParts: true });
  });

  it('is right where it came to nothing', async () => {
    await attach('acc-2', 'k-2');
    await detach('acc-2', { caller: 'svc', value: 'k-2' });
    expect(await seen()).toEqual({ findings: [], underWay: 0, inParts: true });
  });

  it.each<[string, string | null]>([
    ['nothing was attached', 'k-2'],
    ['nobody asked for it', null],
  ])('is found where %s, and hides no other that is under way', async (_what, value) => {
    await attach('acc-3', 'k-3');
    await open('acc-2', value);
    expect(await seen()).toEqual({ findings: ['untied-account account-acc-2@0'], underWay: 1, inParts: false });
  });

  it('is found where another opening attached the account, or this one another account', async () => {
    await attach('acc-2', 'k-1');
    await attach('acc-3', 'k-2');
    await open('acc-2', 'k-2');
    expect(await seen()).toEqual({ findings: ['untied-account account-acc-2@0'], underWay: 2, inParts: false });
  });

  it('is found where it was attached to one in another capacity, or not to all', async () => {
    await attach('acc-2', 'k-2');
    await open('acc-2', 'k-2', [{ partyId: 'p-1', capacity: 'joint' }]);
    await attach('acc-4', 'k-4');
    await open('acc-4', 'k-4', [...holders, { partyId: 'p-2', capacity: 'joint' }]);
    expect(await seen()).toMatchObject({
      findings: ['untied-account account-acc-2@0', 'untied-account account-acc-4@0'],
      underWay: 0,
      inParts: false,
    });
  });

  it('is found where it was attached afterwards', async () => {
    await open('acc-2', 'k-2');
    await attach('acc-2', 'k-2');
    expect(await seen()).toMatchObject({ findings: ['untied-account account-acc-2@0'] });
  });

  it('is found where it was detached before, or afterwards', async () => {
    await attach('acc-2', 'k-2');
    await detach('acc-2', { caller: 'svc', value: 'k-2' });
    await open('acc-2', 'k-2');
    const detached = await detach('acc-1', key);
    expect(await seen()).toEqual({
      findings: ['untied-account account-acc-2@0', `untied-account party-p-1@${String(detached.revision)}`],
      underWay: 0,
      inParts: false,
    });
  });
});
