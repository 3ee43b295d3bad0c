import type {
  AccountView,
  DepositView,
  EntryView,
  TransferStatus,
  TransferView,
  TrialBalanceView,
  WithdrawalStatus,
  WithdrawalView,
} from '#accounts';
import type { AssetView } from '#assets';
import type { AuthorityRequestView } from '#authority-requests';
import type { FreezeView, LiftRequestView } from '#freezes';
import type { Asset, Basis, Position, Timestamp } from '#kernel';
import type { LegalOrderView } from '#legal-orders';
import type { LinkedAddressView, PartyView } from '#parties';
import type { SanctionsHitView } from '#sanctions';
import type { Doer, TaskKind, TaskView } from './tasks.ts';

/** A page of a list: `nextCursor` is null at its end. Cursors are opaque, URL-safe text. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
export interface PageRequest {
  /** 1 to 500. A page ends earlier when its items are large: `nextCursor` goes on from there. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * For whoever must not be told of orders under non-disclosure: a time, at which an order has to be disclosed so that a filter
 * by its id finds it, or what rests on it.
 */
export interface Disclosure {
  readonly disclosedAt?: Timestamp | undefined;
}

/** A view together with the revision of its stream (the ETag). */
export interface Versioned<View> {
  readonly view: View;
  readonly streamRevision: number;
}

/** A party with the accounts that it holds and the addresses that are linked to it, in the order of both. */
export interface PartyWithAccounts extends PartyView {
  readonly accounts: readonly string[];
  readonly addresses: readonly LinkedAddressView[];
}

/** A recorded refusal as auditors see it. */
export interface RefusalView {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly eventId: string;
  readonly command: string;
  readonly code: string;
  readonly detail: string;
  readonly extra: unknown;
  readonly request: unknown;
  readonly decidedOn: unknown;
  readonly actor: string;
  readonly recordedAt: string;
}

/** An event in the log that breaks an invariant: it is kept and changes nothing. */
export interface ViolationView {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly eventId: string;
  readonly type: string;
  /** Stable name of what is wrong: `citation-unresolved`, `malformed-event`, `hash-mismatch`, `illegal-event`, … */
  readonly code: string;
  readonly detail: string;
  readonly detectedAt: string;
}

/** Thrown for a cursor that no list of ours gave. The edge answers 400. */
export class MalformedCursorError extends Error {
  constructor() {
    super('not a cursor of this list');
    this.name = 'MalformedCursorError';
  }
}

/**
 * The read models, synchronous over local indexed rows. Lists are newest first, entries and audit in order.
 * While the read models are being built, all but `checkpoint`, `waitFor` and `violationCount` throw RejectionError
 * `read-model-behind`.
 */
export interface Queries {
  /** Position up to which the read models are complete; undefined before the first event. */
  checkpoint(): Position | undefined;
  /** Resolves true when the read models include `position`, false when `timeoutMs` passed before. */
  waitFor(position: Position, timeoutMs: number): Promise<boolean>;

  assets(page: PageRequest): Page<AssetView>;
  asset(code: string): Versioned<AssetView> | undefined;
  /** Scale of a registered asset. */
  assetFacts(code: string): Asset | undefined;
  parties(filter: { externalRef?: string | undefined }, page: PageRequest): Page<PartyWithAccounts>;
  party(partyId: string): Versioned<PartyWithAccounts> | undefined;
  accounts(
    filter: { partyId?: string | undefined; state?: 'open' | 'closed' | undefined; frozen?: boolean | undefined },
    page: PageRequest,
  ): Page<AccountView>;
  account(accountId: string): Versioned<AccountView> | undefined;
  entries(accountId: string, page: PageRequest): Page<EntryView>;
  deposits(accountId: string, page: PageRequest): Page<DepositView>;
  deposit(accountId: string, depositId: string): DepositView | undefined;
  withdrawals(
    accountId: string,
    filter: { state?: WithdrawalStatus | undefined },
    page: PageRequest,
  ): Page<WithdrawalView>;
  withdrawal(accountId: string, withdrawalId: string): WithdrawalView | undefined;
  /** Those that the account sent. */
  transfers(accountId: string, filter: { state?: TransferStatus | undefined }, page: PageRequest): Page<TransferView>;
  transfer(accountId: string, transferId: string): TransferView | undefined;
  /** Of `accountId`: orders that name the account, a party that holds it, or an address that such a party controls. */
  legalOrders(
    filter: {
      orderId?: string | undefined;
      accountId?: string | undefined;
      partyId?: string | undefined;
      state?: string | undefined;
    } & Disclosure,
    page: PageRequest,
  ): Page<LegalOrderView>;
  legalOrder(orderId: string): Versioned<LegalOrderView> | undefined;
  /** Of `accountId`: hits on a party that holds the account, or on an address that such a party controls. */
  sanctionsHits(
    filter: {
      hitId?: string | undefined;
      accountId?: string | undefined;
      partyId?: string | undefined;
      state?: string | undefined;
    },
    page: PageRequest,
  ): Page<SanctionsHitView>;
  sanctionsHit(hitId: string): Versioned<SanctionsHitView> | undefined;
  freezes(
    filter: {
      accountId?: string | undefined;
      partyId?: string | undefined;
      basisId?: string | undefined;
      state?: string | undefined;
    } & Disclosure,
    page: PageRequest,
  ): Page<FreezeView>;
  freeze(freezeId: string): Versioned<FreezeView> | undefined;
  /** Undefined when the freeze is not known, and while the read models are being built. */
  basisOfFreeze(freezeId: string): Basis | undefined;
  /** Null where it relies on none; undefined when the request is not known, and while the read models are being built. */
  orderOfLift(freezeId: string, requestId: string): string | null | undefined;
  liftRequests(
    filter: {
      accountId?: string | undefined;
      partyId?: string | undefined;
      freezeId?: string | undefined;
      basisId?: string | undefined;
      state?: string | undefined;
    } & Disclosure,
    page: PageRequest,
  ): Page<LiftRequestView>;
  liftRequest(freezeId: string, requestId: string): LiftRequestView | undefined;
  authorityRequests(
    filter: { basisId?: string | undefined; state?: string | undefined } & Disclosure,
    page: PageRequest,
  ): Page<AuthorityRequestView>;
  authorityRequest(requestId: string): Versioned<AuthorityRequestView> | undefined;
  /**
   * What waits at a time. Of `partyId`: tasks about the party, or about an account that it holds.
   * @param at what becomes due by the clock alone is there from its time on
   */
  tasks(
    filter: {
      accountId?: string | undefined;
      partyId?: string | undefined;
      basisId?: string | undefined;
      kind?: TaskKind | undefined;
      waitsFor?: Doer | undefined;
    } & Disclosure,
    at: Timestamp,
    page: PageRequest,
  ): Page<TaskView>;
  /** Of each asset that is registered or was ever posted, by code. */
  trialBalance(): readonly TrialBalanceView[];
  /** In log order. */
  refusals(page: PageRequest): Page<RefusalView>;
  violations(page: PageRequest): Page<ViolationView>;
  violationCount(): number;
}
