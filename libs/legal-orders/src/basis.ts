import { toMs, type BasisState, type BasisSubjects, type Timestamp } from '#kernel';
import { mayAuthorise } from './in-force.ts';
import type { LegalOrderState } from './state.ts';

const NOBODY: BasisSubjects = { accounts: [], parties: [], addresses: [] };

/** A legal order as the basis of freezes. */
export function legalOrderBasis(orderId: string, order: LegalOrderState): BasisState {
  const { registered, ended, authorisations } = order;
  return {
    basis: { kind: 'legal-order', id: orderId },
    registered,
    subjects: subjectsOf(order),
    ended,
    authorisations,
    mayAuthorise: (freeze) => mayAuthorise(order, freeze),
    inForceBy: (at) => (isEffective(order, at) ? order.verified : undefined),
    nextMoment: (at) => nextMoment(order, at),
  };
}

function subjectsOf({ instrument }: LegalOrderState): BasisSubjects {
  if (instrument === undefined) return NOBODY;
  const { subjects } = instrument;
  return {
    accounts: subjects.flatMap((subject) => (subject.kind === 'account' ? [subject.accountId] : [])),
    parties: subjects.flatMap((subject) => (subject.kind === 'party' ? [subject.partyId] : [])),
    addresses: [],
  };
}

/** Until its end is recorded: an expiry is recorded first, and then undoes the naming. */
function isEffective({ instrument, state }: LegalOrderState, at: Timestamp): boolean {
  return instrument !== undefined && state === 'verified' && toMs(instrument.effectiveAt) <= toMs(at);
}

/** When the order becomes effective, or expires. */
function nextMoment({ instrument, state }: LegalOrderState, at: Timestamp): number | undefined {
  if (instrument === undefined || state !== 'verified') return undefined;
  const { effectiveAt, expiresAt = effectiveAt } = instrument;
  const coming = [toMs(effectiveAt), toMs(expiresAt)].filter((ms) => ms > toMs(at));
  return coming.length === 0 ? undefined : Math.min(...coming);
}
