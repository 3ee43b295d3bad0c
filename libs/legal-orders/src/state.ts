import {
  authorisationOf,
  NOBODY,
  pointerTo,
  SUPERVISOR,
  type Authorisation,
  type BasisEnd,
  type BasisSubjects,
  type BasisTerms,
  type EventPointer,
  type Recorded,
  type Scope,
  type Timestamp,
} from '#kernel';
import type { Ending, Instrument, LegalOrderEvent, ReleaseInstrument, Subject } from './events.ts';
import type { ChangeView, LegalOrderView, OrderState } from './views.ts';

/** What an order says from an event on: its verification, or a variation. */
export interface OrderTerms extends BasisTerms {
  /** The event that lists the subjects: a variation of the scope alone lists none. */
  readonly listedBy: EventPointer;
  /** All that it lists: what names nobody by itself too. */
  readonly listed: readonly Subject[];
  readonly scope: Scope;
  /** Undefined for those with which it came into force. */
  readonly variation: BasisEnd | undefined;
}

/** How the order ended. */
export interface OrderEnd extends BasisEnd {
  readonly how: 'expired' | Ending;
}

/** What a legal order's stream says. Until it is registered, `instrument` and all that comes with it are undefined. */
export interface LegalOrderState {
  /** As registered, save for what verified changes have put in its place. */
  instrument: Instrument | ReleaseInstrument | undefined;
  /** As recorded: an order whose time ran out is `verified` until its expiry is recorded. */
  state: OrderState | undefined;
  registeredBy: string | undefined;
  /** The LegalOrderRegistered event. */
  registered: EventPointer | undefined;
  /** The event that lists the subjects of the instrument as it now is. */
  listedBy: EventPointer | undefined;
  /** Empty until it is verified; then those that it came into force with, and those of each variation. */
  readonly terms: OrderTerms[];
  /** The LegalOrderVerified event: what puts the order in force, from `effectiveAt` on. */
  verified: EventPointer | undefined;
  createdAt: Timestamp | undefined;
  updatedAt: Timestamp | undefined;
  verification: LegalOrderView['verification'];
  rejection: LegalOrderView['rejection'];
  /** By changeId, in the order of proposal. */
  readonly changes: Map<string, ChangeView>;
  /** In the order of the stream. */
  readonly authorisations: Authorisation[];
  ended: OrderEnd | undefined;
}

export function initialLegalOrderState(): LegalOrderState {
  return {
    instrument: undefined,
    state: undefined,
    registeredBy: undefined,
    registered: undefined,
    listedBy: undefined,
    terms: [],
    verified: undefined,
    createdAt: undefined,
    updatedAt: undefined,
    verification: null,
    rejection: null,
    changes: new Map(),
    authorisations: [],
    ended: undefined,
  };
}

/** The instrument of an order that restrains; undefined for one of release. */
export function restraintOf({ instrument }: LegalOrderState): Instrument | undefined {
  return instrument?.effect === 'restrain' ? instrument : undefined;
}

/** Whom the order names. One of release names nobody, and nor does an external reference. */
export function subjectsOf(order: LegalOrderState): BasisSubjects {
  const restraint = restraintOf(order);
  if (restraint === undefined) return NOBODY;
  const { subjects } = restraint;
  return {
    accounts: subjects.flatMap((subject) => (subject.kind === 'account' ? [subject.accountId] : [])),
    parties: subjects.flatMap((subject) => (subject.kind === 'party' ? [subject.partyId] : [])),
    addresses: subjects.flatMap((subject) =>
      subject.kind === 'address' ? [{ chain: subject.chain, address: subject.address }] : [],
    ),
  };
}

/** The order as it is shown, or undefined when it is not registered. */
export function legalOrderView(order: LegalOrderState): LegalOrderView | undefined {
  const { instrument, state, registeredBy, createdAt, updatedAt, verification, rejection, changes, ended } = order;
  if (
    instrument === undefined ||
    state === undefined ||
    registeredBy === undefined ||
    createdAt === undefined ||
    updatedAt === undefined
  ) {
    return undefined;
  }
  const endedAt = ended?.endedAt ?? null;
  return {
    ...instrument,
    state,
    registeredBy,
    verification,
    rejection,
    endedAt,
    changes: [...changes.values()],
    createdAt,
    updatedAt,
  };
}

export function evolveLegalOrder(order: LegalOrderState, event: Recorded<LegalOrderEvent>): LegalOrderState {
  if (event.type === 'CommandRefused') return order;
  const { recordedAt } = event.metadata;
  order.updatedAt = recordedAt;
  switch (event.type) {
    case 'LegalOrderRegistered': {
      const { registeredBy, ...instrument } = event.data;
      order.instrument = instrument;
      order.state = 'registered';
      order.registeredBy = registeredBy;
      order.registered = pointerTo(event);
      order.listedBy = pointerTo(event);
      order.createdAt = recordedAt;
      return order;
    }
    case 'LegalOrderVerified': {
      const { method, note = null, verifiedBy } = event.data;
      order.state = 'verified';
      order.verified = pointerTo(event);
      beginTerms(order, pointerTo(event), undefined);
      order.verification = { method, note, verifiedBy, verifiedAt: recordedAt };
      return order;
    }
    case 'LegalOrderRejected': {
      const { reason, rejectedBy } = event.data;
      order.state = 'rejected';
      order.rejection = { reason, rejectedBy, rejectedAt: recordedAt };
      return order;
    }
    case 'LegalOrderChangeProposed': {
      const undecided = { state: 'proposed', decidedBy: null, reason: null } as const;
      order.changes.set(event.data.changeId, {
        ...event.data,
        ...undecided,
        createdAt: recordedAt,
        updatedAt: recordedAt,
      });
      return order;
    }
    case 'LegalOrderChangeRejected': {
      const { changeId, rejectedBy, reason } = event.data;
      closeChange(order, changeId, { state: 'rejected', decidedBy: rejectedBy, reason, updatedAt: recordedAt });
      return order;
    }
    case 'LegalOrderExtended': {
      const { changeId, expiresAt, verifiedBy } = event.data;
      closeChange(order, changeId, { state: 'verified', decidedBy: verifiedBy, reason: null, updatedAt: recordedAt });
      if (order.instrument !== undefined) order.instrument = { ...order.instrument, expiresAt };
      return order;
    }
    case 'LegalOrderVaried': {
      const { changeId, subjects, scope, proposedBy, verifiedBy } = event.data;
      closeChange(order, changeId, { state: 'verified', decidedBy: verifiedBy, reason: null, updatedAt: recordedAt });
      const pointer = pointerTo(event);
      if (subjects !== undefined) order.listedBy = pointer;
      const instrument = restraintOf(order);
      if (instrument !== undefined) {
        order.instrument = {
          ...instrument,
          subjects: subjects ?? instrument.subjects,
          scope: scope ?? instrument.scope,
        };
      }
      beginTerms(order, pointer, { pointer, requestedBy: proposedBy, approvedBy: verifiedBy, endedAt: recordedAt });
      return order;
    }
    case 'LegalOrderEnded': {
      const { changeId, how, proposedBy, verifiedBy } = event.data;
      closeChange(order, changeId, { state: 'verified', decidedBy: verifiedBy, reason: null, updatedAt: recordedAt });
      end(order, event, how, proposedBy, verifiedBy);
      return order;
    }
    case 'LegalOrderExpired':
      end(order, event, 'expired', SUPERVISOR.id, SUPERVISOR.id);
      return order;
    case 'FreezeAuthorised':
      order.authorisations.push(authorisationOf(event, subjectsOf(order).addresses));
      return order;
  }
}

function beginTerms(order: LegalOrderState, since: EventPointer, variation: BasisEnd | undefined): void {
  const { listedBy } = order;
  const instrument = restraintOf(order);
  if (instrument === undefined || listedBy === undefined) return;
  const { subjects: listed, scope } = instrument;
  order.terms.push({ since, listedBy, listed, subjects: subjectsOf(order), scope, variation });
}

function closeChange(
  order: LegalOrderState,
  changeId: string,
  decision: Pick<ChangeView, 'state' | 'decidedBy' | 'reason' | 'updatedAt'>,
): void {
  const change = order.changes.get(changeId);
  if (change !== undefined) order.changes.set(changeId, { ...change, ...decision });
}

function end(
  order: LegalOrderState,
  event: Recorded<LegalOrderEvent>,
  how: OrderEnd['how'],
  requestedBy: string,
  approvedBy: string,
): void {
  order.state = how;
  order.ended = { pointer: pointerTo(event), how, requestedBy, approvedBy, endedAt: event.metadata.recordedAt };
}
