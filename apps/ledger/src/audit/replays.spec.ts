import { describe, expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Replays } from './replays.ts';

/** A replay that goes on until it is let go. */
interface Asked {
  readonly response: ServerResponse;
  readonly answer: Promise<string>;
  readonly signal: AbortSignal | undefined;
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
  return { response, answer, signal, letGo: () => resolve(undefined) };
}

const overloaded = (detail: RegExp): object =>
  expect.objectContaining({ problem: { code: 'overloaded', detail: expect.stringMatching(detail) } });

describe('replays of the log', () => {
  it('are so many at once, and half of them at most for one caller', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const [first, ...others] = ['ada', 'ada', 'bob', 'bob'].map((caller) => ask(replays, caller));
    await expect(ask(replays, 'eve').answer).rejects.toEqual(overloaded(/^Too many/));
    expect(replays.bound).toMatchObject({ what: 'audit-replays', most: 4 });
    expect(replays.bound.inUse()).toBe(4);
    first?.letGo();
    expect(await first?.answer).toBe('replayed');
    expect(replays.bound.inUse()).toBe(3);
    await expect(ask(replays, 'bob').answer).rejects.toEqual(overloaded(/^Too many/));
    const last = ask(replays, 'eve');
    for (const asked of [...others, last]) asked.letGo();
    expect(await last.answer).toBe('replayed');
  });

  it('are told to end when their caller has gone, and count until they have', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const asked = ask(replays, 'ada');
    expect(asked.signal?.aborted).toBe(false);
    asked.response.emit('close');
    expect(asked.signal?.aborted).toBe(true);
    await expect(asked.answer).rejects.toEqual(overloaded(/has gone/));
    expect(replays.bound.inUse()).toBe(1);
    asked.letGo();
    await new Promise((resolve) => setImmediate(resolve));
    expect(replays.bound.inUse()).toBe(0);
  });

  it('do not begin for who has gone before', async () => {
    const replays = new Replays({ requestTimeoutMs: 60_000 });
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.destroy();
    const asked = ask(replays, 'ada', response);
    await expect(asked.answer).rejects.toEqual(overloaded(/has gone/));
    expect([asked.signal, replays.bound.inUse()]).toEqual([undefined, 0]);
  });

  it('are told to end when they take too long, and their caller is told so', async () => {
    const replays = new Replays({ requestTimeoutMs: 1 });
    const asked = ask(replays, 'ada');
    await expect(asked.answer).rejects.toEqual(overloaded(/taking too long/));
    expect(asked.signal?.aborted).toBe(true);
    asked.letGo();
  });
});
