import { checkLog, type EventStoreDbServer, type Tunnel } from '#testing';
import type { RecordedEvent } from '#kernel';
import { afterAll, describe, expect, it } from '@jest/globals';
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
  until,
  wellDone,
} from '../e2e/support/ledger.ts';
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
    ['nothing comes through for longer than a call', () => stalled(tunnel)],
    [
      'an instance is killed, and all connections are cut',
      () => Promise.all([world.kill(0), Promise.resolve(tunnel.cut())]),
    ],
  ];
}

async function stalled(tunnel: Tunnel): Promise<void> {
  tunnel.stall();
  await delay(STALL_MS);
  tunnel.resume();
}

describe('three instances on one store', () => {
  let world: Instances;
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
      const environment = { WRIT_SNAPSHOT_EVERY: '5', WRIT_REFUSAL_LIMIT: '100000' };
      world = await Instances.start(INSTANCES, environment, 6);
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
});

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
