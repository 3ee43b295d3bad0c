import { describe, expect, it } from '@jest/globals';
import { isStoreError, type EventStore, type ExpectedRevision } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';
import { seal } from './log-builder.ts';
import {
  explore,
  replay,
  ScheduleError,
  VirtualTime,
  walk,
  type ActorBody,
  type ActorOutcome,
  type ActorPorts,
  type Scenario,
  type World,
} from './scheduler.ts';

const PURSE = 'purse-1';

const fresh = (): World => ({ store: new MemoryEventStore() });

/** What an append expects after what was read: the stream as it was then. */
function after(history: readonly RecordedEvent[]): ExpectedRevision {
  return history.at(-1)?.revision ?? 'no-stream';
}

async function append(
  store: EventStore,
  stream: string,
  history: readonly RecordedEvent[],
  type: string,
  newId?: () => string,
): Promise<void> {
  const last = history.at(-1);
  const end = last === undefined ? undefined : { revision: last.revision, hash: last.metadata.hash };
  await store.append(
    stream,
    after(history),
    seal(stream, end, [{ type, data: {} }], newId === undefined ? {} : { newId }),
  );
}

/** Takes the one coin that there is, if nobody has: reads, decides, appends. @returns whether it got it */
function take(onConflict: 'decide-again' | 'append-anyway'): ActorBody {
  return async ({ store }) => {
    let history = await store.read(PURSE);
    for (;;) {
      if (history.length > 0 && onConflict === 'decide-again') return 'none left';
      try {
        await append(store, PURSE, history, 'CoinTaken');
        return 'taken';
      } catch (error) {
        if (!isStoreError(error, 'wrong-expected-revision')) throw error;
        history = await store.read(PURSE);
      }
    }
  };
}

async function expectOneTaken({ store }: World): Promise<void> {
  const taken = await store.read(PURSE);
  if (taken.length > 1) throw new Error(`${taken.length} coins were taken, and there was one`);
}

const race = (onConflict: 'decide-again' | 'append-anyway'): Scenario<World> => ({
  setup: fresh,
  actors: () => ({ ann: take(onConflict), ben: take(onConflict) }),
  check: expectOneTaken,
});

/** Makes these calls one after another, whatever they answer: `r` reads a stream, `w` writes one, `a` reads all, `h` the head. */
function calls(...script: readonly string[]): ActorBody {
  return async ({ store }) => {
    for (const [index, call] of script.entries()) {
      const stream = call.slice(1);
      if (call.startsWith('r')) await store.read(stream);
      else if (call === 'a') await store.readAll({ limit: 1 });
      else if (call === 'h') await store.head();
      else await append(store, stream, [], `E${String(index)}`).catch(() => undefined);
    }
  };
}

/** As `calls`, but the type of what it writes tells how much it had read, and an append that failed. */
function reading(script: readonly string[]): ActorBody {
  return async ({ store, newId }) => {
    let known = '';
    for (const call of script) {
      const stream = call.slice(1);
      if (call.startsWith('r')) known += String((await store.read(stream)).length);
      else await append(store, stream, await store.read(stream), `E${known}`, newId).catch(() => (known += 'x'));
    }
  };
}

/** Two or three actors of one to three calls on two streams. */
function drawScripts(seed: number): readonly (readonly string[])[] {
  let state = seed * 2654435761 + 1;
  const draw = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  const call = (): string => ['rX', 'wX', 'rY', 'wY'][draw(4)] ?? 'rX';
  return Array.from({ length: 2 + (seed % 2) }, () => Array.from({ length: 1 + draw(seed % 2 === 0 ? 3 : 2) }, call));
}

/** The orders in which the actors' calls took place, as far as the exploration tried them. */
async function ordersOf(
  actors: Readonly<Record<string, ActorBody>>,
  options: { readonly prune?: boolean; readonly crashes?: number; readonly faults?: number },
): Promise<{ orders: string[]; runs: number; pruned: number; exhaustive: boolean }> {
  const orders: string[] = [];
  let order: string[] = [];
  const traced = (name: string, body: ActorBody): ActorBody => {
    const trace = (ports: ActorPorts): Promise<unknown> => body({ ...ports, store: tracing(ports.store, name, order) });
    return trace;
  };
  const result = await explore({
    ...options,
    setup: () => {
      order = [];
      return fresh();
    },
    actors: () => Object.fromEntries(Object.entries(actors).map(([name, body]) => [name, traced(name, body)])),
    check: () => {
      orders.push(order.join(''));
    },
  });
  return { orders, ...result };
}

/** Notes the actor's name when one of its calls is answered. */
function tracing(store: EventStore, name: string, order: string[]): EventStore {
  const note = <Value>(answer: Promise<Value>): Promise<Value> => answer.finally(() => order.push(name));
  return new Proxy(store, {
    get: (target, property) => {
      if (property === 'read') return (stream: string) => note(target.read(stream));
      if (property === 'append') return (...args: Parameters<EventStore['append']>) => note(target.append(...args));
      if (property === 'readAll') return (page: { limit: number }) => note(target.readAll(page));
      if (property === 'head') return () => note(target.head());
      return undefined;
    },
  });
}

describe('explore', () => {
  it('finds the lost update of actors that retry wrongly, and says how', async () => {
    const error = await explore(race('append-anyway')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ScheduleError);
    expect((error as Error).message.split('\n')).toEqual([
      '2 coins were taken, and there was one',
      '  1. ann: read purse-1 -> nothing',
      '  2. ann: append purse-1 after no-stream CoinTaken -> revision 0',
      '  3. ben: read purse-1 -> 1 to 0',
      '  4. ben: append purse-1 after 0 CoinTaken -> revision 1',
      '  replay: [0, 0, 0, 0]',
    ]);
  });

  it('finds nothing in actors that decide again, in any order', async () => {
    expect(await explore(race('decide-again'))).toMatchObject({ exhaustive: true });
  });

  it('tries every order, once each', async () => {
    const { orders, ...counts } = await ordersOf(
      { a: calls('rX', 'rX', 'rX'), b: calls('rX', 'rX') },
      { prune: false },
    );
    expect(counts).toEqual({ runs: 10, pruned: 0, exhaustive: true });
    expect(new Set(orders).size).toBe(10);
  });

  it.each([
    // Each reads and writes one stream: of 6 orders the two reads side by side may be swapped, which leaves 4.
    [['rX', 'wX'], ['rX', 'wX'], 4],
    [['rX', 'rX', 'rX'], ['rX', 'rX'], 1],
    [['rX', 'rX'], ['wY'], 1],
    [['rX', 'rX'], ['wX'], 3],
    [['wX'], ['wY'], 2],
    [['wX', 'wX'], ['wY', 'wY'], 6],
    [['rX', 'wX'], ['rY', 'wY'], 2],
    [['a'], ['wX'], 2],
    [['h'], ['wX'], 2],
    [['a', 'h'], ['rX'], 1],
  ])('runs %j beside %j in as many orders as differ: %i', async (a, b, expected) => {
    const { runs, exhaustive } = await ordersOf({ a: calls(...a), b: calls(...b) }, {});
    expect({ runs, exhaustive }).toEqual({ runs: expected, exhaustive: true });
  });

  it.each([
    // Nobody crashes (2 orders of the appends), or one of the two before its append.
    [{ crashes: 1 }, ['wX'], ['wY'], 4],
    [{ crashes: 2 }, ['wX'], ['wY'], 5],
    // No answer is lost (2), the one's or the other's acknowledgement is (2 each), or the one's or the other's request.
    [{ faults: 1 }, ['wX'], ['wY'], 8],
    // Nobody crashes (2 orders), or the one with the append does.
    [{ crashes: 1 }, ['wX'], ['rX'], 3],
  ])('with %j runs %j beside %j in as many orders as differ: %i', async (mishaps, a, b, expected) => {
    const { runs, exhaustive } = await ordersOf({ a: calls(...a), b: calls(...b) }, mishaps);
    expect({ runs, exhaustive }).toEqual({ runs: expected, exhaustive: true });
  });

  it('loses no outcome by leaving orders out', async () => {
    const logs = async (prune: boolean): Promise<Set<string>> => {
      const seen = new Set<string>();
      await explore({
        prune,
        crashes: 1,
        faults: 1,
        setup: fresh,
        actors: () => ({ a: calls('rX', 'wX', 'wY'), b: calls('rY', 'wY', 'rX'), c: calls('wX') }),
        check: async ({ store }) => {
          const { events } = await store.readAll({ limit: 100 });
          seen.add(events.map((event) => `${event.type}${event.stream}`).join());
        },
      });
      return seen;
    };
    const [all, pruned] = [await logs(false), await logs(true)];
    expect(pruned).toEqual(all);
    expect(all.size).toBeGreaterThan(10);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'loses no outcome of actors that go by what they read (%i)',
    async (seed) => {
      const scripts = drawScripts(seed);
      const outcomes = async (prune: boolean): Promise<Set<string>> => {
        const seen = new Set<string>();
        await explore({
          prune,
          setup: fresh,
          actors: () => Object.fromEntries(scripts.map((script, index) => [`actor ${String(index)}`, reading(script)])),
          check: async ({ store }) => {
            const { events } = await store.readAll({ limit: 100 });
            seen.add(events.map((event) => `${event.type}${event.stream}`).join());
          },
        });
        return seen;
      };
      expect(await outcomes(true)).toEqual(await outcomes(false));
    },
  );

  it('says when there is more to try', async () => {
    expect(await explore({ ...race('decide-again'), maxRuns: 2 })).toMatchObject({ exhaustive: false });
  });

  it('crashes an actor before each of its appends, and no more than asked', async () => {
    const seen: string[] = [];
    const outcomes = (all: Readonly<Record<string, ActorOutcome>>): string =>
      Object.values(all)
        .map(({ status }) => status)
        .join();
    await explore({
      crashes: 1,
      setup: fresh,
      actors: () => ({ a: calls('rX', 'wX', 'wY'), b: calls('wZ') }),
      check: async ({ store }, all) => {
        const { events } = await store.readAll({ limit: 100 });
        seen.push(
          `${outcomes(all)} ${events
            .map((event) => event.stream)
            .sort()
            .join('')}`,
        );
      },
    });
    expect([...new Set(seen)].sort()).toEqual([
      'crashed,finished XZ',
      'crashed,finished Z',
      'finished,crashed XY',
      'finished,finished XYZ',
    ]);
  });

  it('loses acknowledgements, and requests', async () => {
    const seen = new Set<string>();
    await explore({
      faults: 1,
      setup: fresh,
      actors: () => ({
        a: async ({ store }) => append(store, 'X', [], 'E').catch((error: unknown) => error),
      }),
      check: async ({ store }, { a }) => {
        const error = a?.status === 'finished' ? a.value : undefined;
        const code = isStoreError(error) ? error.code : 'acknowledged';
        seen.add(`${code}, ${String((await store.read('X')).length)} stored`);
      },
    });
    expect([...seen].sort()).toEqual([
      'acknowledged, 1 stored',
      'outcome-unknown, 0 stored',
      'outcome-unknown, 1 stored',
    ]);
  });

  it('loses no more of them than asked', async () => {
    const lost = new Set<number>();
    await explore({
      faults: 1,
      setup: fresh,
      actors: () => ({
        a: async ({ store }) => {
          const all = ['X', 'Y', 'Z'].map((stream) => append(store, stream, [], 'E'));
          return (await Promise.allSettled(all)).filter(({ status }) => status === 'rejected').length;
        },
      }),
      check: (_world, { a }) => {
        lost.add((a as { value: number }).value);
      },
    });
    expect([...lost].sort()).toEqual([0, 1]);
  });

  it('finds the actor that takes a lost acknowledgement for a failure', async () => {
    const forgetful: ActorBody = async ({ store }) => {
      try {
        await append(store, PURSE, [], 'CoinTaken');
      } catch {
        await append(store, PURSE, await store.read(PURSE), 'CoinTaken');
      }
    };
    const scenario = { setup: fresh, actors: () => ({ ann: forgetful }), check: expectOneTaken };
    await expect(explore(scenario)).resolves.toMatchObject({ exhaustive: true });
    await expect(explore({ ...scenario, faults: 1 })).rejects.toThrow(
      'append purse-1 after no-stream CoinTaken -> revision 0, acknowledgement lost',
    );
  });

  it('shows an actor at once what another has done', async () => {
    await explore({
      setup: fresh,
      actors: () => ({
        reader: async ({ store }) => {
          const [first, second] = [await store.head(), await store.readAll({ limit: 9 })];
          return first === undefined || second.events.length > 0;
        },
        writer: calls('wX'),
      }),
      check: (_world, { reader }) => {
        expect(reader).toEqual({ status: 'finished', value: true });
      },
    });
  });

  it('steps an actor that does several things at once', async () => {
    const both: ActorBody = async ({ store }) => Promise.all([store.read('X'), store.read('Y')]);
    const seen = new Set<string>();
    await explore({
      setup: fresh,
      actors: () => ({ both, writer: calls('wX', 'wY') }),
      check: (_world, { both: outcome }) => {
        const [x, y] = (outcome as { value: [unknown[], unknown[]] }).value;
        seen.add(`${String(x.length)}${String(y.length)}`);
      },
    });
    expect([...seen].sort()).toEqual(['00', '01', '10', '11']);
  });

  it('answers in any order an actor that does several things at once', async () => {
    const seen = new Set<unknown>();
    await explore({
      setup: fresh,
      actors: () => ({
        racing: ({ store }) => Promise.race(['X', 'Y'].map((stream) => store.read(stream).then(() => stream))),
      }),
      check: (_world, { racing }) => {
        seen.add((racing as { value: unknown }).value);
      },
    });
    expect(seen).toEqual(new Set(['X', 'Y']));
  });

  it('lets time pass at every point', async () => {
    const seen = new Set<unknown>();
    await explore({
      setup: () => ({ ...fresh(), time: new VirtualTime(0) }),
      actors: ({ time }) => ({
        worker: async ({ store, clock, sleep }) => {
          const times = [clock.now()];
          await store.read('X');
          await sleep(5);
          times.push(clock.now());
          return times.join();
        },
        clock: async ({ turn, clock }) => {
          await turn('a second passes');
          time.advance(1000);
          return clock.now();
        },
      }),
      check: (_world, { worker, clock }) => {
        seen.add((worker as { value: unknown }).value);
        expect(clock).toEqual({ status: 'finished', value: 1000 });
      },
    });
    expect(seen).toEqual(new Set(['0,5', '0,1005']));
  });

  const alone = (body: ActorBody): Scenario<World> => ({
    setup: fresh,
    actors: () => ({ ann: body }),
    check: () => undefined,
  });
  it.each<[string, ActorBody]>([
    ['ann threw: Error: oh', () => Promise.reject(new Error('oh'))],
    ['ann waits for something that nobody’s turn brings', () => new Promise(() => undefined)],
    [
      'ann threw: Error: ann sleeps again and again',
      async ({ sleep }) => {
        for (;;) await sleep(1);
      },
    ],
    [
      'the run does not come to an end',
      async ({ store }) => {
        for (;;) await store.read('X');
      },
    ],
    [
      'a stepped store can only be read and appended to',
      ({ store }) => Promise.resolve(store.subscribeAll({}).subscribe()),
    ],
  ])('fails where %s', async (message, body) => {
    await expect(explore(alone(body))).rejects.toThrow(message.replace('’', "'"));
  });

  it('notices a scenario that is not the same in each run', async () => {
    let runs = 0;
    const scenario: Scenario<World> = {
      setup: fresh,
      actors: () => {
        runs += 1;
        return runs > 1 ? { a: calls('wX') } : { a: calls('wX'), b: calls('wX') };
      },
      check: () => undefined,
    };
    await expect(explore(scenario)).rejects.toThrow('the scenario is not the same in each run');
  });
});

describe('replay', () => {
  it('runs a schedule again, step for step, as often as asked', async () => {
    const scenario = { ...race('append-anyway'), crashes: 1, faults: 1 };
    const error = (await explore(scenario).catch((thrown: unknown) => thrown)) as ScheduleError;
    for (let time = 0; time < 3; time++) {
      await expect(replay(scenario, error.choices)).rejects.toMatchObject({
        message: error.message,
        schedule: error.schedule,
      });
    }
  });

  it('runs a good schedule, and goes on with the first choice after the last', async () => {
    const { schedule } = await replay(race('decide-again'), [1]);
    expect(schedule).toEqual([
      'ben: read purse-1 -> nothing',
      'ann: read purse-1 -> nothing',
      'ann: append purse-1 after no-stream CoinTaken -> revision 0',
      'ben: append purse-1 after no-stream CoinTaken -> wrong-expected-revision',
      'ben: read purse-1 -> 1 to 0',
    ]);
  });
});

describe('walk', () => {
  it('finds what is wrong, the same for the same seed', async () => {
    const scenario = { ...race('append-anyway'), crashes: 1, faults: 1 };
    const fail = (seed: number): Promise<unknown> =>
      walk(scenario, { seed, runs: 100 }).catch((error: unknown) => error);
    const error = await fail(7);
    expect((error as Error).message).toMatch(/^seed 7, run \d+: Error: 2 coins were taken/);
    expect(await fail(7)).toEqual(error);
    await expect(replay(scenario, (error as ScheduleError).choices)).rejects.toThrow('2 coins were taken');
  });

  it('passes what is right', async () => {
    await expect(walk({ ...race('decide-again'), crashes: 1 }, { seed: 1, runs: 200 })).resolves.toBeUndefined();
  });

  it('takes other ways for other seeds, and mishaps among them', async () => {
    const seen = new Set<string>();
    for (const seed of [1, 2, 3]) {
      await walk(
        {
          ...race('decide-again'),
          crashes: 1,
          check: (_world, outcomes) => {
            seen.add(JSON.stringify(outcomes));
          },
        },
        { seed, runs: 50 },
      );
    }
    expect([...seen].some((outcome) => outcome.includes('crashed'))).toBe(true);
    expect(seen.size).toBeGreaterThan(3);
  });
});
