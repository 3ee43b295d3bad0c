/**
 * Whom the court's order names, here. The real one lists more than 120 addresses on chains; none of them is in the lists that
 * the demonstration takes its facts from, and none is invented.
 */
export function namedByTheCourt(accountId: string): readonly object[] {
  return [{ kind: 'account', accountId }];
}

/** What the story says about it. */
export const NAMED_BY_THE_COURT =
  'The order of the court lists addresses. They are not among our facts, so here it names the account.';
