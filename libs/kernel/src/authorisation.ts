import { z } from 'zod';
import { variedScopeSchema, type Basis, type Scope } from './basis.ts';
import type { Timestamp } from './clock.ts';
import { pointerTo, samePointer, type CommandKey, type EventPointer, type RecordedEvent } from './envelope.ts';
import { field, pointerSchema } from './schema.ts';
import { sameAddress, type BasisSubjects, type ChainAddress } from './subjects.ts';
import type { BasisTerms } from './terms.ts';

/** What every FreezeAuthorised says, beside the id of the basis on whose stream it stands. */
export const authorisationFields = {
  accountId: field.id,
  scope: variedScopeSchema,
  /** The event that ties the account to a subject: the registration that names it, or AccountAttached on a party's stream. */
  namedBy: pointerSchema,
  /** The party through which the basis names the account; absent when it names the account itself. */
  partyId: field.id.optional(),
  /** AddressLinked on the stream of that party, where the basis names an address. */
  linkedBy: pointerSchema.optional(),
  requestedBy: field.actorId,
  /** From when the property counts as blocked by law; the recorded time when absent. */
  blockedFrom: field.timestamp.optional(),
} as const;

/**
 * An authorisation that no longer counts against the limits of its basis, and the event on the account's stream since which
 * it does not: its freeze ended, it came to none, or a variation put another in its place.
 */
export const endedFreezeSchema = z.strictObject({ freezeId: field.uuid, endedBy: pointerSchema });
export type EndedFreeze = z.infer<typeof endedFreezeSchema>;

/** What ties an account to a subject of a basis. */
export interface Tie {
  /** The registration that lists the account, or AccountAttached on the stream of a party that the basis names. */
  readonly namedBy: EventPointer;
  /** The party through which the basis names the account; absent when it names the account itself. */
  readonly partyId?: string | undefined;
  /** AddressLinked on the stream of that party, where the basis names an address. */
  readonly linkedBy?: EventPointer | undefined;
  /** The address that this event links, where it was looked at. */
  readonly address?: ChainAddress | undefined;
}

/** Why a basis authorises no freeze. */
export interface Obstacle {
  readonly code: 'basis-not-found' | 'basis-not-in-force' | 'basis-does-not-name-account' | 'scope-exceeds-basis';
  readonly detail: string;
}

/** Why nothing at all may rest on a basis now. */
export interface StandingObstacle extends Obstacle {
  readonly code: 'basis-not-found' | 'basis-not-in-force';
}

/** What put a basis in force: from then on it names its parties, until it ends. */
export interface Enforcement {
  readonly by: EventPointer;
  readonly from: Timestamp;
}

export interface FreezeInQuestion {
  readonly accountId: string;
  /** Undefined: the basis's own. */
  readonly scope: Scope | undefined;
  /** Undefined: nothing ties the account to a subject. */
  readonly tie: Tie | undefined;
  readonly at: Timestamp;
  /** Ids of freezes under the basis that are known to have ended: their limits no longer count. */
  readonly endedFreezes?: readonly string[] | undefined;
}

/** One freeze that a basis authorised; what became of it stands on the account's stream. */
export interface Authorisation {
  /** The FreezeAuthorised event; its id is the freeze's. */
  readonly pointer: EventPointer;
  readonly accountId: string;
  readonly scope: Scope;
  readonly namedBy: EventPointer;
  readonly partyId?: string | undefined;
  /** Of one through an address: the addresses that the basis named then. */
  readonly addresses?: readonly ChainAddress[] | undefined;
  readonly requestedBy: string;
  /** Of one that varies a freeze: the authorisation in whose place it is put. */
  readonly replaces?: EventPointer | undefined;
  /** The key of the command that asked for the freeze. */
  readonly key: CommandKey | null;
  readonly commandHash: string | null;
}

/**
 * What a recorded FreezeAuthorised authorises.
 * @param named the addresses that the basis names at that point of its stream
 */
export function authorisationOf(
  event: RecordedEvent & {
    readonly data: Omit<Authorisation, 'pointer' | 'key' | 'commandHash'> & {
      readonly linkedBy?: EventPointer | undefined;
    };
  },
  named: readonly ChainAddress[],
): Authorisation {
  const { accountId, scope, namedBy, partyId, linkedBy, requestedBy, replaces } = event.data;
  const { key, commandHash } = event.metadata;
  const through = linkedBy === undefined ? {} : { addresses: named };
  const who = { accountId, namedBy, partyId, ...through, requestedBy };
  return { pointer: pointerTo(event), scope, ...who, replaces, key, commandHash };
}

/** How a basis ended, or was varied. */
export interface BasisEnd {
  /** The event that did it: what each lift cites. */
  readonly pointer: EventPointer;
  /** Who proposed it and who agreed to it; of an expiry both are the supervisor. */
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly endedAt: Timestamp;
}

/** A variation that ends what rests on an authorisation, unless it names the account still through an address. */
export interface Loss {
  readonly variation: BasisEnd;
  /**
   * It ends nothing if one of these was linked to a holder of the account, as its own, earlier in the log than the variation.
   * Links are never undone, so that stays as it is. Where there are none, it ends it in any case.
   */
  readonly unlessLinked: readonly ChainAddress[];
}

/**
 * True when a tie is of the form that a basis with these subjects asks for: to its own registration, to a party that it names,
 * or to a party and an address. What the events say that it points to is for the caller to know.
 */
export function tieFits(
  { accounts, parties, addresses }: BasisSubjects,
  registered: EventPointer | undefined,
  accountId: string,
  { namedBy, partyId, linkedBy, address }: Tie,
): boolean {
  if (partyId === undefined) {
    return linkedBy === undefined && samePointer(namedBy, registered) && accounts.includes(accountId);
  }
  if (namedBy.stream !== `party-${partyId}`) return false;
  if (linkedBy === undefined) return parties.includes(partyId);
  const isNamed = address === undefined ? addresses.length > 0 : addresses.some((each) => sameAddress(each, address));
  return isNamed && linkedBy.stream === `party-${partyId}`;
}

/** A basis of any kind, as a freeze has to know it. Reads the state of the basis's stream, and is as short-lived. */
export interface BasisState {
  readonly basis: Basis;
  /** The event with which it began; undefined when there is no such basis. */
  readonly registered: EventPointer | undefined;
  /** The event that lists its subjects as they now are: what `namedBy` points to for an account that it names itself. */
  readonly listing: EventPointer | undefined;
  readonly subjects: BasisSubjects;
  /** Its own scope: what a freeze under it covers if nothing else is asked for, and the most that it may; undefined where there is no such basis. */
  readonly scope: Scope | undefined;
  /** Whom it named since when, in the order of the stream: since it came into force, and since each variation. */
  readonly terms: readonly BasisTerms[];
  /** Stays when the basis ends; undefined for one that nobody put in force. */
  readonly enforcement: Enforcement | undefined;
  readonly ended: BasisEnd | undefined;
  /** In the order of the stream. */
  readonly authorisations: readonly Authorisation[];
  /**
   * The one rule by which it authorises a freeze (invariant 1).
   * @returns the first obstacle, or undefined when the freeze may be authorised
   */
  mayAuthorise(freeze: FreezeInQuestion): Obstacle | undefined;
  /**
   * Authorisations whose end, if they have ended, would make room for a freeze that would exceed the limits of the basis.
   * @param scope undefined: the basis's own
   */
  authorisationsInTheWay(accountId: string, scope: Scope | undefined): readonly Authorisation[];
  /** All authorisations among which the limits that it has now are divided, unless they are known to have ended. */
  limitedAuthorisations(): readonly Authorisation[];
  /**
   * The variations after an authorisation that drop its account, or leave nothing of what a freeze covers that is only ever
   * narrowed, in the order of the stream, as far as the basis knows: of links it does not. The first that ends what rests on
   * the authorisation does so for good, whatever comes later.
   * @param citation the authorisation
   * @param holders the parties that hold its account
   */
  losses(citation: EventPointer, holders: readonly string[]): readonly Loss[];
  /** Why nothing new may rest on it at that time, a freeze or anything else; undefined when something may. */
  standingObstacle(at: Timestamp): StandingObstacle | undefined;
  /** The event that put it in force, when at that time it names its parties (invariant 14). A proposed ending changes nothing. */
  inForceBy(at: Timestamp): EventPointer | undefined;
  /** The next moment after `at`, in milliseconds, at which the clock alone changes what it is. */
  nextMoment(at: Timestamp): number | undefined;
}
