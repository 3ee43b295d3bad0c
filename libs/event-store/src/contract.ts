import { isPosition, type Position, type RecordedEvent, type SealedEvent, uuidv7 } from '#kernel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Subscription } from 'rxjs';
import { sealedEvent, sealedEvents, tinyEvents } from './contract-events.ts';
import {
  type Appended,
  type EventFilter,
  type EventStore,
  MAX_APPEND_BYTES,
  MAX_APPEND_EVENTS,
  type ReadAllPage,
} from './port.ts';

/** What a spec brings to have an adapter judged. */
export interface StoreUnderTest {
  /** A store with an empty log. */
  readonly open: () => Promise<EventStore>;
  /** Removes what the store left, after it was closed. */
  readonly remove?: () => Promise<void>;
  /**
   * Where the store finds an id that is taken: anywhere in its log (the default), or only at the place where the append
   * would put it, as a server does that compares ids there. See `EventStore.append`.
   */
  readonly findsIds?: 'anywhere' | 'in-place';
}

/** Everything that the port promises, asserted field by field; each adapter's spec calls it. */
export function describeEventStore(name: string, adapter: StoreUnderTest): void {
  const findsIdsAnywhere = adapter.findsIds !== 'in-place';
  describe(`${name} as an event store`, () => {
    let store: EventStore;
    async function finish(): Promise<void> {
      await store.close();
      await adapter.remove?.();
    }

    describe('read', () => {
      const last = 9;
      beforeAll(async () => {
        store = await adapter.open();
        await store.append('account-2', 'no-stream', sealedEvents(1));
        await store.append('account-1', 'no-stream', sealedEvents(last + 1));
        await store.append('account-11', 'no-stream', sealedEvents(1));
      });

      afterAll(finish);

      it.each([
        [{}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
        [{ from: 4 }, [4, 5, 6, 7, 8, 9]],
        [{ from: 4, limit: 2 }, [4, 5]],
        [{ from: 4, to: 6 }, [4, 5, 6]],
        [{ from: 4, to: 6, limit: 2 }, [4, 5]],
        [{ to: 2 }, [0, 1, 2]],
        [{ from: last }, [last]],
        [{ from: last + 1 }, []],
        [{ from: 6, to: 4 }, []],
        [{ limit: 0 }, []],
        [{ limit: 100, to: 100 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
        [{ direction: 'backwards' }, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
        [{ direction: 'backwards', limit: 1 }, [9]],
        [{ direction: 'backwards', from: 3 }, [3, 2, 1, 0]],
        [{ direction: 'backwards', from: 5, to: 3 }, [5, 4, 3]],
        [{ direction: 'backwards', from: 5, to: 3, limit: 2 }, [5, 4]],
        [{ direction: 'backwards', from: 100, to: 8 }, [9, 8]],
        [{ direction: 'backwards', from: 3, to: 5 }, []],
      ] as const)('%j gives the revisions %j of that stream only', async (options, revisions) => {
        const events = await store.read('account-1', options);
        expect(events.map(({ stream, revision }) => [stream, revision])).toEqual(
          revisions.map((revision) => ['account-1', revision]),
        );
      });

      it.each([{ from: -1 }, { to: 0.5 }, { limit: -1 }])('refuses %j', async (options) => {
        await expect(store.read('account-1', options)).rejects.toMatchObject({ name: 'RangeError' });
      });
    });

    describe('readAll', () => {
      const streams = ['account-1', 'legalOrder-1', 'account-2', 'party-1'];
      const types = ['FundsDeposited', 'WithdrawalReserved', 'AccountFrozen'];
      beforeAll(async () => {
        store = await adapter.open();
        for (let index = 0; index < 24; index++) {
          const stream = streams[index % streams.length] ?? '';
          const revision = Math.floor(index / streams.length) - 1;
          const type = types[index % types.length] ?? '';
          await store.append(stream, revision < 0 ? 'no-stream' : revision, [sealedEvent({ type })]);
        }
      });

      afterAll(finish);

      it.each([1, 5, 24, 100])('pages through the whole log by %d, once each, in order', async (limit) => {
        const pages = await pagesOf(store, limit);
        const events = pages.flatMap((page) => page.events);
        expect(events).toHaveLength(24);
        expect(events.map(({ position }) => position)).toEqual(events.map(({ position }) => position).sort());
        expect(new Set(idsOf(events)).size).toBe(24);
        expect(pages.every((page) => page.events.length <= limit)).toBe(true);
        expect(pages.slice(0, -1).every((page) => !page.atEnd)).toBe(true);
        expect(pages.at(-1)).toMatchObject({ atEnd: true, scannedTo: await store.head() });
      });

      it.each<[string, EventFilter, (event: RecordedEvent) => boolean]>([
        ['a prefix', { streamPrefixes: ['account-'] }, ({ stream }) => stream.startsWith('account-')],
        [
          'two prefixes',
          { streamPrefixes: ['party-', 'legalOrder-1'] },
          ({ stream }) => !stream.startsWith('account-'),
        ],
        ['a type', { types: ['AccountFrozen'] }, ({ type }) => type === 'AccountFrozen'],
        ['two types', { types: ['AccountFrozen', 'FundsDeposited'] }, ({ type }) => type !== 'WithdrawalReserved'],
        [
          'a prefix and a type',
          { streamPrefixes: ['account-'], types: ['AccountFrozen'] },
          ({ stream, type }) => stream.startsWith('account-') && type === 'AccountFrozen',
        ],
        ['no prefix and no type', {}, () => true],
        ['an empty list of types', { types: [] }, () => false],
        ['an empty list of prefixes', { streamPrefixes: [] }, () => false],
        ['characters that mean something to a pattern', { streamPrefixes: ['%', 'account_', '*', '['] }, () => false],
      ])('filters by %s', async (_, filter, fits) => {
        const all = await logOf(store);
        for (const limit of [1, 3, 100]) {
          const pages = await pagesOf(store, limit, filter);
          expect(pages.flatMap((page) => page.events)).toEqual(all.filter(fits));
          expect(pages.at(-1)).toMatchObject({ atEnd: true, scannedTo: await store.head() });
        }
      });

      it('moves on when nothing matches', async () => {
        const filter = { types: ['NeverHappened'] };
        expect(await store.readAll({ limit: 5, filter })).toEqual({
          events: [],
          scannedTo: await store.head(),
          atEnd: true,
        });
      });

      it.each([{ limit: 0 }, { limit: -1 }, { limit: 5, after: 'not-a-position' }])('refuses %j', async (options) => {
        await expect(store.readAll(options)).rejects.toMatchObject({ name: 'RangeError' });
      });
    });

    describe('with a new log', () => {
      beforeEach(async () => {
        store = await adapter.open();
      });
      afterEach(finish);

      describe('an empty log', () => {
        it('has no events, no head and no stream', async () => {
          expect(await store.read('account-1')).toEqual([]);
          expect(await store.read('account-1', { direction: 'backwards', limit: 1 })).toEqual([]);
          expect(await store.readAll({ limit: 10 })).toEqual({ events: [], scannedTo: undefined, atEnd: true });
          expect(await store.head()).toBeUndefined();
        });
      });

      describe('append', () => {
        it('answers revisions from 0 and one position for each event', async () => {
          const first = await store.append('account-1', 'no-stream', sealedEvents(2));
          const second = await store.append('account-1', 1, sealedEvents(1));
          expect(first).toEqual({
            firstRevision: 0,
            lastRevision: 1,
            positions: [expect.any(String), expect.any(String)],
          });
          expect(second).toEqual({ firstRevision: 2, lastRevision: 2, positions: [expect.any(String)] });
          expect(await store.head()).toBe(second.positions[0]);
        });

        it('records every field as it was given, with its place', async () => {
          const data = {
            text: 'ünïcödé \u2028 "quoted" \u0000',
            list: [1, null, true],
            nested: { __proto__x: 'y' },
            amount: '1',
          };
          const event = sealedEvent({ type: 'PartyRegistered', schemaVersion: 3, data });
          const { positions } = await store.append('party-ä:1', 'no-stream', [event]);
          const recorded = { ...event, stream: 'party-ä:1', revision: 0, position: positions[0] };
          expect(await store.read('party-ä:1')).toEqual([recorded]);
          expect((await store.readAll({ limit: 1 })).events).toEqual([recorded]);
        });

        it('counts the revisions of each stream by itself, and orders all events in one log', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(2));
          await store.append('account-2', 'no-stream', sealedEvents(1));
          await store.append('account-1', 1, sealedEvents(1));
          const { events } = await store.readAll({ limit: 10 });
          expect(events.map(({ stream, revision }) => [stream, revision])).toEqual([
            ['account-1', 0],
            ['account-1', 1],
            ['account-2', 0],
            ['account-1', 2],
          ]);
        });

        it('gives positions of one width that compare as strings', async () => {
          const answers: Appended[] = [];
          for (let revision = 0; revision < 40; revision++) {
            answers.push(await store.append('account-1', revision === 0 ? 'no-stream' : revision - 1, sealedEvents(1)));
          }
          const positions = answers.flatMap((answer) => answer.positions);
          expect(positions).toEqual([...new Set(positions)].sort());
          expect(positions.every(isPosition)).toBe(true);
          expect(new Set(positions.map((position) => position.length)).size).toBe(1);
          expect((await store.readAll({ limit: 100 })).events.map(({ position }) => position)).toEqual(positions);
        });

        it('stores the bytes of the moment of the call', async () => {
          const data = { amount: '1' };
          const appending = store.append('account-1', 'no-stream', [sealedEvent({ data })]);
          data.amount = '2';
          await appending;
          expect((await store.read('account-1'))[0]?.data).toEqual({ amount: '1' });
        });

        it.each([
          ['no event, of a stream that has one', 'account-1', 'no-stream', 1],
          ['a revision behind the last', 'account-1', 0, 1],
          ['a revision ahead of the last', 'account-1', 2, 1],
          ['a revision, of a stream that has no event', 'account-2', 0, 'no-stream'],
        ] as const)('refuses when it expects %s', async (_, stream, expected, actual) => {
          await store.append('account-1', 'no-stream', sealedEvents(2));
          const before = await logOf(store);
          await expect(store.append(stream, expected, sealedEvents(1))).rejects.toMatchObject({
            name: 'StoreError',
            code: 'wrong-expected-revision',
            actual,
          });
          expect(await logOf(store)).toEqual(before);
        });

        it('lets exactly one of those through that race for a revision', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(1));
          const appends = Array.from({ length: 20 }, () => sealedEvents(2));
          const results = await Promise.allSettled(appends.map((events) => store.append('account-1', 0, events)));
          const won = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
          expect(won).toHaveLength(1);
          for (const result of results) {
            if (result.status === 'rejected') {
              expect(result.reason).toMatchObject({ code: 'wrong-expected-revision', actual: 2 });
            }
          }
          const stored = await store.read('account-1', { from: 1 });
          expect(idsOf(stored)).toEqual(idsOf(appends[won[0] ?? -1] ?? []));
        });

        it('takes what many streams append at the same time', async () => {
          const streams = Array.from({ length: 100 }, (_, index) => `account-${index}`);
          const events = streams.map(() => sealedEvents(2));
          const answers = await Promise.all(
            streams.map((stream, index) => store.append(stream, 'no-stream', events[index] ?? [])),
          );
          for (const [index, stream] of streams.entries()) {
            const stored = await store.read(stream);
            expect(idsOf(stored)).toEqual(idsOf(events[index] ?? []));
            expect(stored.map(({ position }) => position)).toEqual(answers[index]?.positions);
          }
          expect(await logOf(store)).toHaveLength(200);
        });

        if (findsIdsAnywhere) {
          it('refuses an id that stands in another stream, with all that comes with it', async () => {
            const [taken] = await appended(store, 'account-1', 'no-stream', 1);
            const before = await logOf(store);
            const append = store.append('account-2', 'no-stream', [
              sealedEvent(),
              sealedEvent({ id: taken?.id ?? '' }),
            ]);
            await expect(append).rejects.toMatchObject({
              name: 'StoreError',
              code: 'duplicate-event-id',
              actual: undefined,
            });
            expect(await logOf(store)).toEqual(before);
            expect(await store.append('account-2', 'no-stream', sealedEvents(1))).toMatchObject({ firstRevision: 0 });
          });

          it('refuses an id that stands in the same stream at another revision', async () => {
            const [taken] = await appended(store, 'account-1', 'no-stream', 1);
            const append = store.append('account-1', 0, [sealedEvent({ id: taken?.id ?? '' })]);
            await expect(append).rejects.toMatchObject({ name: 'StoreError', code: 'duplicate-event-id' });
            expect(await logOf(store)).toHaveLength(1);
          });
        }

        it('refuses an id that stands twice in the append', async () => {
          const id = uuidv7();
          const append = store.append('account-1', 'no-stream', [
            sealedEvent({ id }),
            sealedEvent(),
            sealedEvent({ id }),
          ]);
          await expect(append).rejects.toMatchObject({ name: 'StoreError', code: 'duplicate-event-id' });
          expect(await logOf(store)).toEqual([]);
        });

        if (findsIdsAnywhere) {
          it('refuses one of two that bring the same id at the same time', async () => {
            const event = sealedEvent();
            const results = await Promise.allSettled([
              store.append('account-1', 'no-stream', [event]),
              store.append('account-2', 'no-stream', [event]),
            ]);
            const refusals = results.flatMap((result) =>
              result.status === 'rejected' ? [result.reason as unknown] : [],
            );
            expect(refusals).toEqual([expect.objectContaining({ code: 'duplicate-event-id' })]);
            expect(await logOf(store)).toHaveLength(1);
          });
        }

        it.each([0, MAX_APPEND_EVENTS + 1])('refuses %d events', async (count) => {
          const failure = count === 0 ? { name: 'RangeError' } : { name: 'StoreError', code: 'append-too-large' };
          await expect(store.append('account-1', 'no-stream', sealedEvents(count))).rejects.toMatchObject(failure);
          expect(await logOf(store)).toEqual([]);
        });

        it('takes the largest append by number, and the largest by size to the byte', async () => {
          await store.append('account-1', 'no-stream', tinyEvents(MAX_APPEND_EVENTS));
          expect(await store.read('account-1')).toHaveLength(MAX_APPEND_EVENTS);

          const spare = MAX_APPEND_BYTES - jsonBytes(sealedEvent({ data: '' }));
          const tooLarge = sealedEvent({ data: 'ä'.repeat(Math.floor(spare / 2)) + 'ab' });
          await expect(store.append('account-2', 'no-stream', [tooLarge])).rejects.toMatchObject({
            name: 'StoreError',
            code: 'append-too-large',
          });
          expect(await store.read('account-2')).toEqual([]);
          const largest = sealedEvent({ data: 'x'.repeat(spare) });
          expect(jsonBytes(largest)).toBe(MAX_APPEND_BYTES);
          await store.append('account-2', 'no-stream', [largest]);
          expect(await store.read('account-2')).toMatchObject([{ id: largest.id, data: largest.data }]);
        });

        it.each([
          ['a number that is no number of JSON', { amount: 1n }],
          ['nothing', undefined],
          ['what JSON leaves out', () => 1],
        ])('refuses data that is %s, stores nothing, and goes on', async (_, data) => {
          const append = store.append('account-1', 'no-stream', [sealedEvent(), { ...sealedEvent(), data }]);
          await expect(append).rejects.toMatchObject({ name: 'TypeError' });
          expect(await logOf(store)).toEqual([]);
          expect(await store.append('account-1', 'no-stream', sealedEvents(1))).toMatchObject({ firstRevision: 0 });
        });

        it.each([-1, 0.5, NaN])('takes %d for no revision', async (expected) => {
          await expect(store.append('account-1', expected, sealedEvents(1))).rejects.toMatchObject({
            name: 'RangeError',
          });
          expect(await logOf(store)).toEqual([]);
        });
      });

      describe('the same append again', () => {
        it.each([
          ['on a new stream', 0],
          ['on a stream that has events', 3],
        ])('answers as the first time and stores nothing, %s', async (_, earlier) => {
          if (earlier > 0) await store.append('account-1', 'no-stream', sealedEvents(earlier));
          const expected = earlier > 0 ? earlier - 1 : 'no-stream';
          const events = sealedEvents(3);
          const first = await store.append('account-1', expected, events);
          expect(await store.append('account-1', expected, events)).toEqual(first);
          await store.append('account-2', 'no-stream', sealedEvents(1));
          await store.append('account-1', first.lastRevision, sealedEvents(2));
          expect(await store.append('account-1', expected, events)).toEqual(first);
          expect(await logOf(store)).toHaveLength(earlier + 6);
        });

        it('is stored once when it is sent twice at the same time', async () => {
          const events = sealedEvents(2);
          const answers = await Promise.all([1, 2, 3].map(() => store.append('account-1', 'no-stream', events)));
          expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
          expect(await logOf(store)).toHaveLength(2);
        });

        it('is a wrong revision with one event more, in another order, or at another revision', async () => {
          const events = sealedEvents(2);
          await store.append('account-1', 'no-stream', events);
          const wrong = { code: 'wrong-expected-revision', actual: 1 };
          const more = [...events, sealedEvent()];
          await expect(store.append('account-1', 'no-stream', more)).rejects.toMatchObject(wrong);
          await expect(store.append('account-1', 'no-stream', events.toReversed())).rejects.toMatchObject(wrong);
          await expect(store.append('account-1', 0, events)).rejects.toMatchObject(wrong);
          if (findsIdsAnywhere) {
            const taken = { code: 'duplicate-event-id' };
            await expect(store.append('account-2', 'no-stream', events)).rejects.toMatchObject(taken);
          }
          expect(await logOf(store)).toHaveLength(2);
        });
      });

      describe('what is read on', () => {
        it('gives a stream of any length', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(2));
          await store.append('account-1', 1, tinyEvents(MAX_APPEND_EVENTS));
          const forwards = await store.read('account-1', { from: 1 });
          const backwards = await store.read('account-1', { direction: 'backwards', to: 1 });
          expect(forwards.map(({ revision }) => revision)).toEqual(
            Array.from({ length: MAX_APPEND_EVENTS + 1 }, (_, index) => index + 1),
          );
          expect(backwards).toEqual(forwards.toReversed());
        });

        it('has nothing after the head, and goes on from there', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(3));
          const head = await store.head();
          expect(head).toBeDefined();
          const after = head ?? '';
          expect(await store.readAll({ after, limit: 5 })).toEqual({ events: [], scannedTo: head, atEnd: true });
          const [event] = await appended(store, 'asset-BTC', 'no-stream', 1);
          expect(idsOf((await store.readAll({ after, limit: 5 })).events)).toEqual([event?.id]);
        });
      });

      describe('what was read', () => {
        it('changes nothing in the log when somebody changes it', async () => {
          await store.append('account-1', 'no-stream', [sealedEvent({ data: { list: ['a'] } })]);
          const before = structuredClone(await store.read('account-1'));
          for (const event of [...(await store.read('account-1')), ...(await logOf(store))]) {
            const { list } = event.data as { list: string[] };
            attempt(() => list.push('b'));
            attempt(() => Object.assign(event, { type: 'Forged', revision: 7 }));
            attempt(() => Object.assign(event.metadata.actor, { id: 'mallory' }));
          }
          expect(await store.read('account-1')).toEqual(before);
          expect(await logOf(store)).toEqual(before);
        });
      });

      describe('subscribeAll', () => {
        it('gives what is stored, then what comes, in order and once each', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(600));
          const seen = collect(store, {});
          await seen.until(600);
          for (let revision = 599; revision < 619; revision += 2)
            await store.append('account-1', revision, sealedEvents(2));
          await store.append('account-2', 'no-stream', sealedEvents(2));
          await seen.until(622);
          seen.stop();
          expect(seen.events).toEqual(await logOf(store));
        });

        it('misses and repeats nothing while others append', async () => {
          const seen = collect(store, {});
          const appends = Array.from({ length: 200 }, (_, index) =>
            store.append(`account-${index}`, 'no-stream', sealedEvents(3)),
          );
          await Promise.all(appends);
          await seen.until(600);
          seen.stop();
          expect(seen.events).toEqual(await logOf(store));
        });

        it('filters, also what comes later', async () => {
          const filter = { streamPrefixes: ['account-'], types: ['AccountFrozen'] };
          await store.append('account-1', 'no-stream', [sealedEvent(), sealedEvent({ type: 'AccountFrozen' })]);
          const seen = collect(store, { filter });
          await seen.until(1);
          await store.append('legalOrder-1', 'no-stream', [sealedEvent({ type: 'AccountFrozen' })]);
          await store.append('account-2', 'no-stream', [sealedEvent(), sealedEvent({ type: 'AccountFrozen' })]);
          await seen.until(2);
          seen.stop();
          expect(seen.events.map(({ stream, revision }) => [stream, revision])).toEqual([
            ['account-1', 1],
            ['account-2', 1],
          ]);
        });

        it('tells how far it has looked where nothing matches, and goes on from there', async () => {
          const { positions } = await store.append('account-1', 'no-stream', sealedEvents(1));
          await store.append('account-1', 0, tinyEvents(MAX_APPEND_EVENTS));
          const filter = { streamPrefixes: ['party-'] };
          let subscription: Subscription | undefined;
          const scanned = await new Promise<Position>((resolve, reject) => {
            // Before it, a log that is shared has what others wrote.
            const note = (position: Position): void => {
              if (position > (positions[0] ?? '')) resolve(position);
            };
            subscription = store.subscribeAll({ filter, scanned: note }).subscribe({ error: reject });
          });
          subscription?.unsubscribe();
          expect(isPosition(scanned)).toBe(true);
          const seen = collect(store, { after: scanned, filter });
          await store.append('party-1', 'no-stream', sealedEvents(2));
          await seen.until(2);
          seen.stop();
          expect(seen.events).toEqual(await store.read('party-1'));
        });

        it('resumes after any position without gap or repeat', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(5));
          await store.append('account-2', 'no-stream', sealedEvents(5));
          const log = await logOf(store);
          for (const [index, { position }] of log.entries()) {
            const seen = collect(store, { after: position });
            await seen.until(log.length - index - 1);
            seen.stop();
            expect(seen.events).toEqual(log.slice(index + 1));
          }
        });

        it('stops when asked to, even in the middle of a page', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(10));
          const seen = collect(store, {}, 4);
          await seen.until(4);
          await store.append('account-1', 9, sealedEvents(1));
          const later = collect(store, {});
          await later.until(11);
          later.stop();
          expect(seen.events).toHaveLength(4);
        });

        it('serves several subscribers, each from where it asked', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(3));
          const after = (await logOf(store))[1]?.position;
          const [whole, rest] = [collect(store, {}), collect(store, { after })];
          await store.append('account-1', 2, sealedEvents(2));
          await Promise.all([whole.until(5), rest.until(3)]);
          whole.stop();
          rest.stop();
          expect(rest.events).toEqual(whole.events.slice(2));
        });

        it('completes when the store closes', async () => {
          await store.append('account-1', 'no-stream', sealedEvents(1));
          const seen = collect(store, {});
          await seen.until(1);
          await store.close();
          await seen.end;
        });

        it('fails for a position that is none', async () => {
          const seen = collect(store, { after: 'not-a-position' });
          await expect(seen.end).rejects.toMatchObject({ name: 'RangeError' });
        });
      });

      describe('close', () => {
        it('finishes what was taken, refuses what comes later, and can be repeated', async () => {
          const appending = store.append('account-1', 'no-stream', sealedEvents(1));
          await store.close();
          expect(await appending).toMatchObject({ firstRevision: 0 });
          const unavailable = { name: 'StoreError', code: 'store-unavailable' };
          await expect(store.append('account-1', 0, sealedEvents(1))).rejects.toMatchObject(unavailable);
          await expect(store.read('account-1')).rejects.toMatchObject(unavailable);
          await expect(store.readAll({ limit: 1 })).rejects.toMatchObject(unavailable);
          await expect(store.head()).rejects.toMatchObject(unavailable);
          await store.close();
        });
      });
    });
  });
}

interface Collected {
  readonly events: RecordedEvent[];
  /** Resolves when the subscription completes, rejects when it fails. */
  readonly end: Promise<void>;
  /** Waits until at least so many events came. */
  readonly until: (count: number) => Promise<void>;
  readonly stop: () => void;
}

/** Subscribes and keeps what comes. @param most stops after so many, from within the delivery of the last one */
function collect(
  store: EventStore,
  options: { readonly after?: Position | undefined; readonly filter?: EventFilter },
  most = Infinity,
): Collected {
  const events: RecordedEvent[] = [];
  let subscription: Subscription | undefined;
  let wake: () => void = () => undefined;
  const end = new Promise<void>((resolve, reject) => {
    subscription = store.subscribeAll(options).subscribe({
      next: (event) => {
        events.push(event);
        if (events.length >= most) subscription?.unsubscribe();
        wake();
      },
      error: reject,
      complete: resolve,
    });
  });
  const until = async (count: number): Promise<void> => {
    while (events.length < count) await Promise.race([end, new Promise<void>((resolve) => (wake = resolve))]);
  };
  return { events, end, until, stop: () => subscription?.unsubscribe() };
}

async function pagesOf(store: EventStore, limit: number, filter: EventFilter = {}): Promise<ReadAllPage[]> {
  const pages: ReadAllPage[] = [];
  let after: Position | undefined;
  for (;;) {
    const page = await store.readAll({ limit, filter, ...(after !== undefined && { after }) });
    pages.push(page);
    if (page.atEnd) return pages;
    if (page.scannedTo === undefined || page.scannedTo <= (after ?? '')) throw new Error('a page made no headway');
    after = page.scannedTo;
  }
}

async function logOf(store: EventStore): Promise<readonly RecordedEvent[]> {
  return (await pagesOf(store, 1_000)).flatMap((page) => page.events);
}

async function appended(
  store: EventStore,
  stream: string,
  expected: number | 'no-stream',
  count: number,
): Promise<readonly SealedEvent[]> {
  const events = sealedEvents(count);
  await store.append(stream, expected, events);
  return events;
}

function idsOf(events: readonly { readonly id: string }[]): string[] {
  return events.map((event) => event.id);
}

function jsonBytes(event: SealedEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}

function attempt(change: () => unknown): void {
  try {
    change();
  } catch {
    // A frozen record refuses, which is as good.
  }
}
