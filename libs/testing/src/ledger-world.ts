import {
  createLedger,
  type AgendaMemoryOptions,
  type CommandRequest,
  type FreezeAllNamed,
  type Ledger,
  type LedgerCommand,
  type Limits,
  type Machine,
  type Outcome,
  type OutcomeOfAll,
  type SnapshotOptions,
} from '#command-handling';
import type { AuthorityRequestCommand, Letter } from '#authority-requests';
import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { canonicalJson, sha256Hex, toMs, uuidv7, type Actor, type Clock, type RecordedEvent } from '#kernel';
import type { Instrument, ProposeVariation, ReleaseInstrument } from '#legal-orders';
import type { HomeStreamIndex } from '#replay';

/** A clock that stands until it is told to move. */
export class TestClock implements Clock {
  #nowMs: number;
  constructor(start = '2022-02-15T12:00:00.000Z') {
    this.#nowMs = toMs(start);
  }
  now(): number {
    return this.#nowMs;
  }
  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** An index that has taken in nothing: everything is found in memory. */
export const emptyIndex: HomeStreamIndex = {
  indexedRevision: () => -1,
  lookup: () => undefined,
  accountOfFreeze: () => undefined,
  hitsOf: () => [],
  partiesControlling: () => [],
  isLegal: () => false,
  checkpoint: () => undefined,
};

export const maker: Actor = { id: 'maker', roles: ['ops'] };
export const checker: Actor = { id: 'checker', roles: ['approver'] };
export const service: Actor = { id: 'payments', roles: ['service'] };

export interface LedgerWorldOptions {
  readonly store?: EventStore;
  readonly clock?: TestClock;
  readonly index?: HomeStreamIndex;
  readonly limits?: Partial<Limits>;
  readonly sleep?: Machine['sleep'];
  readonly newId?: Machine['newId'];
  /** Default: none are made. */
  readonly snapshots?: SnapshotOptions;
  /** Default: the supervisor remembers nothing. */
  readonly agendaMemory?: AgendaMemoryOptions;
  /** Told of every step of the supervisor that fails; by default the failure is thrown on. */
  readonly onFailure?: (error: unknown) => void;
  /** Told of what the step was about. */
  readonly onFailedItem?: (item: object) => void;
  /** Told of commands that were turned down because a stream is not what was recorded. */
  readonly onDamaged?: (error: unknown) => void;
}

/** The command side over a store, with the time and the keys in the hands of a test. */
export class LedgerWorld {
  readonly store: EventStore;
  readonly clock: TestClock;
  readonly ledger: Ledger;
  readonly failures: unknown[] = [];
  #keys = 0;

  constructor(options: LedgerWorldOptions = {}) {
    this.store = options.store ?? new MemoryEventStore();
    this.clock = options.clock ?? new TestClock();
    const clock = this.clock;
    this.ledger = createLedger({
      store: this.store,
      index: options.index ?? emptyIndex,
      machine: {
        clock,
        newId: options.newId ?? uuidv7,
        sleep: options.sleep ?? (() => new Promise((resolve) => setImmediate(resolve))),
      },
      limits: options.limits,
      snapshots: options.snapshots,
      agendaMemory: options.agendaMemory,
      watch: {
        failed: (item, error) => {
          options.onFailedItem?.(item);
          (options.onFailure ?? ((failure) => this.failures.push(failure)))(error);
        },
        damaged: (error) => options.onDamaged?.(error),
      },
    });
  }

  /** Runs a command under a key (a new one if none is given), as `maker` unless told otherwise. */
  ask(command: LedgerCommand, options: { actor?: Actor; key?: string; ifMatch?: number } = {}): Promise<Outcome> {
    return this.ledger.execute(
      requestFor(command, { key: options.key ?? `key-${String((this.#keys += 1))}`, ...options }),
    );
  }

  /** Freezes all that a basis names, under a key (a new one if none is given), as `maker`. */
  freezeAll(command: Omit<FreezeAllNamed, 'type'>, key = `key-${String((this.#keys += 1))}`): Promise<OutcomeOfAll> {
    return this.ledger.freezeAllNamed(requestFor({ type: 'FreezeAllNamed', ...command }, { key }));
  }

  /** Runs a command that has to be accepted. */
  async accept(
    command: LedgerCommand,
    options: { actor?: Actor; key?: string } = {},
  ): Promise<readonly RecordedEvent[]> {
    const outcome = await this.ask(command, options);
    if (outcome.status !== 'accepted') throw new Error(`${command.type} was rejected: ${outcome.rejection.code}`);
    return outcome.events;
  }

  /** The whole log. */
  async log(): Promise<readonly RecordedEvent[]> {
    return (await this.store.readAll({ limit: 100_000 })).events;
  }

  /** An asset, an identified party and an open account that it owns. */
  async openAccount(accountId = 'acc-1', partyId = 'p-1'): Promise<void> {
    await this.ask({ type: 'RegisterAsset', code: 'BTC', scale: 8, kind: 'crypto' });
    await this.accept({ type: 'RegisterParty', partyId, kind: 'person', externalRef: `ref-${partyId}` });
    await this.accept(identification(partyId));
    await this.accept({ type: 'OpenAccount', accountId, holders: [{ partyId, capacity: 'owner' }] });
  }

  /** A registered order; verified too unless told otherwise. */
  async putOrder(changes: Partial<Instrument> = {}, verified = true): Promise<void> {
    const instrument = orderNaming(changes);
    const { orderId } = instrument;
    await this.accept({ type: 'RegisterLegalOrder', orderId, instrument });
    if (verified) await this.accept({ type: 'VerifyLegalOrder', orderId, method: 'call-back' }, { actor: checker });
  }

  /** Ends an order by two people. */
  async endOrder(orderId = 'ord-1', changeId = 'chg-1'): Promise<void> {
    await this.accept(endingProposal(orderId, changeId));
    await this.accept({ type: 'VerifyChange', orderId, changeId, method: 'sealed copy' }, { actor: checker });
  }
}

export function requestFor<Command>(
  command: Command,
  { actor = maker, key, ifMatch }: { actor?: Actor; key: string; ifMatch?: number },
): CommandRequest<Command> {
  const commandHash = sha256Hex(canonicalJson(JSON.parse(JSON.stringify(command))));
  return { command, actor, correlationId: `correlation-${key}`, idempotencyKey: key, commandHash, ifMatch };
}

export function identification(partyId: string): LedgerCommand {
  const evidenceSha256 = sha256Hex(partyId);
  return {
    type: 'IdentifyParty',
    partyId,
    method: 'passport',
    evidenceSha256,
    identifiedAt: '2022-01-01T00:00:00.000Z',
  };
}

/** An order of 15 February 2022 that names `acc-1`, with what a test wants otherwise. */
export function orderNaming(changes: Partial<Instrument> = {}): Instrument {
  return {
    orderId: 'ord-1',
    kind: 'freezing-order',
    effect: 'restrain',
    authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
    caseReference: 'CL-2022-000123',
    statute: 'Senior Courts Act 1981 s.37',
    subjects: [{ kind: 'account', accountId: 'acc-1' }],
    scope: { direction: 'debit', assets: 'all' },
    issuedAt: '2022-02-14T09:00:00.000Z',
    receivedAt: '2022-02-15T09:00:00.000Z',
    effectiveAt: '2022-02-14T09:00:00.000Z',
    documentSha256: sha256Hex('order'),
    ...changes,
  };
}

/** An order of the same day that releases freezes or accounts. */
export function releaseNaming(releases: ReleaseInstrument['releases'], orderId = 'rel-1'): ReleaseInstrument {
  const { subjects: _subjects, scope: _scope, ...rest } = orderNaming({ orderId });
  return { ...rest, effect: 'release', releases };
}

/** Registers a letter that asks who holds some addresses, with what a test wants otherwise. */
export function letterRegistration(
  requestId = 'req-1',
  changes: Partial<Letter> = {},
): Extract<AuthorityRequestCommand, { type: 'RegisterAuthorityRequest' }> {
  const letter: Letter = {
    requestId,
    kind: 'disclosure',
    authority: { name: 'Financial intelligence unit', jurisdiction: 'UA' },
    reference: '22/01-2',
    subject: 'the holders of some addresses',
    receivedAt: '2022-02-15T09:00:00.000Z',
    documentSha256: sha256Hex('letter'),
    ...changes,
  };
  return { type: 'RegisterAuthorityRequest', requestId, letter };
}

export function endingProposal(orderId = 'ord-1', changeId = 'chg-1'): LedgerCommand {
  return {
    type: 'ProposeEnding',
    orderId,
    changeId,
    how: 'discharged',
    documentSha256: sha256Hex('discharge'),
    issuedAt: '2022-02-15T10:00:00.000Z',
    reference: 'discharge of 15 February',
  };
}

/** What a variation is to change. */
export type Varied = Pick<ProposeVariation, 'subjects' | 'scope'>;

export function variation(changeId: string, varied: Varied, orderId = 'ord-1'): LedgerCommand {
  return {
    type: 'ProposeVariation',
    orderId,
    changeId,
    ...varied,
    documentSha256: sha256Hex(changeId),
    issuedAt: '2022-02-15T10:00:00.000Z',
    reference: 'variation of 15 February',
  };
}

/** Varies an order by two people. */
export async function varyOrder(
  world: LedgerWorld,
  varied: Varied,
  changeId = 'chg-1',
  orderId = 'ord-1',
): Promise<void> {
  await world.accept(variation(changeId, varied, orderId));
  await world.accept({ type: 'VerifyChange', orderId, changeId, method: 'sealed copy' }, { actor: checker });
}
