import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { describeEvents } from './catalogue.ts';

/** Canonical JSON as the page tells it, which is enough of it for what stands there; no code of ours. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

interface Example {
  readonly revision: unknown;
  readonly data: object;
  readonly metadata: { readonly hash: string; readonly previousHash: unknown; readonly commandHash: string };
}

const page = describeEvents();
const blocks = [...page.matchAll(/^```(?:json|text)\n([^]*?)\n```$/gm)].map(([, text = '']) => text);
const [shown = '', hashed = '', asked = '', compared = ''] = blocks;

it('the event on the page has the hash that the page says how to make', () => {
  const { position, ...event } = JSON.parse(shown) as Example & { readonly position: string };
  const { hash, ...metadata } = event.metadata;
  expect(Object.keys(event).sort()).toEqual(['data', 'id', 'metadata', 'revision', 'schemaVersion', 'stream', 'type']);
  expect([position, event.revision, metadata.previousHash]).toEqual([expect.any(String), '0', null]);
  expect(hashed).toBe(JSON.stringify(sorted({ ...event, metadata })));
  expect(hash).toBe(sha256(hashed));
});

it('the request on the page has the hash that the page says how to make', () => {
  const [, head = '', body = ''] = /^POST (\S+)\n([^]*)$/.exec(asked) ?? [];
  const content = JSON.parse(body) as Record<string, unknown>;
  expect(content['amount']).toBe('0.50');
  expect(compared).toBe(JSON.stringify(sorted({ content: { ...content, amount: '0.5' }, method: 'POST', path: head })));
  expect(page).toContain(`\`${sha256(compared)}\``);
});

it('the event on the page has the hash of the command that brings it about', () => {
  const { data, metadata } = JSON.parse(shown) as Example;
  expect(metadata.commandHash).toBe(
    sha256(JSON.stringify(sorted({ content: data, method: 'POST', path: '/v1/assets' }))),
  );
});
