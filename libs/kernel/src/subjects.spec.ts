import { describe, expect, it } from '@jest/globals';
import { addressName, sameAddress } from './subjects.ts';

const on = (chain: string, address: string): { readonly chain: string; readonly address: string } => ({
  chain,
  address,
});

describe('what tells addresses apart', () => {
  it.each([
    [
      'the capitals of EIP-55',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    ],
    [
      'all capitals (EIP-55)',
      '0x52908400098527886E0F7030069857D2E4169EE7',
      '0x52908400098527886e0f7030069857d2e4169ee7',
    ],
    [
      'no capitals (EIP-55)',
      '0xDE709F2102306220921060314715629080E2FB77',
      '0xde709f2102306220921060314715629080e2fb77',
    ],
    ['the prefix too', '0XFB6916095CA1DF60BB79CE92CE3EA74C37C5D359', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'],
    ['bech32 (BIP 173)', 'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    ['the shortest bech32 (BIP 173)', 'A12UEL5L', 'a12uel5l'],
    ['a human-readable part of no letters (BIP 173)', '?1EZYFCL', '?1ezyfcl'],
    [
      'a human-readable part with a 1 and the letters that data has not (BIP 173)',
      'AN83CHARACTERLONGHUMANREADABLEPARTTHATCONTAINSTHENUMBER1ANDTHEEXCLUDEDCHARACTERSBIO1TT5TGS',
      'an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs',
    ],
    [
      'the whole alphabet (BIP 173)',
      'ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW',
      'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
    ],
    ['bech32m (BIP 350)', 'A1LQFN3A', 'a1lqfn3a'],
  ])('is no spelling: %s', (_what, one, other) => {
    expect(sameAddress(on('bitcoin', one), on('bitcoin', other))).toBe(true);
    expect(addressName(on('bitcoin', one))).toBe(addressName(on('bitcoin', other)));
  });

  it.each([
    [
      'bech32 in mixed case (BIP 173)',
      'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7',
      'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
    ],
    ['capitals without a separator (BIP 173)', 'PZRY9X0S0MUK', 'pzry9x0s0muk'],
    ['capitals without a human-readable part (BIP 173)', '1PZRY9X0S0MUK', '1pzry9x0s0muk'],
    ['capitals with another letter among the data (BIP 173)', 'X1B4N0Q5V', 'x1b4n0q5v'],
    ['capitals with too little data (BIP 173)', 'LI1DGMT3', 'li1dgmt3'],
    ['base58', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', '1bvbmseystwetqtfn5au4m4gfg7xjanvn2'],
    ['hexadecimal without its prefix', 'FB6916095CA1DF60', 'fb6916095ca1df60'],
    ['what is no hexadecimal', '0xABCG', '0xabcg'],
    ['the prefix alone', '0X', '0x'],
  ])('is the spelling: %s', (_what, one, other) => {
    expect(sameAddress(on('bitcoin', one), on('bitcoin', other))).toBe(false);
    expect(addressName(on('bitcoin', one))).not.toBe(addressName(on('bitcoin', other)));
  });

  it('is the chain, without blanks around it and in whatever case', () => {
    expect(sameAddress(on(' Bitcoin ', 'a'), on('bitcoin', 'a'))).toBe(true);
    expect(sameAddress(on('btc', 'a'), on('bitcoin', 'a'))).toBe(false);
    expect(addressName(on('a', 'b","c'))).not.toBe(addressName(on('a","b', 'c')));
  });
});
