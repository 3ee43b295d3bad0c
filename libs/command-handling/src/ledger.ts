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
  type EventPointer,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import { decideLegalOrder, type RegisterLegalOrder } from '#legal-orders';
import { decideParty } from '#parties';
import { CitationResolver, StreamFold, type HomeStreamIndex } from '#replay';
import { transferItemId } from './agenda.ts';
import { decideAnswer } from './answering.ts';
import { createCore, type Core } from './core.ts';
import { Freezing } from './freezing.ts';
import { asRejection } from './lane.ts';
import type { CommandRequest, LedgerCommand, LedgerCommands, Outcome } from './ledger-api.ts';
import { rejectedOutcome } from './one-stream.ts';
import { Openings } from './opening.ts';
import { checkedEvent, eventAt } from './outcome.ts';
import type { View } from './plan.ts';
import { DEFAULT_LIMITS, realMachine, type Limits, type Machine } from './ports.ts';
import { stateOf, type CommandMetrics } from './streams.ts';
import { Supervisor, type SupervisorWatch } from './supervisor.ts';
import { Transferring } from './transferring.ts';

export interface LedgerOptions {
  readonly store: EventStore;
  readonly index: HomeStreamIndex;
  readonly machine?: Machine | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly metrics?: CommandMetrics | undefined;
  readonly watch: SupervisorWatch;
}

/** The core with what runs beside it. */
export interface Ledger extends LedgerCommands {
  readonly supervisor: Supervisor;
  /** Commands that wait or run now. */
  readonly waiting: number;
}

/** How long the answer to an order's step waits for what follows from it, in milliseconds; the supervisor goes on in any case. */
const FOLLOW_UP_MS = 2_000;

/** How long the answer to a transfer waits for the other account, in milliseconds. */
const TRANSFER_WAIT_MS = 1_000;

export function createLedger(options: LedgerOptions): Ledger {
  const core = createCore({
    store: options.store,
    index: options.index,
    machine: options.machine ?? realMachine,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    metrics: options.metrics,
  });
  return new CommandLedger(core, options.watch);
}

class CommandLedger implements Ledger {
  readonly supervisor: Supervisor;
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #freezing: Freezing;
  readonly #transferring: Transferring;
  readonly #watch: SupervisorWatch;
  readonly #citations: CitationResolver;
  readonly #assets = new Map<string, Asset>();

  constructor(core: Core, watch: SupervisorWatch) {
    this.#core = core;
    this.#watch = watch;
    this.#citations = new CitationResolver(core.store);
    this.#openings = new Openings(core);
    this.#freezing = new Freezing(core, this.#openings, (codes) => this.#assetsOf(codes));
    this.#transferring = new Transferring(core);
    const steps = { openings: this.#openings, freezing: this.#freezing, transferring: this.#transferring };
    this.supervisor = new Supervisor(core, steps, watch);
  }

  get waiting(): number {
    return this.#core.streams.waiting;
  }

  async execute(request: CommandRequest): Promise<Outcome> {
    try {
      return await this.#route(request);
    } catch (error) {
      const expected = asRejection(error);
      if (expected instanceof RejectionError) return rejectedOutcome(expected.rejection);
      throw error;
    }
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
      case 'VerifyLegalOrder':
      case 'RejectLegalOrder':
      case 'ProposeEnding':
      case 'ProposeExtension':
      case 'VerifyChange':
      case 'RejectChange':
        return this.#stepOfOrder(request, command);
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
    const asset = await this.asset(command.asset);
    const recipientExists = await this.#core.streams.inspect(
      `account-${to}`,
      (view) => stateOf(view, 'account').opened,
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
    const named = await streams.inspect(stream, (view) => view.lookup('deposit', command.depositId));
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
    const unknownSubject = await this.#findUnknownSubject(command);
    const assets = await this.#assetsOf(Object.keys(command.instrument.scope.limits ?? {}));
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

  async #findUnknownSubject({
    instrument,
  }: RegisterLegalOrder): Promise<{ kind: 'account' | 'party'; id: string } | undefined> {
    for (const subject of instrument.subjects) {
      const { kind } = subject;
      const id = kind === 'account' ? subject.accountId : subject.partyId;
      const exists = await this.#core.streams.inspect(`${kind}-${id}`, (view) =>
        kind === 'account' ? stateOf(view, 'account').opened : stateOf(view, 'party').registered !== undefined,
      );
      if (!exists) return { kind, id };
    }
    return undefined;
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
    if (comesOrGoes && outcome.status === 'accepted') await this.#followUp(command.orderId);
    return outcome;
  }

  /**
   * What follows from an order that comes into force or ends (parties named, freezes lifted) is done before the answer, so
   * that who saw the answer sees it done. It is bounded: what takes longer the supervisor finishes.
   */
  async #followUp(orderId: string): Promise<void> {
    const tended = this.supervisor.tendOrder(orderId).catch((error: unknown) => {
      this.#watch.failed({ kind: 'order', id: orderId }, error);
    });
    await Promise.race([tended, this.#core.machine.sleep(FOLLOW_UP_MS)]);
  }

  async #lift(
    request: CommandRequest,
    command: Extract<LedgerCommand, { type: 'RequestLift' | 'ApproveLift' | 'RejectLift' }>,
  ): Promise<Outcome> {
    const accountId = await this.#accountOfFreeze(command.freezeId);
    if (accountId === undefined) return rejectedOutcome(reject('freeze-not-found', 'there is no such freeze'));
    return this.#onAccount(request, { ...command, accountId });
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

  /** A freeze belongs to one account for good: found in the index, or among what the index has not taken in yet. */
  async #accountOfFreeze(freezeId: string): Promise<string | undefined> {
    const { index, store } = this.#core;
    let after = index.checkpoint();
    const indexed = index.accountOfFreeze(freezeId);
    if (indexed !== undefined) return indexed;
    for (;;) {
      const page = await store.readAll({
        limit: 1_000,
        filter: { types: ['AccountFrozen', 'FreezeAbandoned'] },
        ...(after === undefined ? {} : { after }),
      });
      for (const event of page.events) {
        const data = event.data as { freezeId?: unknown; accountId?: unknown } | null;
        if (data?.freezeId === freezeId && typeof data.accountId === 'string') return data.accountId;
      }
      if (page.atEnd) return undefined;
      after = page.scannedTo;
    }
  }

  async asset(code: string): Promise<Asset | undefined> {
    const known = this.#assets.get(code);
    if (known !== undefined) return known;
    const asset = await this.#core.streams.inspect(`asset-${code}`, (view) => {
      const { registered } = stateOf(view, 'asset');
      return registered === undefined ? undefined : { code: registered.code, scale: registered.scale };
    });
    if (asset !== undefined) this.#assets.set(code, asset);
    return asset;
  }

  async history(stream: string, toRevision: number): Promise<readonly RecordedEvent[]> {
    const fold = new StreamFold(stream, this.#citations);
    const events: RecordedEvent[] = [];
    for (const recorded of await this.#core.store.read(stream, { to: toRevision })) {
      const { event } = await fold.apply(recorded);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    return eventAt(this.#core.store, pointer);
  }
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
