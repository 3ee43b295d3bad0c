import { checkLog, type EventStoreDbServer, type Tunnel } from '#testing';
import type { RecordedEvent } from '#kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { valueAt } from '../e2e/support/json.ts';
import {
  AUDITOR,
  depositOf,
  freezeOf,
  OPS,
  orderOf,
  APPROVER,
  SERVICE,
  transferOf,
  until,
  wellDone,
  withdrawalOf,
  type Body,
  type Ledger,
  type Person,
} from '../e2e/support/ledger.ts';
import { serverOfServices } from '../e2e/support/store.ts';
import { MixedLoad, SHARED_ACCOUNTS, type Acknowledged } from '../recovery/mixed-load.ts';
import { ROUNDS_OF_FAULTS } from '../simulation/effort.ts';
import { Instances } from './instances.ts';

const INSTANCES = 3;
const CALLERS = 6;
/** Answers between one fault and the next. */
const ANSWERS_BETWEEN = 40;
const BTC_AT_FIRST = 100n;
const UNITS = 100_000_000n;
const SETTLED_LIMIT_MS = 60_000;
/** Longer than a service waits for a call to its store. */
const STALL_MS = 7_000;
const REPEATED = 150;
const HAMMERING = 16;
const FREEZES = 5;
/** Of six commands on each of two accounts. */
const ROUNDS_ALONE = 4;
const TRANSFERS = 8;
const IN_TURN = 60;
const CONTENDED = 60;
const LIMIT_MS = 400_000 * ROUNDS_OF_FAULTS;

type Fault = readonly [string, () => Promise<unknown>];

/** What befalls the instances and their store, one after the other: all that the store can be asked for. */
function faultsOf(world: Instances): readonly Fault[] {
  const { store } = world;
  return store.kind === 'of-the-tests' ? faultsOfServer(world, store.server) : faultsOfWay(world, store.tunnel);
}

function faultsOfServer(world: Instances, server: EventStoreDbServer): readonly Fault[] {
  return [
    [
      'appends are lost, and answers to appends',
      async () => {
        await server.inject({ kind: 'drop-before-commit', times: 3, streamPrefix: world.accounts, calls: ['append'] });
        await server.inject({ kind: 'drop-after-commit', times: 3, streamPrefix: world.accounts, calls: ['append'] });
      },
    ],
    ['another node leads', () => server.changeLeader(1)],
    ['an instance is killed', () => world.kill(2)],
    ['the server is killed', () => server.restart()],
    [
      'an instance is killed while another node comes to lead',
      () => Promise.all([world.kill(0), server.changeLeader(2)]),
    ],
  ];
}

function faultsOfWay(world: Instances, tunnel: Tunnel): readonly Fault[] {
  return [
    ['all connections are cut', () => Promise.resolve(tunnel.cut())],
    ['a connection breaks in the middle of what is sent', () => tunnel.cutAfter('to-server', 3_000)],
    ['a connection breaks in the middle of what is answered', () => tunnel.cutAfter('from-server', 3_000)],
    ['an instance is killed', () => world.kill(2)],
    ['nothing comes through for longer than a call', () => stalled(world, tunnel)],
    [
      'an instance is killed, and all connections are cut',
      () => Promise.all([world.kill(0), Promise.resolve(tunnel.cut())]),
    ],
  ];
}

/** When all are back: a start that finds no server is none. */
async function stalled(world: Instances, tunnel: Tunnel): Promise<void> {
  await world.allBack();
  tunnel.stall();
  await delay(STALL_MS);
  tunnel.resume();
}

describe('three instances on one store', () => {
  let world: Instances;
  beforeAll(async () => {
    world = await Instances.start(INSTANCES, { WRIT_SNAPSHOT_EVERY: '5', WRIT_REFUSAL_LIMIT: '100000' }, 6);
  }, LIMIT_MS);
  afterAll(() => world.end());

  async function underLoad(round: number): Promise<MixedLoad> {
    const load = new MixedLoad(world, String(round));
    const callers = Promise.all(Array.from({ length: CALLERS }, (_, caller) => load.run(caller)));
    let failure: unknown;
    callers.catch((error: unknown) => (failure = error));
    for (const [what, befall] of faultsOf(world)) {
      const enough = load.acknowledged.length + ANSWERS_BETWEEN;
      await until(
        `answers before ${what}`,
        () => Promise.resolve(failure !== undefined || load.acknowledged.length >= enough ? true : undefined),
        120_000,
      );
      await befall();
    }
    load.stop();
    await callers;
    await world.allBack();
    return load;
  }

  async function demandSettled(): Promise<readonly RecordedEvent[]> {
    let breaches: readonly unknown[] = [];
    return until(
      'everything to be finished',
      async () => {
        const log = await world.log();
        breaches = checkLog(log, { quiescent: true, now: new Date().toISOString() });
        return breaches.length === 0 ? log : undefined;
      },
      SETTLED_LIMIT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(breaches.slice(0, 5))}`);
    });
  }

  it(
    `keep the books together, whatever befalls them and the store, ${String(ROUNDS_OF_FAULTS)} times`,
    async () => {
      for (const accountId of SHARED_ACCOUNTS) {
        await world.at(0).makeAccount({ accountId, btc: String(BTC_AT_FIRST) });
      }
      const acknowledged: Acknowledged[] = [];
      for (let round = 0; round < ROUNDS_OF_FAULTS; round += 1) {
        acknowledged.push(...(await underLoad(round)).acknowledged);
        await demandSettled();
      }
      const log = await demandSettled();
      expect(world.disagreements).toEqual([]);
      demandAllIsThere(acknowledged, log);
      demandOnceEach(log);
      await demandBalances(world, acknowledged, log);
      await demandSameAgain(world, acknowledged, log.length);
      console.log(
        `${String(log.length)} events, ${String(acknowledged.length)} answers, ${String(world.repeats)} asked again, ` +
          `${String(world.twice)} done once for two that asked at once`,
      );
    },
    LIMIT_MS,
  );

  it(
    'let an order expire once, and lift what rested on it once',
    async () => {
      const ledger = world.at(0);
      await ledger.makeAccount({ accountId: 'acc-expiring' });
      const more = { expiresAt: new Date(Date.now() + 3_000).toISOString() };
      await ledger.makeOrder({ orderId: 'ord-expiring', accounts: ['acc-expiring'], more });
      await ledger.verify('ord-expiring');
      await world.at(1).freeze('acc-expiring', 'ord-expiring');
      const has = async (type: string): Promise<true | undefined> =>
        (await world.log()).some((event) => event.type === type && namesExpiring(event)) ? true : undefined;
      await until('the expiry', () => has('LegalOrderExpired'));
      await until('the lift', () => has('AccountUnfrozen'));
      const log = await demandSettled();
      const types = log.filter(namesExpiring).map(({ type }) => type);
      expect(types.filter((type) => type === 'LegalOrderExpired')).toHaveLength(1);
      expect(types.filter((type) => type === 'AccountUnfrozen')).toHaveLength(1);
    },
    LIMIT_MS,
  );

  it(
    'place a freeze on an account that another one is hammering',
    async () => {
      const account = '/v1/accounts/acc-3';
      let isOver = false;
      let deposits = 0;
      const hammering = Array.from({ length: HAMMERING }, async (_, caller) => {
        for (let n = 0; !isOver; n += 1) {
          const id = `hammer-${String(caller)}-${String(n)}`;
          wellDone(
            await world.at(0).post(SERVICE, `${account}/deposits`, depositOf(id, '1'), { key: id }),
            'a deposit',
          );
          deposits += 1;
        }
      });
      const tookMs: number[] = [];
      for (let n = 0; n < FREEZES; n += 1) {
        const before = deposits;
        await until('deposits', () => Promise.resolve(deposits > before + HAMMERING ? true : undefined), 60_000);
        const orderId = `ord-hammered-${String(n)}`;
        await world.post(OPS, '/v1/admin/legal-orders', orderOf(orderId, { accounts: ['acc-3'] }), { key: orderId });
        const verification = `/v1/admin/legal-orders/${orderId}/verification`;
        await world.post(APPROVER, verification, { method: 'call' }, { key: `${orderId}-v` });
        const startedMs = performance.now();
        const path = '/v1/admin/accounts/acc-3/freezes';
        const frozen = await world.at(1).post(OPS, path, freezeOf(orderId), { key: `${orderId}-f` });
        tookMs.push(Math.round(performance.now() - startedMs));
        expect([frozen.status, frozen.text]).toEqual([201, expect.any(String)]);
      }
      isOver = true;
      await Promise.all(hammering);
      await demandSettled();
      console.log(
        `freezes of an account that another instance hammers: ${tookMs.join(', ')} ms; ${String(deposits)} deposits`,
      );
    },
    LIMIT_MS,
  );

  // Somebody's server does not say what it was asked for.
  if (serverOfServices === undefined) {
    it(
      'append once for a command on one stream, and twice for one on two, where each has accounts of its own',
      async () => {
        const own = await Promise.all(world.all.map((ledger, nth) => twoAccounts(ledger, `own-${String(nth)}`)));
        const single = await appendsFor(world, () =>
          Promise.all(world.all.map((_, nth) => moveAlone(world.at(nth), own[nth]))),
        );
        expect(single.commands).toBeGreaterThan(100);
        expect(single.appends / single.commands).toBeLessThanOrEqual(1.05);
        const double = await appendsFor(world, () =>
          Promise.all(world.all.map((_, nth) => moveBetween(world.at(nth), own[nth]))),
        );
        expect(double.commands).toBeGreaterThan(20);
        expect(double.appends / double.commands).toBeLessThanOrEqual(2.1);
      },
      LIMIT_MS,
    );

    it(
      'append little more for accounts that they share, and never more than each of them once for what one stores',
      async () => {
        const shared = await twoAccounts(world.at(0), 'shared');
        // One after the other, by another instance each time: each finds out once that it is not alone, and reads first then.
        const inTurn = await appendsFor(world, async () => {
          let asked = 0;
          for (let n = 0; n < IN_TURN; n += 1)
            asked += await depositOnce(world.at(n % INSTANCES), shared[0], `turn-${String(n)}`);
          return [asked];
        });
        // Appends that stored nothing: what else is stored meanwhile, by a supervisor say, is none of these commands' cost.
        expect(inTurn.appends - inTurn.stored).toBeLessThanOrEqual(INSTANCES);
        // All at the same time: of those that append at one revision one comes first.
        const contended = await appendsFor(world, () =>
          Promise.all(
            Array.from({ length: CONTENDED }, (_, n) =>
              depositOnce(world.at(n % INSTANCES), shared[1], `all-${String(n)}`),
            ),
          ),
        );
        expect(contended.stored).toBeLessThanOrEqual(contended.commands);
        expect(contended.appends).toBeLessThanOrEqual(INSTANCES * contended.stored);
        console.log(
          `appends a command: ${ratioOf(inTurn)} shared in turn, ${ratioOf(contended)} all at once, in ${String(contended.stored)} appends`,
        );
      },
      LIMIT_MS,
    );
  }
});

type Pair = readonly [account: string, other: string];

/** Two accounts, and for each an order in force that names it. */
async function twoAccounts(ledger: Ledger, name: string): Promise<Pair> {
  const pair = [`${name}-a`, `${name}-b`] as const;
  for (const accountId of pair) {
    await ledger.makeAccount({ accountId, holder: await ledger.makeParty(`p-${accountId}`), btc: '100' });
    await ledger.makeVerifiedOrder({ orderId: `ord-${accountId}`, accounts: [accountId] });
  }
  return pair;
}

/** What the server was asked to append, and stored, for some commands. */
async function appendsFor(
  world: Instances,
  work: () => Promise<readonly number[]>,
): Promise<{ readonly commands: number; readonly appends: number; readonly stored: number }> {
  if (world.store.kind !== 'of-the-tests') throw new Error('only the server of the tests counts');
  const { server } = world.store;
  await server.resetCounts();
  const commands = (await work()).reduce((sum, each) => sum + each, 0);
  const { appends, storedAppends: stored } = await server.counts();
  return { commands, appends, stored };
}

const ratioOf = ({ appends, commands }: { readonly appends: number; readonly commands: number }): string =>
  (appends / commands).toFixed(2);

async function depositOnce(ledger: Ledger, accountId: string, id: string): Promise<number> {
  wellDone(
    await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(id, '1'), { key: id }),
    'a deposit',
  );
  return 1;
}

/** Movements of one account, one after the other. @returns how many commands that were */
async function moveAlone(ledger: Ledger, pair: Pair | undefined): Promise<number> {
  let commands = 0;
  const send = async (path: string, body: Body): Promise<void> => {
    wellDone(await ledger.post(SERVICE, path, body), path);
    commands += 1;
  };
  for (let n = 0; n < ROUNDS_ALONE; n += 1) {
    for (const accountId of pair ?? []) {
      const [account, id] = [`/v1/accounts/${accountId}`, `alone-${String(n)}`];
      await send(`${account}/deposits`, depositOf(id, '1'));
      await send(`${account}/withdrawals`, withdrawalOf(id, '0.5'));
      await send(`${account}/withdrawals/${id}/dispatch`, { reference: 'tx-1' });
      await send(`${account}/withdrawals/${id}/settlement`, { reference: 'block-1' });
      await send(`${account}/deposits`, depositOf(`${id}-again`, '1'));
      await send(`${account}/deposits/${id}-again/reversal`, { cause: 'mistake', reason: 'of another account' });
    }
  }
  return commands;
}

/** Transfers to and fro, then a freeze of each. @returns how many commands that were */
async function moveBetween(ledger: Ledger, [one, other]: Pair = ['', '']): Promise<number> {
  let commands = 0;
  const send = async (as: Person, path: string, body: Body): Promise<void> => {
    wellDone(await ledger.post(as, path, body), path);
    commands += 1;
  };
  for (let n = 0; n < TRANSFERS; n += 1) {
    const [from, to] = n % 2 === 0 ? [one, other] : [other, one];
    await send(SERVICE, `/v1/accounts/${from}/transfers`, transferOf(`between-${String(n)}`, to, '1'));
  }
  for (const accountId of [one, other]) {
    await send(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(`ord-${accountId}`));
  }
  return commands;
}

function namesExpiring({ stream }: RecordedEvent): boolean {
  return stream === 'legalOrder-ord-expiring' || stream === 'account-acc-expiring';
}

/** Whatever anybody was told is in the log. */
function demandAllIsThere(acknowledged: readonly Acknowledged[], log: readonly RecordedEvent[]): void {
  const ids = new Set(log.map((event) => event.id));
  const told = acknowledged.flatMap(({ answer }) => (answer as { events?: readonly { id: string }[] }).events ?? []);
  expect(told.length).toBeGreaterThan(100);
  expect(told.filter(({ id }) => !ids.has(id))).toEqual([]);
}

/** A key stands once on its stream, and what three supervisors do is done once. */
function demandOnceEach(log: readonly RecordedEvent[]): void {
  const names = log.flatMap((event) => {
    const { key } = event.metadata;
    const own = key === null ? [] : [`key ${event.stream} ${key.caller} ${key.value}`];
    const { freezeId, citation } = event.data as { freezeId?: string; citation?: { eventId: string } };
    if (event.type === 'AccountUnfrozen') own.push(`lift ${String(freezeId)}`);
    if (event.type === 'PartyNamed' || event.type === 'PartyNoLongerNamed') {
      own.push(`${event.type} ${event.stream} ${String(citation?.eventId)}`);
    }
    return own;
  });
  const seen = new Set<string>();
  expect(names.filter((name) => seen.size === seen.add(name).size)).toEqual([]);
  expect(log.filter(({ type }) => type === 'AccountUnfrozen').length).toBeGreaterThan(0);
}

/** What came in and went out, by what callers were told, is what is there; and each instance says so of each account. */
async function demandBalances(
  world: Instances,
  acknowledged: readonly Acknowledged[],
  log: readonly RecordedEvent[],
): Promise<void> {
  const amounts = new Map<string, bigint>();
  const sum = { in: 0n, out: 0n };
  for (const { path, body, answer } of acknowledged) {
    const [, , , accountId = '', kind, id = '', step] = path.split('/');
    const amount = BigInt(typeof body['amount'] === 'string' ? body['amount'] : '0');
    if (kind === 'deposits' && step === undefined) {
      amounts.set(`${accountId} d ${String(valueAt(body, 'depositId'))}`, amount);
      sum.in += amount;
    }
    if (kind === 'withdrawals' && step === undefined) {
      amounts.set(`${accountId} w ${String(valueAt(body, 'withdrawalId'))}`, amount);
    }
    if (step === 'settlement') sum.out += amounts.get(`${accountId} w ${id}`) ?? 0n;
    if (step === 'reversal') sum.out += amounts.get(`${accountId} d ${id}`) ?? 0n;
    expect(answer).toBeDefined();
  }
  const accounts = [...new Set(log.filter(({ type }) => type === 'AccountOpened').map(({ stream }) => stream))].map(
    (stream) => stream.slice('account-'.length),
  );
  const head = log.at(-1)?.position ?? '';
  let there = 0n;
  for (const accountId of accounts) {
    const views = [];
    for (const ledger of world.all) views.push(await ledger.read(AUDITOR, `/v1/accounts/${accountId}`, head));
    expect(views.slice(1)).toEqual(views.slice(0, -1));
    there += totalOf(views[0]);
  }
  expect(there).toBe((BigInt(SHARED_ACCOUNTS.length) * BTC_AT_FIRST + sum.in - sum.out) * UNITS);
}

function totalOf(account: unknown): bigint {
  const balances = (valueAt(account, 'balances') ?? []) as readonly Readonly<Record<string, string>>[];
  const units = (text = '0'): bigint => BigInt(text.replace('.', ''));
  return balances
    .filter(({ asset }) => asset === 'BTC')
    .reduce((sum, { available, reserved, held }) => sum + units(available) + units(reserved) + units(held), 0n);
}

/** Whoever asks again is told the same, by whichever instance. */
async function demandSameAgain(world: Instances, acknowledged: readonly Acknowledged[], events: number): Promise<void> {
  for (const { as, path, body, key, status, text } of acknowledged.slice(-REPEATED)) {
    const again = await world.post(as, path, body, { key });
    expect({ key, status: again.status, text: again.text }).toEqual({ key, status, text });
    expect(again.headers['idempotent-replayed']).toBe('true');
  }
  expect((await world.log()).length).toBe(events);
}
