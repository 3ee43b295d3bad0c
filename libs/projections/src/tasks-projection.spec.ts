import { initialAccountState, type AccountState } from '#accounts';
import type { FreezeEnd, LiftRequest } from '#freezes';
import { initialPartyState, openingKey, type PartyState } from '#parties';
import type { JudgedEvent } from '#replay';
import { LogBuilder, nextTestId, ProjectedRows } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { projectTasks } from './tasks-projection.ts';
import { tasksTable } from './tasks.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: nextTestId() };

/** A party that is attached to so many accounts, named by a basis. */
function naming(accounts: number): JudgedEvent {
  const state: PartyState = initialPartyState();
  for (let n = 0; n < accounts; n += 1) {
    const opening = { accountId: `acc-${String(n)}`, holders: [], key: { caller: 'c', value: 'k' }, commandHash: '' };
    state.attachments.set(openingKey(opening.key, opening.accountId), {
      opening,
      pointer: citation,
      status: n === 0 ? 'detached' : 'attached',
    });
  }
  const recorded = new LogBuilder().append('party-p-1', {
    type: 'PartyNamed',
    data: { partyId: 'p-1', basis, citation },
  });
  return { recorded, event: recorded as never, violation: undefined, after: { kind: 'party', state } };
}

/** A freeze of an account that has so many already. */
function freezing(freezes: number): JudgedEvent {
  const state: AccountState = { ...initialAccountState(), accountId: 'acc-1', opened: true };
  state.holders = [{ partyId: 'p-1', capacity: 'owner' }];
  const liftRequests = new Map<string, LiftRequest>();
  const ended = new Map<string, FreezeEnd>();
  for (let n = 0; n < freezes; n += 1) {
    const freezeId = nextTestId();
    const request = {
      requestId: 'r',
      freezeId,
      orderId: undefined,
      requestedBy: 'm',
      note: 'n',
      state: 'requested',
      pointer: citation,
    } as const;
    liftRequests.set(freezeId, request);
    ended.set(freezeId, { state: 'lifted', basis, pointer: citation });
  }
  state.freezes = { ...state.freezes, liftRequests, ended };
  const recorded = new LogBuilder().append('account-acc-1', {
    type: 'AccountFrozen',
    data: { accountId: 'acc-1', freezeId: citation.eventId, basis, citation },
  });
  return { recorded, event: recorded as never, violation: undefined, after: { kind: 'account', state } };
}

function changesOf(judged: JudgedEvent): ReturnType<typeof projectTasks> {
  return projectTasks(judged.recorded as never, judged);
}

describe('the projection of tasks', () => {
  it('asks for each account of a party that is named, and for none that was detached', () => {
    const rows = new ProjectedRows();
    rows.apply(changesOf(naming(3)));
    const once = rows.of(tasksTable);
    rows.apply(changesOf(naming(3)));
    expect(rows.of(tasksTable).filter(({ kind }) => kind === 'freeze-account')).toMatchObject([
      { accountId: 'acc-1', partyId: 'p-1', basisId: 'ord-1', asked: 1, done: 0 },
      { accountId: 'acc-2', partyId: 'p-1', basisId: 'ord-1', asked: 1, done: 0 },
    ]);
    expect(rows.of(tasksTable)).toHaveLength(once.length);
  });

  it('changes as many rows as an event has subjects, however long the history', () => {
    expect(changesOf(naming(10_001)).length - changesOf(naming(1)).length).toBe(2 * 10_000);
    expect(changesOf(freezing(5_000))).toHaveLength(changesOf(freezing(0)).length);
  });

  it.each(['before', 'after'])('has a freeze done %s its account was asked for', (order) => {
    const rows = new ProjectedRows();
    const frozen = { ...freezing(0) };
    const events = order === 'before' ? [frozen, naming(2)] : [naming(2), frozen];
    for (const event of events) rows.apply(changesOf(event));
    const ofAccount = rows.of(tasksTable).filter((row) => row['kind'] === 'freeze-account' && row['asked'] === 1);
    expect(ofAccount).toMatchObject([{ accountId: 'acc-1', done: 1 }]);
  });
});
