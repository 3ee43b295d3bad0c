import { describe, expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Replays } from './replays.ts';

/** A replay that goes on until it is let go. */
interface Asked {
  readonly response: ServerResponse;
  readonly answer: Promise<string>;
  /** Undefined before its turn. */
  readonly signal: () => AbortSignal | undefined;
  letGo(): void;
}

function ask(
  replays: Replays,
  caller: string,
  response = new ServerResponse(new IncomingMessage(new Socket())),
): Asked {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let signal: AbortSignal | undefined;
  const answer = replays.run(
    { caller: { id: caller } } as FastifyRequest,
    { raw: response } as FastifyReply,
    async (given) => {
      signal = given;
      await promise;
      return 'replayed';
    },
  );
  answer.catch(() => undefined);
  return { response, answer, signal: () => signal, letGo: () => resolve(undefined) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const overloaded = (detail: RegExp): object =>
  expect.objectContaining({ problem: { code: 'overloaded', detail: expect.stringMatching(detail) } });

describe('replays of the log', () => {
  it('are so many at once, half of them at most of one caller, and the others wait for their turn', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const callers = ['ada', 'ada', 'ada', 'bob', 'bob', 'eve'];
    const asked = callers.map((caller) => ask(replays, caller));
    const begun = (): string => asked.map(({ signal }) => (signal() === undefined ? '-' : '+')).join('');
    expect(begun()).toBe('++-++-');
    expect(replays.bound).toMatchObject({ what: 'audit-replays', most: 4 });
    expect(replays.bound.inUse()).toBe(4);
    asked[3]?.letGo();
    expect(await asked[3]?.answer).toBe('replayed');
    await turn();
    expect(begun()).toBe('++-+++');
    for (const { letGo } of asked) letGo();
    expect(await Promise.all(asked.map(({ answer }) => answer))).toEqual(callers.map(() => 'replayed'));
    await turn();
    expect(replays.bound.inUse()).toBe(0);
  });

  it('do not begin any more when their caller has gone, or their time has run out, before their turn', async () => {
    const replays = new Replays({ requestTimeoutMs: 50 });
    const [first, second, waiting, late] = ['ada', 'ada', 'ada', 'ada'].map((caller) => ask(replays, caller));
    waiting?.response.emit('close');
    await expect(waiting?.answer).rejects.toEqual(overloaded(/has gone/));
    await expect(late?.answer).rejects.toEqual(overloaded(/taking too long/));
    for (const each of [first, second]) each?.letGo();
    await turn();
    expect([waiting?.signal(), late?.signal(), replays.bound.inUse()]).toEqual([undefined, undefined, 0]);
  });

  it('are told to end when their caller has gone, and count until they have', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const asked = ask(replays, 'ada');
    expect(asked.signal()?.aborted).toBe(false);
    asked.response.emit('close');
    expect(asked.signal()?.aborted).toBe(true);
    await expect(asked.answer).rejects.toEqual(overloaded(/has gone/));
    expect(replays.bound.inUse()).toBe(1);
    asked.letGo();
    await turn();
    expect(replays.bound.inUse()).toBe(0);
  });

  it('do not begin for who has gone before', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.destroy();
    const asked = ask(replays, 'ada', response);
    await expect(asked.answer).rejects.toEqual(overloaded(/has gone/));
    expect([asked.signal(), replays.bound.inUse()]).toEqual([undefined, 0]);
  });

  it('are told to end when they take too long, and their caller is told so', async () => {
    const replays = new Replays({ requestTimeoutMs: 1 });
    const asked = ask(replays, 'ada');
    await expect(asked.answer).rejects.toEqual(overloaded(/taking too long/));
    expect(asked.signal()?.aborted).toBe(true);
    asked.letGo();
  });
});
