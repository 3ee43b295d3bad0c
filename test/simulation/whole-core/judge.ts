import { accountView } from '#accounts';
import type { FailedPart } from '#command-handling';
import { canonicalJson, SUPERVISOR, toTimestamp, type EventPointer, type RecordedEvent } from '#kernel';
import { startProjections, type Page, type PageRequest, type Projections, type Queries } from '#projections';
import { replayAccount, replayFreezes } from '#replay';
import { checkLog, describeBreaches, LedgerWorld, TestClock } from '#testing';
import type { EventReader } from '#event-store';
import { execute, nameOf, standing, standsForGood, type Answered } from './callers.ts';
import { whyWrong } from './expected-revisions.ts';
import { SETTLING } from './looks.ts';
import type { World } from './world.ts';

/** What a run did not come to as it has to. */
export class Breach extends Error {
  constructor(what: string, detail: string) {
    super(`${what}: ${detail}`);
    this.name = 'Breach';
  }
}

/** Judges a run when nothing goes wrong any more and nothing is under way. @throws Breach */
export async function judge(world: World): Promise<void> {
  demandNothingFailed(world);
  judgeLog(world);
  judgeAcknowledgements(world);
  judgeExpectedRevisions(world);
  judgeSupervision(world);
  await judgeRepeats(world);
  await judgeReadModels(world);
  await world.outliveAllDates();
  demandNothingFailed(world);
  judgeLog(world);
  for (const { number, ledger } of world.instances) {
    const { pending } = ledger.supervisor;
    if (pending > 0)
      throw new Breach('left undone', `instance ${number} has ${pending} steps to do, and no date is ahead`);
  }
  await judgeRepeatsOfAll(world);
}

export function demandNothingFailed({ failures }: World): void {
  const [first] = failures;
  if (first === undefined) return;
  throw new Breach('failed', first.stack ?? first.message);
}

/** What the log alone tells (invariants 1 to 14), and that nothing is half done. */
function judgeLog({ log, time }: World): void {
  const breaches = checkLog(log, { quiescent: true, now: toTimestamp(time.now()) });
  if (breaches.length > 0) throw new Breach('invariants', describeBreaches(breaches, log));
}

/** Whoever was told that something is so finds it in the log: once, and from when it was told. */
function judgeAcknowledgements({ callers, log }: World): void {
  const places = new Map<string, number>();
  for (const [place, { id }] of log.entries()) {
    if (places.has(id)) throw new Breach('acknowledged', `${id} stands in the log twice`);
    places.set(id, place);
  }
  const said = new Map<string, string>();
  for (const answered of callers.answers) {
    for (const event of eventsOf(answered)) {
      if ((places.get(event.id) ?? Infinity) >= answered.logLength) {
        throw new Breach('acknowledged', `${nameOf(answered.asked)} before ${event.type} was in the log`);
      }
    }
    const answer = standing(answered.outcome);
    if (answered.outcome.status !== 'answered' && (said.get(answered.key) ?? answer) !== answer) {
      throw new Breach('answered twice', `${nameOf(answered.asked)}\n${said.get(answered.key) ?? ''}\n${answer}`);
    }
    said.set(answered.key, answer);
    judgeFreeze(answered, log);
  }
}

function eventsOf({ outcome }: { readonly outcome: Answered['outcome'] | FailedPart }): readonly RecordedEvent[] {
  switch (outcome.status) {
    case 'accepted':
      return outcome.events;
    case 'answered':
      return outcome.parts.flatMap((part) => eventsOf(part));
    case 'rejected':
    case 'failed':
      return [];
  }
}

const DEBITS = ['WithdrawalReserved', 'WithdrawalDispatched', 'TransferSent'];

/**
 * From the acknowledgement of a freeze of all debits on, nothing leaves the account, whoever acknowledged it: until that
 * freeze is lifted or varied. Told once more, and apart from all other invariants.
 */
function judgeFreeze(answered: Answered, log: readonly RecordedEvent[]): void {
  for (const event of eventsOf(answered)) {
    if (event.type !== 'AccountFrozen') continue;
    const { freezeId, scope } = event.data as { freezeId: string; scope: Record<string, unknown> };
    if (scope['direction'] === 'credit' || scope['assets'] !== 'all' || scope['limits'] !== undefined) continue;
    const changed = log.findIndex(
      ({ type, data, stream }) =>
        stream === event.stream &&
        (type === 'AccountUnfrozen' || type === 'FreezeVaried') &&
        (data as { freezeId: string }).freezeId === freezeId,
    );
    const debit = log
      .slice(answered.logLength, changed < 0 ? undefined : changed)
      .find(({ stream, type }) => stream === event.stream && DEBITS.includes(type));
    if (debit !== undefined) throw new Breach('debit after a freeze', `${debit.type} at ${debit.position}`);
  }
}

/** Whoever names the revision that it saw has its command decided on that very revision, or not at all. */
function judgeExpectedRevisions({ callers, log }: World): void {
  for (const told of callers.told) {
    const why = whyWrong(told, log);
    if (why !== undefined) throw new Breach('If-Match', `${told.name} came to ${told.outcome.status}: ${why}`);
  }
}

const ENDS = ['LegalOrderEnded', 'LegalOrderExpired', 'SanctionsHitCleared'];

/**
 * The supervisor looks at the basis before it settles an authorisation: it freezes nothing that rests on one which had ended, or
 * on terms that a variation had taken from the account, when it looked. A handler need not look.
 */
function judgeSupervision({ log, looks }: World): void {
  for (const settled of log) {
    if (!SETTLING.includes(settled.type) || settled.metadata.actor.id !== SUPERVISOR.id) continue;
    const end = looks.before(settled.id) ?? '';
    const { accountId, citation } = settled.data as { accountId: string; citation: EventPointer };
    const ended = log.find(
      ({ stream, revision, position, type, data }) =>
        stream === citation.stream &&
        revision > Number(citation.revision) &&
        position <= end &&
        (ENDS.includes(type) || (type === 'LegalOrderVaried' && dropsAll(data, accountId))),
    );
    if (ended !== undefined) {
      throw new Breach('frozen on what was over', `${settled.type} at ${settled.position} after ${ended.position}`);
    }
  }
}

/** Names other accounts, and neither a party nor an address through which this one could still be named. */
function dropsAll(data: unknown, accountId: string): boolean {
  const { subjects } = data as {
    readonly subjects?: readonly { readonly kind: string; readonly accountId?: string }[];
  };
  return subjects?.every((subject) => subject.kind === 'account' && subject.accountId !== accountId) === true;
}

/** Asked again of who knows nothing but the log, each command is answered as it was, and does nothing. */
async function judgeRepeats(world: World): Promise<void> {
  const ledger = freshLedger(world);
  for (const { key, asked, outcome, ifMatch } of world.callers.answers) {
    if (outcome.status === 'answered') continue;
    const again = await execute(ledger, key, asked, ifMatch);
    if (standing(again) !== standing(outcome)) {
      throw new Breach('repeated', `${nameOf(asked)} is answered\n${standing(again)}\nand was\n${standing(outcome)}`);
    }
  }
  const { log, store } = world;
  const after = await store.readAll({ limit: 1, ...(log.length > 0 && { after: log.at(-1)?.position ?? '' }) });
  const [more] = after.events;
  if (more !== undefined) throw new Breach('repeated', `a repeat appended ${more.type} to ${more.stream}`);
}

/**
 * A freeze of all does at a repeat what was left undone, for those too who have come to be named: each part stays as it was.
 * A part that was refused is left out when the basis names its account no more: nothing on the basis's stream tells of it.
 */
async function judgeRepeatsOfAll(world: World): Promise<void> {
  const ledger = freshLedger(world);
  for (const { key, asked, outcome } of world.callers.answers) {
    if (outcome.status !== 'answered') continue;
    const again = await execute(ledger, key, asked);
    const parts = new Map(again.status === 'answered' ? again.parts.map((part) => [part.accountId, part.outcome]) : []);
    for (const { accountId, outcome: was } of outcome.parts) {
      if (!standsForGood(was)) continue;
      const is = parts.get(accountId);
      const isSame = is === undefined ? was.status === 'rejected' : standing(is) === standing(was);
      if (!isSame) throw new Breach('repeated', `${nameOf(asked)} of ${accountId} is answered otherwise`);
    }
  }
}

/** A process that knows nothing yet, on a store without faults; it waits for whatever follows from a step. */
function freshLedger({ store, time, instances }: World): LedgerWorld['ledger'] {
  const clock = new TestClock(toTimestamp(time.now()));
  const sleep = (): Promise<never> => new Promise(() => undefined);
  const index = instances[0]?.projections.index;
  return new LedgerWorld({ store, clock, sleep, ...(index !== undefined && { index }) }).ledger;
}

/**
 * The read models of an instance are those of a replay of the log, of one in one go, and of each account by itself. All that
 * can be asked is asked of one instance: which, the seed says.
 */
async function judgeReadModels({ plan, store, log, instances, time }: World): Promise<void> {
  const head = log.at(-1)?.position;
  const replayed = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  try {
    if (!(await replayed.caughtUp(60_000))) throw new Breach('read models', 'a replay does not catch up');
    const at = toTimestamp(time.now());
    const expected = contentsOf(replayed.queries, at);
    await judgeAccounts(replayed.queries, store);
    for (const { number, projections } of instances) {
      const behind = projections.queries.checkpoint() !== head || projections.status().state !== 'live';
      if (behind)
        throw new Breach(
          'read models',
          `instance ${number} is ${describeProgress(projections)}, not at ${String(head)}`,
        );
      if (number !== plan.seed % 2) continue;
      const found = contentsOf(projections.queries, at);
      for (const [name, rows] of Object.entries(expected)) {
        if (found[name] !== rows)
          throw new Breach('read models', `${name} of instance ${number}\n${String(found[name])}\nnot\n${rows}`);
      }
    }
    const waiting = replayed.queries.tasks({ waitsFor: 'supervisor' }, at, { limit: 100 }).items;
    if (waiting.length > 0) throw new Breach('left undone', JSON.stringify(waiting));
  } finally {
    await replayed.close();
  }
}

function describeProgress(projections: Projections): string {
  const { state, checkpoint } = projections.status();
  return `${state} at ${String(checkpoint)}`;
}

/** The balances, and the freezes in force, of the read models and of the folds of their streams. */
async function judgeAccounts(queries: Queries, reader: EventReader): Promise<void> {
  for (const view of every((page) => queries.accounts({}, page))) {
    const asOf = await replayAccount(reader, view.accountId, undefined);
    const expected = asOf === undefined ? 'nothing' : canonical(accountView(asOf.state, asOf));
    if (canonical(view) !== expected) throw new Breach('read models', `${canonical(view)}\nnot\n${expected}`);
  }
  const listed = every((page) => queries.freezes({ state: 'in-force' }, page)).map(({ freezeId }) => freezeId);
  const { items } = await replayFreezes(reader, undefined, { limit: 500 });
  const inForce = items.map(({ freezeId }) => freezeId);
  if (canonical(listed.sort()) !== canonical(inForce.sort())) {
    throw new Breach('read models', `freezes in force are ${canonical(listed)}, not ${canonical(inForce)}`);
  }
}

/** All that can be asked, as text. */
function contentsOf(queries: Queries, at: string): Readonly<Record<string, string>> {
  const accounts = every((page) => queries.accounts({}, page));
  const ofAccounts = <Item>(list: (accountId: string, page: PageRequest) => Page<Item>): readonly Item[] =>
    accounts.flatMap(({ accountId }) => every((page) => list(accountId, page)));
  const contents: Record<string, unknown> = {
    accounts,
    parties: every((page) => queries.parties({}, page)),
    entries: ofAccounts((accountId, page) => queries.entries(accountId, page)),
    deposits: ofAccounts((accountId, page) => queries.deposits(accountId, page)),
    withdrawals: ofAccounts((accountId, page) => queries.withdrawals(accountId, {}, page)),
    transfers: ofAccounts((accountId, page) => queries.transfers(accountId, {}, page)),
    orders: every((page) => queries.legalOrders({}, page)),
    hits: every((page) => queries.sanctionsHits({}, page)),
    freezes: every((page) => queries.freezes({}, page)),
    liftRequests: every((page) => queries.liftRequests({}, page)),
    letters: every((page) => queries.authorityRequests({}, page)),
    tasks: every((page) => queries.tasks({}, at, page)),
    refusals: every((page) => queries.refusals(page)),
    violations: every((page) => queries.violations(page)),
    trialBalance: queries.trialBalance(),
  };
  return Object.fromEntries(Object.entries(contents).map(([name, rows]) => [name, canonical(rows)]));
}

function every<Item>(list: (page: PageRequest) => Page<Item>): readonly Item[] {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = list({ limit: 500, cursor });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

function canonical(value: unknown): string {
  return canonicalJson(JSON.parse(JSON.stringify(value)));
}
