import { MemoryEventStore } from '#event-store/memory';
import { basisStream, sha256Hex, type Basis, type RecordedEvent } from '#kernel';
import { LedgerWorld, tellStory } from '#testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startProjections, type Projections } from './start.ts';
import { TASK_KINDS, type TaskView } from './tasks.ts';

const NOW = '2022-06-01T00:00:00.000Z';
const TIMEOUT_MS = 20_000;

let projections: Projections | undefined;
afterEach(() => projections?.close());

function start(store: MemoryEventStore): Projections {
  projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  return projections;
}

async function append(store: MemoryEventStore, { stream, revision, ...event }: RecordedEvent): Promise<string> {
  const expected = revision === 0 ? 'no-stream' : revision - 1;
  const { positions } = await store.append(stream, expected, [event]);
  return positions[0] ?? '';
}

interface Data {
  readonly [name: string]: unknown;
  readonly accountId: string;
  readonly partyId: string;
  readonly basis: Basis;
  readonly holders: readonly { readonly partyId: string }[];
  readonly citation: { readonly eventId: string };
}

/** What waits after some events of a log in which nothing is forged: said again, as simply as can be. */
function waiting(events: readonly RecordedEvent[]): readonly string[] {
  const all = (...types: readonly string[]): readonly (RecordedEvent & { readonly data: Data })[] =>
    events.filter(({ type }) => types.includes(type)) as readonly (RecordedEvent & { readonly data: Data })[];
  const without = (
    kind: string,
    [opened, about]: readonly [string, readonly string[]],
    ended: readonly string[],
  ): readonly string[] =>
    all(opened)
      .filter(
        (one) => !all(...ended).some((other) => about.every((name) => valueOf(one, name) === valueOf(other, name))),
      )
      .map((one) => [kind, ...about.map((name) => valueOf(one, name))].join(' '));
  const ENDS = ['LegalOrderEnded', 'LegalOrderExpired', 'SanctionsHitCleared'];
  const hasEnded = (stream: string): boolean => all(...ENDS).some((event) => event.stream === stream);
  const frozen = all('AccountFrozen').filter(
    ({ data }) => !all('AccountUnfrozen').some((lifted) => lifted.data['freezeId'] === data['freezeId']),
  );
  const inForce = all('LegalOrderVerified', 'SanctionsHitConfirmed').filter(({ stream }) => !hasEnded(stream));
  const subjects = ({ stream }: RecordedEvent): readonly Partial<Data>[] => {
    const says = all('LegalOrderRegistered', 'LegalOrderVaried', 'SanctionsHitRaised')
      .filter((event) => event.stream === stream)
      .findLast(({ data }) => (data['subjects'] ?? data['subject']) !== undefined);
    return [says?.data['subjects'] ?? says?.data['subject'] ?? []].flat();
  };
  const isNamed = (stream: string, partyId: string): boolean => {
    const about = ({ data }: { readonly data: Data }): boolean =>
      basisStream(data.basis) === stream && data.partyId === partyId;
    return all('PartyNamed').filter(about).length > all('PartyNoLongerNamed').filter(about).length;
  };
  const heldBy = (partyId: string): readonly string[] =>
    all('AccountOpened').flatMap(({ data }) =>
      data.holders.some((holder) => holder.partyId === partyId) ? [data.accountId] : [],
    );
  const parties = [...new Set(all('PartyRegistered').map(({ data }) => data.partyId))];
  // What has run out freezes nothing, also before its expiry is recorded.
  const running = inForce.filter(({ stream }) => {
    const says = all('LegalOrderRegistered', 'LegalOrderExtended').findLast((event) => event.stream === stream);
    const expiresAt = says?.data['expiresAt'];
    return typeof expiresAt !== 'string' || expiresAt > NOW;
  });
  const toFreeze = running.flatMap((basis) => {
    const itself = subjects(basis).flatMap(({ accountId }) => (accountId === undefined ? [] : [accountId]));
    const through = parties.filter((partyId) => isNamed(basis.stream, partyId)).flatMap(heldBy);
    return [...new Set([...itself, ...through])]
      .filter((id) => !frozen.some(({ data }) => data.accountId === id && basisStream(data.basis) === basis.stream))
      .map((id) => `freeze-account ${basis.stream} ${id}`);
  });
  const references = running.flatMap((basis) => {
    const own = subjects(basis);
    return all('PartyRegistered')
      .filter(({ data }) => own.some((subject) => subject['sha256'] === sha256Hex(String(data['externalRef']))))
      .filter(({ data }) => !own.some(({ partyId }) => partyId === data.partyId))
      .map(({ data }) => `review-reference-match ${basis.stream} ${data.partyId}`);
  });
  const named = (streams: readonly RecordedEvent[]): readonly (readonly [string, string])[] =>
    streams.flatMap((event) =>
      subjects(event).flatMap(({ partyId }) => (partyId === undefined ? [] : [[event.stream, partyId] as const])),
    );
  const dropped = inForce.flatMap(({ stream, ...basis }) =>
    all('LegalOrderRegistered')
      .filter((event) => event.stream === stream)
      .flatMap(({ data }) => (data['subjects'] ?? []) as readonly Partial<Data>[])
      .flatMap(({ partyId }) => (partyId === undefined ? [] : [partyId]))
      .filter((partyId) => !subjects({ stream, ...basis }).some((subject) => subject.partyId === partyId))
      .map((partyId) => [stream, partyId] as const),
  );
  return [
    ...without(
      'verify-legal-order',
      ['LegalOrderRegistered', ['stream']],
      ['LegalOrderVerified', 'LegalOrderRejected'],
    ),
    ...without(
      'decide-change',
      ['LegalOrderChangeProposed', ['stream', 'changeId']],
      ['LegalOrderChangeRejected', 'LegalOrderExtended', 'LegalOrderVaried', 'LegalOrderEnded'],
    ),
    ...without(
      'decide-sanctions-hit',
      ['SanctionsHitRaised', ['stream']],
      ['SanctionsHitConfirmed', 'SanctionsHitDismissed'],
    ),
    ...without(
      'decide-clearance',
      ['ClearanceProposed', ['stream', 'clearanceId']],
      ['ClearanceRejected', 'SanctionsHitCleared'],
    ),
    ...without(
      'decide-lift-request',
      ['LiftRequested', ['freezeId', 'requestId']],
      ['LiftRejected', 'AccountUnfrozen'],
    ),
    ...without('answer-authority-request', ['AuthorityRequestRegistered', ['requestId']], ['AuthorityRequestAnswered']),
    ...toFreeze,
    ...references,
    ...all('FreezeAuthorised')
      .filter(({ id }) => {
        const settled = all('AccountFrozen', 'FreezeVaried', 'FreezeAbandoned');
        return !settled.some(({ data }) => data.citation.eventId === id);
      })
      .map(({ data }) => `settle-authorisation ${data.accountId}`),
    ...without('decide-transfer', ['TransferSent', ['transferId']], ['TransferReceived', 'TransferReturned']),
    ...all('AccountAttached')
      .filter(({ data }) => !heldBy(data.partyId).includes(data.accountId))
      .filter(({ data }) => !all('AccountDetached').some((event) => isOfOne(event.data, data)))
      .map(({ data }) => `finish-opening ${data.accountId} ${data.partyId}`),
    ...frozen
      .filter(({ data }) => hasEnded(basisStream(data.basis)))
      .map(({ data }) => `lift-freeze ${String(data['freezeId'])}`),
    ...named(inForce)
      .filter(([stream, partyId]) => !isNamed(stream, partyId))
      .map(([stream, partyId]) => `name-party ${stream} ${partyId}`),
    // Of an end, and of a variation that dropped the party.
    ...[...named(all(...ENDS)), ...dropped]
      .filter(([stream, partyId]) => isNamed(stream, partyId))
      .map(([stream, partyId]) => `un-name-party ${stream} ${partyId}`),
  ].sort();
}

/** The attachment of an account to a party, and its end. */
function isOfOne(one: Data, other: Data): boolean {
  return one.accountId === other.accountId && one.partyId === other.partyId;
}

function valueOf(event: RecordedEvent & { readonly data: Data }, name: string): string {
  return String(name === 'stream' ? event.stream : event.data[name]);
}

function named(task: TaskView): string {
  const { kind, accountId, partyId, basis, freezeId, changeId, clearanceId, requestId, transferId } = task;
  const stream = basis === null ? null : basisStream(basis);
  const about: Record<TaskView['kind'], readonly (string | null)[]> = {
    'verify-legal-order': [stream],
    'decide-change': [stream, changeId],
    'decide-sanctions-hit': [stream],
    'decide-clearance': [stream, clearanceId],
    'decide-lift-request': [freezeId, requestId],
    'answer-authority-request': [requestId],
    'freeze-account': [stream, accountId],
    'review-reference-match': [stream, partyId],
    'settle-authorisation': [accountId],
    'decide-transfer': [transferId],
    'finish-opening': [accountId, partyId],
    'lift-freeze': [freezeId],
    'name-party': [stream, partyId],
    'un-name-party': [stream, partyId],
  };
  return [kind, ...about[kind]].join(' ');
}

describe('tasks', () => {
  it('are what waits, after every single event of a story', async () => {
    const told = new MemoryEventStore();
    const world = new LedgerWorld({ store: told });
    await tellStory(world);
    // Named directly and through the holder, and by an ending that is not decided.
    const reference = (partyId: string) => ({ kind: 'external', sha256: sha256Hex(`ref-${partyId}`) }) as const;
    const byId = [{ kind: 'account', accountId: 'acc-1' } as const, { kind: 'party', partyId: 'p-1' } as const];
    // The references of one whom it names, of one whom it does not, and of nobody yet.
    const subjects = [...byId, reference('p-1'), reference('p-2'), reference('p-late')];
    await world.putOrder({ orderId: 'ord-9', subjects });
    await world.ledger.supervisor.pass();
    await world.accept({ type: 'RegisterParty', partyId: 'p-late', kind: 'person', externalRef: 'ref-p-late' });
    await world.endOrder('ord-9');
    await world.ledger.supervisor.pass();
    const log = await world.log();

    const store = new MemoryEventStore();
    const { queries, caughtUp } = start(store);
    expect(await caughtUp(TIMEOUT_MS)).toBe(true);
    const seen = new Set<string>();
    const positions = new Map<string, string>();
    for (const [index, event] of log.entries()) {
      const position = await append(store, event);
      expect(await queries.waitFor(position, TIMEOUT_MS)).toBe(true);
      const { items } = queries.tasks({}, NOW, { limit: 500 });
      expect({ index, after: event.type, tasks: items.map(named).sort() }).toEqual({
        index,
        after: event.type,
        tasks: waiting(log.slice(0, index + 1)),
      });
      expect(new Set(items.map(({ taskId }) => taskId)).size).toBe(items.length);
      expect(items.map((task) => task.position)).toEqual(
        items
          .map((task) => task.position)
          .sort()
          .reverse(),
      );
      for (const { kind, taskId, position: since } of items) {
        seen.add(kind);
        // A task keeps its id, and the id its place, for as long as it waits.
        expect(positions.get(taskId) ?? since).toBe(since);
        positions.set(taskId, since);
      }
    }
    expect([...seen].sort()).toEqual([...TASK_KINDS].sort());
  }, 60_000);

  it('are the same when they are built anew', async () => {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await tellStory(world);
    const { queries, caughtUp, rebuild } = start(store);
    expect(await caughtUp(TIMEOUT_MS)).toBe(true);
    const before = queries.tasks({}, NOW, { limit: 500 });
    expect(before.items.length).toBeGreaterThan(2);
    await rebuild();
    expect(queries.tasks({}, NOW, { limit: 500 })).toEqual(before);
  });
});
