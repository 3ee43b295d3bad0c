import type { EventPointer, RecordedEvent } from '#kernel';
import type { Fact, Scope } from './facts.ts';

/** What is wrong with one event: which invariant of the domain it breaks, and how. */
export interface Problem {
  readonly invariant: number | 'hash' | 'books' | 'protocol';
  readonly detail: string;
}

type RecordedFact = Fact<'FreezeAbandoned' | 'FreezeVaried' | 'AccountUnfrozen'>;

/** An authorisation, and what the account made of it. */
export interface Authorisation {
  readonly fact: Fact<'FreezeAuthorised'>;
  /** What ended it: it came to no freeze, its freeze was lifted, or a variation put another in its place. */
  over: RecordedFact | undefined;
  resolvedBy: Fact<'AccountFrozen' | 'FreezeVaried' | 'FreezeAbandoned'> | undefined;
}

export interface Change {
  readonly fact: Fact<'LegalOrderChangeProposed'>;
  /** Revision at which it was rejected or took effect. */
  decidedAt: number | undefined;
}

export interface Clearance {
  readonly fact: Fact<'ClearanceProposed'>;
  /** Revision at which it was rejected or cleared the hit. */
  decidedAt: number | undefined;
}

/** A hit as its own stream tells it. */
export interface Hit {
  readonly raised: Fact<'SanctionsHitRaised'>;
  confirmed: Fact<'SanctionsHitConfirmed'> | undefined;
  dismissed: Fact<'SanctionsHitDismissed'> | undefined;
  cleared: Fact<'SanctionsHitCleared'> | undefined;
  readonly clearances: Map<string, Clearance>;
}

/** An order as its own stream tells it. Revisions are kept so that it can be looked at as of any of them. */
export interface Order {
  readonly registered: Fact<'LegalOrderRegistered'>;
  verified: Fact<'LegalOrderVerified'> | undefined;
  rejected: Fact<'LegalOrderRejected'> | undefined;
  ended: Fact<'LegalOrderEnded' | 'LegalOrderExpired'> | undefined;
  readonly changes: Map<string, Change>;
  readonly extensions: Fact<'LegalOrderExtended'>[];
  readonly variations: Fact<'LegalOrderVaried'>[];
}

export interface Attachment {
  readonly fact: Fact<'AccountAttached'>;
  detached: boolean;
}

export interface Naming {
  /** Of the basis. */
  readonly stream: string;
  readonly fact: Fact<'PartyNamed'>;
  endedAt: number | undefined;
}

export interface Party {
  identified: boolean;
  readonly links: Fact<'AddressLinked'>[];
  readonly attachments: Attachment[];
  /** A basis may name a party again: what names it late, after the end, is undone once more. */
  readonly namings: Naming[];
}

export interface Deposit {
  readonly fact: Fact<'FundsDeposited' | 'FundsHeld'>;
  /** Held when it came, and not released since. */
  isHeld: boolean;
  reversed: boolean;
}

/** A transfer, from both sides. */
export interface Transfer {
  readonly sent: Fact<'TransferSent'>;
  outcome: Fact<'TransferReceived' | 'TransferRefused'> | undefined;
  returned: boolean;
}

export interface Withdrawal {
  readonly reserved: Fact<'WithdrawalReserved'>;
  dispatched: boolean;
}

export interface Freeze {
  readonly fact: Fact<'AccountFrozen'>;
  /** What it rests on, and what it covers: a variation changes both. */
  authorised: Fact<'FreezeAuthorised'>;
  scope: Scope;
  inForce: boolean;
}

export interface LiftRequest {
  readonly fact: Fact<'LiftRequested'>;
  open: boolean;
}

export interface Balance {
  available: bigint;
  reserved: bigint;
  held: bigint;
}

export interface Account {
  opened: Fact<'AccountOpened'> | undefined;
  closed: boolean;
  readonly balances: Map<string, Balance>;
  /** By id. Of a deposit that was reversed: `reversed`. */
  readonly deposits: Map<string, Deposit>;
  /** The withdrawals that are open, and the ids of those that are over. */
  readonly withdrawals: Map<string, Withdrawal>;
  readonly overWithdrawals: Set<string>;
  readonly freezes: Map<string, Freeze>;
  /** By freeze id and request id. */
  readonly liftRequests: Map<string, LiftRequest>;
  /** A freeze whose append is not complete: these withdrawals have to be stopped by the events that follow at once. */
  awaited: { readonly by: Fact<'AccountFrozen' | 'FreezeVaried'>; readonly withdrawalIds: Set<string> } | undefined;
  /** A lift whose append is not complete: of these assets, all that is held has to be released by the events that follow. */
  releasing: { readonly by: Fact<'AccountUnfrozen' | 'FreezeVaried'>; readonly assets: Set<string> } | undefined;
}

/** A letter, and what was answered. */
export interface AuthorityRequest {
  readonly registered: Fact<'AuthorityRequestRegistered'>;
  answered: Fact<'AuthorityRequestAnswered'> | undefined;
}

/** What a key of a command stands on, in one stream. */
export interface KeyUse {
  readonly commandHash: string | null;
  readonly event: RecordedEvent;
}

/** Everything that the checker has learnt from the log so far. */
export interface Log {
  readonly streams: Map<string, RecordedEvent[]>;
  readonly ids: Set<string>;
  readonly facts: Map<RecordedEvent, Fact>;
  /** By stream, then by caller, home stream and value. */
  readonly keys: Map<string, Map<string, KeyUse>>;
  /** The scale of each. */
  readonly assets: Map<string, number>;
  readonly parties: Map<string, Party>;
  readonly accounts: Map<string, Account>;
  readonly orders: Map<string, Order>;
  readonly hits: Map<string, Hit>;
  readonly requests: Map<string, AuthorityRequest>;
  /** By sender and id. */
  readonly transfers: Map<string, Transfer>;
  /** What came from outside and has not left again, by asset. */
  readonly outside: Map<string, bigint>;
  /** By the id of the FreezeAuthorised event. */
  readonly authorisations: Map<string, Authorisation>;
}

export function emptyLog(): Log {
  return {
    streams: new Map(),
    ids: new Set(),
    facts: new Map(),
    keys: new Map(),
    assets: new Map(),
    parties: new Map(),
    accounts: new Map(),
    orders: new Map(),
    hits: new Map(),
    requests: new Map(),
    transfers: new Map(),
    outside: new Map(),
    authorisations: new Map(),
  };
}

/** The fact that a pointer leads to, if it stands earlier in the log and broke no rule there. */
export function follow(log: Log, pointer: EventPointer): Fact | undefined {
  const event = log.streams.get(pointer.stream)?.[Number(pointer.revision)];
  if (event?.id !== pointer.eventId) return undefined;
  return log.facts.get(event);
}

export function accountOf(log: Log, id: string): Account {
  let account = log.accounts.get(id);
  if (account === undefined) {
    account = {
      opened: undefined,
      closed: false,
      balances: new Map(),
      deposits: new Map(),
      withdrawals: new Map(),
      overWithdrawals: new Set(),
      freezes: new Map(),
      liftRequests: new Map(),
      awaited: undefined,
      releasing: undefined,
    };
    log.accounts.set(id, account);
  }
  return account;
}

/** The key of a command, as one text. */
export function keyText(caller: string, homeStream: string, value: string): string {
  return JSON.stringify([caller, homeStream, value]);
}

/** How a key was used on the account that an opening or a freeze is about: whatever stands there has decided it. */
export function decisionOnAccount(
  log: Log,
  accountId: string,
  key: { caller: string; value: string },
): KeyUse | undefined {
  const home = `account-${accountId}`;
  return log.keys.get(home)?.get(keyText(key.caller, home, key.value));
}

/**
 * Why the order does not allow a new freeze, looking at its events up to and including `revision`, at a time; undefined when
 * it does.
 */
export function whyNotInForce(order: Order | undefined, revision: number, now: string): string | undefined {
  if (order?.registered.data.effect === 'release') return 'it releases, and restrains nothing';
  return whyNotStanding(order, revision, now);
}

/** As above, whatever the effect of the order is. */
export function whyNotStanding(order: Order | undefined, revision: number, now: string): string | undefined {
  if (order === undefined || order.registered.event.revision > revision) return 'it is not registered';
  const { verified, ended, changes } = order;
  if (verified === undefined || verified.event.revision > revision) return 'it is not verified';
  if (ended !== undefined && ended.event.revision <= revision) return 'it has ended';
  const { effectiveAt } = order.registered.data;
  const expiresAt = runsUntil(order, revision);
  if (now < effectiveAt) return 'it is not effective yet';
  if (expiresAt !== undefined && now >= expiresAt) return 'it has expired';
  return openChanges(changes, 'ending', revision).length > 0 ? 'its ending is proposed' : undefined;
}

function openChanges(changes: Order['changes'], kind: 'ending' | 'extension', revision: number): Change[] {
  return [...changes.values()].filter(
    ({ fact, decidedAt }) =>
      fact.data.kind === kind && fact.event.revision <= revision && (decidedAt === undefined || decidedAt > revision),
  );
}

/** The time that the order runs until as of a revision, extensions included; undefined when it never expires. */
export function runsUntil(order: Order, revision: number): string | undefined {
  const extended = order.extensions.findLast(({ event }) => event.revision <= revision);
  return extended?.data.expiresAt ?? order.registered.data.expiresAt;
}

const DEFERRAL_MS = 72 * 60 * 60 * 1_000;

/** True when the order has expired at a time, as of a revision: later than it runs while what would extend it waits to be decided. */
export function hasExpired(order: Order, revision: number, at: string): boolean {
  const until = runsUntil(order, revision);
  if (until === undefined) return false;
  const open = openChanges(order.changes, 'extension', revision);
  const isDeferred = open.some(({ fact }) => (fact.data.expiresAt ?? until) > until);
  // In milliseconds: beyond the year 9999 a time as text does not compare.
  return Date.parse(at) >= Date.parse(until) + (isDeferred ? DEFERRAL_MS : 0);
}

/** True when a basis named the party as of a revision of the party's stream. */
export function isNamed(party: Party | undefined, revision: number): boolean {
  return (party?.namings ?? []).some(
    (naming) => naming.fact.event.revision <= revision && (naming.endedAt === undefined || naming.endedAt > revision),
  );
}

/** Whom the order names as of a revision, variations included: of an order of release, nobody. */
export function subjectsOf(
  { registered, variations }: Order,
  revision = Infinity,
): NonNullable<Order['registered']['data']['subjects']> {
  const varied = variations.findLast(({ event, data }) => event.revision <= revision && data.subjects !== undefined);
  return varied?.data.subjects ?? registered.data.subjects ?? [];
}

const COVERS_NOTHING: Scope = { direction: 'debit', assets: [] };

/** What the order covers as of a revision, variations included. */
export function scopeAsOf({ registered, variations }: Order, revision: number): Scope {
  const varied = variations.findLast(({ event, data }) => event.revision <= revision && data.scope !== undefined);
  return varied?.data.scope ?? registered.data.scope ?? COVERS_NOTHING;
}

/** The first variation after a revision of which something is so. */
export function firstVariationAgainst(
  { variations }: Order,
  after: number,
  isSo: (varied: Fact<'LegalOrderVaried'>) => boolean,
): Fact<'LegalOrderVaried'> | undefined {
  return variations.find((varied) => varied.event.revision > after && isSo(varied));
}

export function namesParty(order: Order, partyId: string, revision = Infinity): boolean {
  return subjectsOf(order, revision).some((subject) => subject.kind === 'party' && subject.partyId === partyId);
}

export function namesAccount(order: Order, accountId: string, revision = Infinity): boolean {
  return subjectsOf(order, revision).some((subject) => subject.kind === 'account' && subject.accountId === accountId);
}

export function holds(account: Account, partyId: string): boolean {
  return account.opened?.data.holders.some((holder) => holder.partyId === partyId) ?? false;
}

export function names(scope: Scope, asset: string): boolean {
  return scope.assets === 'all' || scope.assets.includes(asset);
}

/** True when the scope restricts money of this asset on its way out (`debit`) or in (`credit`). */
export function covers(scope: Scope, direction: 'debit' | 'credit', asset: string): boolean {
  return (scope.direction === 'both' || scope.direction === direction) && names(scope, asset);
}

export function isWithin(inner: Scope, outer: Scope): boolean {
  if (outer.direction !== 'both' && inner.direction !== outer.direction) return false;
  if (outer.assets !== 'all' && (inner.assets === 'all' || !inner.assets.every((asset) => names(outer, asset)))) {
    return false;
  }
  return Object.entries(outer.limits ?? {}).every(([asset, most]) => {
    const limit = inner.limits?.[asset];
    return !names(inner, asset) || (limit !== undefined && BigInt(limit) <= BigInt(most));
  });
}

/** What has to stay of an asset for these freezes: all of it for one without a limit, otherwise the groups' highest limits. */
export function staying(freezes: readonly Pick<Freeze, 'fact' | 'scope'>[], asset: string): bigint | 'all' {
  const groups = Map.groupBy(
    freezes.filter(({ scope }) => covers(scope, 'debit', asset)),
    ({ fact }) => fact.data.claimGroup,
  );
  let sum = 0n;
  for (const group of groups.values()) {
    const limits = group.map(({ scope }) => scope.limits?.[asset]);
    if (limits.includes(undefined)) return 'all';
    sum += limits.map((limit) => BigInt(limit ?? 0)).reduce((one, other) => (one > other ? one : other));
  }
  return sum;
}

export function freezesInForce(account: Account): readonly Freeze[] {
  return [...account.freezes.values()].filter((freeze) => freeze.inForce);
}

export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The stream of a basis. */
export function basisStream({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind === 'legal-order' ? 'legalOrder' : 'sanctionsHit'}-${id}`;
}

/** `legalOrder-o-1` is `legalOrder` and `o-1`; of a stream on which no basis lives, two empty texts. */
export function splitBasis(stream: string): readonly [kind: 'legalOrder' | 'sanctionsHit' | '', id: string] {
  for (const kind of ['legalOrder', 'sanctionsHit'] as const) {
    if (stream.startsWith(`${kind}-`)) return [kind, stream.slice(kind.length + 1)];
  }
  return ['', ''];
}
