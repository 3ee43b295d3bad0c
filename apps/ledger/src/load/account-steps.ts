import {
  balanceOf,
  decideAccount,
  evolveAccount,
  initialAccountState,
  returnTransfer,
  settleTransfer,
  type AccountCommand,
  type AccountEvent,
  type AccountState,
} from '#accounts';
import {
  formatUnits,
  isRecorded,
  isRejection,
  normaliseDecimal,
  type Asset,
  type Holder,
  type Recorded,
  type Rejection,
} from '#kernel';
import { decideParty, evolveParty, initialPartyState, type PartyEvent, type PartyState } from '#parties';
import { newStream, type MadeLog, type MadeOrigin, type MadeStream } from './made-log.ts';
import { SERVICE } from './people.ts';
import type { SeededRandom } from './random.ts';

export type AccountStream = MadeStream<AccountState, AccountEvent>;
export type PartyStream = MadeStream<PartyState, PartyEvent>;

/** An account, and the parties that hold it. */
export interface MadeAccount {
  readonly accountId: string;
  readonly stream: AccountStream;
  readonly party: PartyStream;
}

/** A withdrawal that is not over. */
interface OpenWithdrawal {
  readonly account: MadeAccount;
  readonly withdrawalId: string;
}

type Command<Type extends AccountCommand['type']> = Extract<AccountCommand, { readonly type: Type }>;

/** Most withdrawals that are open at once in the whole log. */
const MOST_OPEN = 2_000;
/** Most of one account: a freeze stops them all at once. */
const MOST_OPEN_OF_ONE = 20;
/** Of a hundred withdrawals so many are called off. */
const CANCELLED_PER_CENT = 6;

/** What callers of the role `service` do to accounts: each step is decided by the rules of the domain. */
export class AccountSteps {
  readonly #log: MadeLog;
  readonly #random: SeededRandom;
  readonly #assets: readonly Asset[];
  /** Those that go on next come first. */
  #open: OpenWithdrawal[] = [];
  #next = 0;
  #names = 0;

  constructor(log: MadeLog, random: SeededRandom, assets: readonly Asset[]) {
    this.#log = log;
    this.#random = random;
    this.#assets = assets;
  }

  get canAdvance(): boolean {
    return this.#open.length - this.#next > 0;
  }

  get canReserve(): boolean {
    return this.#open.length - this.#next < MOST_OPEN;
  }

  /** A party becomes known, is identified, and opens an account. Four events. */
  open(number: number): MadeAccount {
    const [accountId, partyId] = [`acc-${String(number)}`, `party-${String(number)}`];
    const party = newStream<PartyState, PartyEvent>(`party-${partyId}`, initialPartyState(), evolveParty);
    const kind = this.#random.below(5) === 0 ? 'organisation' : 'person';
    const registration = { partyId, kind, externalRef: `crm-${this.#random.hex()}` } as const;
    const identification = {
      method: this.#random.oneOf(['passport', 'video', 'register']),
      evidenceSha256: this.#sha256(),
      identifiedAt: this.#log.now,
    };
    this.#onParty(party, { type: 'RegisterParty', ...registration }, '/v1/parties', registration);
    const path = `/v1/parties/${partyId}/identification`;
    this.#onParty(party, { type: 'IdentifyParty', partyId, ...identification }, path, identification);
    const stream = newStream<AccountState, AccountEvent>(`account-${accountId}`, initialAccountState(), evolveAccount);
    this.#attachAndOpen(accountId, party, stream);
    return { accountId, stream, party };
  }

  #attachAndOpen(accountId: string, party: PartyStream, stream: AccountStream): void {
    const partyId = party.name.slice('party-'.length);
    const holders: Holder[] = [{ partyId, capacity: 'owner' }];
    const content = { accountId, holders };
    const asked = this.#log.asked({ actor: SERVICE, homeStream: stream.name, path: '/v1/accounts', content });
    const { caller, value } = asked.key ?? { caller: '', value: '' };
    const opening = { accountId, holders, key: { caller, value }, commandHash: asked.commandHash ?? '' };
    const context = { now: this.#log.now, actor: SERVICE };
    const attached = accepted(decideParty({ type: 'AttachAccount', partyId, opening }, party.state, context));
    const [attachment] = this.#log.append(party, attached, asked);
    const origin: MadeOrigin = { ...asked, causationId: attachment?.id ?? null };
    this.#log.append(stream, [{ type: 'AccountOpened', data: { accountId, holders } }], origin);
  }

  /** One event. */
  deposit({ accountId, stream }: MadeAccount): void {
    const asset = this.#assetFor(stream);
    const depositId = this.#name('dep');
    const tenThousandths = BigInt(100 + this.#random.below(5_000_000));
    const amount = this.#decimal(asset, (tenThousandths * 10n ** BigInt(asset.scale)) / 10_000n);
    const source =
      asset.code === 'EUR'
        ? ({ kind: 'bank', reference: `SCT-${this.#random.hex()}${this.#random.hex()}` } as const)
        : ({ kind: 'onchain', reference: this.#sha256(), chain: CHAINS[asset.code] ?? 'other' } as const);
    const command = { type: 'Deposit', accountId, depositId, asset: asset.code, amount, source } as const;
    const { type: _, accountId: __, ...content } = command;
    this.#decide(stream, command, { path: `/v1/accounts/${accountId}/deposits`, content, asset });
  }

  /** Sets funds aside. One event: the reservation, the refusal of an account that is frozen, or a deposit where there is nothing. */
  reserve(account: MadeAccount): void {
    const { accountId, stream } = account;
    const asset = this.#assetFor(stream);
    const amount = this.#someOf(stream, asset);
    const isBusy = stream.state.openWithdrawals.size >= MOST_OPEN_OF_ONE;
    if (amount === undefined || isBusy) return this.deposit(account);
    const withdrawalId = this.#name('wd');
    const destination =
      asset.code === 'EUR'
        ? ({ kind: 'bank', reference: `IBAN-${this.#random.hex()}` } as const)
        : ({ kind: 'onchain', chain: CHAINS[asset.code] ?? 'other', address: `addr${this.#random.hex()}` } as const);
    const command = {
      type: 'ReserveWithdrawal',
      accountId,
      withdrawalId,
      asset: asset.code,
      amount,
      destination,
    } as const;
    const { type: _, accountId: __, ...content } = command;
    const path = `/v1/accounts/${accountId}/withdrawals`;
    if (this.#decide(stream, command, { path, content, asset }) === 'accepted')
      this.#open.push({ account, withdrawalId });
  }

  /** The withdrawal that waits longest goes one step further. One event, or none when a freeze has stopped it. */
  advance(): void {
    const open = this.#open[this.#next];
    if (open === undefined) return;
    this.#next += 1;
    if (this.#next > MOST_OPEN) {
      this.#open = this.#open.slice(this.#next);
      this.#next = 0;
    }
    const { account, withdrawalId } = open;
    const { accountId, stream } = account;
    const found = stream.state.openWithdrawals.get(withdrawalId);
    if (found === undefined) return;
    const step = (name: string): string => `/v1/accounts/${accountId}/withdrawals/${withdrawalId}/${name}`;
    const about = { accountId, withdrawalId };
    const reference = `tx-${this.#random.hex()}${this.#random.hex()}`;
    if (this.#random.below(100) < CANCELLED_PER_CENT) {
      const command = { type: 'CancelWithdrawal', ...about, reason: 'called off by its owner' } as const;
      this.#decide(stream, command, { path: step('cancellation'), content: { reason: command.reason } });
    } else if (found.status === 'dispatched') {
      const command = { type: 'SettleWithdrawal', ...about, reference } as const;
      this.#decide(stream, command, { path: step('settlement'), content: { reference } });
    } else {
      const command = { type: 'DispatchWithdrawal', ...about, reference } as const;
      this.#decide(stream, command, { path: step('dispatch'), content: { reference } });
      this.#open.push(open);
    }
  }

  /** A transfer, and what became of it: two events, three when it comes back, one when it is refused or there is nothing to send. */
  transfer(from: MadeAccount, to: MadeAccount): void {
    const { accountId, stream } = from;
    const asset = this.#assetFor(stream);
    const amount = this.#someOf(stream, asset);
    if (amount === undefined || from === to) return this.deposit(from);
    const content = { transferId: this.#name('tr'), to: to.accountId, asset: asset.code, amount };
    const command = { type: 'SendTransfer', accountId, ...content } as const;
    const path = `/v1/accounts/${accountId}/transfers`;
    const before = stream.revision;
    if (this.#decide(stream, command, { path, content, asset }) !== 'accepted' || stream.revision === before) return;
    this.#finishTransfer(from, to);
  }

  #finishTransfer(from: MadeAccount, to: MadeAccount): void {
    const sent = this.#last as Recorded<Extract<AccountEvent, { type: 'TransferSent' }>>;
    const decided = settleTransfer(sent, to.stream.state);
    const { correlationId } = sent.metadata;
    const [outcome] = this.#log.append(to.stream, [decided], this.#log.caused(sent.id, correlationId));
    if (outcome?.type !== 'TransferRefused') return;
    this.#log.append(from.stream, [returnTransfer(outcome)], this.#log.caused(outcome.id, correlationId));
  }

  /** The first event of the last command that was accepted. */
  #last: Recorded<AccountEvent> | undefined;

  #decide(
    stream: AccountStream,
    command: Command<AccountCommand['type']>,
    asked: { readonly path: string; readonly content: object; readonly asset?: Asset },
  ): 'accepted' | 'refused' {
    const { path, content, asset } = asked;
    const origin = this.#log.asked({ actor: SERVICE, homeStream: stream.name, path, content });
    const context = { now: this.#log.now, actor: SERVICE, asset, recipientExists: true };
    const decision = decideAccount(command, stream.state, context);
    if (isRejection(decision)) {
      this.#log.append(stream, [refusalOf(command, decision)], origin);
      return 'refused';
    }
    [this.#last] = this.#log.append(stream, decision, origin);
    return 'accepted';
  }

  #onParty(party: PartyStream, command: Parameters<typeof decideParty>[0], path: string, content: object): void {
    const origin = this.#log.asked({ actor: SERVICE, homeStream: party.name, path, content });
    const decision = decideParty(command, party.state, { now: this.#log.now, actor: SERVICE });
    this.#log.append(party, accepted(decision), origin);
  }

  /** Mostly what the account has already. */
  #assetFor({ state }: AccountStream): Asset {
    const asset = this.#assets.find(({ code }) => state.balances.has(code));
    return asset === undefined || this.#random.below(8) === 0 ? this.#random.oneOf(this.#assets) : asset;
  }

  /** Up to a quarter of what is available; undefined when that is nothing. */
  #someOf({ state }: AccountStream, asset: Asset): string | undefined {
    const { available } = balanceOf(state, asset.code);
    const units = (available * BigInt(1 + this.#random.below(25))) / 100n;
    return units === 0n ? undefined : this.#decimal(asset, units);
  }

  #decimal({ scale }: Asset, units: bigint): string {
    return normaliseDecimal(formatUnits(units, scale));
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}-${String(this.#names)}`;
  }

  #sha256(): string {
    return Array.from({ length: 8 }, () => this.#random.hex()).join('');
  }
}

const CHAINS: Readonly<Record<string, string>> = { BTC: 'bitcoin', ETH: 'ethereum' };

/** The events of a decision. @throws Error for a rejection: whoever made the command knew that it is allowed */
export function accepted<Event>(decision: readonly Event[] | Rejection): readonly Event[] {
  if (isRejection(decision)) throw new Error(`a step of a made log is refused: ${decision.code}, ${decision.detail}`);
  return decision;
}

/** @throws Error for a rejection that leaves no trace: the log would be a step short */
function refusalOf({ type: command, ...request }: AccountCommand, rejection: Rejection): AccountEvent {
  const { code, detail, extra } = rejection;
  if (!isRecorded(code)) throw new Error(`a step of a made log is refused: ${code}, ${detail}`);
  return { type: 'CommandRefused', data: { command, code, detail, extra: { ...extra }, request, decidedOn: null } };
}
