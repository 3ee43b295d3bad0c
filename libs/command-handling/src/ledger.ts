import { decideAccount, recordedDeposit, type AccountCommand, type AccountContext, type AccountEvent } from '#accounts';
import { decideAsset } from '#assets';
import { decideAuthorityRequest, type AuthorityRequestCommand } from '#authority-requests';
import type { EventStore } from '#event-store';
import {
  assertNever,
  reject,
  rejectField,
  RejectionError,
  type Asset,
  type Basis,
  type Bound,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Rejection,
} from '#kernel';
import { decideLegalOrder, type ProposeVariation, type RegisterLegalOrder, type Subject } from '#legal-orders';
import { decideParty, type LinkAddress } from '#parties';
import { DamagedStreamError, type HomeStreamIndex, type StateOfKind, type StreamState } from '#replay';
import { decideSanctionsHit, type HitSubject, type RaiseSanctionsHit, type SanctionsHitRequest } from '#sanctions';
import { transferItemId, type Item } from './agenda.ts';
import { decideAnswer } from './answering.ts';
import type { AgendaMemoryOptions } from './agenda-memory.ts';
import { createCore, type Core } from './core.ts';
import { FreezingAll } from './freezing-all.ts';
import { Freezing } from './freezing.ts';
import { asRejection } from './lane.ts';
import { decideLiftStep } from './lifting.ts';
import { accountOfFreeze, hitsOf } from './lookups.ts';
import type {
  CommandRequest,
  FreezeAllNamed,
  LedgerCommand,
  LedgerCommands,
  Outcome,
  OutcomeOfAll,
} from './ledger-api.ts';
import { rejectedOutcome } from './one-stream.ts';
import { Openings } from './opening.ts';
import { checkedEvent, eventAt } from './outcome.ts';
import type { View } from './plan.ts';
import { DEFAULT_LIMITS, realMachine, type Limits, type Machine } from './ports.ts';
import type { SnapshotOptions } from './snapshots.ts';
import { stateOf, type CommandMetrics } from './streams.ts';
import { Supervisor, type SupervisorWatch } from './supervisor.ts';
import { Transferring } from './transferring.ts';
import { Varying } from './varying.ts';

export interface LedgerOptions {
  readonly store: EventStore;
  readonly index: HomeStreamIndex;
  readonly machine?: Machine | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly metrics?: CommandMetrics | undefined;
  /** Absent for no snapshots: then every account is folded from its first event. */
  readonly snapshots?: SnapshotOptions | undefined;
  /** Where the supervisor remembers how far it has read the log. Absent: it reads all of it at each start. */
  readonly agendaMemory?: AgendaMemoryOptions | undefined;
  readonly watch: SupervisorWatch;
}

/** The core with what runs beside it. */
export interface Ledger extends LedgerCommands {
  readonly supervisor: Supervisor;
  /** Commands that wait or run now. */
  readonly waiting: number;
  /** What waits or is kept in memory, and how much of it there may be. */
  readonly bounds: readonly Bound[];
}

/** Most assets of which the scale is kept in memory. */
const MOST_ASSETS = 10_000;
/** Most transfers that may be on their way: the supervisor has to bring each to its end. */
const MOST_OPEN_TRANSFERS = 10_000;

/** How long the answer to a step of a basis waits for what follows from it, in milliseconds; the supervisor goes on in any case. */
const FOLLOW_UP_MS = 2_000;

/** How long the answer to a transfer waits for the other account, in milliseconds. */
const TRANSFER_WAIT_MS = 1_000;

const DAMAGED: Readonly<Record<DamagedStreamError['damage'], string>> = {
  missing: 'events are missing from the log, and nothing is decided on half a history; ask the operator',
  changed:
    'an event of the log was changed after it was recorded, and nothing is decided on the rest; ask the operator',
};

export function createLedger(options: LedgerOptions): Ledger {
  const core = createCore({
    store: options.store,
    index: options.index,
    machine: options.machine ?? realMachine,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    metrics: options.metrics,
    snapshots: options.snapshots,
    agendaMemory: options.agendaMemory,
  });
  return new CommandLedger(core, options.watch);
}

class CommandLedger implements Ledger {
  readonly supervisor: Supervisor;
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #freezing: Freezing;
  readonly #freezingAll: FreezingAll;
  readonly #transferring: Transferring;
  readonly #watch: SupervisorWatch;
  readonly #assets = new Map<string, Asset>();

  constructor(core: Core, watch: SupervisorWatch) {
    this.#core = core;
    this.#watch = watch;
    this.#openings = new Openings(core);
    this.#freezing = new Freezing(core, this.#openings, (codes) => this.#assetsOf(codes));
    this.#transferring = new Transferring(core);
    const varying = new Varying(core, this.#freezing);
    const steps = { openings: this.#openings, freezing: this.#freezing, varying, transferring: this.#transferring };
    this.supervisor = new Supervisor(core, steps, watch);
    this.#freezingAll = new FreezingAll(core, this.#openings, {
      assetsOf: (codes) => this.#assetsOf(codes),
      nameParties: (basis) => this.supervisor.nameParties(basis),
      freeze: (part) => this.#route(part),
      rejectionOf: (error) => this.#rejectionOf(error),
    });
  }

  get waiting(): number {
    return this.#core.streams.waiting;
  }

  get bounds(): readonly Bound[] {
    const { supervisor } = this;
    return [
      ...this.#core.bounds,
      ...supervisor.bounds,
      { what: 'open-transfers', most: MOST_OPEN_TRANSFERS, inUse: () => supervisor.openTransfers },
      { what: 'assets-in-memory', most: MOST_ASSETS, inUse: () => this.#assets.size },
    ];
  }

  execute(request: CommandRequest): Promise<Outcome> {
    return this.#expectingFailures(this.#route(request));
  }

  freezeAllNamed(request: CommandRequest<FreezeAllNamed>): Promise<OutcomeOfAll> {
    return this.#expectingFailures(this.#freezingAll.freezeAll(request));
  }

  /** Turns infrastructure that fails, and a log that is not whole, into the rejection that says so. */
  async #expectingFailures<Result>(running: Promise<Result>): Promise<Result | ReturnType<typeof rejectedOutcome>> {
    try {
      return await running;
    } catch (error) {
      const rejection = this.#rejectionOf(error);
      if (rejection === undefined) throw error;
      return rejectedOutcome(rejection);
    }
  }

  /** Undefined for what nobody expects. */
  #rejectionOf(error: unknown): Rejection | undefined {
    if (error instanceof DamagedStreamError) {
      this.#watch.damaged?.(error);
      return reject('store-unavailable', DAMAGED[error.damage]);
    }
    const expected = asRejection(error);
    return expected instanceof RejectionError ? expected.rejection : undefined;
  }

  #route(request: CommandRequest): Promise<Outcome> {
    const { command, actor } = request;
    switch (command.type) {
      case 'RegisterAsset':
        return this.#core.oneStream.run(request, `asset-${command.code}`, (view, now) =>
          decideAsset(command, stateOf(view, 'asset'), { now, actor }),
        );
      case 'RegisterParty':
      case 'IdentifyParty':
        return this.#core.oneStream.run(request, `party-${command.partyId}`, (view, now) =>
          decideParty(command, stateOf(view, 'party'), { now, actor }),
        );
      case 'LinkAddress':
        return this.#linkAddress(request, command);
      case 'OpenAccount':
        return this.#openings.open(request, command);
      case 'Deposit':
      case 'ReserveWithdrawal':
        return this.#moveFunds(request, command);
      case 'SendTransfer':
        return this.#sendTransfer(request, command);
      case 'ReverseDeposit':
        return this.#reverseDeposit(request, command);
      case 'DispatchWithdrawal':
      case 'SettleWithdrawal':
      case 'CancelWithdrawal':
      case 'CloseAccount':
        return this.#onAccount(request, command);
      case 'RegisterLegalOrder':
        return this.#registerOrder(request, command);
      case 'ProposeVariation':
        return this.#proposeVariation(request, command);
      case 'VerifyLegalOrder':
      case 'RejectLegalOrder':
      case 'ProposeEnding':
      case 'ProposeExtension':
      case 'VerifyChange':
      case 'RejectChange':
        return this.#stepOfOrder(request, command);
      case 'RaiseSanctionsHit':
        return this.#raiseHit(request, command);
      case 'ConfirmSanctionsHit':
      case 'DismissSanctionsHit':
      case 'ProposeClearance':
      case 'ApproveClearance':
      case 'RejectClearance':
        return this.#stepOfHit(request, command);
      case 'FreezeAccount':
        return this.#freezing.freeze(request, command);
      case 'RequestLift':
      case 'ApproveLift':
      case 'RejectLift':
        return this.#lift(request, command);
      case 'RegisterAuthorityRequest':
      case 'AnswerAuthorityRequest':
        return this.#onAuthorityRequest(request, command);
      default:
        return assertNever(command);
    }
  }

  #moveFunds(
    request: CommandRequest,
    command: Extract<AccountCommand, { type: 'Deposit' | 'ReserveWithdrawal' }>,
  ): Promise<Outcome> {
    const known = this.#assets.get(command.asset);
    if (known !== undefined) return this.#onAccount(request, command, { asset: known });
    return this.asset(command.asset).then((asset) => this.#onAccount(request, command, { asset }));
  }

  /**
   * Sends funds. The answer says that they were sent, and no more, whatever the other account decides; it only waits for
   * that a while, so that who saw the answer mostly finds it done.
   */
  async #sendTransfer(
    request: CommandRequest,
    command: Extract<AccountCommand, { type: 'SendTransfer' }>,
  ): Promise<Outcome> {
    const { accountId, transferId, to } = command;
    if (to === accountId) return rejectedOutcome(rejectField('to', 'must be another account'));
    if (this.supervisor.openTransfers >= MOST_OPEN_TRANSFERS) {
      return rejectedOutcome(reject('overloaded', 'too many transfers are on their way'));
    }
    const asset = await this.asset(command.asset);
    const recipientExists = await this.#core.streams.inspect(
      `account-${to}`,
      (view) => stateOf(view, 'account').opened,
      'in-line',
    );
    const outcome = await this.#onAccount(request, command, { asset, recipientExists });
    if (outcome.status === 'accepted' && !outcome.replayed) {
      const id = transferItemId({ from: accountId, transferId });
      const finished = this.#transferring.finish({ from: accountId, transferId }).catch((error: unknown) => {
        this.#watch.failed({ kind: 'transfer', id }, error);
      });
      await Promise.race([finished, this.#core.machine.sleep(TRANSFER_WAIT_MS)]);
    }
    return outcome;
  }

  /** What a deposit was never changes: it is read before it is the turn of the account. */
  async #reverseDeposit(
    request: CommandRequest,
    command: Extract<AccountCommand, { type: 'ReverseDeposit' }>,
  ): Promise<Outcome> {
    const { streams, store } = this.#core;
    const stream = `account-${command.accountId}`;
    const named = await streams.inspect(stream, (view) => view.lookup('deposit', command.depositId), 'in-line');
    const event = named === undefined ? undefined : await checkedEvent(store, stream, named.revision);
    const deposit = recordedDeposit(event as Recorded<AccountEvent> | undefined, command.depositId);
    return this.#onAccount(request, command, { deposit });
  }

  #onAccount(request: CommandRequest, command: AccountCommand, known: KnownBefore = {}): Promise<Outcome> {
    const { actor } = request;
    return this.#core.oneStream.run(request, `account-${command.accountId}`, (view, now) =>
      decideOnAccount(view, command, { now, actor, ...known }),
    );
  }

  /** Subjects and assets exist or they don't: once they do they always will, so they are looked at before the order's stream. */
  async #registerOrder(request: CommandRequest, command: RegisterLegalOrder): Promise<Outcome> {
    const unknownSubject = await this.#findUnknown(thingsNamed(command.instrument));
    const assets = await this.#assetsOf(limitedAssets(command.instrument));
    const { actor } = request;
    return this.#core.oneStream.run(request, `legalOrder-${command.orderId}`, (view, now) =>
      decideLegalOrder(command, stateOf(view, 'legalOrder'), { now, actor, unknownSubject, assets }),
    );
  }

  async #assetsOf(codes: readonly string[]): Promise<ReadonlyMap<string, Asset>> {
    const assets = new Map<string, Asset>();
    for (const code of codes) {
      const asset = await this.asset(code);
      if (asset !== undefined) assets.set(code, asset);
    }
    return assets;
  }

  /** As for a registration. */
  async #proposeVariation(request: CommandRequest, command: ProposeVariation): Promise<Outcome> {
    const unknownSubject = await this.#findUnknown((command.subjects ?? []).flatMap(subjectNamed));
    const assets = await this.#assetsOf(Object.keys(command.scope?.limits ?? {}));
    const { actor } = request;
    return this.#core.oneStream.run(request, `legalOrder-${command.orderId}`, (view, now) =>
      decideLegalOrder(command, stateOf(view, 'legalOrder'), { now, actor, unknownSubject, assets }),
    );
  }

  async #findUnknown(things: readonly Named[]): Promise<Named | undefined> {
    for (const named of things) if (!(await this.#exists(named))) return named;
    return undefined;
  }

  async #exists({ kind, id }: Named): Promise<boolean> {
    if (kind === 'freeze') return (await accountOfFreeze(this.#core, id)) !== undefined;
    return this.#core.streams.inspect(`${kind}-${id}`, (view) =>
      kind === 'account' ? stateOf(view, 'account').opened : stateOf(view, 'party').registered !== undefined,
    );
  }

  async #stepOfOrder(
    request: CommandRequest,
    command: Extract<
      LedgerCommand,
      {
        type:
          | 'VerifyLegalOrder'
          | 'RejectLegalOrder'
          | 'ProposeEnding'
          | 'ProposeExtension'
          | 'VerifyChange'
          | 'RejectChange';
      }
    >,
  ): Promise<Outcome> {
    const { actor } = request;
    const outcome = await this.#core.oneStream.run(request, `legalOrder-${command.orderId}`, (view, now) =>
      decideLegalOrder(command, stateOf(view, 'legalOrder'), { now, actor }),
    );
    // An extension that is turned down after the order's time lets it expire at once.
    const comesOrGoes = ['VerifyLegalOrder', 'VerifyChange', 'RejectChange'].includes(command.type);
    if (comesOrGoes && outcome.status === 'accepted') {
      await this.#followUp({ kind: 'legal-order', id: command.orderId });
    }
    return outcome;
  }

  /** A party exists or it doesn't; a hit that is cleared stays cleared. So both are looked at before the hit's stream. */
  async #raiseHit(request: CommandRequest, command: RaiseSanctionsHit): Promise<Outcome> {
    const { subject, entry } = command.hit;
    const unknownParty = subject.kind === 'party' ? await this.#findUnknownParty(subject.partyId) : undefined;
    const sameHit = await this.#findSameHit(subject, entry.sha256);
    const { actor } = request;
    return this.#core.oneStream.run(request, `sanctionsHit-${command.hitId}`, (view, now) =>
      decideSanctionsHit(command, stateOf(view, 'sanctionsHit'), { now, actor, unknownParty, sameHit }),
    );
  }

  /**
   * The first hit on this subject and this very entry that has not come to its end by a clearance: what was delisted or sold
   * may be listed or bought again, and a lawful freeze needs a hit to rest on.
   */
  async #findSameHit(subject: HitSubject, entrySha256: string): Promise<string | undefined> {
    for (const hitId of await hitsOf(this.#core, subject, entrySha256)) {
      const isOver = await this.#core.streams.inspect(
        `sanctionsHit-${hitId}`,
        (view) => stateOf(view, 'sanctionsHit').state === 'cleared',
      );
      if (!isOver) return hitId;
    }
    return undefined;
  }

  #findUnknownParty(partyId: string): Promise<string | undefined> {
    return this.#core.streams.inspect(`party-${partyId}`, (view) =>
      stateOf(view, 'party').registered === undefined ? partyId : undefined,
    );
  }

  async #stepOfHit(
    request: CommandRequest,
    command: Exclude<SanctionsHitRequest, { type: 'RaiseSanctionsHit' }>,
  ): Promise<Outcome> {
    const { actor } = request;
    const outcome = await this.#core.oneStream.run(request, `sanctionsHit-${command.hitId}`, (view, now) =>
      decideSanctionsHit(command, stateOf(view, 'sanctionsHit'), { now, actor }),
    );
    const comesOrGoes = command.type === 'ConfirmSanctionsHit' || command.type === 'ApproveClearance';
    if (comesOrGoes && outcome.status === 'accepted') {
      await this.#followUp({ kind: 'sanctions-hit', id: command.hitId });
    }
    return outcome;
  }

  /** An address of the party's own may stand in a hit or an order: the party is then named before the answer. */
  async #linkAddress(request: CommandRequest, command: LinkAddress): Promise<Outcome> {
    const { actor } = request;
    const outcome = await this.#core.oneStream.run(request, `party-${command.partyId}`, (view, now) =>
      decideParty(command, stateOf(view, 'party'), { now, actor }),
    );
    if (command.role === 'holder-controlled' && outcome.status === 'accepted') {
      await this.#inTime(this.supervisor.tendBasesOn(command), { kind: 'party', id: command.partyId });
    }
    return outcome;
  }

  /**
   * What follows from a basis that comes into force or ends (parties named, freezes lifted) is done before the answer, so
   * that who saw the answer sees it done. It is bounded: what takes longer the supervisor finishes.
   */
  #followUp(basis: Basis): Promise<void> {
    return this.#inTime(this.supervisor.tendBasis(basis), basis);
  }

  async #inTime(step: Promise<void>, item: Item): Promise<void> {
    const tended = step.catch((error: unknown) => {
      this.#watch.failed(item, error);
    });
    await Promise.race([tended, this.#core.machine.sleep(FOLLOW_UP_MS)]);
  }

  async #lift(
    request: CommandRequest,
    command: Extract<LedgerCommand, { type: 'RequestLift' | 'ApproveLift' | 'RejectLift' }>,
  ): Promise<Outcome> {
    const accountId = await accountOfFreeze(this.#core, command.freezeId);
    if (accountId === undefined) return rejectedOutcome(reject('freeze-not-found', 'there is no such freeze'));
    const { actor } = request;
    return this.#core.oneStream.runLooking(request, `account-${accountId}`, (view) =>
      decideLiftStep(this.#core, view, { ...command, accountId }, actor),
    );
  }

  #onAuthorityRequest(request: CommandRequest, command: AuthorityRequestCommand): Promise<Outcome> {
    const { actor } = request;
    const stream = `authorityRequest-${command.requestId}`;
    if (command.type === 'AnswerAuthorityRequest') {
      return this.#core.oneStream.runLooking(request, stream, (view) => decideAnswer(this.#core, view, command, actor));
    }
    return this.#core.oneStream.run(request, stream, (view, now) =>
      decideAuthorityRequest(command, stateOf(view, 'authorityRequest'), { now, actor }),
    );
  }

  async asset(code: string): Promise<Asset | undefined> {
    const known = this.#assets.get(code);
    if (known !== undefined) return known;
    const asset = await this.#core.streams.inspect(`asset-${code}`, (view) => {
      const { registered } = stateOf(view, 'asset');
      return registered === undefined ? undefined : { code: registered.code, scale: registered.scale };
    });
    if (asset === undefined) return undefined;
    const oldest = this.#assets.keys().next();
    if (this.#assets.size >= MOST_ASSETS && oldest.done !== true) this.#assets.delete(oldest.value);
    this.#assets.set(code, asset);
    return asset;
  }

  async stateAsOf<Kind extends StreamState['kind']>(
    kind: Kind,
    stream: string,
    revision: number,
  ): Promise<StateOfKind<Kind>> {
    return stateOf(await this.#core.streams.asOf(stream, revision), kind);
  }

  eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    return eventAt(this.#core.store, pointer);
  }
}

/** A thing that an order names, and that has to exist. */
interface Named {
  readonly kind: 'account' | 'party' | 'freeze';
  readonly id: string;
}

function thingsNamed(instrument: RegisterLegalOrder['instrument']): readonly Named[] {
  if (instrument.effect === 'release') {
    const { freezeIds = [], accountIds = [] } = instrument.releases;
    return [
      ...freezeIds.map((id) => ({ kind: 'freeze', id }) as const),
      ...accountIds.map((id) => ({ kind: 'account', id }) as const),
    ];
  }
  return instrument.subjects.flatMap(subjectNamed);
}

function subjectNamed(subject: Subject): readonly Named[] {
  switch (subject.kind) {
    case 'account':
      return [{ kind: 'account', id: subject.accountId }];
    case 'party':
      return [{ kind: 'party', id: subject.partyId }];
    case 'address':
    case 'external':
      // They may match later.
      return [];
  }
}

function limitedAssets(instrument: RegisterLegalOrder['instrument']): readonly string[] {
  return instrument.effect === 'release' ? [] : Object.keys(instrument.scope.limits ?? {});
}

/** Facts that can never become false, looked up before it is the turn of the account's stream. */
type KnownBefore = Partial<Pick<AccountContext, 'asset' | 'deposit' | 'recipientExists'>>;
type AccountFacts = Pick<AccountContext, 'now' | 'actor'> & KnownBefore;

function decideOnAccount(view: View, command: AccountCommand, facts: AccountFacts): ReturnType<typeof decideAccount> {
  const state = stateOf(view, 'account');
  const names = {
    depositExists: command.type === 'Deposit' && view.lookup('deposit', command.depositId) !== undefined,
    transferExists: command.type === 'SendTransfer' && view.lookup('outgoing', command.transferId) !== undefined,
    depositReversed: command.type === 'ReverseDeposit' && view.lookup('reversal', command.depositId) !== undefined,
    closedWithdrawal: 'withdrawalId' in command ? closedWithdrawal(view, command.withdrawalId) : undefined,
  };
  return decideAccount(command, state, { ...facts, ...names });
}

function closedWithdrawal(
  view: View,
  withdrawalId: string,
): NonNullable<Parameters<typeof decideAccount>[2]['closedWithdrawal']> | undefined {
  if (stateOf(view, 'account').openWithdrawals.has(withdrawalId)) return undefined;
  return view.lookup('withdrawal', withdrawalId)?.value as ReturnType<typeof closedWithdrawal>;
}
