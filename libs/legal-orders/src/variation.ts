import {
  narrowScope,
  rejectField,
  sameScope,
  samePointer,
  termsUpTo,
  type Authorisation,
  type BasisSubjects,
  type EndedFreeze,
  type EventPointer,
  type Loss,
  type Rejection,
  type Scope,
} from '#kernel';
import { claims } from './limits.ts';
import { restraintOf, type LegalOrderState, type OrderTerms } from './state.ts';

/** A freeze as a variation leaves it. */
export interface Replacement {
  /** The authorisation that is replaced. */
  readonly replaced: Authorisation;
  readonly scope: Scope;
}

/** Why an order can not be varied at all; undefined when it can. One of release restrains nothing. */
export function findVariationFlaw(order: LegalOrderState): Rejection | undefined {
  if (restraintOf(order) !== undefined) return undefined;
  return rejectField('kind', 'an order of release has nothing that could be varied');
}

/**
 * The variations after an authorisation that drop its account, unless they name it still through an address, or leave
 * nothing of a scope that is only ever narrowed: up to the first that does so in any case. One that names the account again
 * makes no difference.
 * @param holders the parties that hold the account
 */
export function lossesOf(order: LegalOrderState, citation: EventPointer, holders: readonly string[]): readonly Loss[] {
  const cited = authorisationAt(order, citation);
  if (cited === undefined) return [];
  const emptying = emptiedBy(order, cited);
  const listing = termsUpTo(order.terms, Number(citation.revision)).at(-1)?.listedBy;
  const losses: Loss[] = [];
  for (const terms of termsAfter(order, citation)) {
    const { subjects, listedBy, variation } = terms;
    const isEmpty = terms === emptying;
    // Whatever of these subjects named the account when the freeze was authorised does so still.
    const isNamed = samePointer(listedBy, listing) || namesOneOf(subjects, cited.accountId, holders);
    if (variation === undefined || (isNamed && !isEmpty)) continue;
    const unlessLinked = isEmpty ? [] : subjects.addresses;
    losses.push({ variation, unlessLinked });
    if (unlessLinked.length === 0) return losses;
  }
  return losses;
}

/** True when the account itself is among the subjects, or a party that holds it. */
function namesOneOf({ accounts, parties }: BasisSubjects, accountId: string, holders: readonly string[]): boolean {
  return accounts.includes(accountId) || holders.some((partyId) => parties.includes(partyId));
}

function emptiedBy(order: LegalOrderState, cited: Authorisation): OrderTerms | undefined {
  if (followsOrder(order, cited)) return undefined;
  let left: Scope = cited.scope;
  for (const terms of termsAfter(order, cited.pointer)) {
    const narrowed = narrowScope(left, terms.scope);
    if (narrowed === undefined) return terms;
    left = narrowed;
  }
  return undefined;
}

/**
 * What is to be authorised in the place of an authorisation that the order was varied after; undefined where nothing is: its
 * scope stays, or the order has ended, or that was done already. A freeze that was placed with the order's own scope takes
 * the scope as varied; one placed narrower keeps what it has in common with it. Limits are spent over the live freezes in
 * the order of their authorisation.
 * @param ended ids of authorisations that are known no longer to count
 */
export function replacementOf(
  order: LegalOrderState,
  replaces: EventPointer,
  ended: ReadonlySet<string>,
): Replacement | undefined {
  const replaced = authorisationAt(order, replaces);
  const last = termsAfter(order, replaces).at(-1);
  if (order.state !== 'verified' || replaced === undefined || last === undefined) return undefined;
  const isDone = order.authorisations.some(
    (each) => samePointer(replaces, each.replaces) && isAfter(each.pointer, last.since),
  );
  const wanted = isDone ? undefined : wantedScope(order, replaced);
  if (wanted === undefined) return undefined;
  const scope = granted(order, replaced, wanted, ended);
  // What keeps less than it would is authorised anew with the same: the end of another freeze later would change what is due.
  const isUnchanged = sameScope(wanted, replaced.scope) && sameScope(scope, replaced.scope);
  return isUnchanged ? undefined : { replaced, scope };
}

/** The first of the authorisations known to have ended, as few as leave the freeze as much as all of them do. */
export function evidenceFor(
  order: LegalOrderState,
  replaces: EventPointer,
  known: readonly EndedFreeze[],
): readonly EndedFreeze[] {
  const outcome = (ended: readonly EndedFreeze[]): string =>
    JSON.stringify(replacementOf(order, replaces, new Set(ended.map(({ freezeId }) => freezeId)))?.scope ?? null);
  const aim = outcome(known);
  const needed = known.findIndex((_, index) => outcome(known.slice(0, index)) === aim);
  return needed < 0 ? known : known.slice(0, needed);
}

/** True for a freeze that was placed with the order's own scope as it then was. */
function followsOrder(order: LegalOrderState, authorisation: Authorisation): boolean {
  const { scope, pointer } = firstOf(order, authorisation);
  const then = termsUpTo(order.terms, Number(pointer.revision)).at(-1);
  return then !== undefined && sameScope(scope, then.scope);
}

/** The authorisation with which a freeze began. */
function firstOf(order: LegalOrderState, authorisation: Authorisation): Authorisation {
  let first = authorisation;
  while (first.replaces !== undefined) {
    const before = authorisationAt(order, first.replaces);
    if (before === undefined) return first;
    first = before;
  }
  return first;
}

/** Undefined when nothing is left of it. */
function wantedScope(order: LegalOrderState, replaced: Authorisation): Scope | undefined {
  if (followsOrder(order, replaced)) return restraintOf(order)?.scope;
  let left: Scope | undefined = replaced.scope;
  for (const { scope } of termsAfter(order, replaced.pointer)) {
    left = left === undefined ? undefined : narrowScope(left, scope);
  }
  return left;
}

function granted(order: LegalOrderState, replaced: Authorisation, wanted: Scope, ended: ReadonlySet<string>): Scope {
  const own = restraintOf(order)?.scope.limits ?? {};
  const limits = Object.entries(wanted.limits ?? {}).map(([asset, units]) => {
    const most = Object.hasOwn(own, asset) ? own[asset] : undefined;
    const grant =
      most === undefined ? BigInt(units) : grantOf(order, replaced, asset, BigInt(units), BigInt(most), ended);
    return [asset, grant.toString()] as const;
  });
  return limits.length === 0 ? wanted : { ...wanted, limits: Object.fromEntries(limits) };
}

/**
 * How much of an asset a freeze may keep: as much as it does now, as far as those authorised before it leave that, and more
 * only of what no other freeze uses up. Worked out for each in turn, so it makes no difference which is varied first.
 */
function grantOf(
  order: LegalOrderState,
  replaced: Authorisation,
  asset: string,
  wantedUnits: bigint,
  most: bigint,
  ended: ReadonlySet<string>,
): bigint {
  const claimants = claimantsOf(order, asset, most, ended);
  let before = 0n;
  let after = claimants.reduce((sum, { units }) => sum + units, 0n);
  for (const { accountId, units, follows } of claimants) {
    after -= units;
    const isThis = accountId === replaced.accountId;
    const wanted = isThis ? wantedUnits : follows ? most : units;
    const kept = lower(units, most - before);
    const grant = lower(wanted, higher(most - before - after, kept));
    if (isThis) return grant;
    before += grant;
  }
  return lower(wantedUnits, most - before);
}

interface Claimant {
  readonly accountId: string;
  readonly units: bigint;
  /** It is still to be varied, and takes as much as it can. */
  readonly follows: boolean;
}

/**
 * What the order's freezes keep, by account, in the order in which they were first authorised: a freeze that has been varied
 * already keeps its place before those that are still to be.
 */
function claimantsOf(order: LegalOrderState, asset: string, most: bigint, ended: ReadonlySet<string>): Claimant[] {
  const live = order.authorisations.filter(({ pointer }) => !ended.has(pointer.eventId));
  const byAccount = [...Map.groupBy(live, ({ accountId }) => accountId)];
  const began = ([earliest]: readonly Authorisation[]): number =>
    earliest === undefined ? 0 : Number(firstOf(order, earliest).pointer.revision);
  byAccount.sort(([, own], [, others]) => began(own) - began(others));
  return byAccount.map(([accountId, own]) => {
    const units = own.map(({ scope }) => claims(scope, asset, most)).reduce(higher, 0n);
    const latest = own.at(-1);
    const isVaried = latest === undefined || termsAfter(order, latest.pointer).length === 0;
    return { accountId, units: lower(units, most), follows: !isVaried && followsOrder(order, latest) };
  });
}

function lower(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function higher(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function authorisationAt({ authorisations }: LegalOrderState, pointer: EventPointer): Authorisation | undefined {
  return authorisations.find((each) => samePointer(each.pointer, pointer));
}

function termsAfter({ terms }: LegalOrderState, after: EventPointer): readonly OrderTerms[] {
  return terms.filter(({ since }) => isAfter(since, after));
}

/** Of two events of one stream. */
function isAfter({ revision }: EventPointer, { revision: other }: EventPointer): boolean {
  return Number(revision) > Number(other);
}
