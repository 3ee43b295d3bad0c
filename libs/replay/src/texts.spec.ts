import { MemoryEventStore } from '#event-store/memory';
import { canonicalJson, StoredEvent, type EventTexts, type RecordedEvent } from '#kernel';
import { LedgerWorld, tellStory } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chainHash, StreamFold } from './fold.ts';
import type { Violation } from './judged.ts';
import { CitationResolver } from './resolver.ts';

const store = new MemoryEventStore();
/** The events of accounts that rest on no other stream: their folds need nothing else. */
let deposits: readonly (readonly RecordedEvent[])[];
beforeAll(async () => {
  await tellStory(new LedgerWorld({ store }));
  const log = (await store.readAll({ limit: 10_000 })).events;
  const ends = log.filter(({ type }) => type === 'FundsDeposited').slice(0, 20);
  deposits = ends.map(({ stream, revision }) =>
    log.filter((event) => event.stream === stream && event.revision <= revision),
  );
});

interface Outcome {
  readonly violation: Violation | undefined;
  readonly lastHash: string | null;
  readonly lastRecordedMs: number;
}

/** What the last of some events of a stream comes to. */
async function judged(earlier: readonly RecordedEvent[], last: RecordedEvent): Promise<Outcome> {
  const fold = new StreamFold(last.stream, new CitationResolver(store));
  for (const event of earlier) await fold.apply(event);
  const { violation } = await fold.apply(last);
  return { violation, lastHash: fold.lastHash, lastRecordedMs: fold.lastRecordedMs };
}

const NOT_ITS_HASH = 'hash is not that of the content';

/** Whether a text is what writing its content gives. */
function isWritten(text: string): boolean {
  const content: unknown = JSON.parse(text);
  return JSON.stringify(content) === text || (text.isWellFormed() && canonicalJson(content) === text);
}

/** What is done to the text of an event's metadata: nothing, or something anywhere, or a member more at either end. */
const change = fc.oneof(
  fc.constant((text: string) => text),
  fc
    .tuple(fc.nat(), fc.nat(4), fc.constantFrom('', ' ', '"', '\\', ',', '{', '}', '0', 'a', '\\u0061', '\ud800', '€'))
    .map(([place, removed, put]) => (text: string): string => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + removed);
    }),
  fc
    .tuple(fc.constantFrom('hash', 'previousHash', 'recordedAt', 'actor', 'more'), fc.boolean(), fc.boolean())
    .map(([name, atEnd, isHash]) => (text: string): string => {
      const member = `"${name}":"${isHash ? 'a'.repeat(64) : '2022-02-15T12:00:00.000Z'}"`;
      return atEnd ? `${text.slice(0, -1)},${member}}` : `{${member},${text.slice(1)}`;
    }),
  fc
    .tuple(fc.constantFrom('hash', 'previousHash', 'recordedAt', 'causationId'), fc.jsonValue())
    .map(([name, value]) => (text: string): string => {
      return canonicalJson({ ...(JSON.parse(text) as object), [name]: value });
    }),
  fc.constant((text: string) =>
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse())),
  ),
  fc.constantFrom('null', '1', '"a"', '[]', '{}', '').map((other) => (): string => other),
);

describe('an event that is judged by the texts that it was read from', () => {
  it('comes to what a copy comes to, which is judged by what the texts say, if they say it as it was ever written', async () => {
    const seen = { legal: 0, not: 0, otherText: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(), change, async (which, changed) => {
        const events = deposits[which % deposits.length] ?? [];
        const last = events.at(-1);
        const texts = last && StoredEvent.textsOf(last);
        if (last === undefined || texts === undefined) throw new Error('the store gives the texts');
        const read: EventTexts = { data: texts.data, metadata: changed(texts.metadata) };
        const stored = new StoredEvent({ ...last, ...read }, last);
        const copy: RecordedEvent = Object.assign({}, new StoredEvent({ ...last, ...read }, last));
        const outcome = await judged(events.slice(0, -1), stored);
        const ofCopy = await judged(events.slice(0, -1), copy);
        const isHashJudged = ofCopy.violation === undefined || ofCopy.violation.detail === NOT_ITS_HASH;
        if (isHashJudged && !isWritten(read.metadata)) {
          expect(outcome.violation).toEqual({ code: 'hash-mismatch', detail: expect.stringMatching(/^the text of /) });
          seen.otherText += 1;
        } else {
          expect(outcome).toEqual(ofCopy);
        }
        expect(outcome.lastHash).toBe(chainHash(copy));
        seen[outcome.violation === undefined ? 'legal' : 'not'] += 1;
      }),
      { numRuns: 500 },
    );
    expect([seen.legal > 50, seen.not > 50, seen.otherText > 20]).toEqual([true, true, true]);
  });
});
