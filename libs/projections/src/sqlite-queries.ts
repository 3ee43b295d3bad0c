import {
  accountFromRow,
  depositFromRow,
  transferFromRow,
  trialBalanceView,
  withdrawalFromRow,
  type AccountView,
  type DepositView,
  type EntryView,
  type TransferView,
  type TrialBalanceView,
  type WithdrawalView,
} from '#accounts';
import type { AssetView } from '#assets';
import type { AuthorityRequestView } from '#authority-requests';
import { freezeFromRow, liftRequestFromRow, type FreezeView, type LiftRequestView } from '#freezes';
import type { Asset, Basis, Position, Timestamp } from '#kernel';
import { legalOrderFromRow, type LegalOrderView } from '#legal-orders';
import type { LinkedAddressView, PartyView } from '#parties';
import { sanctionsHitFromRow, type SanctionsHitView } from '#sanctions';
import { decodeCursor, encodeCursor, type CursorKey } from './cursor.ts';
import { MalformedCursorError } from './queries-api.ts';
import type {
  Disclosure,
  Page,
  PageRequest,
  PartyWithAccounts,
  Queries,
  RefusalView,
  Versioned,
  ViolationView,
} from './queries-api.ts';
import type { ReadSide } from './read-side.ts';
import { kindsFor, OF_PARTY, ALL_TASKS, TASK_COLUMNS, taskFromRow, WAITING, type TaskView } from './tasks.ts';

/** Most items of one page. */
const MAX_PAGE = 500;
/** A page that has more is full, however many items were asked for. One item may have a hundred thousand. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

type Parameter = string | number;
/** A condition of a WHERE clause and the values of its question marks. */
type Condition = readonly [sql: string, ...values: readonly Parameter[]];

/** One list: what it selects, in which order, and how a row is shown. */
interface List<Item> {
  readonly name: string;
  readonly select: string;
  /** Where the list is kept in two tables: the other, with the same columns. Both are read in order and merged. */
  readonly alsoSelect?: string;
  readonly where: readonly Condition[];
  /** The columns that order the list, together unique within it. */
  readonly orderBy: readonly string[];
  readonly order: 'ASC' | 'DESC';
  /** An example of a cursor's key: as many parts as `orderBy`, of the columns' types. */
  readonly keyShape: CursorKey;
  /** The columns named in `select`. */
  readonly show: (row: never) => Item;
}

const NEWEST_FIRST = { order: 'DESC', keyShape: [''] } as const;
const BY_CREATION = { ...NEWEST_FIRST, orderBy: ['createdPosition'] } as const;

const ACCOUNT_COLUMNS = `a.accountId, a.state, a.holders, a.balances, a.freezes, a.createdAt, a.updatedAt,
  s.revision AS streamRevision, s.position AS position`;
const ACCOUNTS = `FROM accounts a JOIN streams s ON s.stream = 'account-' || a.accountId`;
const PARTY_COLUMNS = `p.view, (SELECT json_group_array(accountId) FROM
  (SELECT accountId FROM accountHolders WHERE partyId = p.partyId ORDER BY createdPosition)) AS accounts,
  (SELECT json_group_array(json_object('chain', chain, 'address', address, 'role', role, 'linkedAt', linkedAt)) FROM
  (SELECT * FROM partyAddresses WHERE partyId = p.partyId ORDER BY revision)) AS addresses`;
const ENTRY_COLUMNS = `accountId, revision, position, eventId, type, ledgerAccount, asset, amount, balance, reference,
  recordedAt`;
/** The line of the statement that a deposit is. */
const DEPOSIT_ENTRIES = `(SELECT 0 AS line, accountId, revision, position, eventId,
  iif(state = 'held', 'FundsHeld', 'FundsDeposited') AS type, iif(state = 'held', 'held', 'available') AS ledgerAccount,
  asset, amount, balance, depositId AS reference, recordedAt FROM deposits)`;
const DEPOSIT_COLUMNS = `d.accountId, d.depositId, d.asset, d.amount, d.source, d.state, d.recordedAt,
  (SELECT min(r.releasedAt) FROM heldReleases r
   WHERE r.accountId = d.accountId AND r.asset = d.asset AND r.revision > d.revision) AS releasedAt,
  v.cause, v.reason, v.taken, v.shortfall, v.reversedAt`;
const REVERSALS = 'LEFT JOIN reversals v ON v.accountId = d.accountId AND v.depositId = d.depositId';
/** Deposits that are the first of their id, with the names that tell it. */
const DEPOSITS = `FROM deposits d JOIN names n
  ON n.stream = 'account-' || d.accountId AND n.kind = 'deposit' AND n.id = d.depositId AND n.revision = d.revision
  ${REVERSALS}`;
const WITHDRAWAL_COLUMNS = `accountId, withdrawalId, asset, amount, destination, state, reference, reason, freezeId,
  createdAt, updatedAt`;
const TRANSFER_COLUMNS = 'accountId, transferId, toAccountId, asset, amount, state, reason, createdAt, updatedAt';
const FREEZE_COLUMNS = `f.view, f.state, f.varied, f.lift, f.updatedAt, (SELECT json_group_array(json(found)) FROM
  (SELECT found FROM freezeVariations WHERE freezeId = f.freezeId ORDER BY revision)) AS found`;
const LIFT_REQUEST_COLUMNS = 'view, state, decidedBy, reason, updatedAt';

/** The read models, over local indexed rows. */
export class SqliteQueries implements Queries {
  readonly #rows: ReadSide;
  #knownViolations = 0;

  constructor(rows: ReadSide) {
    this.#rows = rows;
  }

  checkpoint(): Position | undefined {
    return this.#rows.checkpoint;
  }

  waitFor(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#rows.waitFor(position, timeoutMs);
  }

  assets(page: PageRequest): Page<AssetView> {
    const select = 'view FROM assets';
    return this.#page({ name: 'assets', select, where: [], ...BY_CREATION, show: showAsset }, page);
  }

  asset(code: string): Versioned<AssetView> | undefined {
    return this.#versioned(
      "a.view, s.revision FROM assets a JOIN streams s ON s.stream = 'asset-' || a.code WHERE a.code = ?",
      code,
      showAsset,
    );
  }

  assetFacts(code: string): Asset | undefined {
    const row = this.#rows.get('SELECT code, scale FROM assets WHERE code = ?', code);
    return row === undefined ? undefined : ({ ...row } as unknown as Asset);
  }

  parties(filter: { externalRef?: string | undefined }, page: PageRequest): Page<PartyWithAccounts> {
    const select = `${PARTY_COLUMNS} FROM parties p`;
    const where = equals({ externalRef: filter.externalRef });
    return this.#page({ name: 'parties', select, where, ...BY_CREATION, show: showParty }, page);
  }

  party(partyId: string): Versioned<PartyWithAccounts> | undefined {
    return this.#versioned(
      `${PARTY_COLUMNS}, s.revision FROM parties p JOIN streams s ON s.stream = 'party-' || p.partyId WHERE p.partyId = ?`,
      partyId,
      showParty,
    );
  }

  accounts(filter: Parameters<Queries['accounts']>[0], page: PageRequest): Page<AccountView> {
    const { partyId, state } = filter;
    const frozen = filter.frozen === undefined ? undefined : Number(filter.frozen);
    const ofParty = partyId !== undefined;
    const list: List<AccountView> = {
      name: 'accounts',
      select: `${ACCOUNT_COLUMNS} ${ACCOUNTS}${ofParty ? ' JOIN accountHolders h ON h.accountId = a.accountId' : ''}`,
      where: equals({ 'h.partyId': partyId, 'a.state': state, 'a.frozen': frozen }),
      ...NEWEST_FIRST,
      orderBy: [ofParty ? 'h.createdPosition' : 'a.createdPosition'],
      show: accountFromRow,
    };
    return this.#page(list, page);
  }

  account(accountId: string): Versioned<AccountView> | undefined {
    return this.#versioned(
      `${ACCOUNT_COLUMNS}, s.revision ${ACCOUNTS} WHERE a.accountId = ?`,
      accountId,
      accountFromRow,
    );
  }

  entries(accountId: string, page: PageRequest): Page<EntryView> {
    const list: List<EntryView> = {
      name: 'entries',
      select: `${ENTRY_COLUMNS} FROM entries`,
      alsoSelect: `${ENTRY_COLUMNS} FROM ${DEPOSIT_ENTRIES}`,
      where: equals({ accountId }),
      order: 'ASC',
      orderBy: ['revision', 'line'],
      keyShape: [0, 0],
      show: (row: EntryView) => row,
    };
    return this.#page(list, page);
  }

  deposits(accountId: string, page: PageRequest): Page<DepositView> {
    const list: List<DepositView> = {
      name: 'deposits',
      select: `${DEPOSIT_COLUMNS} ${DEPOSITS}`,
      where: equals({ 'd.accountId': accountId }),
      ...BY_REVISION,
      orderBy: ['d.revision'],
      show: depositFromRow,
    };
    return this.#page(list, page);
  }

  deposit(accountId: string, depositId: string): DepositView | undefined {
    const sql = `${DEPOSIT_COLUMNS} FROM names n JOIN deposits d ON d.accountId = ? AND d.revision = n.revision
      ${REVERSALS}
      WHERE n.stream = 'account-' || ? AND n.kind = 'deposit' AND n.id = ?`;
    return this.#one(sql, [accountId, accountId, depositId], depositFromRow);
  }

  withdrawals(
    accountId: string,
    { state }: { state?: WithdrawalView['state'] | undefined },
    page: PageRequest,
  ): Page<WithdrawalView> {
    const select = `${WITHDRAWAL_COLUMNS} FROM withdrawals`;
    const list = { name: 'withdrawals', select, where: equals({ accountId, state }) };
    return this.#page({ ...list, ...BY_REVISION, show: withdrawalFromRow }, page);
  }

  withdrawal(accountId: string, withdrawalId: string): WithdrawalView | undefined {
    const sql = `${WITHDRAWAL_COLUMNS} FROM withdrawals WHERE accountId = ? AND withdrawalId = ?`;
    return this.#one(sql, [accountId, withdrawalId], withdrawalFromRow);
  }

  transfers(
    accountId: string,
    { state }: { state?: TransferView['state'] | undefined },
    page: PageRequest,
  ): Page<TransferView> {
    const select = `${TRANSFER_COLUMNS} FROM transfers`;
    const list = { name: 'transfers', select, where: equals({ accountId, state }) };
    return this.#page({ ...list, ...BY_REVISION, show: transferFromRow }, page);
  }

  transfer(accountId: string, transferId: string): TransferView | undefined {
    const sql = `${TRANSFER_COLUMNS} FROM transfers WHERE accountId = ? AND transferId = ?`;
    return this.#one(sql, [accountId, transferId], transferFromRow);
  }

  legalOrders(filter: Parameters<Queries['legalOrders']>[0], page: PageRequest): Page<LegalOrderView> {
    const { orderId, accountId, partyId, state, disclosedAt } = filter;
    const where = [...equals({ orderId, state }), ...namesAccount(accountId), ...namesParty(partyId)];
    if (orderId !== undefined && disclosedAt !== undefined) where.push([DISCLOSED, disclosedAt]);
    const select = 'view, updatedAt FROM legalOrders';
    return this.#page({ name: 'legalOrders', select, where, ...BY_CREATION, show: legalOrderFromRow }, page);
  }

  legalOrder(orderId: string): Versioned<LegalOrderView> | undefined {
    return this.#versioned(
      `o.view, o.updatedAt, s.revision FROM legalOrders o JOIN streams s ON s.stream = 'legalOrder-' || o.orderId
        WHERE o.orderId = ?`,
      orderId,
      legalOrderFromRow,
    );
  }

  sanctionsHits(filter: Parameters<Queries['sanctionsHits']>[0], page: PageRequest): Page<SanctionsHitView> {
    const { hitId, accountId, partyId, state } = filter;
    const where = [
      ...equals({ hitId, state }),
      ...concernsAnyOf(HOLDERS, accountId),
      ...concernsAnyOf('SELECT ?', partyId),
    ];
    const select = 'view, updatedAt FROM sanctionsHits';
    return this.#page({ name: 'sanctionsHits', select, where, ...BY_CREATION, show: sanctionsHitFromRow }, page);
  }

  sanctionsHit(hitId: string): Versioned<SanctionsHitView> | undefined {
    return this.#versioned(
      `h.view, h.updatedAt, s.revision FROM sanctionsHits h JOIN streams s ON s.stream = 'sanctionsHit-' || h.hitId
        WHERE h.hitId = ?`,
      hitId,
      sanctionsHitFromRow,
    );
  }

  freezes(filter: Parameters<Queries['freezes']>[0], page: PageRequest): Page<FreezeView> {
    const { accountId, partyId, basisId, state } = filter;
    const disclosed = onDisclosedBasis("f.view ->> '$.basis.kind'", filter);
    const where = [...equals({ accountId, basisId, state }), ...concerns(partyId), ...disclosed];
    const select = `${FREEZE_COLUMNS} FROM freezes f`;
    return this.#page({ name: 'freezes', select, where, ...BY_CREATION, show: freezeFromRow }, page);
  }

  /** The revision is that of the account's stream, on which its freezes stand. */
  freeze(freezeId: string): Versioned<FreezeView> | undefined {
    return this.#versioned(
      `${FREEZE_COLUMNS}, s.revision FROM freezes f JOIN streams s ON s.stream = 'account-' || f.accountId
        WHERE f.freezeId = ?`,
      freezeId,
      freezeFromRow,
    );
  }

  basisOfFreeze(freezeId: string): Basis | undefined {
    return this.#rows.servable ? this.freeze(freezeId)?.view.basis : undefined;
  }

  orderOfLift(freezeId: string, requestId: string): string | null | undefined {
    return this.#rows.servable ? this.liftRequest(freezeId, requestId)?.orderId : undefined;
  }

  liftRequests(filter: Parameters<Queries['liftRequests']>[0], page: PageRequest): Page<LiftRequestView> {
    const { accountId, partyId, freezeId, state } = filter;
    const where = [...equals({ accountId, freezeId, state }), ...heldBy(partyId), ...restsOn(filter)];
    const select = `${LIFT_REQUEST_COLUMNS} FROM liftRequests`;
    return this.#page({ name: 'liftRequests', select, where, ...BY_CREATION, show: liftRequestFromRow }, page);
  }

  liftRequest(freezeId: string, requestId: string): LiftRequestView | undefined {
    const sql = `${LIFT_REQUEST_COLUMNS} FROM liftRequests WHERE freezeId = ? AND requestId = ?`;
    return this.#one(sql, [freezeId, requestId], liftRequestFromRow);
  }

  authorityRequests(
    filter: Parameters<Queries['authorityRequests']>[0],
    page: PageRequest,
  ): Page<AuthorityRequestView> {
    const { basisId, state } = filter;
    const list = {
      name: 'authorityRequests',
      select: 'view FROM authorityRequests',
      where: [...equals({ basisId, state }), ...onDisclosedBasis("view ->> '$.answer.basis.kind'", filter)],
    };
    return this.#page({ ...list, ...BY_CREATION, show: showAuthorityRequest }, page);
  }

  authorityRequest(requestId: string): Versioned<AuthorityRequestView> | undefined {
    return this.#versioned(
      `r.view, s.revision FROM authorityRequests r JOIN streams s ON s.stream = 'authorityRequest-' || r.requestId
        WHERE r.requestId = ?`,
      requestId,
      showAuthorityRequest,
    );
  }

  tasks(filter: Parameters<Queries['tasks']>[0], at: Timestamp, page: PageRequest): Page<TaskView> {
    const { accountId, partyId, basisId, kind, waitsFor } = filter;
    const where: Condition[] = [
      [WAITING, at, at],
      ...equals({ 't.accountId': accountId, 't.basisId': basisId, 't.kind': kind }),
      ...onDisclosedBasis('t.basisKind', filter),
      ...(partyId === undefined ? [] : ([[OF_PARTY, partyId, partyId]] satisfies Condition[])),
      ...(waitsFor === undefined ? [] : [oneOf('t.kind', kindsFor(waitsFor))]),
    ];
    const list = { name: 'tasks', select: `${TASK_COLUMNS} FROM ${ALL_TASKS}`, where, order: 'DESC' } as const;
    return this.#page({ ...list, orderBy: ['t.position', 't.taskId'], keyShape: ['', ''], show: taskFromRow }, page);
  }

  trialBalance(): readonly TrialBalanceView[] {
    const rows = this.#rows.all(
      `SELECT code AS asset, part, units FROM assets LEFT JOIN trialBalance ON asset = code
        UNION SELECT asset, part, units FROM trialBalance ORDER BY 1`,
    ) as unknown as readonly { asset: string; part: string | null; units: string | null }[];
    return Array.from(
      Map.groupBy(rows, ({ asset }) => asset),
      ([asset, parts]) =>
        trialBalanceView(
          asset,
          parts.flatMap(({ part, units }) => (part === null || units === null ? [] : [{ part, units }])),
        ),
    );
  }

  refusals(page: PageRequest): Page<RefusalView> {
    const select = 'view FROM refusals';
    return this.#page({ name: 'refusals', select, where: [], ...IN_LOG_ORDER, show: showRefusal }, page);
  }

  violations(page: PageRequest): Page<ViolationView> {
    const select = 'view FROM violations';
    return this.#page({ name: 'violations', select, where: [], ...IN_LOG_ORDER, show: showViolation }, page);
  }

  /** While the read models are being built: the last count known. */
  violationCount(): number {
    if (this.#rows.servable) {
      const row = this.#rows.get('SELECT count(*) AS count FROM violations');
      this.#knownViolations = Number(row?.['count'] ?? 0);
    }
    return this.#knownViolations;
  }

  #one<Item>(sql: string, parameters: readonly Parameter[], show: (row: never) => Item): Item | undefined {
    const row = this.#rows.get(`SELECT ${sql}`, ...parameters);
    return row === undefined ? undefined : show(row as never);
  }

  #versioned<View>(sql: string, id: string, show: (row: never) => View): Versioned<View> | undefined {
    const row = this.#rows.get(`SELECT ${sql}`, id);
    return row === undefined ? undefined : { view: show(row as never), streamRevision: Number(row['revision']) };
  }

  #page<Item>(list: List<Item>, { limit, cursor }: PageRequest): Page<Item> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) throw new RangeError('limit must be 1 to 500');
    const { name, select, alsoSelect, orderBy, order, keyShape } = list;
    const conditions = [...list.where];
    if (cursor !== undefined) {
      const marks = orderBy.map(() => '?').join(', ');
      const beyond = `(${orderBy.join(', ')}) ${order === 'ASC' ? '>' : '<'} (${marks})`;
      const key = decodeCursor(name, cursor, keyShape);
      // What is text and comes first is a position.
      if (typeof key[0] === 'string' && !this.#rows.isOfLog(key[0])) throw new MalformedCursorError();
      conditions.push([beyond, ...key]);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
    const keys = orderBy.map((column, index) => `${column} AS key${String(index)}`).join(', ');
    const sorted = `ORDER BY ${orderBy.map((_, index) => `key${String(index)} ${order}`).join(', ')}`;
    const values = conditions.flatMap(([, ...ofCondition]) => ofCondition);
    const selects = [select, ...(alsoSelect === undefined ? [] : [alsoSelect])];
    const sql = selects.map((one) => `SELECT ${keys}, ${one} ${where}`).join(' UNION ALL ');
    const ofAll = selects.flatMap(() => values);
    // One more than asked: it tells whether there is a next page.
    const { rows, more } = this.#rows.until(fullWith(limit), `${sql} ${sorted} LIMIT ?`, ...ofAll, limit + 1);
    const shown = rows.map((row) => splitKey(row, orderBy.length));
    const last = more ? shown.at(-1) : undefined;
    return {
      items: shown.map(({ row }) => list.show(row as never)),
      nextCursor: last === undefined ? null : encodeCursor(name, last.key),
    };
  }
}

const BY_REVISION = { order: 'DESC', orderBy: ['revision'], keyShape: [0] } as const;
const IN_LOG_ORDER = { order: 'ASC', orderBy: ['position'], keyShape: [''] } as const;

/** One condition for each filter that is given. */
function equals(filter: Readonly<Record<string, Parameter | undefined>>): Condition[] {
  const conditions: Condition[] = [];
  for (const [column, value] of Object.entries(filter)) {
    if (value !== undefined) conditions.push([`${column} = ?`, value]);
  }
  return conditions;
}

function oneOf(column: string, values: readonly string[]): Condition {
  return [`${column} IN (${values.map(() => '?').join(', ')})`, ...values];
}

/** Orders that name this very account, a party that holds it, or an address that such a party controls. */
function namesAccount(accountId: string | undefined): Condition[] {
  if (accountId === undefined) return [];
  const itself = "(kind = 'account' AND subjectId = ?)";
  return [[namedIn(`${itself} OR ${anyOf(HOLDERS)}`), accountId, accountId, accountId]];
}

/** Orders that name this party, or an address that it controls. */
function namesParty(partyId: string | undefined): Condition[] {
  return partyId === undefined ? [] : [[namedIn(anyOf('?')), partyId, partyId]];
}

const namedIn = (subjects: string): string =>
  `orderId IN (SELECT orderId FROM orderSubjects WHERE named = 1 AND (${subjects}))`;

/** Subjects of orders that are one of these parties, or an address that one of them controls; twice the question mark. */
const anyOf = (parties: string): string =>
  `(kind = 'party' AND subjectId IN (${parties}))
    OR (kind = 'address' AND subjectId IN (${controlledBy(parties)}))`;

/** The parties that hold the account. */
const HOLDERS = 'SELECT partyId FROM accountHolders WHERE accountId = ?';

/** Names of the addresses that any of these parties controls, found by party. @param parties SQL with one question mark */
const controlledBy = (parties: string): string =>
  `SELECT name FROM partyAddresses WHERE partyId IN (${parties}) AND role = 'holder-controlled'`;

/**
 * Hits on any of these parties, or on an address that one of them controls: both are subjects, which an index finds.
 * @param parties SQL with one question mark
 */
function concernsAnyOf(parties: string, value: string | undefined): Condition[] {
  if (value === undefined) return [];
  return [[`subject IN (${parties} UNION ALL ${controlledBy(parties)})`, value, value]];
}

/** Freezes of accounts that the party holds, and those authorised because of the party. */
function concerns(partyId: string | undefined): Condition[] {
  if (partyId === undefined) return [];
  const held = 'f.accountId IN (SELECT accountId FROM accountHolders WHERE partyId = ?)';
  const authorised = `f.freezeId IN (SELECT freezeId FROM authorisations WHERE partyId = ?
    UNION ALL SELECT freezeId FROM hitAuthorisations WHERE partyId = ?)`;
  return [[`(${held} OR ${authorised})`, partyId, partyId, partyId]];
}

/** Lift requests on accounts that the party holds: no freeze of any other could be lifted because of it. */
function heldBy(partyId: string | undefined): Condition[] {
  const held = 'accountId IN (SELECT accountId FROM accountHolders WHERE partyId = ?)';
  return partyId === undefined ? [] : [[held, partyId]];
}

/** Lift requests of freezes under the basis. */
function restsOn(filter: BasisFilter): Condition[] {
  const { basisId } = filter;
  if (basisId === undefined) return [];
  const conditions = [...equals({ basisId }), ...onDisclosedBasis("view ->> '$.basis.kind'", filter)];
  const freezes = `SELECT freezeId FROM freezes WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
  return [[`freezeId IN (${freezes})`, ...conditions.flatMap(([, ...values]) => values)]];
}

/** An order of which may be told at a time. */
const DISCLOSED = "coalesce(legalOrders.view ->> '$.nonDisclosureUntil', '') <= ?";

interface BasisFilter extends Disclosure {
  readonly basisId?: string | undefined;
}

/**
 * Of what rests on a basis of the id: not what rests on an order that may not be told of. A hit may have the same id.
 * @param kind SQL for the kind of the basis
 */
function onDisclosedBasis(kind: string, { basisId, disclosedAt }: BasisFilter): Condition[] {
  if (basisId === undefined || disclosedAt === undefined) return [];
  const order = `SELECT 1 FROM legalOrders WHERE orderId = ? AND ${DISCLOSED}`;
  return [[`(${kind} <> 'legal-order' OR EXISTS (${order}))`, basisId, disclosedAt]];
}

/** Is told of each row of a page, and says whether the page is full with it. */
function fullWith(limit: number): (row: object) => boolean {
  let items = 0;
  let bytes = 0;
  return (row) => {
    items += 1;
    bytes += sizeBytes(row);
    return items === limit || bytes > MAX_PAGE_BYTES;
  };
}

/** Of its text, which is nearly all that a row may have much of. */
function sizeBytes(row: object): number {
  let bytes = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') bytes += Buffer.byteLength(value);
  return bytes;
}

/** Parts the columns that order the list from those that are shown. */
function splitKey(row: Readonly<Record<string, unknown>>, parts: number): { key: CursorKey; row: object } {
  const shown = { ...row };
  const key: (string | number)[] = [];
  for (let index = 0; index < parts; index += 1) {
    const name = `key${String(index)}`;
    key.push(shown[name] as string | number);
    Reflect.deleteProperty(shown, name);
  }
  return { key, row: shown };
}

interface StoredView {
  readonly view: string;
}
const showAuthorityRequest = ({ view }: StoredView): AuthorityRequestView => JSON.parse(view) as AuthorityRequestView;
const showAsset = ({ view }: StoredView): AssetView => JSON.parse(view) as AssetView;
const showRefusal = ({ view }: StoredView): RefusalView => JSON.parse(view) as RefusalView;
const showViolation = ({ view }: StoredView): ViolationView => JSON.parse(view) as ViolationView;

function showParty(row: StoredView & { readonly accounts: string; readonly addresses: string }): PartyWithAccounts {
  const accounts = JSON.parse(row.accounts) as string[];
  const addresses = JSON.parse(row.addresses) as LinkedAddressView[];
  return { ...(JSON.parse(row.view) as PartyView), accounts, addresses };
}
