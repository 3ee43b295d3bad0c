import { defineTable, putRow, setColumns, type Change, type EventOf, type Recorded } from '#kernel';
import {
  freezeEvents,
  type AccountFrozen,
  type AccountUnfrozen,
  type FreezeAbandoned,
  type FreezeEvent,
  type FreezeVaried,
  type LiftRejected,
  type LiftRequested,
} from './events.ts';
import type { FreezeView, LiftRequestView } from './views.ts';

/** The register of freezes. Fed only with events whose citation was resolved. */
export const freezesTable = defineTable({
  name: 'freezes',
  // `view` is the freeze as it began; `state`, `varied`, `lift` and `updatedAt` are what became of it, and `freezeVariations`.
  columns: {
    freezeId: 'text',
    accountId: 'text',
    basisId: 'text',
    state: 'text',
    varied: 'text?',
    lift: 'text?',
    createdPosition: 'text',
    updatedAt: 'text',
    view: 'text',
  },
  primaryKey: ['freezeId'],
  indexes: [
    ['createdPosition'],
    ['accountId', 'createdPosition'],
    ['basisId', 'createdPosition'],
    ['state', 'createdPosition'],
  ],
});

/** What each variation found of the account's withdrawals: a row for each, since no event knows what those before it found. */
export const freezeVariationsTable = defineTable({
  name: 'freezeVariations',
  columns: { freezeId: 'text', revision: 'integer', found: 'text' },
  primaryKey: ['freezeId', 'revision'],
  indexes: [],
});

export const liftRequestsTable = defineTable({
  name: 'liftRequests',
  columns: {
    freezeId: 'text',
    requestId: 'text',
    accountId: 'text',
    state: 'text',
    decidedBy: 'text?',
    reason: 'text?',
    createdPosition: 'text',
    updatedAt: 'text',
    view: 'text',
  },
  primaryKey: ['freezeId', 'requestId'],
  indexes: [['createdPosition'], ['accountId', 'createdPosition'], ['state', 'createdPosition']],
});

export const freezeTables = [freezesTable, freezeVariationsTable, liftRequestsTable] as const;

type Abandoned = EventOf<typeof FreezeAbandoned>;
/** The decision of a lift request: its rejection, or the lift itself. */
export type LiftDecision = EventOf<typeof LiftRejected> | AccountUnfrozen;

const FREEZE_EVENT_TYPES: ReadonlySet<string> = new Set(freezeEvents.map(({ type }) => type));

/** True for the events of an account's stream that are about its freezes. */
export function isFreezeEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: FreezeEvent['type'] }> {
  return FREEZE_EVENT_TYPES.has(event.type);
}

/** A freeze as it begins. */
export function freezeView(event: Recorded<AccountFrozen>): FreezeView {
  const { recordedAt } = event.metadata;
  return {
    ...event.data,
    state: 'in-force',
    placedAt: recordedAt,
    lift: null,
    createdAt: recordedAt,
    updatedAt: recordedAt,
  };
}

/** An authorisation that came to no freeze. Whoever asked stands in its key, unless that key was spent already. */
export function abandonedFreezeView(event: Recorded<Abandoned>): FreezeView {
  const { freezeId, accountId, basis, citation } = event.data;
  const { recordedAt, key, actor } = event.metadata;
  return {
    freezeId,
    accountId,
    state: 'abandoned',
    scope: null,
    basis,
    citation,
    placedBy: key?.caller ?? actor.id,
    placedAt: recordedAt,
    blockedFrom: null,
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
    lift: null,
    createdAt: recordedAt,
    updatedAt: recordedAt,
  };
}

/** What a variation changed of a freeze. */
export type VariedView = Pick<FreezeView, 'scope' | 'citation'>;

export function variedView({ data: { scope, citation } }: Recorded<FreezeVaried>): VariedView {
  return { scope, citation };
}

/** The withdrawals that a freeze found, as it began or was varied. */
export type FoundView = Pick<FreezeView, 'stopped' | 'inFlight'>;

/** All that was found, each withdrawal once: one that is in flight is found again by each variation until it settles. */
export function foundInAll(found: readonly FoundView[]): FoundView {
  return {
    stopped: [...new Set(found.flatMap(({ stopped }) => stopped))],
    inFlight: [...new Set(found.flatMap(({ inFlight }) => inFlight))],
  };
}

/** The end of a freeze, as the freeze shows it. */
export function liftView(event: Recorded<AccountUnfrozen>): NonNullable<FreezeView['lift']> {
  const { ground, citation, requestedBy, approvedBy } = event.data;
  return { ground, citation, requestedBy, approvedBy, liftedAt: event.metadata.recordedAt };
}

/** A lift request and, once there is one, its decision. */
export function liftRequestView(
  requested: Recorded<LiftRequested>,
  decision?: Recorded<LiftDecision>,
): LiftRequestView {
  const createdAt = requested.metadata.recordedAt;
  const undecided = { state: 'requested', decidedBy: null, reason: null, updatedAt: createdAt } as const;
  const outcome = decision === undefined ? undecided : liftOutcome(decision);
  const { accountId, freezeId, requestId, ground, note = null, requestedBy } = requested.data;
  const orderId = requested.data.ground === 'release-ordered' ? requested.data.orderId : null;
  return { accountId, freezeId, requestId, ground, orderId, note, requestedBy, ...outcome, createdAt };
}

function liftOutcome(
  event: Recorded<LiftDecision>,
): Pick<LiftRequestView, 'state' | 'decidedBy' | 'reason' | 'updatedAt'> {
  const updatedAt = event.metadata.recordedAt;
  if (event.type === 'AccountUnfrozen') {
    return { state: 'approved', decidedBy: event.data.approvedBy, reason: null, updatedAt };
  }
  return { state: 'rejected', decidedBy: event.data.rejectedBy, reason: event.data.reason, updatedAt };
}

/** The freeze as a row of `freezes` tells it. @param row `found` is a JSON list, of `freezeVariations` in their order */
export function freezeFromRow(row: {
  readonly view: string;
  readonly state: string;
  readonly varied: string | null;
  readonly lift: string | null;
  readonly updatedAt: string;
  readonly found: string;
}): FreezeView {
  const began = JSON.parse(row.view) as FreezeView;
  const varied = row.varied === null ? {} : (JSON.parse(row.varied) as VariedView);
  const lift = row.lift === null ? null : (JSON.parse(row.lift) as FreezeView['lift']);
  const found = foundInAll([began, ...(JSON.parse(row.found) as FoundView[])]);
  return { ...began, ...varied, ...found, state: row.state as FreezeView['state'], lift, updatedAt: row.updatedAt };
}

/** The request as a row of `liftRequests` tells it. */
export function liftRequestFromRow(row: {
  readonly view: string;
  readonly state: string;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly updatedAt: string;
}): LiftRequestView {
  const { view, state, ...rest } = row;
  const requested = JSON.parse(view) as LiftRequestView;
  return { ...requested, ...rest, state: state as LiftRequestView['state'] };
}

export function projectFreeze(event: Recorded<FreezeEvent>): readonly Change[] {
  switch (event.type) {
    case 'AccountFrozen':
      return [putFreeze(freezeView(event), event.position)];
    case 'FreezeVaried': {
      const { freezeId, stopped, inFlight } = event.data;
      const varied = JSON.stringify(variedView(event));
      const found = JSON.stringify({ stopped, inFlight } satisfies FoundView);
      return [
        setColumns(freezesTable, { freezeId, varied, updatedAt: event.metadata.recordedAt }),
        putRow(freezeVariationsTable, { freezeId, revision: event.revision, found }),
      ];
    }
    case 'FreezeAbandoned':
      // What was to vary a freeze was none itself.
      if (event.data.replaces !== undefined) return [];
      return [putFreeze(abandonedFreezeView(event), event.position)];
    case 'LiftRequested':
      return [putLiftRequest(event)];
    case 'LiftRejected':
      return [decideLiftRequest(event, event.data.requestId)];
    case 'AccountUnfrozen': {
      const { freezeId, requestId } = event.data;
      const updatedAt = event.metadata.recordedAt;
      const lifted = { freezeId, state: 'lifted', lift: JSON.stringify(liftView(event)), updatedAt };
      const decided = requestId === undefined ? [] : [decideLiftRequest(event, requestId)];
      return [setColumns(freezesTable, lifted), ...decided];
    }
  }
}

function putFreeze(view: FreezeView, createdPosition: string): Change {
  const { freezeId, accountId, state, updatedAt } = view;
  const columns = {
    freezeId,
    accountId,
    basisId: view.basis.id,
    state,
    varied: null,
    lift: null,
    createdPosition,
    updatedAt,
  };
  return putRow(freezesTable, { ...columns, view: JSON.stringify(view) });
}

function putLiftRequest(event: Recorded<LiftRequested>): Change {
  const view = liftRequestView(event);
  const { freezeId, requestId, accountId, state, decidedBy, reason, updatedAt } = view;
  const columns = { freezeId, requestId, accountId, state, decidedBy, reason, updatedAt };
  return putRow(liftRequestsTable, { ...columns, createdPosition: event.position, view: JSON.stringify(view) });
}

function decideLiftRequest(event: Recorded<LiftDecision>, requestId: string): Change {
  return setColumns(liftRequestsTable, { freezeId: event.data.freezeId, requestId, ...liftOutcome(event) });
}
