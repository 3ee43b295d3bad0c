import { defineTable, type Basis, type Position, type Timestamp } from '#kernel';

/** Who is to do what waits, by its kind. */
export const WAITS_FOR = {
  'verify-legal-order': 'person',
  'decide-change': 'person',
  'decide-sanctions-hit': 'person',
  'decide-clearance': 'person',
  'decide-lift-request': 'person',
  'answer-authority-request': 'person',
  /** A basis in force names the account, and no freeze of it under that basis is (invariant 14). */
  'freeze-account': 'person',
  /** The order names a reference that is the hash of a party's, and does not name the party: a person decides. */
  'review-reference-match': 'person',
  'settle-authorisation': 'supervisor',
  'decide-transfer': 'supervisor',
  'finish-opening': 'supervisor',
  /** The basis of a freeze in force has ended (invariant 13). */
  'lift-freeze': 'supervisor',
  'name-party': 'supervisor',
  /** The basis that names the party has ended, or was varied and names it no longer. */
  'un-name-party': 'supervisor',
} as const satisfies Readonly<Record<string, 'person' | 'supervisor'>>;

export type TaskKind = keyof typeof WAITS_FOR;
export type Doer = (typeof WAITS_FOR)[TaskKind];
export const TASK_KINDS = Object.keys(WAITS_FOR) as readonly TaskKind[];
export const DOERS = ['person', 'supervisor'] as const satisfies readonly Doer[];

export function kindsFor(doer: Doer): readonly TaskKind[] {
  return TASK_KINDS.filter((kind) => WAITS_FOR[kind] === doer);
}

/** What names a task's thing beside account, party, basis and freeze. */
export interface TaskIds {
  readonly changeId?: string;
  readonly clearanceId?: string;
  readonly requestId?: string;
  readonly transferId?: string;
}

/** What waits for a person or for the supervisor. It is there while it waits, and is gone when it is done. */
export interface TaskView {
  /** The same for as long as it waits. */
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly waitsFor: Doer;
  readonly accountId: string | null;
  readonly partyId: string | null;
  readonly basis: Basis | null;
  readonly freezeId: string | null;
  readonly changeId: string | null;
  readonly clearanceId: string | null;
  readonly requestId: string | null;
  readonly transferId: string | null;
  readonly since: Timestamp;
  /** Of the event since which it waits. */
  readonly position: Position;
}

/**
 * Everything that was ever to be done. What waits was `asked` for and is not `done`: two facts, which can come from two
 * streams in either order. `stream` and `subject` name what it is about, so that whatever ends it finds it. `ids` is JSON.
 */
export const tasksTable = defineTable({
  name: 'tasks',
  columns: {
    kind: 'text',
    stream: 'text',
    subject: 'text',
    asked: 'integer',
    done: 'integer',
    taskId: 'text',
    since: 'text',
    position: 'text',
    accountId: 'text?',
    partyId: 'text?',
    basisKind: 'text?',
    basisId: 'text?',
    freezeId: 'text?',
    ids: 'text',
  },
  primaryKey: ['kind', 'stream', 'subject'],
  indexes: [
    ['asked', 'done', 'position', 'taskId'],
    ['accountId', 'asked', 'done', 'position', 'taskId'],
    ['basisId', 'asked', 'done', 'position', 'taskId'],
  ],
  shared: 'in-order',
});

export const taskTables = [tasksTable] as const;

/** The columns that `taskFromRow` takes. */
export const TASK_COLUMNS =
  't.taskId, t.kind, t.accountId, t.partyId, t.basisKind, t.basisId, t.freezeId, t.ids, t.since, t.position';

const NO_IDS = { changeId: null, clearanceId: null, requestId: null, transferId: null } as const;

/** The task as a row tells it. */
export function taskFromRow(row: {
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly accountId: string | null;
  readonly partyId: string | null;
  readonly basisKind: Basis['kind'] | null;
  readonly basisId: string | null;
  readonly freezeId: string | null;
  readonly ids: string;
  readonly since: string;
  readonly position: string;
}): TaskView {
  const { taskId, kind, accountId, partyId, basisKind, basisId, freezeId, since, position } = row;
  const basis = basisKind === null || basisId === null ? null : { kind: basisKind, id: basisId };
  const ids = { ...NO_IDS, ...(JSON.parse(row.ids) as TaskIds) };
  return { taskId, kind, waitsFor: WAITS_FOR[kind], accountId, partyId, basis, freezeId, ...ids, since, position };
}

/**
 * What waits of itself, and no event ends by its name: the parties whose reference an order in force names by its hash, while
 * the order does not name them. It waits since the later of the two was known.
 */
const REFERENCE_MATCHES = `SELECT 'review-reference-match' AS kind, 'legalOrder-' || s.orderId AS stream,
    p.partyId AS subject, 1 AS asked, 0 AS done, 'review-reference-match/' || s.position || '/' || p.partyId AS taskId,
    max(s.recordedAt, json_extract(p.view, '$.createdAt')) AS since, max(s.position, p.createdPosition) AS position,
    NULL AS accountId, p.partyId AS partyId, 'legal-order' AS basisKind, s.orderId AS basisId, NULL AS freezeId,
    '{}' AS ids
  FROM orderSubjects s JOIN parties p ON p.externalSha256 = s.subjectId
  WHERE s.kind = 'external' AND s.named = 1 AND NOT EXISTS (SELECT 1 FROM orderSubjects n
    WHERE n.orderId = s.orderId AND n.kind = 'party' AND n.subjectId = p.partyId AND n.named = 1)`;

/** All tasks, as `t`. */
export const ALL_TASKS = `(SELECT kind, stream, subject, asked, done, taskId, since, position, accountId, partyId,
    basisKind, basisId, freezeId, ids FROM tasks UNION ALL ${REFERENCE_MATCHES}) t`;

const WAITS = 't.asked = 1 AND t.done = 0';
const FREEZE_IN_FORCE = "EXISTS (SELECT 1 FROM freezes f WHERE f.freezeId = t.freezeId AND f.state = 'in-force')";

/** An account is a party's once AccountOpened lists the party: what is merely attached may come to nothing. */
const isHeld = (task: string): string =>
  `(${task}.partyId IS NULL OR EXISTS (SELECT 1 FROM accountHolders h
    WHERE h.accountId = ${task}.accountId AND h.partyId = ${task}.partyId))`;

/** A basis may name an account in several ways: itself, and through each holder. It is to be frozen once. */
const FIRST_OF_ITS_WAYS = `NOT EXISTS (SELECT 1 FROM tasks o WHERE o.kind = t.kind AND o.stream = t.stream
  AND o.subject >= t.accountId || '/' AND o.subject < t.subject AND o.asked = 1 AND o.done = 0 AND ${isHeld('o')})`;

/** An order whose time ran out authorises nothing, also while a proposed extension puts its expiry off. */
const BASIS_IN_FORCE = `(EXISTS (SELECT 1 FROM legalOrders l WHERE t.basisKind = 'legal-order' AND l.orderId = t.basisId
    AND l.state = 'verified' AND (l.expiresAt IS NULL OR l.expiresAt > ?))
  OR EXISTS (SELECT 1 FROM sanctionsHits s WHERE t.basisKind = 'sanctions-hit' AND s.hitId = t.basisId
    AND s.state = 'confirmed'))`;

/** A variation may drop a party that another names again, or an address which the party controls: it goes on being named. */
const NAMED_STILL = `EXISTS (SELECT 1 FROM orderSubjects s JOIN legalOrders l ON l.orderId = s.orderId
  WHERE t.basisKind = 'legal-order' AND s.orderId = t.basisId AND s.named = 1 AND l.state = 'verified'
    AND ((s.kind = 'party' AND s.subjectId = t.partyId) OR (s.kind = 'address' AND s.subjectId IN
      (SELECT name FROM partyAddresses WHERE partyId = t.partyId AND role = 'holder-controlled'))))`;

/** The tasks that wait at a time, of a `FROM tasks t`; twice the time. */
export const WAITING = `${WAITS} AND t.since <= ?
  AND (t.kind <> 'un-name-party' OR NOT ${NAMED_STILL})
  AND (t.kind NOT IN ('lift-freeze', 'decide-lift-request') OR ${FREEZE_IN_FORCE})
  AND (t.kind <> 'freeze-account' OR (${isHeld('t')} AND ${FIRST_OF_ITS_WAYS}))
  AND (t.kind NOT IN ('freeze-account', 'review-reference-match') OR ${BASIS_IN_FORCE})`;

/** Tasks about a party, or about an account that it holds; twice the party. */
export const OF_PARTY = '(t.partyId = ? OR t.accountId IN (SELECT accountId FROM accountHolders WHERE partyId = ?))';
