import { findShareFlaw, missingShare, parseShares, scopeOfShare, type Division } from '#freezes';
import {
  basisStream,
  canonicalJson,
  isRejection,
  parseScope,
  reject,
  scopeWithin,
  sha256Hex,
  toTimestamp,
  type Asset,
  type Basis,
  type BasisSubjects,
  type Rejection,
  type RequestedScope,
  type Scope,
} from '#kernel';
import { isNamedBy } from '#parties';
import { asked, keyReused, revisionMismatch, seen, type Asked } from './asked.ts';
import type { Core } from './core.ts';
import { fewAtATime } from './few-at-a-time.ts';
import { partiesNamedBy, supervising } from './freezing.ts';
import type { CommandRequest, FailedPart, FreezeAllNamed, Outcome, OutcomeOfAll } from './ledger-api.ts';
import { rejectedOutcome, type Settled } from './one-stream.ts';
import type { Openings } from './opening.ts';
import { recordedOutcome } from './outcome.ts';
import { basisOf, stateOf } from './streams.ts';

/** What a freeze of everything needs of the rest. */
interface Around {
  readonly assetsOf: (codes: readonly string[]) => Promise<ReadonlyMap<string, Asset>>;
  readonly nameParties: (basis: Basis) => Promise<void>;
  /** Runs the freeze of one account to its end, as if it had been asked for by itself. @throws whatever keeps it from that */
  readonly freeze: (request: CommandRequest) => Promise<Outcome>;
  /** How a caller is told of infrastructure that fails; undefined for an error that nobody expects. */
  readonly rejectionOf: (error: unknown) => Rejection | undefined;
}

type Request = CommandRequest<FreezeAllNamed>;
type Whole = Extract<OutcomeOfAll, { readonly status: 'rejected' }>;

/** What became of one account. */
interface Part {
  readonly accountId: string;
  readonly outcome: Outcome | FailedPart;
  /** Nothing was decided about it: the outcome tells of an error. */
  readonly hasFailed: boolean;
}

/** The accounts that a basis names, as far as they could be found. */
interface Found {
  readonly accountIds: readonly string[];
  /** Those of them that a party may hold or not, with the errors of finding out. */
  readonly inDoubt: ReadonlyMap<string, unknown>;
  /** Errors of parties that could not be named, or whose accounts could not be found. */
  readonly failures: readonly unknown[];
}

/** What the stream of the basis says of it and of this very command. */
type BasisBefore =
  | { readonly kind: 'replay'; readonly revision: number }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | {
      readonly kind: 'known';
      readonly subjects: BasisSubjects;
      /** Undefined for a basis that freezes nothing. */
      readonly widest: Scope | undefined;
      /** Accounts whose freezes this command has had authorised already. */
      readonly begun: readonly string[];
    };

/**
 * Freezes every account that a basis names now (invariant 14), each by a freeze of its own under a key that derives from the
 * command's. Nothing stands in the log for the whole, so a crash leaves parts that are done and parts that are not, and a
 * repeat does the rest. What is wrong with the whole is said once, before the first part: its refusal is on record on the
 * stream of the basis. From the first part on, each part is judged for itself, and one that fails is a part that failed. A
 * party that fails has no part: when the others are done, its error is the answer.
 */
export class FreezingAll {
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #around: Around;

  constructor(core: Core, openings: Openings, around: Around) {
    this.#core = core;
    this.#openings = openings;
    this.#around = around;
  }

  async freezeAll(request: Request): Promise<OutcomeOfAll> {
    const { basis, scope: requested, shares } = request.command;
    const home = asked(request, basisStream(basis));
    const before = await this.#lookAtBasis(home, basis);
    if (before.kind === 'rejected') return rejectedOutcome(before.rejection);
    if (before.kind === 'replay') return this.#replay(home, before.revision);
    if (before.widest === undefined) return this.#refuseAll(home);
    // Before the parties' streams are read: whoever is named takes on no account any more.
    const naming: unknown[] = [];
    await this.#around.nameParties(basis).catch((error: unknown) => naming.push(error));
    const found = await this.#accountsNamed(before.subjects);
    const failures = [...naming, ...found.failures];
    const accountIds = [...new Set([...found.accountIds, ...before.begun])].sort();
    const keys = await fewAtATime(accountIds, (accountId) => this.#keyOn(request, accountId));
    const reused = keys.find(isRejection);
    if (reused !== undefined) return rejectedOutcome(reused);
    const begun = new Set([...before.begun, ...accountIds.filter((_, index) => keys[index] === true)]);
    const division = { requested, shares, widest: before.widest };
    if (begun.size === 0) {
      // Whoever has a share may be an account of a party that could not be read.
      const mayBeNamed = failures.length > 0 ? [...found.accountIds, ...Object.keys(shares ?? {})] : found.accountIds;
      const objection = await this.#objection(home, division, mayBeNamed);
      if (objection !== undefined) return objection;
    }
    const parts = await this.#freezeEach(request, division, { ...found, accountIds }, begun);
    return this.#allFailed(parts) ?? this.#notWhole(failures) ?? answered(parts);
  }

  #lookAtBasis(home: Asked, basis: Basis): Promise<BasisBefore> {
    return this.#core.streams.inspect(home.homeStream, (view): BasisBefore => {
      const known = seen(view, home);
      if (isRejection(known)) return { kind: 'rejected', rejection: known };
      if (known !== undefined) return { kind: 'replay', revision: known.revision };
      const { subjects, scope, registered, authorisations } = basisOf(view);
      if (registered === undefined) {
        return { kind: 'rejected', rejection: reject(`${basis.kind}-not-found`, 'there is no such basis of a freeze') };
      }
      const value = partKey(home);
      const mine = authorisations.filter(({ key }) => key?.caller === home.key.caller && key.value === value);
      if (mine.some(({ commandHash }) => commandHash !== home.request.commandHash)) {
        return { kind: 'rejected', rejection: keyReused() };
      }
      return { kind: 'known', subjects, widest: scope, begun: mine.map(({ accountId }) => accountId) };
    });
  }

  /** The accounts that the basis names itself, and those that parties hold whom it names. Openings in flight are finished. */
  async #accountsNamed(subjects: BasisSubjects): Promise<Found> {
    const parties = await partiesNamedBy(this.#core, subjects);
    const certain = new Set(subjects.accounts);
    const inDoubt = new Map<string, unknown>();
    const failures: unknown[] = [];
    await fewAtATime(parties, (partyId) =>
      this.#findAccountsOf(partyId, subjects, { certain, inDoubt }).catch((error: unknown) => failures.push(error)),
    );
    for (const accountId of certain) inDoubt.delete(accountId);
    return { accountIds: [...certain, ...inDoubt.keys()], inDoubt, failures };
  }

  async #findAccountsOf(
    partyId: string,
    subjects: BasisSubjects,
    found: { readonly certain: Set<string>; readonly inDoubt: Map<string, unknown> },
  ): Promise<void> {
    const isNamed = await this.#core.streams.inspect(`party-${partyId}`, (view) =>
      isNamedBy(stateOf(view, 'party'), subjects),
    );
    if (!isNamed) return;
    for (const { opening, eventId } of await this.#openings.attachedOpenings(partyId)) {
      const { accountId } = opening;
      try {
        const isHeld = (): Promise<boolean> => this.#holds(partyId, opening);
        if (!(await isHeld())) await this.#openings.advance(opening, supervising(eventId));
        if (await isHeld()) found.certain.add(accountId);
      } catch (error) {
        found.inDoubt.set(accountId, error);
      }
    }
  }

  /** True when this very opening opened the account, for this party too. */
  #holds(
    partyId: string,
    {
      accountId,
      key,
    }: { readonly accountId: string; readonly key: { readonly caller: string; readonly value: string } },
  ): Promise<boolean> {
    return this.#core.streams.inspect(`account-${accountId}`, (view) => {
      const { openedKey, holders } = stateOf(view, 'account');
      const isItsOpening = openedKey?.caller === key.caller && openedKey.value === key.value;
      return isItsOpening && holders.some((holder) => holder.partyId === partyId);
    });
  }

  /**
   * Whether the key of this command's part stands on the account's stream, or was used there for another command. Of an
   * account that can't be read now it is not known, and its freeze will say so.
   */
  #keyOn(request: Request, accountId: string): Promise<boolean | Rejection> {
    const part = asked(partRequest(request, accountId, undefined), `account-${accountId}`);
    const looked = this.#core.streams.inspect(part.homeStream, (view) => {
      const known = seen(view, part);
      return isRejection(known) ? known : known !== undefined;
    });
    return looked.catch(() => false);
  }

  /** What stands against the whole before anything is begun: the assets' scales, `If-Match`, the basis, the shares. */
  async #objection(home: Asked, division: Division, accountIds: readonly string[]): Promise<Whole | undefined> {
    const { requested, shares, widest } = division;
    const codes = [...Object.keys(requested?.limits ?? {}), ...Object.values(shares ?? {}).flatMap(Object.keys)];
    const assets = await this.#around.assetsOf([...new Set(codes)]);
    const assetOf = (code: string): Asset | undefined => assets.get(code);
    const scope = requested === undefined ? widest : parseScope(requested, assetOf);
    if (isRejection(scope)) return rejectedOutcome(scope);
    const units = parseShares(shares, assetOf);
    if (isRejection(units)) return rejectedOutcome(units);
    // Where none was asked for, each part has the scope that the basis has when it is authorised, varied meanwhile or not.
    const objection = await this.#refuse(home, requested === undefined ? undefined : scope);
    if (objection !== undefined) return objection;
    const flaw = findShareFlaw(division, units, scope, accountIds);
    return flaw === undefined ? undefined : rejectedOutcome(flaw);
  }

  /** Records that the basis allows no freeze now, or none so wide; undefined when it does. */
  async #refuse(home: Asked, scope?: Scope): Promise<Whole | undefined> {
    const settled = await this.#core.streams.decide<Settled | undefined>(home.homeStream, (view) => {
      const known = seen(view, home);
      if (isRejection(known)) return { result: { kind: 'outcome', outcome: rejectedOutcome(known) } };
      if (known !== undefined) return { result: { kind: 'replay', revision: known.revision } };
      const mismatch = revisionMismatch(view, home.request);
      if (mismatch !== undefined) return { result: { kind: 'outcome', outcome: rejectedOutcome(mismatch) } };
      const basis = basisOf(view);
      const nowMs = view.time();
      const obstacle = basis.standingObstacle(toTimestamp(nowMs)) ?? scopeObstacle(scope, basis.scope);
      if (obstacle === undefined) return { result: undefined };
      return this.#core.oneStream.refuse(view, home, reject(obstacle.code, obstacle.detail), null, nowMs);
    });
    if (settled === undefined) return undefined;
    if (settled.kind === 'replay') return this.#replay(home, settled.revision);
    return asRefusal(await settled.outcome);
  }

  /** Of a basis that never freezes anything. */
  async #refuseAll(home: Asked): Promise<Whole> {
    const refused = await this.#refuse(home);
    if (refused === undefined) throw new Error(`${home.homeStream} freezes nothing, and does not say why`);
    return refused;
  }

  async #replay(home: Asked, revision: number): Promise<Whole> {
    return asRefusal(await recordedOutcome(this.#core.store, home.homeStream, revision, true));
  }

  /** Whoever has no share of what is limited, when the command was begun before, came to be named meanwhile. */
  #freezeEach(
    request: Request,
    division: Division,
    { accountIds, inDoubt }: Found,
    begun: ReadonlySet<string>,
  ): Promise<readonly Part[]> {
    return fewAtATime(accountIds, async (accountId) => {
      if (inDoubt.has(accountId)) return this.#failed(accountId, inDoubt.get(accountId));
      const isLate = begun.size > 0 && !begun.has(accountId) && accountIds.length > 1;
      const missing = isLate ? missingShare(division, accountId) : undefined;
      if (missing !== undefined) return { accountId, outcome: rejectedOutcome(missing), hasFailed: false };
      const part = partRequest(request, accountId, scopeOfShare(division, accountId));
      try {
        return { accountId, outcome: await this.#around.freeze(part), hasFailed: false };
      } catch (error) {
        return this.#failed(accountId, error);
      }
    });
  }

  #failed(accountId: string, error: unknown): Part {
    const rejection = this.#around.rejectionOf(error);
    const outcome =
      rejection === undefined ? ({ status: 'failed', replayed: false, error } as const) : rejectedOutcome(rejection);
    return { accountId, outcome, hasFailed: true };
  }

  /**
   * Where there is no account of which anything could be decided, the whole is answered as each of them: so a store that is
   * away is told as such, and when to ask again. @throws the first error that nobody expects
   */
  #allFailed(parts: readonly Part[]): Whole | undefined {
    if (!parts.every(({ hasFailed }) => hasFailed)) return undefined;
    const outcomes = parts.map(({ outcome }) => outcome);
    for (const outcome of outcomes) if (outcome.status === 'failed') throw outcome.error;
    return outcomes.find((outcome) => outcome.status === 'rejected');
  }

  /** The answer lists accounts: one that leaves out whose it could not find would pass for whole. @throws as above */
  #notWhole(failures: readonly unknown[]): Whole | undefined {
    const rejections = failures.map((error) => {
      const rejection = this.#around.rejectionOf(error);
      if (rejection === undefined) throw error;
      return rejection;
    });
    const [first] = rejections;
    if (first === undefined) return undefined;
    return rejectedOutcome(reject(first.code, `${NOT_ALL_FOUND}: ${first.detail}`));
  }
}

const NOT_ALL_FOUND = 'not all accounts could be found that the basis names, and those that could have been tried';

function answered(parts: readonly Part[]): OutcomeOfAll {
  const isNew = parts.some(({ outcome, hasFailed }) => hasFailed || didSomething(outcome));
  const replayed = parts.some(({ outcome }) => outcome.replayed) && !isNew;
  return { status: 'answered', replayed, parts: parts.map(({ accountId, outcome }) => ({ accountId, outcome })) };
}

/** The key of each part: one for all accounts, since a freeze's key is scoped to its account. */
function partKey({ homeStream, request }: Pick<Asked, 'homeStream' | 'request'>): string {
  return `all-${sha256Hex(canonicalJson([homeStream, request.idempotencyKey]))}`;
}

/** The freeze of one account. Its hash is that of the whole: under one key there is one content. */
function partRequest(request: Request, accountId: string, scope: RequestedScope | undefined): CommandRequest {
  const { basis } = request.command;
  const homeStream = basisStream(basis);
  return {
    ...request,
    command: { type: 'FreezeAccount', accountId, basis, scope },
    idempotencyKey: partKey({ homeStream, request }),
    ifMatch: undefined,
  };
}

function scopeObstacle(
  scope: Scope | undefined,
  widest: Scope | undefined,
): { readonly code: 'scope-exceeds-basis'; readonly detail: string } | undefined {
  if (scope === undefined || widest === undefined || scopeWithin(scope, widest)) return undefined;
  return { code: 'scope-exceeds-basis', detail: 'the freezes would cover more than the basis does' };
}

/** True for what was appended just now: a freeze, or a refusal on record. */
function didSomething(outcome: Part['outcome']): boolean {
  if (outcome.replayed || outcome.status === 'failed') return false;
  return outcome.status === 'accepted' || outcome.revision !== undefined;
}

/** Under the key of the whole nothing but its refusal stands on the stream of the basis. */
function asRefusal(outcome: Outcome): Whole {
  if (outcome.status === 'rejected') return outcome;
  throw new Error('a freeze of everything that a basis names was accepted as one command');
}
