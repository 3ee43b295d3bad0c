import { MemoryEventStore } from '#event-store/memory';
import { accepts, canonicalJson, canonicalShape, type RecordedEvent } from '#kernel';
import { LedgerWorld, tellStory } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { decodeEvent, kindOfStream, metadataSchema, registry } from './registry.ts';

let log: readonly RecordedEvent[];
beforeAll(async () => {
  const store = new MemoryEventStore();
  await tellStory(new LedgerWorld({ store }));
  log = (await store.readAll({ limit: 10_000 })).events;
});

const OTHERS = [undefined, null, '', 'x'.repeat(1_000), '-1', 'a\nb', 1, true, [], ['a'], {}, { kind: 'none' }];

/** The value with any one part of it replaced, left out, or something put beside it. */
function* changed(value: unknown): Generator {
  yield* OTHERS;
  if (Array.isArray(value)) {
    yield [...(value as unknown[]), 'more'];
    for (const [at, item] of value.entries()) for (const other of changed(item)) yield value.with(at, other);
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, more: 'more' };
    for (const [name, part] of Object.entries(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
      for (const other of changed(part)) yield { ...value, [name]: other };
    }
  }
}

function schemasOf(event: RecordedEvent): readonly (readonly [z.ZodType, unknown])[] {
  const kind = kindOfStream(event.stream);
  const definition = kind === undefined ? undefined : registry[kind].get(event.type);
  if (definition === undefined) throw new Error(`no event of ours: ${event.type}`);
  return [
    [definition.schema, event.data],
    [metadataSchema, event.metadata],
  ];
}

describe('the quick check of an event', () => {
  it('takes the metadata of every event, and the data of those that are many', () => {
    const many = new Set(['FundsDeposited', 'WithdrawalReserved', 'WithdrawalDispatched', 'WithdrawalSettled']);
    const seen = new Set<string>();
    for (const event of log) {
      const [data, metadata] = schemasOf(event).map(([schema, value]) => accepts(schema, value));
      expect([event.type, metadata]).toEqual([event.type, true]);
      if (many.has(event.type)) expect([event.type, data]).toEqual([event.type, true]);
      seen.add(event.type);
    }
    expect([...many].filter((type) => !seen.has(type))).toEqual([]);
  });

  it('takes nothing that the schema does not give back as it stands', () => {
    let [taken, refused] = [0, 0];
    const types = new Set<string>();
    for (const event of log) {
      if (types.has(event.type)) continue;
      types.add(event.type);
      for (const [schema, value] of schemasOf(event)) {
        for (const other of changed(value)) {
          const quick = accepts(schema, other);
          const parsed = schema.safeParse(other);
          if (quick) expect(parsed).toEqual({ success: true, data: other });
          if (quick) taken += 1;
          else refused += 1;
        }
      }
    }
    expect([taken > 50, refused > 1_000]).toEqual([true, true]);
  });

  it('needs no more than a look at the texts of those that are many', () => {
    const many = new Set([
      'FundsDeposited',
      'WithdrawalReserved',
      'WithdrawalSettled',
      'TransferSent',
      'AccountOpened',
    ]);
    const unseen = new Set(many);
    for (const event of log) {
      const shapes = schemasOf(event).map(([schema, value]) => canonicalShape(schema, canonicalJson(value)));
      if (many.has(event.type)) expect([event.type, ...shapes]).toEqual([event.type, 'valid', 'valid']);
      unseen.delete(event.type);
    }
    expect([...unseen]).toEqual([]);
  });

  it('believes no text that is not canonical, or of what the schema does not take', () => {
    let known = 0;
    const types = new Set<string>();
    for (const event of log) {
      if (types.has(event.type)) continue;
      types.add(event.type);
      for (const [schema, value] of schemasOf(event)) {
        for (const other of changed(value)) {
          const written = JSON.stringify(other) as string | undefined;
          if (written === undefined) continue;
          const read = JSON.parse(written) as unknown;
          for (const text of [written, canonicalJson(read)]) {
            const says = canonicalShape(schema, text);
            if (says === undefined) continue;
            known += 1;
            expect(canonicalJson(read)).toBe(text);
            if (says === 'valid') expect(schema.safeParse(read)).toEqual({ success: true, data: read });
          }
        }
      }
    }
    expect(known).toBeGreaterThan(50);
  });

  it('leaves it to the schema to say what is wrong', () => {
    const [event] = log;
    if (event === undefined) throw new Error('an empty log');
    const metadata = { ...event.metadata, recordedAt: 'yesterday' };
    expect(decodeEvent({ ...event, metadata })).toEqual({
      ok: false,
      problem: 'metadata.recordedAt: must be RFC 3339, UTC, with milliseconds',
    });
  });

  it.each(['hello', '', 'ID', ' ID', 'ID\n', 'ID0', '00000000-0000-0000-0000-000000000000'])(
    'takes no event under the id %j, to which nothing could point',
    (text) => {
      const [event] = log;
      if (event === undefined) throw new Error('an empty log');
      const id = text === 'ID' ? event.id.toUpperCase() : text.replace('ID', event.id);
      expect(decodeEvent({ ...event, id })).toEqual({ ok: false, problem: 'id: must be a UUID' });
    },
  );
});
