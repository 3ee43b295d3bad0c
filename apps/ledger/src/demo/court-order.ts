/**
 * Whom the court's order names, here. The real one lists more than 120 addresses on chains, and an order can't name
 * addresses yet (400: not supported yet). Once it can, its subjects are these addresses, each as
 * `{ kind: 'address', chain, address }`, and the account is reached through the address that its holder controls: change
 * this function and the line below, and nothing else.
 */
export function namedByTheCourt(accountId: string): readonly object[] {
  return [{ kind: 'account', accountId }];
}

/** What the story says about it. */
export const NAMED_BY_THE_COURT =
  'The order of the court lists addresses; here it names the account, as an order cannot name addresses yet.';
