import { authorityRequestView, type AuthorityRequestView } from '#authority-requests';
import type { LedgerCommands } from '#command-handling';
import { legalOrderView, type LegalOrderView } from '#legal-orders';
import { partyView, type PartyView } from '#parties';
import { sanctionsHitView, type SanctionsHitView } from '#sanctions';
import type { Accepted } from './command-edge.ts';

/** What a command was about, as the events up to its own tell it. Each throws Error where it is not registered: a bug. */

export async function partyAfter(ledger: LedgerCommands, { events, revision }: Accepted): Promise<PartyView> {
  return present(partyView(await ledger.stateAsOf('party', streamOf(events), revision)));
}

export async function legalOrderAfter(ledger: LedgerCommands, { events, revision }: Accepted): Promise<LegalOrderView> {
  return present(legalOrderView(await ledger.stateAsOf('legalOrder', streamOf(events), revision)));
}

export async function sanctionsHitAfter(
  ledger: LedgerCommands,
  { events, revision }: Accepted,
): Promise<SanctionsHitView> {
  return present(sanctionsHitView(await ledger.stateAsOf('sanctionsHit', streamOf(events), revision)));
}

export async function authorityRequestAfter(
  ledger: LedgerCommands,
  { events, revision }: Accepted,
): Promise<AuthorityRequestView> {
  return present(authorityRequestView(await ledger.stateAsOf('authorityRequest', streamOf(events), revision)));
}

function streamOf([first]: Accepted['events']): string {
  return present(first).stream;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the stream does not register what it is about');
  return value;
}
