import type { AccountEvent, AccountState } from '#accounts';
import type { AuthorityRequestEvent } from '#authority-requests';
import { basisState, type BasisContents } from '#freezes';
import {
  addRow,
  basisStream,
  putRow,
  setColumns,
  type Basis,
  type BasisState,
  type Change,
  type Recorded,
  type RowOf,
  type Timestamp,
} from '#kernel';
import type { LegalOrderEvent, LegalOrderState } from '#legal-orders';
import { openingKey, type PartyEvent, type PartyState } from '#parties';
import { idOfStream, type JudgedEvent, type LedgerEvent } from '#replay';
import type { SanctionsHitEvent, SanctionsHitState } from '#sanctions';
import { tasksTable, type TaskIds, type TaskKind } from './tasks.ts';

/** What is to be done, before anybody asked for it. */
interface Task {
  readonly kind: TaskKind;
  /** Of what it is about; with `subject`, which is unique there for this kind, it names the task. */
  readonly stream: string;
  readonly subject: string;
  readonly accountId?: string | undefined;
  readonly partyId?: string | undefined;
  readonly basis?: Basis | undefined;
  readonly freezeId?: string | undefined;
  readonly ids?: TaskIds;
}

type Row = RowOf<(typeof tasksTable)['columns']>;
type Event = Recorded<LedgerEvent>;

/** Each event changes as many rows as it has subjects, whatever else its stream holds. */
export function projectTasks(event: Event, { after }: JudgedEvent): readonly Change[] {
  switch (after?.kind) {
    case 'legalOrder':
      return ofLegalOrder(event as Recorded<LegalOrderEvent>, after.state);
    case 'sanctionsHit':
      return ofSanctionsHit(event as Recorded<SanctionsHitEvent>, after.state);
    case 'party':
      return ofParty(event as Recorded<PartyEvent>, after.state);
    case 'account':
      return ofAccount(event as Recorded<AccountEvent>, after.state);
    case 'authorityRequest':
      return ofAuthorityRequest(event as Recorded<AuthorityRequestEvent>);
    case 'asset':
    case undefined:
      return [];
  }
}

function ofLegalOrder(event: Recorded<LegalOrderEvent>, after: LegalOrderState): readonly Change[] {
  const { stream } = event;
  const state = basisOf(event, { kind: 'legalOrder', state: after });
  const { basis } = state;
  const change = (changeId: string): Task => ({
    kind: 'decide-change',
    stream,
    subject: changeId,
    basis,
    ids: { changeId },
  });
  const verification: Task = { kind: 'verify-legal-order', stream, subject: '', basis };
  const otherChanges = (): readonly Change[] =>
    [...after.changes.values()].filter(isProposed).map(({ changeId }) => finish(change(changeId)));
  switch (event.type) {
    case 'CommandRefused':
      return [];
    case 'LegalOrderRegistered':
      return [open(verification, event)];
    case 'LegalOrderVerified':
      return [finish(verification), ...comeIntoForce(event, state)];
    case 'LegalOrderRejected':
      return [finish(verification)];
    case 'LegalOrderChangeProposed':
      return [open(change(event.data.changeId), event)];
    case 'LegalOrderChangeRejected':
    case 'LegalOrderExtended':
      return [finish(change(event.data.changeId))];
    case 'LegalOrderVaried':
      return [finish(change(event.data.changeId)), ...varyBasis(event, state)];
    case 'LegalOrderEnded':
      return [finish(change(event.data.changeId)), ...otherChanges(), ...endBasis(event, state)];
    case 'LegalOrderExpired':
      return [...otherChanges(), ...endBasis(event, state)];
    case 'FreezeAuthorised':
      return [open(settlement(basis, event.id, event.data), event)];
  }
}

function ofSanctionsHit(event: Recorded<SanctionsHitEvent>, after: SanctionsHitState): readonly Change[] {
  const { stream } = event;
  const state = basisOf(event, { kind: 'sanctionsHit', state: after });
  const { basis } = state;
  const subject = after.hit?.subject;
  const partyId = subject?.kind === 'party' ? subject.partyId : undefined;
  const decision: Task = { kind: 'decide-sanctions-hit', stream, subject: '', basis, partyId };
  const clearance = (clearanceId: string): Task => ({
    kind: 'decide-clearance',
    stream,
    subject: clearanceId,
    basis,
    partyId,
    ids: { clearanceId },
  });
  switch (event.type) {
    case 'CommandRefused':
      return [];
    case 'SanctionsHitRaised':
      return [open(decision, event)];
    case 'SanctionsHitConfirmed':
      return [finish(decision), ...comeIntoForce(event, state)];
    case 'SanctionsHitDismissed':
      return [finish(decision)];
    case 'ClearanceProposed':
      return [open(clearance(event.data.clearanceId), event)];
    case 'ClearanceRejected':
      return [finish(clearance(event.data.clearanceId))];
    case 'SanctionsHitCleared': {
      const others = [...after.clearances.values()].filter(isProposed);
      const decided = [event.data.clearanceId, ...others.map(({ clearanceId }) => clearanceId)];
      return [...decided.map((id) => finish(clearance(id))), ...endBasis(event, state)];
    }
    case 'FreezeAuthorised':
      return [open(settlement(basis, event.id, event.data), event)];
  }
}

function isProposed({ state }: { readonly state: string }): boolean {
  return state === 'proposed';
}

function basisOf({ stream }: Event, contents: BasisContents): BasisState {
  return basisState(contents, idOfStream(stream));
}

/** From when it binds, a basis has its accounts to be frozen and its parties to be named. */
function comeIntoForce(event: Event, { basis, subjects, enforcement }: BasisState): readonly Change[] {
  const since = laterOf(event.metadata.recordedAt, enforcement?.from);
  return [
    ...subjects.accounts.flatMap((accountId) => ask(accountToFreeze(basis, accountId), event, since)),
    ...subjects.parties.flatMap((partyId) => ask(partyToName(basis, partyId), event, since)),
  ];
}

/** Whom a variation brings in has to be frozen and named; whom it drops need not be any longer. */
function varyBasis(event: Event, { basis, terms, enforcement }: BasisState): readonly Change[] {
  const [before, after] = terms.slice(-2).map(({ subjects }) => subjects);
  if (before === undefined || after === undefined) return [];
  const since = laterOf(event.metadata.recordedAt, enforcement?.from);
  const missing = (these: readonly string[], those: readonly string[]): readonly string[] =>
    these.filter((id) => !those.includes(id));
  return [
    ...missing(after.accounts, before.accounts).flatMap((id) => ask(accountToFreeze(basis, id), event, since)),
    ...missing(after.parties, before.parties).flatMap((id) => ask(partyToName(basis, id), event, since)),
    ...missing(before.accounts, after.accounts).map((id) => askNoLonger(accountToFreeze(basis, id))),
    ...missing(before.parties, after.parties).flatMap((id) => [
      askNoLonger(partyToName(basis, id)),
      ...ask(partyToUnName(basis, id), event, undefined, 1),
    ]),
  ];
}

/** What the basis named need not be frozen or named any longer; what rests on it is to end. */
function endBasis(event: Event, { basis, subjects, authorisations }: BasisState): readonly Change[] {
  return [
    ...subjects.accounts.map((accountId) => askNoLonger(accountToFreeze(basis, accountId))),
    ...subjects.parties.flatMap((partyId) => [
      askNoLonger(partyToName(basis, partyId)),
      // Nothing is to be done for a party until it is named.
      ...ask(partyToUnName(basis, partyId), event, undefined, 1),
    ]),
    // One that varies a freeze places none.
    ...authorisations
      .filter(({ replaces }) => replaces === undefined)
      .flatMap(({ pointer, accountId, partyId }) =>
        ask(freezeToLift(basis, pointer.eventId, { accountId, partyId }), event),
      ),
  ];
}

function ofParty(event: Recorded<PartyEvent>, after: PartyState): readonly Change[] {
  const { stream } = event;
  switch (event.type) {
    case 'AccountAttached': {
      const { accountId, partyId, opening } = event.data;
      const subject = openingKey(opening.key, accountId);
      return [open({ kind: 'finish-opening', stream, subject, accountId, partyId }, event)];
    }
    case 'AccountDetached': {
      const subject = openingKey(event.data.key, event.data.accountId);
      return [finish({ kind: 'finish-opening', stream, subject })];
    }
    case 'PartyNamed': {
      const { partyId, basis } = event.data;
      return [
        ...settle(partyToName(basis, partyId), event),
        ...unsettle(partyToUnName(basis, partyId), event),
        ...attachedTo(after).flatMap((accountId) => ask(accountToFreeze(basis, accountId, partyId), event)),
      ];
    }
    case 'PartyNoLongerNamed': {
      const { partyId, basis } = event.data;
      return [
        ...unsettle(partyToName(basis, partyId), event),
        ...settle(partyToUnName(basis, partyId), event),
        ...attachedTo(after).map((accountId) => askNoLonger(accountToFreeze(basis, accountId, partyId))),
      ];
    }
    case 'PartyRegistered':
    case 'PartyIdentified':
    case 'AddressLinked':
    case 'CommandRefused':
      return [];
  }
}

/** The accounts that the party holds or may come to hold: which of them it holds, AccountOpened tells. */
function attachedTo({ attachments }: PartyState): readonly string[] {
  const accounts = new Set<string>();
  for (const { status, opening } of attachments.values()) if (status === 'attached') accounts.add(opening.accountId);
  return [...accounts];
}

function ofAccount(event: Recorded<AccountEvent>, after: AccountState): readonly Change[] {
  const { stream } = event;
  switch (event.type) {
    case 'AccountOpened': {
      const { data, metadata } = event;
      if (metadata.key === null) return [];
      const subject = openingKey(metadata.key, data.accountId);
      return data.holders.map(({ partyId }) => finish({ kind: 'finish-opening', stream: `party-${partyId}`, subject }));
    }
    case 'TransferSent': {
      const { accountId, transferId } = event.data;
      const task: Task = { kind: 'decide-transfer', stream, subject: transferId, accountId, ids: { transferId } };
      return [open(task, event)];
    }
    case 'TransferReceived':
      return [
        finish({ kind: 'decide-transfer', stream: `account-${event.data.from}`, subject: event.data.transferId }),
      ];
    case 'TransferReturned':
      return [finish({ kind: 'decide-transfer', stream, subject: event.data.transferId })];
    case 'AccountFrozen': {
      const { basis, citation } = event.data;
      return [
        finish({ kind: 'settle-authorisation', stream: citation.stream, subject: citation.eventId }),
        ...waysToFreeze(basis, after).flatMap((task) => settle(task, event)),
      ];
    }
    case 'FreezeVaried': {
      const { citation } = event.data;
      return [finish({ kind: 'settle-authorisation', stream: citation.stream, subject: citation.eventId })];
    }
    case 'FreezeAbandoned': {
      const { basis, citation, freezeId, accountId, replaces } = event.data;
      const settled = finish({ kind: 'settle-authorisation', stream: citation.stream, subject: citation.eventId });
      if (replaces !== undefined) return [settled];
      return [settled, ...settle(freezeToLift(basis, freezeId, { accountId }), event)];
    }
    case 'LiftRequested': {
      const { freezeId, requestId } = event.data;
      return [open(liftRequest(stream, freezeId, requestId, after), event)];
    }
    case 'LiftRejected':
      return [finish(liftRequest(stream, event.data.freezeId, event.data.requestId, after))];
    case 'AccountUnfrozen': {
      const { freezeId, requestId, accountId } = event.data;
      const basis = after.freezes.ended.get(freezeId)?.basis;
      if (basis === undefined) return [];
      return [
        ...settle(freezeToLift(basis, freezeId, { accountId }), event),
        ...waysToFreeze(basis, after).flatMap((task) => unsettle(task, event)),
        ...(requestId === undefined ? [] : [finish(liftRequest(stream, freezeId, requestId, after))]),
      ];
    }
    default:
      return [];
  }
}

function ofAuthorityRequest(event: Recorded<AuthorityRequestEvent>): readonly Change[] {
  if (event.type === 'CommandRefused') return [];
  const { requestId } = event.data;
  const task: Task = { kind: 'answer-authority-request', stream: event.stream, subject: '', ids: { requestId } };
  return [event.type === 'AuthorityRequestRegistered' ? open(task, event) : finish(task)];
}

/** @param partyId through which the basis names the account; undefined when it names the account itself */
function accountToFreeze(basis: Basis, accountId: string, partyId?: string): Task {
  // No id has a slash in it, and of the ways to an account its own is the first.
  const subject = `${accountId}/${partyId ?? ''}`;
  return { kind: 'freeze-account', stream: basisStream(basis), subject, accountId, partyId, basis };
}

/** A freeze does it in whichever way the basis names the account. */
function waysToFreeze(basis: Basis, { accountId, holders }: AccountState): readonly Task[] {
  return [undefined, ...holders.map(({ partyId }) => partyId)].map((way) => accountToFreeze(basis, accountId, way));
}

function partyToName(basis: Basis, partyId: string): Task {
  return { kind: 'name-party', stream: basisStream(basis), subject: partyId, partyId, basis };
}

function partyToUnName(basis: Basis, partyId: string): Task {
  return { kind: 'un-name-party', stream: basisStream(basis), subject: partyId, partyId, basis };
}

type ForAccount = Pick<Task, 'accountId' | 'partyId'>;

function freezeToLift(basis: Basis, freezeId: string, { accountId, partyId }: ForAccount): Task {
  return { kind: 'lift-freeze', stream: basisStream(basis), subject: freezeId, accountId, partyId, basis, freezeId };
}

function settlement(basis: Basis, eventId: string, { accountId, partyId }: ForAccount): Task {
  return { kind: 'settle-authorisation', stream: basisStream(basis), subject: eventId, accountId, partyId, basis };
}

function liftRequest(stream: string, freezeId: string, requestId: string, after: AccountState): Task {
  const { accountId, freezes } = after;
  const basis = (freezes.inForce.get(freezeId) ?? freezes.ended.get(freezeId))?.basis;
  const subject = `${freezeId}/${requestId}`;
  return { kind: 'decide-lift-request', stream, subject, accountId, basis, freezeId, ids: { requestId } };
}

function laterOf(one: Timestamp, other: Timestamp | undefined): Timestamp {
  return other !== undefined && other > one ? other : one;
}

function keyOf({ kind, stream, subject }: Task): Pick<Row, 'kind' | 'stream' | 'subject'> {
  return { kind, stream, subject };
}

/** Since when it waits, and the id that it has meanwhile: it tells nothing of what the task rests on. */
function waiting(
  { kind, accountId, partyId }: Task,
  { id, position, metadata }: Event,
  since: Timestamp = metadata.recordedAt,
): Pick<Row, 'taskId' | 'since' | 'position'> {
  const about = [accountId, partyId].filter((part) => part !== undefined);
  return { taskId: [kind, id, ...about].join('/'), since, position };
}

function rowOf(task: Task, event: Event, asked: number, done: number): Row {
  const { accountId = null, partyId = null, basis, freezeId = null, ids = {} } = task;
  const [basisKind, basisId] = [basis?.kind ?? null, basis?.id ?? null];
  const about = { accountId, partyId, basisKind, basisId, freezeId, ids: JSON.stringify(ids) };
  return { ...keyOf(task), ...waiting(task, event), ...about, asked, done };
}

/** For what one event asks for and one later event ends. */
function open(task: Task, event: Event): Change {
  return putRow(tasksTable, rowOf(task, event, 1, 0));
}

function finish(task: Task): Change {
  return setColumns(tasksTable, { ...keyOf(task), done: 1 });
}

/** For what is asked for by one stream and done by another, whichever comes first. @param doneBefore if nothing told yet */
function ask(task: Task, event: Event, since?: Timestamp, doneBefore = 0): readonly Change[] {
  return [
    addRow(tasksTable, rowOf(task, event, 0, doneBefore)),
    setColumns(tasksTable, { ...keyOf(task), ...waiting(task, event, since), asked: 1 }),
  ];
}

function askNoLonger(task: Task): Change {
  return setColumns(tasksTable, { ...keyOf(task), asked: 0 });
}

function settle(task: Task, event: Event): readonly Change[] {
  return [addRow(tasksTable, rowOf(task, event, 0, 1)), setColumns(tasksTable, { ...keyOf(task), done: 1 })];
}

/** It is to be done once more, or for the first time, if it is asked for: it waits since now. */
function unsettle(task: Task, event: Event): readonly Change[] {
  return [
    addRow(tasksTable, rowOf(task, event, 0, 0)),
    setColumns(tasksTable, { ...keyOf(task), ...waiting(task, event), done: 0 }),
  ];
}
