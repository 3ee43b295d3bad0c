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
import type { CommandRequest, FreezeAllNamed, Outcome, OutcomeOfAll } from './ledger-api.ts';
import { rejectedOutcome, type Settled } from './one-stream.ts';
import type { Openings } from './opening.ts';
import { recordedOutcome } from './outcome.ts';
import { basisOf, stateOf } from './streams.ts';

/** What a freeze of everything needs of the rest. */
interface Around {
  readonly assetsOf: (codes: readonly string[]) => Promise<ReadonlyMap<string, Asset>>;
  readonly nameParties: (basis: Basis) => Promise<void>;
  /** Runs the freeze of one account to its end, as if it had been asked for by itself. */
  readonly freeze: (request: CommandRequest) => Promise<Outcome>;
}

type Request = CommandRequest<FreezeAllNamed>;
type Whole = Extract<OutcomeOfAll, { readonly status: 'rejected' }>;

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
 * stream of the basis. From the first part on, each part is judged for itself.
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
    await this.#around.nameParties(basis);
    const named = await this.#accountsNamed(before.subjects);
    const accountIds = [...new Set([...named, ...before.begun])].sort();
    const keys = await fewAtATime(accountIds, (accountId) => this.#keyOn(request, accountId));
    const reused = keys.find(isRejection);
    if (reused !== undefined) return rejectedOutcome(reused);
    const begun = new Set([...before.begun, ...accountIds.filter((_, index) => keys[index] === true)]);
    const division = { requested, shares, widest: before.widest };
    if (begun.size === 0) {
      const objection = await this.#objection(home, division, named);
      if (objection !== undefined) return objection;
    }
    return this.#freezeEach(request, division, accountIds, begun);
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
  async #accountsNamed(subjects: BasisSubjects): Promise<readonly string[]> {
    const parties = await partiesNamedBy(this.#core, subjects);
    const held = await fewAtATime(parties, (partyId) => this.#accountsOf(partyId, subjects));
    return [...new Set([...subjects.accounts, ...held.flat()])];
  }

  async #accountsOf(partyId: string, subjects: BasisSubjects): Promise<readonly string[]> {
    const isNamed = await this.#core.streams.inspect(`party-${partyId}`, (view) =>
      isNamedBy(stateOf(view, 'party'), subjects),
    );
    if (!isNamed) return [];
    const accountIds: string[] = [];
    for (const { opening, eventId } of await this.#openings.attachedOpenings(partyId)) {
      const isHeld = (): Promise<boolean> => this.#holds(partyId, opening);
      if (!(await isHeld())) await this.#openings.advance(opening, supervising(eventId));
      if (await isHeld()) accountIds.push(opening.accountId);
    }
    return accountIds;
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

  /** Whether the key of this command's part stands on the account's stream, or was used there for another command. */
  #keyOn(request: Request, accountId: string): Promise<boolean | Rejection> {
    const part = asked(partRequest(request, accountId, undefined), `account-${accountId}`);
    return this.#core.streams.inspect(part.homeStream, (view) => {
      const known = seen(view, part);
      return isRejection(known) ? known : known !== undefined;
    });
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
  async #freezeEach(
    request: Request,
    division: Division,
    accountIds: readonly string[],
    begun: ReadonlySet<string>,
  ): Promise<OutcomeOfAll> {
    const parts = await fewAtATime(accountIds, async (accountId) => {
      const isLate = begun.size > 0 && !begun.has(accountId) && accountIds.length > 1;
      const missing = isLate ? missingShare(division, accountId) : undefined;
      if (missing !== undefined) return { accountId, outcome: rejectedOutcome(missing) };
      const part = partRequest(request, accountId, scopeOfShare(division, accountId));
      return { accountId, outcome: await this.#around.freeze(part) };
    });
    const outcomes = parts.map(({ outcome }) => outcome);
    const replayed = outcomes.some((outcome) => outcome.replayed) && !outcomes.some(didSomething);
    return { status: 'answered', replayed, parts };
  }
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
function didSomething(outcome: Outcome): boolean {
  return !outcome.replayed && (outcome.status === 'accepted' || outcome.revision !== undefined);
}

/** Under the key of the whole nothing but its refusal stands on the stream of the basis. */
function asRefusal(outcome: Outcome): Whole {
  if (outcome.status === 'rejected') return outcome;
  throw new Error('a freeze of everything that a basis names was accepted as one command');
}
