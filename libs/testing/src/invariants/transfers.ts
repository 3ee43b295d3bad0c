import { splitStream, type Fact } from './facts.ts';
import { accountOf, follow, type Account, type Log, type Problem, type Transfer } from './log.ts';
import { balanceOf, checkDebitAllowed, isCreditFrozen } from './money.ts';

export type TransferFact = Fact<'TransferSent' | 'TransferReceived' | 'TransferRefused' | 'TransferReturned'>;

const books = (detail: string): Problem => ({ invariant: 'books', detail });
const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });
/** Invariant 6: money is neither lost on the way nor made. */
const conserved = (detail: string): Problem => ({ invariant: 6, detail });

const LIMIT = 10n ** 38n;

/** A transfer is sent once, decided once on the stream of the other account, and returned once, for a refusal. */
export function checkTransfer(log: Log, fact: TransferFact): readonly Problem[] {
  const account = accountOf(log, fact.about);
  if (account.opened === undefined) return [books('the account is not open')];
  switch (fact.type) {
    case 'TransferSent':
      return checkSent(log, account, fact);
    case 'TransferReceived':
    case 'TransferRefused':
      return checkDecided(log, account, fact);
    case 'TransferReturned':
      return checkReturned(log, fact);
  }
}

function checkSent(log: Log, account: Account, fact: Fact<'TransferSent'>): readonly Problem[] {
  const { to, transferId, asset, amount } = fact.data;
  const left = balanceOf(account, asset).available - BigInt(amount);
  const problems: Problem[] = [...checkDebitAllowed(account, asset, left)];
  if (!log.assets.has(asset)) problems.push(books(`the asset ${asset} is not registered`));
  if (to === fact.about) problems.push(protocol('it is sent to the account itself'));
  if (log.accounts.get(to)?.opened === undefined) problems.push(protocol('it is sent to an account that is not there'));
  if (log.transfers.has(nameOf(fact.about, transferId))) problems.push(books('a transfer of this id was sent already'));
  if (left < 0n) problems.push({ invariant: 6, detail: `available ${asset} falls to ${left.toString()}` });
  return problems;
}

function checkDecided(
  log: Log,
  account: Account,
  fact: Fact<'TransferReceived' | 'TransferRefused'>,
): readonly Problem[] {
  const { from, transferId, asset, amount, citation } = fact.data;
  const transfer = log.transfers.get(nameOf(from, transferId));
  if (transfer === undefined || follow(log, citation) !== transfer.sent) {
    return [conserved('it cites no transfer that was sent')];
  }
  const problems: Problem[] = [];
  const { sent } = transfer;
  if (sent.data.to !== fact.about || sent.data.asset !== asset || sent.data.amount !== amount) {
    problems.push(conserved('it says otherwise than what was sent'));
  }
  if (transfer.outcome !== undefined) problems.push(conserved('the transfer was decided already'));
  const reason = whyNot(account, asset, BigInt(amount));
  const said = fact.type === 'TransferRefused' ? fact.data.reason : undefined;
  if (said !== reason)
    problems.push(protocol(`it is ${said ?? 'received'} where it should be ${reason ?? 'received'}`));
  return problems;
}

function whyNot(account: Account, asset: string, amount: bigint): string | undefined {
  if (isCreditFrozen(account, asset)) return 'credit-frozen';
  if (account.closed) return 'closed';
  const { available, reserved, held } = balanceOf(account, asset);
  return available + reserved + held + amount < LIMIT ? undefined : 'balance-limit';
}

function checkReturned(log: Log, fact: Fact<'TransferReturned'>): readonly Problem[] {
  const { to, transferId, asset, amount, reason, citation } = fact.data;
  const transfer = log.transfers.get(nameOf(fact.about, transferId));
  const refused = transfer?.outcome;
  if (refused?.type !== 'TransferRefused' || follow(log, citation) !== refused) {
    return [conserved('it is returned, and was not refused')];
  }
  const problems: Problem[] = [];
  const { data } = refused;
  if (refused.about !== to || data.asset !== asset || data.amount !== amount || data.reason !== reason) {
    problems.push(conserved('it says otherwise than what was refused'));
  }
  if (transfer?.returned === true) problems.push(conserved('the transfer was returned already'));
  return problems;
}

export function applyTransfer(log: Log, fact: TransferFact): void {
  const account = accountOf(log, fact.about);
  const { asset, amount } = fact.data;
  const balance = balanceOf(account, asset);
  const give = (units: bigint): void => {
    account.balances.set(asset, { ...balance, available: balance.available + units });
  };
  const transfer = transferOf(log, fact);
  switch (fact.type) {
    case 'TransferSent':
      log.transfers.set(nameOf(fact.about, fact.data.transferId), { sent: fact, outcome: undefined, returned: false });
      give(-BigInt(amount));
      break;
    case 'TransferReceived':
      if (transfer !== undefined) transfer.outcome = fact;
      give(BigInt(amount));
      break;
    case 'TransferRefused':
      if (transfer !== undefined) transfer.outcome = fact;
      break;
    case 'TransferReturned':
      if (transfer !== undefined) transfer.returned = true;
      account.closed = false;
      give(BigInt(amount));
      break;
  }
}

function transferOf(log: Log, fact: TransferFact): Transfer | undefined {
  const from = 'from' in fact.data ? fact.data.from : fact.about;
  return log.transfers.get(nameOf(from, fact.data.transferId));
}

function nameOf(from: string, transferId: string): string {
  return JSON.stringify([from, transferId]);
}

/**
 * Invariant 6 once more, over all: what came from outside is in the accounts or on its way. Reckoned from the events of the
 * outside alone, and from no balance.
 */
export function checkConservation(log: Log): readonly Problem[] {
  const sums = new Map<string, bigint>();
  const add = (asset: string, units: bigint): void => void sums.set(asset, (sums.get(asset) ?? 0n) + units);
  for (const { balances } of log.accounts.values()) {
    for (const [asset, { available, reserved, held }] of balances) add(asset, available + reserved + held);
  }
  for (const { sent, outcome, returned } of log.transfers.values()) {
    if (outcome?.type !== 'TransferReceived' && !returned) add(sent.data.asset, BigInt(sent.data.amount));
  }
  for (const [asset, units] of log.outside) add(asset, -units);
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([asset, sum]) => conserved(`${asset} in the books is off by ${sum.toString()}`));
}

/** Takes in what an event brought from outside, or took there. */
export function noteOutside(log: Log, fact: Fact): void {
  if (splitStream(fact.event.stream)[0] !== 'account') return;
  const move = (asset: string, units: bigint): void => {
    log.outside.set(asset, (log.outside.get(asset) ?? 0n) + units);
  };
  if (fact.type === 'FundsDeposited' || fact.type === 'FundsHeld') move(fact.data.asset, BigInt(fact.data.amount));
  if (fact.type === 'DepositReversed') move(fact.data.asset, -BigInt(fact.data.taken));
  if (fact.type === 'WithdrawalSettled') move(fact.data.asset, -BigInt(fact.data.amount));
}
