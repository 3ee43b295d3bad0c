import type { RecordedEvent, RequestedScope } from '#kernel';
import type { Subject } from '#legal-orders';
import { CitationResolver, replayFreezes, StreamFold } from '#replay';
import { checker, checkLog, describeBreaches, forceIn, LedgerWorld, maker, variation, type Varied } from '#testing';
import { expect } from '@jest/globals';

/** What specs of orders that are varied have in common. */

export const ALL: RequestedScope = { direction: 'debit', assets: 'all' };
export const account = (accountId: string): Subject => ({ kind: 'account', accountId });
export const party = (partyId: string): Subject => ({ kind: 'party', partyId });
export const address = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });
export const keeping = (BTC: string): RequestedScope => ({ direction: 'debit', assets: ['BTC'], limits: { BTC } });

/** The freezes in force, as a replay of the log has them. */
export async function inForce({ store }: LedgerWorld, at?: RecordedEvent): Promise<readonly object[]> {
  const moment = at === undefined ? undefined : { position: at.position };
  const { items } = await replayFreezes(store, moment, { limit: 100 });
  return items.map(({ freezeId, accountId, scope, citation, placedBy }) => ({
    freezeId,
    accountId,
    scope,
    citation: citation.eventId,
    placedBy,
  }));
}

/** Nothing is left to do, nothing is wrong, and no process that starts finds anything to do. */
export async function expectQuiet(world: LedgerWorld): Promise<void> {
  const before = await world.log();
  const breaches = checkLog(before, { quiescent: true });
  expect(describeBreaches(breaches, before)).toBe('');
  const fresh = new LedgerWorld({ store: world.store, clock: world.clock });
  await fresh.ledger.supervisor.pass();
  expect(fresh.failures).toEqual([]);
  expect((await world.log()).slice(before.length)).toEqual([]);
}

/** What the replay of a stream finds wrong with it. Who judges the log by what it says alone has to come to the same. */
export async function violations(world: LedgerWorld, stream: string): Promise<readonly string[]> {
  const fold = new StreamFold(stream, new CitationResolver(world.store));
  const found: string[] = [];
  for (const event of await world.store.read(stream)) {
    const { violation } = await fold.apply(event);
    if (violation === undefined) continue;
    found.push(`${violation.code}: ${violation.detail}`);
    expect(checkLog(await world.log()).map(({ position }) => position)).toContain(event.position);
  }
  return found;
}

/**
 * Varies `ord-1` by a process that dies before it does anything about it.
 * @returns another process over the same store
 */
export async function varyOrderUnseen(world: LedgerWorld, changes: Varied, changeId: string): Promise<LedgerWorld> {
  await world.accept(variation(changeId, changes), { key: `propose-${changeId}` });
  const stream = 'legalOrder-ord-1';
  const proposed = (await world.store.read(stream)).at(-1)?.data as Record<string, unknown>;
  const { subjects, scope } = proposed;
  const what = { ...(subjects === undefined ? {} : { subjects }), ...(scope === undefined ? {} : { scope }) };
  const people = { method: 'm', proposedBy: maker.id, verifiedBy: checker.id };
  const data = { orderId: 'ord-1', changeId, ...what, ...people };
  await forceIn(
    world.store,
    stream,
    { type: 'LegalOrderVaried', data },
    { recordedAt: RECORDED_AT, actor: checker, key: { caller: checker.id, value: changeId } },
  );
  return new LedgerWorld({ store: world.store, clock: world.clock });
}

/** When a clock of the tests stands. */
export const RECORDED_AT = '2022-02-15T12:00:00.000Z';
