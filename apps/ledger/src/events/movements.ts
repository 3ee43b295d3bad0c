import { accountEvents, postings, type AccountEvent, type Posting } from '#accounts';

/** Data of any event that moves money: names stand for themselves, and each amount is told from the others. */
const DATA = {
  accountId: '<accountId>',
  from: '<from>',
  transferId: '<transferId>',
  asset: '<asset>',
  amount: '1',
  takenFromHeld: '2',
  taken: '5',
};
const AMOUNTS: ReadonlyMap<bigint, string> = new Map([
  [1n, '`amount`'],
  [2n, '`takenFromHeld`'],
  [3n, '`taken` less `takenFromHeld`'],
]);

/** Which event moves how much from where to where, by the one function that says so. */
export function describeMovements(): string {
  const rows = accountEvents.flatMap(({ type }) => {
    const lines = postings({ type, data: DATA } as unknown as AccountEvent);
    return lines.flatMap((from, index) => {
      const to = lines[index + 1];
      return index % 2 === 1 || to === undefined ? [] : [describeMovement(type, from, to)];
    });
  });
  return `## What moves

Each row is two lines of the books, in this order: \`from\` loses the amount, \`to\` gains it. A row of nothing is left out.
What is not in the table moves nothing, and neither does an event that is a violation.

| event | from | to | amount |
| --- | --- | --- | --- |
${rows.join('\n')}

The lines of an event come to zero for its asset, and so do those of a log. A statement
(\`GET /v1/accounts/{accountId}/entries\`) has the lines of the account itself, without \`external\` and \`transit\`: by revision,
and within one event in the order of the table. \`balance\` is what its part of the account has after the whole event.
`;
}

function describeMovement(type: string, from: Posting, to: Posting): string {
  const amount = AMOUNTS.get(to.units);
  if (amount === undefined) throw new Error(`no member of ${type} is known to give the amount that it moves`);
  return `| \`${type}\` | \`${from.ledgerAccount}\` | \`${to.ledgerAccount}\` | ${amount} |`;
}
