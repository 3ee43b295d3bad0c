import { accountEvents, postings, type AccountEvent } from '#accounts';
import { describe, expect, it } from '@jest/globals';
import { describeEvents } from './catalogue.ts';

const [, section = ''] = /^## What moves\n([^]*?)\n## /m.exec(describeEvents()) ?? [];
/** Type, from, to and amount, as the page has them. */
const rows = [...section.matchAll(/^\| `(\w+)` \| `(\S+)` \| `(\S+)` \| (.+) \|$/gm)].map(([, ...cells]) => cells);

/** Data of any event that moves money, each amount told from the others. */
const DATA: Readonly<Record<string, string>> = {
  accountId: 'acc-1',
  from: 'acc-2',
  to: 'acc-3',
  transferId: 't-1',
  asset: 'BTC',
  amount: '1000',
  taken: '700',
  takenFromHeld: '70',
};

function postingsOf(type: string, more: object = {}): ReturnType<typeof postings> {
  return postings({ type, data: { ...DATA, ...more } } as unknown as AccountEvent);
}

function filled(name: string): string {
  return name.replaceAll(/<(\w+)>/g, (_, member: string) => DATA[member] ?? '');
}

function unitsOf(said: string): bigint {
  const [of = '', less] = [...said.matchAll(/`(\w+)`/g)].map(([, member = '']) => member);
  return BigInt(DATA[of] ?? '') - BigInt(less === undefined ? 0 : (DATA[less] ?? ''));
}

describe('the table of what moves', () => {
  it.each(accountEvents.map(({ type }) => type))('has the lines of %s in their order', (type) => {
    const said = rows
      .filter(([name]) => name === type)
      .flatMap(([, from = '', to = '', amount = '']) => [
        [filled(from), -unitsOf(amount)],
        [filled(to), unitsOf(amount)],
      ]);
    expect(said).toEqual(postingsOf(type).map(({ ledgerAccount, units }) => [ledgerAccount, units]));
  });

  it('says what is left out: a row of nothing', () => {
    expect(section).toContain('A row of nothing is left out.');
    const partsTaken = (more: object): readonly string[] =>
      postingsOf('DepositReversed', more).flatMap(({ part, units }) => (units < 0n ? [part] : []));
    expect(partsTaken({})).toEqual(['held', 'available']);
    expect(partsTaken({ takenFromHeld: '0' })).toEqual(['available']);
    expect(partsTaken({ takenFromHeld: '700' })).toEqual(['held']);
    expect(partsTaken({ taken: '0', takenFromHeld: '0' })).toEqual([]);
  });
});
