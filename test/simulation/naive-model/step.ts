/** All that a step can be. */
export const STEP_KINDS = [
  'deposit',
  'reverse',
  'transfer',
  'close',
  'reserve',
  'dispatch',
  'settle',
  'cancel',
  'open',
  'link',
  'wait',
  'order',
  'release',
  'verify',
  'reject',
  'propose-ending',
  'propose-extension',
  'propose-variation',
  'verify-change',
  'reject-change',
  'raise',
  'confirm',
  'dismiss',
  'propose-clearance',
  'approve-clearance',
  'reject-clearance',
  'freeze',
  'freeze-all',
  'request-lift',
  'request-release',
  'approve-lift',
  'reject-lift',
  'letter',
  'answer',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** What an order covers: bitcoin in some way, or another asset. The limits of `claimed` are those of one claim. */
export const ORDER_SCOPES = ['debit', 'credit', 'both', 'limited', 'claimed', 'elsewhere'] as const;
export type OrderScope = (typeof ORDER_SCOPES)[number];

/**
 * Whom an order names: the account, its holder, the account and the next one, the holder of the one and the other account, or
 * whoever controls an address. A hit is on the address, or else on the holder.
 */
export const NAMINGS = ['account', 'holder', 'accounts', 'mixed', 'address'] as const;
export type Naming = (typeof NAMINGS)[number];

export const MEASURES = ['asset-freeze', 'service-restriction'] as const;
export const VARIED = ['subjects', 'scope', 'both'] as const;
/** What a freeze states of its own; shares are for a freeze of all that a basis names. */
export const STATED = ['nothing', 'scope', 'shares'] as const;

/** One step of a script: small numbers choose accounts, orders, ids and amounts. A step reads what it needs of the rest. */
export interface Step {
  readonly kind: StepKind;
  readonly account: number;
  /** Of what the step is about: a deposit, an order, a hit, a letter. */
  readonly id: number;
  /** Of a second thing: the order of release that a lift relies on, the basis of an answer. */
  readonly other: number;
  /** Of a change of an order, a clearance, a request to lift, an address. */
  readonly change: number;
  /** Whole bitcoins, or days; and which entry a hit is on, and how a letter is answered. */
  readonly amount: number;
  /** The kind of the basis that is meant. */
  readonly under: 'order' | 'hit';
  readonly scope: OrderScope;
  readonly names: Naming;
  readonly varies: (typeof VARIED)[number];
  readonly states: (typeof STATED)[number];
  readonly measure: (typeof MEASURES)[number];
  /** The order runs out after as many days as `amount` says. */
  readonly expires: boolean;
  /** The maker comes as the checker; and a deposit is reversed as a mistake of our own. */
  readonly asMaker: boolean;
}

/** The basis that a step means, as one word: `order-1`, `hit-2`. */
export function basisOf({ under }: Pick<Step, 'under'>, id: number): string {
  return `${under}-${id}`;
}
