import { nextOpeningStep, type OpeningStep } from '#accounts';
import {
  isRejection,
  reject,
  rejectField,
  RejectionError,
  toTimestamp,
  type CommandKey,
  type DecidedOn,
  type Rejection,
} from '#kernel';
import { decideParty, openingKey, type Opening } from '#parties';
import { keyEntryId } from '#replay';
import { asked, keyReused, originOf, revisionMismatch, type Asked } from './asked.ts';
import { Rounds, type Core } from './core.ts';
import type { CommandRequest, OpenAccount, Outcome } from './ledger-api.ts';
import { rejectedOutcome, type Settled } from './one-stream.ts';
import { recordedOutcome } from './outcome.ts';
import type { Draft, Origin, View } from './plan.ts';
import { stateOf } from './streams.ts';

/** Who takes an opening further: the handler that was asked, or the supervisor. */
export type OpeningBy = { readonly command: Asked } | { readonly origin: Pick<Origin, 'actor' | 'correlationId'> };

interface HolderFacts {
  readonly partyId: string;
  readonly registered: boolean;
  readonly identified: boolean;
  readonly attachment: 'none' | 'attached' | 'detached';
  readonly attachedEventId: string | null;
  readonly named: boolean;
  readonly seenAt: DecidedOn;
  readonly nowMs: number;
}

interface AccountFacts {
  readonly opened: boolean;
  readonly keyRevision: number | undefined;
  readonly keyOutcome: 'none' | 'opened' | 'abandoned' | 'refused';
}

/** One round of an opening: what it is, who takes it further, and what its streams said when the step was chosen. */
interface Round {
  readonly opening: Opening;
  readonly key: CommandKey;
  readonly by: OpeningBy;
  readonly account: AccountFacts;
  readonly holders: readonly HolderFacts[];
}

/**
 * Opens accounts, over the streams of the holders and of the account (DOMAIN, "Opening"). The account's stream is the
 * arbiter: for each key exactly one of AccountOpened, AccountOpeningAbandoned and a refusal stands on it. Every step is
 * decided anew from what is stored, so anyone can take over at any point.
 */
export class Openings {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  async open(request: CommandRequest, command: OpenAccount): Promise<Outcome> {
    const duplicate = findDuplicateHolder(command);
    const by = asked(request, `account-${command.accountId}`);
    const { caller, value } = by.key;
    const opening: Opening = {
      accountId: command.accountId,
      holders: command.holders.map(({ partyId, capacity }) => ({ partyId, capacity })),
      key: { caller, value },
      commandHash: request.commandHash,
    };
    const before = await this.#account(by.key);
    if (before.keyRevision !== undefined) return this.#replay(by, before.keyRevision);
    const objection = duplicate ?? (await this.#objection(by, opening));
    if (objection !== undefined) return rejectedOutcome(objection);
    const outcome = await this.advance(opening, { command: by });
    return (
      outcome ??
      rejectedOutcome(reject('already-exists', 'the account is open already', { accountId: command.accountId }))
    );
  }

  /**
   * Takes an opening to its end.
   * @returns what is recorded for its key; undefined when the account is open under another key and nothing is recorded
   * @throws RejectionError `revision-conflict` when others kept changing the streams
   */
  async advance(opening: Opening, by: OpeningBy): Promise<Outcome | undefined> {
    const rounds = new Rounds(this.#core);
    const key: CommandKey = { ...opening.key, homeStream: `account-${opening.accountId}` };
    do {
      const account = await this.#account(key);
      const holders = await this.#holders(opening);
      const next = nextOpeningStep({ opening, account, parties: holders });
      if (next.step === 'already-exists') return undefined;
      if (next.step === 'done') {
        if (account.keyRevision === undefined) throw new Error('an opening is done without its key on the account');
        return recordedOutcome(this.#core.store, key.homeStream, account.keyRevision, false);
      }
      const limited = await this.#take(next, { opening, key, by, account, holders });
      if (limited !== undefined) return rejectedOutcome(limited);
    } while (rounds.goOn());
    throw new RejectionError(reject('revision-conflict', 'others kept changing the account or its holders; try again'));
  }

  async #replay({ homeStream, request }: Asked, revision: number): Promise<Outcome> {
    const [event] = await this.#core.store.read(homeStream, { from: revision, to: revision });
    if (event?.metadata.commandHash !== request.commandHash) return rejectedOutcome(keyReused());
    return recordedOutcome(this.#core.store, homeStream, revision, true);
  }

  /** What stands against the opening before anything is appended: 404, `If-Match`, then the rules. */
  async #objection({ request, key }: Asked, opening: Opening): Promise<Rejection | undefined> {
    const holders = await this.#holders(opening);
    const missing = holders.find((holder) => !holder.registered);
    if (missing !== undefined)
      return reject('party-not-found', 'the party is not registered', { partyId: missing.partyId });
    const mismatch = await this.#core.streams.inspect(key.homeStream, (view) => revisionMismatch(view, request));
    if (mismatch !== undefined) return mismatch;
    // A key that was used for another opening of the same account is found on the party's stream before it is on the account's.
    const reused = await this.#reusedOnParty(opening);
    if (reused) return keyReused();
    const account = await this.#account(key);
    const unidentified = holders.find((holder) => !holder.identified);
    if (account.opened || unidentified === undefined) return undefined;
    return reject('party-not-identified', 'the party is not identified', { partyId: unidentified.partyId });
  }

  async #reusedOnParty(opening: Opening): Promise<boolean> {
    for (const { partyId } of opening.holders) {
      const hash = await this.#core.streams.inspect(`party-${partyId}`, (view) => {
        const attachment = stateOf(view, 'party').attachments.get(openingKey(opening.key, opening.accountId));
        return attachment?.opening.commandHash;
      });
      if (hash !== undefined && hash !== opening.commandHash) return true;
    }
    return false;
  }

  async #account(key: CommandKey): Promise<AccountFacts> {
    const { streams, store } = this.#core;
    const { homeStream } = key;
    const facts = await streams.inspect(homeStream, (view) => ({
      opened: stateOf(view, 'account').opened,
      keyRevision: view.lookup('key', keyEntryId(key))?.revision,
    }));
    if (facts.keyRevision === undefined) return { ...facts, keyOutcome: 'none' };
    const [event] = await store.read(homeStream, { from: facts.keyRevision, to: facts.keyRevision });
    return { ...facts, keyOutcome: outcomeOfType(event?.type) };
  }

  #holders(opening: Opening): Promise<readonly HolderFacts[]> {
    return Promise.all(opening.holders.map(({ partyId }) => this.#holder(partyId, opening)));
  }

  #holder(partyId: string, opening: Opening): Promise<HolderFacts> {
    return this.#core.streams.inspect(`party-${partyId}`, (view) => {
      const state = stateOf(view, 'party');
      const attachment = state.attachments.get(openingKey(opening.key, opening.accountId));
      return {
        partyId,
        registered: state.registered !== undefined,
        identified: state.identification !== null,
        attachment: attachment?.status ?? 'none',
        attachedEventId: attachment?.pointer.eventId ?? null,
        named: state.named.size > 0,
        seenAt: { stream: view.stream, revision: view.revision < 0 ? null : String(view.revision) },
        nowMs: view.time(),
      };
    });
  }

  /** Takes one step, if it is still the right one when its stream's turn comes. @returns a rejection when it may not be recorded */
  async #take(
    next: Exclude<OpeningStep, { step: 'done' | 'already-exists' }>,
    round: Round,
  ): Promise<Rejection | undefined> {
    const { accountId, holders } = round.opening;
    switch (next.step) {
      case 'attach':
        return this.#attach(next.partyId, round);
      case 'detach':
        await this.#detach(next.partyId, round);
        return undefined;
      case 'open':
        await this.#decideOnAccount({ type: 'AccountOpened', data: { accountId, holders } }, round);
        return undefined;
      case 'abandon': {
        const named = 'partyId' in next ? { partyId: next.partyId } : {};
        const decidedOn = 'partyId' in next ? seenAt(next.partyId, round) : null;
        const data = { accountId, reason: next.reason, holders, ...named, decidedOn };
        await this.#decideOnAccount({ type: 'AccountOpeningAbandoned', data }, round);
        return undefined;
      }
      case 'refuse':
        return this.#refuse(next.partyId, round);
    }
  }

  async #attach(partyId: string, { opening, key, by }: Round): Promise<Rejection | undefined> {
    return this.#core.streams.decide<Rejection | undefined>(`party-${partyId}`, (view) => {
      const nowMs = view.time();
      const context = { now: toTimestamp(nowMs), actor: originFor(by, opening, key, null).actor };
      const decision = decideParty({ type: 'AttachAccount', partyId, opening }, stateOf(view, 'party'), context);
      // Named meanwhile: the next round sees it and refuses or abandons.
      if (isRejection(decision)) return { result: decision.code === 'party-named-by-basis' ? undefined : decision };
      if (decision.length === 0) return { result: undefined };
      return { append: decision, origin: originFor(by, opening, key, null), nowMs, answer: () => undefined };
    });
  }

  async #detach(partyId: string, { opening, by }: Round): Promise<void> {
    const { accountId, key } = opening;
    await this.#core.streams.decide(`party-${partyId}`, (view) => {
      const nowMs = view.time();
      const origin = { ...actorOf(by), key: null, commandHash: null, causationId: null };
      const context = { now: toTimestamp(nowMs), actor: origin.actor };
      const decision = decideParty({ type: 'DetachAccount', partyId, accountId, key }, stateOf(view, 'party'), context);
      if (isRejection(decision) || decision.length === 0) return { result: undefined };
      return { append: decision, origin, nowMs, answer: () => undefined };
    });
  }

  /** Appends what the opening comes to, if its key is still without an outcome and the account as it was seen. */
  async #decideOnAccount(event: Draft, { opening, key, by, account, holders }: Round): Promise<void> {
    const causationId = holders.findLast((holder) => holder.attachedEventId !== null)?.attachedEventId ?? null;
    await this.#core.streams.decide(key.homeStream, (view) => {
      if (isDecided(view, key) || stateOf(view, 'account').opened !== account.opened) return { result: undefined };
      const nowMs = view.time(...holders.map((holder) => holder.nowMs));
      return { append: [event], origin: originFor(by, opening, key, causationId), nowMs, answer: () => undefined };
    });
  }

  /** A holder is named and nothing is attached: refused on the account's stream, where the command's key belongs. */
  async #refuse(partyId: string, round: Round): Promise<Rejection | undefined> {
    const { key, by } = round;
    if (!('command' in by)) throw new Error('only a command is refused: the supervisor takes up what is attached');
    const settled = await this.#core.streams.decide<Settled | undefined>(key.homeStream, (view) => {
      if (isDecided(view, key) || stateOf(view, 'account').opened) return { result: undefined };
      const rejection = reject('party-named-by-basis', 'a basis in force names the party: no account opens for it', {
        partyId,
      });
      return this.#core.oneStream.refuse(view, by.command, rejection, seenAt(partyId, round), view.time());
    });
    if (settled?.kind !== 'outcome') return undefined;
    const outcome = await settled.outcome;
    return outcome.status === 'rejected' && outcome.rejection.code === 'rate-limited' ? outcome.rejection : undefined;
  }

  /** The opening of this name, as `openingKey` makes it, if it has attached an account to the party. */
  attachedOpening(
    partyId: string,
    name: string,
  ): Promise<{ readonly opening: Opening; readonly eventId: string } | undefined> {
    return this.#core.streams.inspect(`party-${partyId}`, (view) => {
      const attachment = stateOf(view, 'party').attachments.get(name);
      if (attachment?.status !== 'attached') return undefined;
      return { opening: attachment.opening, eventId: attachment.pointer.eventId };
    });
  }

  /** Openings that have attached this account to a party and may not have come to their end. */
  attachedOpenings(partyId: string, accountId?: string): Promise<readonly { opening: Opening; eventId: string }[]> {
    return this.#core.streams.inspect(`party-${partyId}`, (view) =>
      [...stateOf(view, 'party').attachments.values()]
        .filter(
          ({ status, opening }) => status === 'attached' && (accountId ?? opening.accountId) === opening.accountId,
        )
        .map(({ opening, pointer }) => ({ opening, eventId: pointer.eventId })),
    );
  }
}

function seenAt(partyId: string, { holders }: Round): DecidedOn | null {
  return holders.find((holder) => holder.partyId === partyId)?.seenAt ?? null;
}

function findDuplicateHolder({ holders }: OpenAccount): Rejection | undefined {
  const ids = holders.map(({ partyId }) => partyId);
  const index = ids.findIndex((id, at) => ids.indexOf(id) !== at);
  return index < 0 ? undefined : rejectField(`holders.${String(index)}.partyId`, 'must not be listed twice');
}

function isDecided(view: View, key: CommandKey): boolean {
  return view.lookup('key', keyEntryId(key)) !== undefined;
}

function outcomeOfType(type: string | undefined): AccountFacts['keyOutcome'] {
  if (type === 'AccountOpened') return 'opened';
  if (type === 'AccountOpeningAbandoned') return 'abandoned';
  // Refused, or the key was taken by another command of the same caller: nothing will open under it.
  return 'refused';
}

function actorOf(by: OpeningBy): Pick<Origin, 'actor' | 'correlationId'> {
  return 'command' in by ? by.command.request : by.origin;
}

function originFor(by: OpeningBy, opening: Opening, key: CommandKey, causationId: string | null): Origin {
  if ('command' in by) return originOf(by.command, causationId);
  return { ...by.origin, key, commandHash: opening.commandHash, causationId };
}
