import { describe, expect, it } from '@jest/globals';
import { matches, OwnStreams } from './own-streams.ts';

describe('the streams of ours on a server', () => {
  const kinds = new OwnStreams({ streamKinds: ['account-', 'party-'] });
  const prefixed = new OwnStreams({ streamPrefix: 'test-1-', streamKinds: ['account-'] });
  const all = new OwnStreams({});

  it('have a prefix there that nobody sees here', () => {
    expect(prefixed.toServer('account-1')).toBe('test-1-account-1');
    expect(prefixed.fromServer('test-1-account-1')).toBe('account-1');
    for (const name of ['account-1', 'test-1-order-1', 'test-2-account-1', '$test-1-account-1']) {
      expect(prefixed.fromServer(name)).toBeUndefined();
    }
  });

  it('are of the kinds that are given, or all but those of the server', () => {
    expect(['account-1', 'accounts', 'order-1', '$ce-account'].map((name) => kinds.fromServer(name))).toEqual([
      'account-1',
      undefined,
      undefined,
      undefined,
    ]);
    expect(['order-1', '$all', '$$account-1'].map((name) => all.fromServer(name))).toEqual([
      'order-1',
      undefined,
      undefined,
    ]);
    expect(() => kinds.toServer('order-1')).toThrow(RangeError);
    expect(() => all.toServer('$settings')).toThrow(RangeError);
    expect(() => new OwnStreams({ streamPrefix: '$x' })).toThrow(RangeError);
  });

  it('are asked for as narrowly as the server can tell them', () => {
    const byStream = (...prefixes: string[]): object => ({ by: 'stream', prefixes });
    expect(kinds.serverFilter()).toEqual(byStream('account-', 'party-'));
    expect(kinds.serverFilter({ streamPrefixes: ['account-7', 'p', 'order-'] })).toEqual(
      byStream('account-7', 'party-'),
    );
    expect(prefixed.serverFilter({ streamPrefixes: ['account-7'] })).toEqual(byStream('test-1-account-7'));
    expect(all.serverFilter()).toEqual({ by: 'stream', regex: '^[^$]' });
    expect(all.serverFilter({ streamPrefixes: ['x'] })).toEqual(byStream('x'));
    expect(kinds.serverFilter({ types: ['T'], streamPrefixes: ['account-'] })).toEqual({ by: 'type', prefixes: ['T'] });
  });

  it.each([{ types: [] }, { streamPrefixes: [] }, { streamPrefixes: ['order-'] }])(
    'are not asked for by %j',
    (filter) => {
      expect(kinds.serverFilter(filter)).toBeUndefined();
    },
  );

  it('are looked at again when they come', () => {
    const event = { stream: 'account-1', type: 'T' };
    expect(matches(event)).toBe(true);
    expect(matches(event, { types: ['T'], streamPrefixes: ['party-', 'account-'] })).toBe(true);
    expect(matches(event, { types: ['TT'] })).toBe(false);
    expect(matches(event, { streamPrefixes: ['account-2'] })).toBe(false);
  });
});
