import {
  authorisationOf,
  NOBODY,
  pointerTo,
  type Authorisation,
  type BasisEnd,
  type BasisSubjects,
  type EventPointer,
  type Recorded,
  type Timestamp,
} from '#kernel';
import type { Hit, SanctionsHitEvent } from './events.ts';
import type { ClearanceView, HitState, SanctionsHitView } from './views.ts';

/** What a sanctions hit's stream says. Until it is raised, `hit` and all that comes with it are undefined. */
export interface SanctionsHitState {
  hit: Hit | undefined;
  state: HitState | undefined;
  raisedBy: string | undefined;
  /** The SanctionsHitRaised event. */
  raised: EventPointer | undefined;
  /** The SanctionsHitConfirmed event: what puts the hit in force. */
  confirmed: EventPointer | undefined;
  createdAt: Timestamp | undefined;
  updatedAt: Timestamp | undefined;
  confirmation: SanctionsHitView['confirmation'];
  dismissal: SanctionsHitView['dismissal'];
  /** By clearanceId, in the order of proposal. */
  readonly clearances: Map<string, ClearanceView>;
  /** In the order of the stream. */
  readonly authorisations: Authorisation[];
  ended: BasisEnd | undefined;
}

export function initialSanctionsHitState(): SanctionsHitState {
  return {
    hit: undefined,
    state: undefined,
    raisedBy: undefined,
    raised: undefined,
    confirmed: undefined,
    createdAt: undefined,
    updatedAt: undefined,
    confirmation: null,
    dismissal: null,
    clearances: new Map(),
    authorisations: [],
    ended: undefined,
  };
}

/** The hit as it is shown, or undefined when it was never raised. */
export function sanctionsHitView(state: SanctionsHitState): SanctionsHitView | undefined {
  const { hit, raisedBy, createdAt, updatedAt, confirmation, dismissal, clearances, ended } = state;
  if (
    hit === undefined ||
    state.state === undefined ||
    raisedBy === undefined ||
    createdAt === undefined ||
    updatedAt === undefined
  ) {
    return undefined;
  }
  return {
    ...hit,
    state: state.state,
    raisedBy,
    confirmation,
    dismissal,
    clearedAt: ended?.endedAt ?? null,
    clearances: [...clearances.values()],
    createdAt,
    updatedAt,
  };
}

/** Owns `state` and changes it in place. Never throws for a well-formed event. */
export function evolveSanctionsHit(state: SanctionsHitState, event: Recorded<SanctionsHitEvent>): SanctionsHitState {
  if (event.type === 'CommandRefused') return state;
  const { recordedAt } = event.metadata;
  state.updatedAt = recordedAt;
  switch (event.type) {
    case 'SanctionsHitRaised': {
      const { raisedBy, ...hit } = event.data;
      state.hit = hit;
      state.state = 'raised';
      state.raisedBy = raisedBy;
      state.raised = pointerTo(event);
      state.createdAt = recordedAt;
      return state;
    }
    case 'SanctionsHitConfirmed': {
      const { note = null, confirmedBy } = event.data;
      state.state = 'confirmed';
      state.confirmed = pointerTo(event);
      state.confirmation = { note, confirmedBy, confirmedAt: recordedAt };
      return state;
    }
    case 'SanctionsHitDismissed': {
      const { reason, dismissedBy } = event.data;
      state.state = 'dismissed';
      state.dismissal = { reason, dismissedBy, dismissedAt: recordedAt };
      return state;
    }
    case 'ClearanceProposed': {
      const undecided = { state: 'proposed', decidedBy: null, note: null, reason: null } as const;
      const clearance = { ...event.data, ...undecided, createdAt: recordedAt, updatedAt: recordedAt };
      state.clearances.set(clearance.clearanceId, clearance);
      return state;
    }
    case 'ClearanceRejected': {
      const { clearanceId, rejectedBy: decidedBy, reason } = event.data;
      decide(state, clearanceId, { state: 'rejected', decidedBy, note: null, reason, updatedAt: recordedAt });
      return state;
    }
    case 'SanctionsHitCleared': {
      const { clearanceId, proposedBy, approvedBy, note = null } = event.data;
      const decidedBy = approvedBy;
      decide(state, clearanceId, { state: 'approved', decidedBy, note, reason: null, updatedAt: recordedAt });
      state.state = 'cleared';
      state.ended = { pointer: pointerTo(event), requestedBy: proposedBy, approvedBy, endedAt: recordedAt };
      return state;
    }
    case 'FreezeAuthorised':
      state.authorisations.push(authorisationOf(event, hitSubjects(state).addresses));
      return state;
  }
}

function decide(
  state: SanctionsHitState,
  clearanceId: string,
  decision: Pick<ClearanceView, 'state' | 'decidedBy' | 'note' | 'reason' | 'updatedAt'>,
): void {
  const clearance = state.clearances.get(clearanceId);
  if (clearance !== undefined) state.clearances.set(clearanceId, { ...clearance, ...decision });
}

/** A lesser measure than an asset freeze names nobody: it forbids dealings and takes hold of nothing. */
export function hitSubjects({ hit }: Pick<SanctionsHitState, 'hit'>): BasisSubjects {
  if (hit?.entry.measure !== 'asset-freeze') return NOBODY;
  const { subject } = hit;
  if (subject.kind === 'party') return { ...NOBODY, parties: [subject.partyId] };
  return { ...NOBODY, addresses: [{ chain: subject.chain, address: subject.address }] };
}
