import type { OutcomeOfAll } from '#command-handling';
import { toTimestamp, type RecordedEvent } from '#kernel';
import {
  checker,
  checkLog,
  endingProposal,
  identification,
  LedgerWorld,
  maker,
  raising,
  sampleAddress,
  service,
  TestClock,
  walk,
  type ActorBody,
  type Scenario,
} from '#testing';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, WALKS, SCHEDULES } from './effort.ts';
import {
  asking,
  exploreCase,
  judge,
  logOf,
  processOn,
  scenario,
  script,
  supervisor,
  type SharedWorld,
} from './interleaving.ts';

const BASIS = { kind: 'legal-order', id: 'ord-1' } as const;
const open = { type: 'OpenAccount', accountId: 'acc-2', holders: [{ partyId: 'p-1', capacity: 'owner' }] } as const;
const verifyOrder = [{ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, 'verify', checker] as const;

/** Asks until there is an answer for each account that stands. */
const freezeAll: ActorBody = async (ports) => {
  const world = processOn(ports);
  for (let tries = 0; tries < 3; tries += 1) {
    const answer = await world.freezeAll({ basis: BASIS }, 'all');
    if (!isPassing(answer)) return;
  }
};

function isPassing(answer: OutcomeOfAll): boolean {
  const outcomes = answer.status === 'answered' ? answer.parts.map(({ outcome }) => outcome) : [answer];
  for (const each of outcomes) if (each.status === 'failed') throw each.error;
  return outcomes.some(
    (each) => each.status === 'rejected' && ['store-unavailable', 'revision-conflict'].includes(each.rejection.code),
  );
}

/** p-1 holds acc-1, and comes to hold acc-2; the order names p-1, and is verified by one of the actors or before. */
const partyScene = (verified: boolean): Promise<readonly RecordedEvent[]> =>
  logOf(async (world) => {
    await world.openAccount('acc-1', 'p-1');
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] }, verified);
  });

/** After everything, and after a repeat: all that the party holds is frozen, each account once, and nothing is left open. */
async function judgeAll(shared: SharedWorld, outcomes: Parameters<typeof judge>[1]): Promise<void> {
  await judge(shared, outcomes);
  const clock = new TestClock(toTimestamp(shared.time.now() + 10_000));
  const world = new LedgerWorld({ store: shared.store, clock });
  // Whoever was to verify may have crashed before.
  await world.ask(verifyOrder[0], { key: verifyOrder[1], actor: verifyOrder[2] });
  const first = await world.freezeAll({ basis: BASIS }, 'all');
  if (first.status !== 'answered') throw new Error(`the repeat is refused: ${first.rejection.code}`);
  const log = await world.log();
  await world.freezeAll({ basis: BASIS }, 'all');
  if ((await world.log()).length > log.length) throw new Error('a repeat after the repeat does something');
  expectAllFrozen(log);
  expect(checkLog(log, { quiescent: true, now: toTimestamp(clock.now()) })).toEqual([]);
}

/** After everything, and without a repeat: nothing opened that the party holds and that is not frozen. */
async function judgeFirstAnswer(shared: SharedWorld, outcomes: Parameters<typeof judge>[1]): Promise<void> {
  await judge(shared, outcomes);
  expectAllFrozen((await shared.store.readAll({ limit: 1_000 })).events);
}

function expectAllFrozen(log: readonly RecordedEvent[]): void {
  const held = log.filter(({ type }) => type === 'AccountOpened').map(({ stream }) => stream);
  const frozen = log.filter(({ type }) => type === 'AccountFrozen').map(({ stream }) => stream);
  expect(frozen.sort()).toEqual(held.sort());
}

function all(
  log: readonly RecordedEvent[],
  actors: Readonly<Record<string, ActorBody>>,
  mishaps: { readonly crashes?: number; readonly faults?: number } = {},
): Scenario<SharedWorld> {
  return { ...scenario(log, actors, mishaps), check: judgeAll };
}

const opening = asking(open, 'o', service);
const verifying = script(verifyOrder);
const verifiedThenFrozen: ActorBody = async (ports) => {
  await verifying(ports);
  await freezeAll(ports);
};

/** Each of these has more steps than the freeze of one account: not all schedules can be tried each time. */
const SOME_RUNS = SCHEDULES / 3;
const SOME_WALKS = WALKS / 2;

/** Schedules in order from the first, and others at random. */
async function tryMany(name: string, tried: Scenario<SharedWorld>): Promise<void> {
  await exploreCase(name, tried, SOME_RUNS);
  await walk(tried, { seed: 20220215, runs: SOME_WALKS });
}

describe('interleavings of a freeze of all that an order names', () => {
  it.each<[string, boolean, Readonly<Record<string, ActorBody>>, { crashes?: number; faults?: number }]>([
    [
      'beside an opening for the party, right after the order is verified',
      false,
      { o: opening, verifiedThenFrozen },
      {},
    ],
    ['beside an opening that crashes', false, { o: opening, verifiedThenFrozen }, { crashes: 1 }],
    ['and its repetition by another process', true, { 'all first': freezeAll, 'all second': freezeAll }, {}],
    ['that crashes, beside a supervisor', true, { all: freezeAll, supervisor }, { crashes: 1 }],
    ['with lost acknowledgements', true, { all: freezeAll }, { faults: 2 }],
    [
      'and a freeze of one account',
      true,
      { all: freezeAll, f: asking({ type: 'FreezeAccount', accountId: 'acc-1', basis: BASIS }, 'f') },
      {},
    ],
  ])(
    '%s',
    async (name, verified, actors, mishaps) => tryMany(name, all(await partyScene(verified), actors, mishaps)),
    LIMIT_MS,
  );

  it(
    'where the party is not named yet, and an account opens for it: the first answer leaves out none',
    async () => {
      const log = await partyScene(true);
      const naming = log.findIndex(({ type }) => type === 'PartyNamed');
      // Whoever verified the order crashed before the party was named.
      expect(log.slice(naming)).toHaveLength(1);
      const actors = { all: freezeAll, o: opening };
      const tried = { ...scenario(log.slice(0, naming), actors), check: judgeFirstAnswer };
      await tryMany('where the party is not named yet', tried);
    },
    LIMIT_MS,
  );

  it(
    'and the end of the order',
    async () => {
      const endOrder = script(
        [endingProposal(), 'propose', maker],
        [{ type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' }, 'end', checker],
      );
      // What the freezes came to is of no matter here: none may outlive the order.
      await tryMany('and the end of the order', scenario(await partyScene(true), { all: freezeAll, endOrder }));
    },
    LIMIT_MS,
  );
});

describe('interleavings of a freeze of all that a hit on an address names', () => {
  const hit = { kind: 'sanctions-hit', id: 'hit-1' } as const;
  const link = { type: 'LinkAddress', partyId: 'p-2', ...sampleAddress, role: 'holder-controlled' } as const;
  const { kind: _, ...linkOf } = link as typeof link & { kind?: string };

  it(
    'and a link of another party to it',
    async () => {
      const log = await logOf(async (world) => {
        await world.openAccount('acc-1', 'p-1');
        await world.accept({ ...linkOf, partyId: 'p-1' }, { actor: service });
        await world.accept({ type: 'RegisterParty', partyId: 'p-2', kind: 'person', externalRef: 'ref-p-2' });
        await world.accept(identification('p-2'));
        await world.accept({ ...open, accountId: 'acc-2', holders: [{ partyId: 'p-2', capacity: 'owner' }] });
        await world.accept(raising({ subject: sampleAddress }));
        await world.accept({ type: 'ConfirmSanctionsHit', hitId: 'hit-1' }, { actor: checker });
      });
      const freezing: ActorBody = async (ports) => {
        const answer = await processOn(ports).freezeAll({ basis: hit }, 'all');
        if (answer.status !== 'answered') throw new Error(answer.rejection.code);
        const frozen = answer.parts.map(({ accountId }) => accountId);
        if (!frozen.includes('acc-1')) throw new Error('who controls the address is not frozen');
      };
      await tryMany('and a link', scenario(log, { all: freezing, l: asking(linkOf, 'l', service) }));
    },
    LIMIT_MS,
  );
});
