import type { Actor, EventPointer } from '#kernel';
import { HIT_SCOPE, type Clearance, type FreezeAuthorised, type Hit, type SanctionsHitEvent } from '#sanctions';
import type { LedgerCommand } from '#command-handling';
import { SAMPLE_CHECKER, SAMPLE_MAKER } from './legal-order-samples.ts';
import { checker, type LedgerWorld } from './ledger-world.ts';

type HitEvent<Type extends SanctionsHitEvent['type']> = Extract<SanctionsHitEvent, { readonly type: Type }>;

const hitId = 'hit-1';
export const SAMPLE_HIT_STREAM = `sanctionsHit-${hitId}`;

/** A match of the party p-1 with an entry of 5 April 2022 that asks for an asset freeze. */
export const sampleHit: Hit = {
  hitId,
  list: { id: 'ofac-sdn', version: '2022-04-06', sha256: 'a'.repeat(64) },
  entry: {
    uid: '36216',
    sha256: 'e'.repeat(64),
    name: 'EXAMPLE EXCHANGE LLC',
    programmes: ['RUSSIA-EO14024'],
    measure: 'asset-freeze',
    listedOn: '2022-04-05',
  },
  subject: { kind: 'party', partyId: 'p-1' },
  route: 'direct',
  match: {
    field: 'name',
    value: 'EXAMPLE EXCHANGE LLC',
    algorithm: 'exact',
    algorithmVersion: '1',
    score: 1,
    explanation: 'the same text',
  },
};

/** The same match by another measure. */
export function hitOfMeasure(measure: Hit['entry']['measure']): Partial<Hit> {
  return { entry: { ...sampleHit.entry, measure } };
}

export const sampleAddress = { kind: 'address', chain: 'bitcoin', address: 'bc1qlisted' } as const;

export const sampleClearance: Clearance = {
  clearanceId: 'clr-1',
  cause: 'delisted',
  authority: { kind: 'list-version', reference: 'ofac-sdn of 2022-04-22' },
};

export function raisedHit(changes: Partial<Hit> = {}): HitEvent<'SanctionsHitRaised'> {
  return { type: 'SanctionsHitRaised', data: { ...sampleHit, ...changes, raisedBy: SAMPLE_MAKER } };
}

export function confirmedHit(confirmedBy = SAMPLE_CHECKER): HitEvent<'SanctionsHitConfirmed'> {
  return { type: 'SanctionsHitConfirmed', data: { hitId, confirmedBy } };
}

export function dismissedHit(dismissedBy = SAMPLE_CHECKER): HitEvent<'SanctionsHitDismissed'> {
  return { type: 'SanctionsHitDismissed', data: { hitId, reason: 'another of the same name', dismissedBy } };
}

export function proposedClearance(clearanceId = 'clr-1'): HitEvent<'ClearanceProposed'> {
  return {
    type: 'ClearanceProposed',
    data: { hitId, ...sampleClearance, clearanceId, proposedBy: SAMPLE_MAKER },
  };
}

export function rejectedClearance(clearanceId = 'clr-1', rejectedBy = SAMPLE_CHECKER): HitEvent<'ClearanceRejected'> {
  return { type: 'ClearanceRejected', data: { hitId, clearanceId, reason: 'still listed', rejectedBy } };
}

export function clearedHit(
  changes: Partial<HitEvent<'SanctionsHitCleared'>['data']> = {},
): HitEvent<'SanctionsHitCleared'> {
  const people = { proposedBy: SAMPLE_MAKER, approvedBy: SAMPLE_CHECKER };
  return {
    type: 'SanctionsHitCleared',
    data: { hitId, clearanceId: 'clr-1', cause: 'delisted', ...people, ...changes },
  };
}

/** Where p-1 was attached to acc-1. */
export const sampleAttachment: EventPointer = {
  stream: 'party-p-1',
  revision: '2',
  eventId: '00000000-0000-7000-8000-00000000a2a2',
};

export function authorisedUnderHit(changes: Partial<FreezeAuthorised['data']> = {}): FreezeAuthorised {
  const tie = { namedBy: sampleAttachment, partyId: 'p-1' };
  const data = { hitId, accountId: 'acc-1', scope: HIT_SCOPE, ...tie, requestedBy: SAMPLE_MAKER };
  return { type: 'FreezeAuthorised', data: { ...data, ...changes } };
}

/** A hit as a command raises it. */
export function raising(changes: Partial<Hit> = {}): Extract<LedgerCommand, { type: 'RaiseSanctionsHit' }> {
  const hit = { ...sampleHit, ...changes };
  return { type: 'RaiseSanctionsHit', hitId: hit.hitId, hit };
}

/** Raises a hit by one person and confirms it by another. */
export async function putHit(world: LedgerWorld, changes: Partial<Hit> = {}): Promise<void> {
  const command = raising(changes);
  await world.accept(command);
  await world.accept({ type: 'ConfirmSanctionsHit', hitId: command.hitId }, { actor: checker });
}

/** The clearance of the sample hit, as two commands of two people. */
export const clearing: readonly (readonly [LedgerCommand, Actor | undefined])[] = [
  [{ type: 'ProposeClearance', hitId, ...sampleClearance }, undefined],
  [{ type: 'ApproveClearance', hitId, clearanceId: 'clr-1' }, checker],
];
