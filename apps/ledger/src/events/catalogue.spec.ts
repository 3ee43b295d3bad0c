import { describe, expect, it } from '@jest/globals';
import { registry } from '#replay';
import { describeEvents } from './catalogue.ts';

describe('the catalogue', () => {
  const text = describeEvents();

  it('has every event of every stream, once for each', () => {
    const names = Object.values(registry).flatMap((events) => [...events.keys()]);
    expect([...text.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(names);
  });

  it('tells fields from their types, and what may be absent', () => {
    expect(text).toContain('| `scale` | integer (0 to 18) |');
    expect(text).toContain('| `note?` | string (1 to 500) |');
    expect(text).toContain('| `issuedAt` | time (RFC 3339, UTC, milliseconds) |');
    expect(text).toContain('`"account"`');
  });

  it('tells each form of an event that has several', () => {
    const [, forms = ''] = /### LegalOrderRegistered\n([^]*?)\n### /.exec(text) ?? [];
    const [restraint = '', release = ''] = forms.split('\nor\n');
    expect(restraint).toContain('| `scope` |');
    expect(release).toContain('| `releases` |');
    expect(release).not.toContain('| `scope` |');
  });

  it('tells what a map holds, and how an older version was written', () => {
    expect(text).toContain('`limits?`: { string `^[A-Z0-9]{2,16}$`: string `^[1-9][0-9]{0,37}$` }');
    const [, versions = ''] = /### AccountFrozen\n([^]*?)\n### /.exec(text) ?? [];
    expect(versions).toContain('Version 2.');
    const [current = '', first = ''] = versions.split(
      'Version 1, as it may still stand in a log, is read as version 2:',
    );
    expect(current).toContain('| `claimGroup` |');
    expect(first).toContain('| `freezeId` |');
    expect(first).not.toContain('claimGroup');
  });

  it('leaves no type undescribed where it matters', () => {
    expect(text).not.toMatch(/\| (undefined|any JSON) \|/);
  });
});
