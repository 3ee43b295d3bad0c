import { describe, expect, it } from '@jest/globals';
import { defineEvent, reject, type DomainEvent, type EventOf, type Recorded, type Rejection } from '#kernel';
import { z } from 'zod';
import { SPEC_ACTOR, SPEC_NOW, at, specEventId, specFor, specPointer } from './decider-spec.ts';

const Counted = defineEvent({
  type: 'Counted',
  streams: ['counter'],
  summary: 'A counter went up.',
  schema: z.strictObject({ by: z.int().min(1), tags: z.array(z.string()) }),
});
type Counted = EventOf<typeof Counted>;
interface Counter {
  sum: number;
  seen: Recorded<Counted>[];
}
interface Count {
  readonly by: number;
  readonly tags: string[];
}

const counter = {
  initialState: (): Counter => ({ sum: 0, seen: [] }),
  evolve: (state: Counter, event: Recorded<Counted>): Counter => {
    state.sum += event.data.by;
    state.seen.push(event);
    return state;
  },
  check: (state: Counter, event: Recorded<Counted>): string | undefined =>
    state.sum + event.data.by > 5 ? 'it counts to five' : undefined,
  decide: ({ by, tags }: Count, state: Counter): readonly Counted[] | Rejection => {
    if (by === 0) return [];
    if (state.sum + by > 5) return reject('invalid-transition', 'it counts to five', { state: 'full' });
    return [{ type: 'Counted', data: { by, tags } }];
  },
  events: [Counted],
  stream: 'counter-1',
  context: { now: SPEC_NOW, actor: SPEC_ACTOR },
};
const { given } = specFor(counter);
const counted = (by: number): Counted => ({ type: 'Counted', data: { by, tags: [] } });
const count = (by: number): Count => ({ by, tags: [] });

/** The specification of a counter that decides in another way. */
function deciding(decide: (command: Count, state: Counter) => readonly DomainEvent[] | Rejection): typeof given {
  return specFor({ ...counter, decide: decide as typeof counter.decide }).given;
}

describe('a specification that is true', () => {
  it('passes', () => {
    given().when(count(2)).then(counted(2));
    given(counted(4)).when(count(0)).thenNothingHappened();
    given(counted(4)).when(count(2)).thenRejected('invalid-transition', { state: 'full' }, /five/);
    given(counted(4)).when(count(2)).thenRejected('invalid-transition');
  });

  it('records what is given with rising revisions and times, and as it is placed', () => {
    const actor = { id: 'bob', roles: [] };
    const key = { caller: 'bob', homeStream: 'counter-1', value: 'k' };
    const recordedAt = '2022-01-01T00:00:00.000Z';
    const [first, second, third] = given(
      counted(1),
      at(counted(1), { actor, key, recordedAt, id: specEventId(99) }),
      counted(1),
    ).state().seen;
    expect(first).toMatchObject({
      stream: 'counter-1',
      id: specPointer('counter-1', 0).eventId,
      revision: 0,
      schemaVersion: 1,
    });
    expect(second).toMatchObject({
      id: specEventId(99),
      metadata: { actor, key, recordedAt, commandHash: expect.any(String) },
    });
    expect(third).toMatchObject({ revision: 2, metadata: { actor: SPEC_ACTOR, key: null, commandHash: null } });
    expect((first?.position ?? '') < (third?.position ?? '')).toBe(true);
    expect((first?.metadata.recordedAt ?? '') < (third?.metadata.recordedAt ?? '')).toBe(true);
    expect((third?.metadata.recordedAt ?? '') < SPEC_NOW).toBe(true);
  });
});

describe('what a command makes', () => {
  it('is recorded at the time and by the actor of the context, with the key on the first event', () => {
    const seen: Recorded<Counted>[] = [];
    const check = (_: Counter, event: Recorded<Counted>): undefined => {
      if (!seen.some(({ revision }) => revision === event.revision)) seen.push(event);
    };
    const actor = { id: 'bob', roles: [] };
    const key = { caller: 'bob', homeStream: 'counter-1', value: 'k' };
    const now = '2022-05-01T00:00:00.000Z';
    specFor({ ...counter, check, decide: () => [counted(1), counted(1)] })
      .given(counted(1))
      .when(count(1), { now, actor }, { key })
      .then(counted(1), counted(1));
    const keyed = { actor, recordedAt: now, key, commandHash: expect.any(String) };
    const keyless = { actor, recordedAt: now, key: null, commandHash: null };
    expect(seen.slice(1)).toMatchObject([
      { revision: 1, position: '', metadata: keyed },
      { revision: 2, position: '', metadata: keyless },
    ]);
  });
});

describe('a specification that is false', () => {
  it.each([
    ['other events', () => given().when(count(2)).then(counted(3))],
    ['fewer events', () => given().when(count(2)).then()],
    ['more events', () => given().when(count(2)).then(counted(2), counted(2))],
    ['an event where nothing happened', () => given().when(count(0)).then(counted(1))],
    ['nothing where an event came out', () => given().when(count(2)).thenNothingHappened()],
    ['nothing where it was turned down', () => given().when(count(6)).thenNothingHappened()],
    ['an event where it was turned down', () => given().when(count(6)).then(counted(6))],
    ['a rejection where an event came out', () => given().when(count(2)).thenRejected('invalid-transition')],
    ['a rejection where nothing happened', () => given().when(count(0)).thenRejected('invalid-transition')],
    ['another code', () => given().when(count(6)).thenRejected('already-exists')],
    ['other members', () => given().when(count(6)).thenRejected('invalid-transition', {})],
    ['another detail', () => given().when(count(6)).thenRejected('invalid-transition', { state: 'full' }, /six/)],
    ['an illegal history', () => given(counted(4), counted(4)).state()],
    ['a malformed history', () => given(counted(0)).when(count(1))],
  ])('fails: %s', (_, specification) => {
    expect(specification).toThrow();
  });

  it.each([
    ['makes a malformed event', () => deciding(() => [counted(0)])().when(count(1)), /schema/],
    [
      'makes an illegal event',
      () => deciding(() => [counted(3), counted(3)])().when(count(1)),
      /revision 1 is illegal/,
    ],
    ['makes an unknown event', () => deciding(() => [{ type: 'X', data: {} }])().when(count(1)), /not in the registry/],
    [
      'changes the state',
      () =>
        deciding((_, state) => {
          state.sum += 1;
          return [];
        })().when(count(1)),
      /changed the state/,
    ],
    [
      'changes the command',
      () =>
        deciding(({ tags }) => {
          tags.push('x');
          return [];
        })().when(count(1)),
      /extensible/,
    ],
    [
      'gives no reason',
      () =>
        deciding(() => reject('overloaded', ''))()
          .when(count(1))
          .thenRejected('overloaded'),
      /match/,
    ],
  ])('fails where the decider %s', (_, specification, reason) => {
    expect(specification).toThrow(reason);
  });
});
