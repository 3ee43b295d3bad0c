import type { DomainEvent, RecordedEvent } from '#kernel';
import type { JudgedEvent } from '#replay';
import { LogBuilder, ProjectedRows } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { namesTable, streamsTable } from './names-projection.ts';
import { fingerprintOf, projectors } from './projectors.ts';
import { refusalsTable } from './refusals-projection.ts';
import { violationsTable } from './violations-projection.ts';

const seenAt = '2022-05-01T00:00:00.000Z';

/** Delivers each event twice to all projectors. */
function project(...judged: readonly JudgedEvent[]): ProjectedRows {
  const rows = new ProjectedRows();
  for (const event of judged) {
    for (const { project: projectOne } of projectors) {
      rows.apply(projectOne(event, seenAt));
      rows.apply(projectOne(event, seenAt));
    }
  }
  return rows;
}

function legal(recorded: RecordedEvent): JudgedEvent {
  return { recorded, event: recorded as never, violation: undefined, after: undefined };
}

const refused: DomainEvent = {
  type: 'CommandRefused',
  data: {
    command: 'ReserveWithdrawal',
    code: 'account-frozen',
    detail: 'frozen',
    extra: { freezeIds: ['f'] },
    request: { amount: '1' },
    decidedOn: null,
  },
};

describe('refusals', () => {
  it('are shown with all that was recorded, and who asked', () => {
    const recorded = new LogBuilder().append('account-a', refused, { actor: 'alice', key: 'k' });
    const { stream, revision, position, id: eventId } = recorded;
    const { recordedAt } = recorded.metadata;
    const rows = project(legal(recorded)).of(refusalsTable);
    expect(rows.map(({ view }) => JSON.parse(String(view)) as unknown)).toEqual([
      { stream, revision, position, eventId, ...(refused.data as object), actor: 'alice', recordedAt },
    ]);
  });

  it('are also openings that were abandoned because a basis names a holder, asked for by whoever asked', () => {
    const data = {
      accountId: 'a',
      reason: 'party-named-by-basis',
      holders: [{ partyId: 'p', capacity: 'owner' }],
      partyId: 'p',
      decidedOn: { stream: 'party-p', revision: '3' },
    };
    const key = { caller: 'alice', value: 'k' };
    const recorded = new LogBuilder().append(
      'account-a',
      { type: 'AccountOpeningAbandoned', data },
      { actor: 'system:supervisor', key },
    );
    expect(
      project(legal(recorded))
        .of(refusalsTable)
        .map(({ view }) => JSON.parse(String(view)) as unknown),
    ).toMatchObject([
      {
        command: 'OpenAccount',
        code: 'party-named-by-basis',
        actor: 'alice',
        request: { accountId: 'a', holders: data.holders },
        decidedOn: data.decidedOn,
      },
    ]);
  });

  it('are not openings that were abandoned because the id was taken', () => {
    const data = { accountId: 'a', reason: 'already-exists', holders: [], decidedOn: null };
    const recorded = new LogBuilder().append('account-a', { type: 'AccountOpeningAbandoned', data });
    expect(project(legal(recorded)).of(refusalsTable)).toEqual([]);
  });
});

describe('the id of a deposit', () => {
  it('is kept with the first revision', () => {
    const data = { accountId: 'a', depositId: 'd', asset: 'BTC', amount: '1', source: { kind: 'bank' } };
    const log = new LogBuilder();
    const [first, second] = [1, 2].map(() => log.append('account-a', { type: 'FundsDeposited', data }));
    if (first === undefined || second === undefined) throw new Error('nothing was appended');
    const deposits = project(legal(first), legal(second))
      .of(namesTable)
      .filter(({ kind }) => kind === 'deposit');
    expect(deposits).toEqual([{ stream: 'account-a', kind: 'deposit', id: 'd', revision: 0, value: first.id }]);
  });
});

describe('the names of commands', () => {
  it('are kept with the first revision and hash', () => {
    const log = new LogBuilder();
    const [first, second] = [1, 2].map(() => log.append('account-a', refused, { actor: 'alice', key: 'k' }));
    if (first === undefined || second === undefined) throw new Error('nothing was appended');
    const value = first.metadata.commandHash;
    expect(project(legal(first), legal(second)).of(namesTable)).toEqual([
      { stream: 'account-a', kind: 'key', id: 'alice\nk', revision: 0, value },
    ]);
  });

  it('stand on the home stream alone', () => {
    const key = { caller: 'alice', value: 'k', homeStream: 'account-a' };
    const recorded = new LogBuilder().append('party-p', refused, { key });
    expect(project(legal(recorded)).of(namesTable)).toEqual([]);
  });
});

describe('a violation', () => {
  const log = new LogBuilder();
  log.append('account-a', refused);
  const recorded = log.append('account-a', refused);
  const violation = { code: 'illegal-event', detail: 'never' } as const;

  it('changes nothing but the list of violations and how far its stream is known', () => {
    const rows = project({ recorded, event: undefined, violation, after: undefined });
    const { stream, revision, position, id: eventId, type } = recorded;
    expect(rows.of(streamsTable)).toEqual([{ stream, revision, position }]);
    expect(rows.of(violationsTable).map(({ view }) => JSON.parse(String(view)) as unknown)).toEqual([
      { stream, revision, position, eventId, type, ...violation, detectedAt: seenAt },
    ]);
    const others = projectors
      .flatMap(({ tables }) => tables)
      .filter(({ name }) => name !== 'streams' && name !== 'violations');
    for (const table of others) expect([table.name, rows.of(table)]).toEqual([table.name, []]);
  });
});

describe('the fingerprint', () => {
  it('changes with a version and with a column', () => {
    const [first, ...rest] = projectors;
    if (first === undefined) throw new Error('no projector');
    const original = fingerprintOf(projectors);
    expect(fingerprintOf([{ ...first, version: first.version + 1 }, ...rest])).not.toBe(original);
    expect(fingerprintOf([{ ...first, tables: first.tables.slice(1) }, ...rest])).not.toBe(original);
  });

  it('has each table once', () => {
    const names = projectors.flatMap(({ tables }) => tables.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });
});
