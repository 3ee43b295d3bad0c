/** A chain address, as the chain writes it. */
export interface ChainAddress {
  readonly chain: string;
  readonly address: string;
}

/** The address as one text, for whatever is kept by address. */
export function addressName({ chain, address }: ChainAddress): string {
  return JSON.stringify([chain, address]);
}

export function sameAddress(one: ChainAddress, other: ChainAddress): boolean {
  return one.chain === other.chain && one.address === other.address;
}

/** Whom a basis names. A party stands for the accounts that it holds, an address for those of whoever controls it. */
export interface BasisSubjects {
  readonly accounts: readonly string[];
  readonly parties: readonly string[];
  readonly addresses: readonly ChainAddress[];
}

/** Nobody at all: whom a basis names that does not exist, or that supports no freeze. */
export const NOBODY: BasisSubjects = { accounts: [], parties: [], addresses: [] };
