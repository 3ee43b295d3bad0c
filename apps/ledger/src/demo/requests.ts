import { createHash } from 'node:crypto';
import { post, type Request } from './cast.ts';
import { edition, ENTRIES, firstAddress, type EntryName } from './facts/facts.ts';

/** Every balance of the demonstration is in one of these. */
export const ASSETS: readonly Request[] = [
  post('assets', { code: 'BTC', scale: 8, kind: 'crypto' }),
  post('assets', { code: 'CAD', scale: 2, kind: 'fiat' }),
];

/** The templates that lines tell their answers by. */
export const TELLS = {
  order: '{legalOrder.state}',
  hit: '{sanctionsHit.state}',
  change: '{change.state}',
  clearance: '{clearance.state}',
  letter: '{authorityRequest.state}',
  answer: '{authorityRequest.answer.outcome}: {authorityRequest.answer.reason}',
  freeze: '{freeze.state}',
  stops: '{freeze.state}; stopped: {freeze.stopped}; in flight: {freeze.inFlight}',
  withdrawal: '{withdrawal.state}',
  deposit: '{deposit.amount} {deposit.asset} {deposit.state}',
} as const;

export interface Opening {
  readonly accountId: string;
  readonly partyId: string;
  readonly kind: 'person' | 'organisation';
  /** Of the chain `bitcoin`; controlled by the holder. */
  readonly address?: string;
  readonly btc: string;
  readonly cad?: string;
}

/** All that makes an account with money in it: the party, its identification, its address, the account, deposits. */
export function opening({ accountId, partyId, kind, address, btc, cad }: Opening): readonly Request[] {
  const linked = { chain: 'bitcoin', address, role: 'holder-controlled' };
  return [
    post('parties', { partyId, kind, externalRef: `demonstration:${partyId}` }),
    post(`parties/${partyId}/identification`, {
      method: kind === 'person' ? 'passport' : 'company register',
      evidenceSha256: standInHash(`evidence of ${partyId}`),
      identifiedAt: noon('2022-01-10'),
    }),
    ...(address === undefined ? [] : [post(`parties/${partyId}/addresses`, linked)]),
    post('accounts', { accountId, holders: [{ partyId, capacity: 'owner' }] }),
    deposit(accountId, 'dep-1', btc),
    ...(cad === undefined ? [] : [deposit(accountId, 'dep-2', cad, 'CAD')]),
  ];
}

export function deposit(accountId: string, depositId: string, amount: string, asset = 'BTC'): Request {
  const source = { kind: asset === 'BTC' ? 'onchain' : 'bank', reference: `incoming ${depositId}` };
  return post(`accounts/${accountId}/deposits`, { depositId, asset, amount, source });
}

export function withdrawal(accountId: string, withdrawalId: string, amount: string, asset = 'BTC'): Request {
  const destination = { kind: asset === 'BTC' ? 'onchain' : 'bank', reference: `asked for as ${withdrawalId}` };
  return post(`accounts/${accountId}/withdrawals`, { withdrawalId, asset, amount, destination });
}

export function dispatch(accountId: string, withdrawalId: string): Request {
  return post(`accounts/${accountId}/withdrawals/${withdrawalId}/dispatch`, { reference: `sent ${withdrawalId}` });
}

export function settlement(accountId: string, withdrawalId: string): Request {
  return post(`accounts/${accountId}/withdrawals/${withdrawalId}/settlement`, { reference: `mined ${withdrawalId}` });
}

/** A freeze of an account. @param blockedFrom the day from which the law blocks it */
export function freeze(
  accountId: string,
  kind: 'legal-order' | 'sanctions-hit',
  id: string,
  blockedFrom: string,
): Request {
  return post(`admin/accounts/${accountId}/freezes`, { basis: { kind, id }, blockedFrom: noon(blockedFrom) });
}

export interface HitOptions {
  readonly hitId: string;
  readonly entry: EntryName;
  readonly subject:
    | { readonly kind: 'party'; readonly partyId: string }
    | { readonly kind: 'address'; readonly chain: string; readonly address: string };
  readonly match: {
    readonly field: string;
    readonly value: string;
    readonly explanation: string;
  };
  readonly more?: { readonly route: string; readonly aggregateShare?: number };
}

/** Raises a hit on an entry as the list has it. */
export function hit({ hitId, entry: name, subject, match, more }: HitOptions): Request {
  const { list, uid, sha256, name: listed, programmes, listedOn } = ENTRIES[name];
  return post('admin/sanctions-hits', {
    hitId,
    list: edition(list),
    entry: {
      uid,
      sha256,
      name: listed,
      programmes,
      measure: 'asset-freeze',
      ...(listedOn === undefined ? {} : { listedOn }),
    },
    subject,
    match: { ...match, algorithm: 'exact', algorithmVersion: '1', score: 1 },
    ...more,
  });
}

/** A hit on an address that the list has of an entry. */
export function addressHit(hitId: string, entry: EntryName): Request {
  const address = firstAddress(entry);
  return hit({
    hitId,
    entry,
    subject: { kind: 'address', chain: 'bitcoin', address },
    match: {
      field: 'Digital Currency Address - XBT',
      value: address,
      explanation: 'the same address, character by character',
    },
    more: { route: 'address' },
  });
}

/** A hit on a party that bears the very name of an entry. */
export function nameHit(hitId: string, entry: EntryName, partyId: string): Request {
  return hit({
    hitId,
    entry,
    subject: { kind: 'party', partyId },
    match: { field: 'name', value: ENTRIES[entry].name, explanation: 'the name in the company register is the same' },
  });
}

export interface Letter {
  readonly requestId: string;
  readonly kind: 'freeze' | 'disclosure';
  readonly authority: { readonly name: string; readonly jurisdiction: string };
  readonly reference: string;
  readonly subject: string;
  readonly on: string;
}

export function letter({ on, ...request }: Letter): Request {
  const received = { receivedAt: noon(on), documentSha256: standInHash(request.reference) };
  return post('admin/authority-requests', { ...request, ...received });
}

/** Noon of a day, UTC: the demonstration knows days, and no times of day. */
export function noon(on: string): string {
  return `${on}T12:00:00Z`;
}

/** Noon, so many days after today, by the service's clock: for what the clock acts on. */
export function daysFromNow(days: number): string {
  return noon(new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10));
}

/** Stands for the SHA-256 of a document that is not at hand: that of a sentence which says so. */
export function standInHash(document: string): string {
  return createHash('sha256').update(`stands for a document of the demonstration: ${document}`).digest('hex');
}
