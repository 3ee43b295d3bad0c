/** A chain address, as it was given. */
export interface ChainAddress {
  readonly chain: string;
  readonly address: string;
}

/** Hexadecimal with its prefix. What EIP-55 writes in capitals is a checksum, and no part of the address. */
const HEXADECIMAL = /^0x[0-9a-f]+$/i;

/**
 * Bech32 and bech32m (BIP 173, BIP 350) in capitals, which name what the same in lower case does: a human-readable part, the
 * last `1`, and at least six characters of the alphabet. In mixed case it is no address. The limit to 90 characters is left
 * out: some chains write longer ones.
 */
const BECH32_IN_CAPITALS = /^[!-`{-~]{1,83}1[02-9AC-HJ-NP-Z]{6,}$/;

/**
 * What tells addresses apart, as one text, for whatever is kept by address: it is the same for all spellings that the chain
 * itself takes for one. Base58 tells capitals apart, so whatever is of no known form stays as it is written.
 */
export function addressName({ chain, address }: ChainAddress): string {
  const hasOneCase = HEXADECIMAL.test(address) || BECH32_IN_CAPITALS.test(address);
  return JSON.stringify([chain.trim().toLowerCase(), hasOneCase ? address.toLowerCase() : address]);
}

export function sameAddress(one: ChainAddress, other: ChainAddress): boolean {
  return addressName(one) === addressName(other);
}

/** Whom a basis names. A party stands for the accounts that it holds, an address for those of whoever controls it. */
export interface BasisSubjects {
  readonly accounts: readonly string[];
  readonly parties: readonly string[];
  readonly addresses: readonly ChainAddress[];
}

/** Nobody at all: whom a basis names that does not exist, or that supports no freeze. */
export const NOBODY: BasisSubjects = { accounts: [], parties: [], addresses: [] };
