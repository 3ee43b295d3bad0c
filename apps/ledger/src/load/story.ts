import { decideAsset, evolveAsset, initialAssetState, type AssetEvent, type AssetState } from '#assets';
import type { Asset } from '#kernel';
import { accepted, AccountSteps, type MadeAccount } from './account-steps.ts';
import { MadeLog, newStream, type EventSink } from './made-log.ts';
import { OrderSteps } from './order-steps.ts';
import { MAKER } from './people.ts';
import { SeededRandom } from './random.ts';

/** What a made log holds. The same numbers give the same log, to the byte. */
export interface StoryOptions {
  readonly accounts: number;
  /** In all. At least `leastEvents(accounts)`. */
  readonly events: number;
  readonly seed: number;
}

const ASSETS: readonly (Asset & { readonly kind: 'crypto' | 'fiat' })[] = [
  { code: 'BTC', scale: 8, kind: 'crypto' },
  { code: 'ETH', scale: 18, kind: 'crypto' },
  { code: 'EUR', scale: 2, kind: 'fiat' },
];

/** When a made log begins, and how long it lasts: about half a year. */
const START_MS = Date.UTC(2024, 0, 1);
const LENGTH_MS = 180 * 86_400_000;
const EVENTS_OF_AN_OPENING = 4;
/** No step has more events: when no more are left there are deposits only, one at a time. */
const LARGEST_STEP = 64;
/** All accounts are open by the time that this part of the log is made. */
const OPENING_PART = 0.4;
/** Most orders in force at once. */
const MOST_ORDERS = 500;

/** The fewest events that a log of so many accounts has. */
export function leastEvents(accounts: number): number {
  return ASSETS.length + EVENTS_OF_AN_OPENING * accounts + 2 * LARGEST_STEP;
}

/**
 * Makes a log such as months of a custodian's work leave: accounts that are opened over time, a few of them much busier than
 * the rest; deposits, withdrawals step by step, transfers, orders with freezes and their ends, refusals. Nothing is left
 * half done. Call `step` until it says that it is over.
 */
export class Story {
  readonly #options: StoryOptions;
  readonly #log: MadeLog;
  readonly #random: SeededRandom;
  readonly #accountSteps: AccountSteps;
  readonly #orderSteps: OrderSteps;
  readonly #accounts: MadeAccount[] = [];

  /** @throws RangeError for fewer events than the accounts need */
  constructor(options: StoryOptions, sink: EventSink) {
    if (options.accounts < 1 || options.events < leastEvents(options.accounts)) {
      throw new RangeError('a log has an account, and the events that its accounts need');
    }
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#log = new MadeLog(sink, this.#random, START_MS);
    this.#accountSteps = new AccountSteps(this.#log, this.#random, ASSETS);
    this.#orderSteps = new OrderSteps(this.#log, this.#random);
  }

  /** How many events were made. */
  get events(): number {
    return this.#log.events;
  }

  /** Makes a few events more. @returns false when all were made */
  step(): boolean {
    const { events } = this.#options;
    if (this.#log.events === 0) this.#registerAssets();
    else if (this.#opensNext()) this.#accounts.push(this.#accountSteps.open(this.#accounts.length + 1));
    else if (events - this.#log.events <= LARGEST_STEP) this.#accountSteps.deposit(this.#someAccount());
    else this.#somethingHappens();
    this.#log.wait((2 * this.#random.fraction() * LENGTH_MS) / events);
    return this.#log.events < events;
  }

  #registerAssets(): void {
    for (const { code, scale, kind } of ASSETS) {
      const stream = newStream<AssetState, AssetEvent>(`asset-${code}`, initialAssetState(), evolveAsset);
      const content = { code, kind, scale };
      const origin = this.#log.asked({ actor: MAKER, homeStream: stream.name, path: '/v1/assets', content });
      const command = { type: 'RegisterAsset', code, scale, kind } as const;
      const decision = decideAsset(command, stream.state, { now: this.#log.now, actor: MAKER });
      this.#log.append(stream, accepted(decision), origin);
    }
  }

  /** Accounts are opened evenly over the first part of the log, and in time when there is room for little else. */
  #opensNext(): boolean {
    const { accounts, events } = this.#options;
    const missing = accounts - this.#accounts.length;
    if (missing === 0) return false;
    const due = (this.#log.events / (events * OPENING_PART)) * accounts;
    const room = events - this.#log.events - EVENTS_OF_AN_OPENING * missing;
    return this.#accounts.length === 0 || this.#accounts.length < due || room <= 2 * LARGEST_STEP;
  }

  #somethingHappens(): void {
    const roll = this.#random.below(10_000);
    const { canAdvance, canReserve } = this.#accountSteps;
    if (roll < 6) this.#orderSteps.end();
    else if (roll < 16 && this.#orderSteps.inForce < MOST_ORDERS) this.#orderSteps.freeze(this.#someAccount());
    else if (roll < 800) this.#accountSteps.transfer(this.#someAccount(), this.#someAccount());
    else if (roll < 2_400 && canReserve) this.#accountSteps.reserve(this.#someAccount());
    else if (roll < 5_400 && canAdvance) this.#accountSteps.advance();
    else this.#accountSteps.deposit(this.#someAccount());
  }

  /** The first accounts are much busier than the last. */
  #someAccount(): MadeAccount {
    const at = Math.floor(this.#random.fraction() ** 2 * this.#accounts.length);
    const account = this.#accounts[at];
    if (account === undefined) throw new Error('a made log has no account yet');
    return account;
  }
}
