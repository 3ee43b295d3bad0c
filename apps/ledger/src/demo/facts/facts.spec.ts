import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { edition, ENTRIES, firstAddress, type EntryName } from './facts.ts';

const names = Object.keys(ENTRIES) as readonly EntryName[];

it.each(names)('%s is what its line says, and the hash is that of the line', (name) => {
  const { line, sha256, uid, name: listed, programmes, addresses = [], linkedTo, list } = ENTRIES[name];
  expect(createHash('sha256').update(line, 'latin1').digest('hex')).toBe(sha256);
  expect(line.startsWith(`${uid},"${listed}",`)).toBe(true);
  expect(line).toContain(`"${programmes.join('] [')}"`);
  for (const address of addresses) expect(line).toContain(`Digital Currency Address - ${address}`);
  if (linkedTo !== undefined) expect(line).toContain(`Linked To: ${linkedTo}`);
  expect(edition(list).sha256).toMatch(/^[0-9a-f]{64}$/);
});

it('takes no address that a cut line has left incomplete', () => {
  const { line, addresses = [] } = ENTRIES.hydra;
  const cut = /Digital Currency Address - (\w+ \w+)"$/.exec(line)?.[1] ?? '';
  expect(cut).not.toBe('');
  expect(addresses).not.toContain(cut);
});

it('finds an address, and says when there is none', () => {
  expect(firstAddress('garantex')).toBe('3Lpoy53K625zVeE47ZasiG5jGkAxJ27kh1');
  expect(() => firstAddress('bitriver')).toThrow('no address');
  expect(() => edition('2020-01-01')).toThrow('no fact');
});
