import { incomingName, returnTransfer, settleTransfer, type AccountEvent } from '#accounts';
import { SUPERVISOR, toMs, type Recorded } from '#kernel';
import type { Core } from './core.ts';
import { checkedEvent } from './outcome.ts';
import type { Draft, Origin, Task } from './plan.ts';
import { stateOf } from './streams.ts';

type Of<Type extends AccountEvent['type']> = Recorded<Extract<AccountEvent, { type: Type }>>;

/** A transfer by its identity: the account that sent it, and its id there. */
export interface TransferName {
  readonly from: string;
  readonly transferId: string;
}

/**
 * Takes transfers that were sent to their end (DOMAIN, "Transfer"). The stream of the receiving account is the arbiter: on it
 * exactly one of TransferReceived and TransferRefused stands for each; after a refusal, and only then, TransferReturned
 * follows on the sender's. Handler and supervisor do the same.
 */
export class Transferring {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Does what is left to do for a transfer; nothing for one that was never sent. */
  async finish({ from, transferId }: TransferName): Promise<void> {
    const { streams, store } = this.#core;
    const stream = `account-${from}`;
    const named = await streams.inspect(stream, (view) => view.lookup('outgoing', transferId), 'in-line');
    const sent = named === undefined ? undefined : await checkedEvent(store, stream, named.revision);
    if (sent?.type !== 'TransferSent') return;
    const outcome = await this.#decide(sent as Of<'TransferSent'>);
    if (outcome.type === 'TransferRefused') await this.#return(outcome);
  }

  /** On the receiver's stream: what it decided already, or decides now. */
  async #decide(sent: Of<'TransferSent'>): Promise<Of<'TransferReceived' | 'TransferRefused'>> {
    const { streams, store } = this.#core;
    const { accountId: from, to, transferId } = sent.data;
    const stream = `account-${to}`;
    const settle: Task<number> = (view) => {
      const decided = view.lookup('incoming', incomingName(from, transferId));
      if (decided !== undefined) return { result: decided.revision };
      const event: Draft = settleTransfer(sent, stateOf(view, 'account'));
      const nowMs = view.time(toMs(sent.metadata.recordedAt));
      return { append: [event], origin: causedBy(sent), nowMs, answer: ([decision]) => decision?.revision ?? -1 };
    };
    const revision = await streams.decide(stream, settle, 'in-line');
    return (await checkedEvent(store, stream, revision)) as Of<'TransferReceived' | 'TransferRefused'>;
  }

  /** On the sender's stream, once. */
  async #return(refused: Of<'TransferRefused'>): Promise<void> {
    const { from, transferId } = refused.data;
    const giveBack: Task<undefined> = (view) => {
      if (view.lookup('returned', transferId) !== undefined) return { result: undefined };
      const nowMs = view.time(toMs(refused.metadata.recordedAt));
      return { append: [returnTransfer(refused)], origin: causedBy(refused), nowMs, answer: () => undefined };
    };
    await this.#core.streams.decide(`account-${from}`, giveBack, 'in-line');
  }
}

/** What follows from a transfer that was sent is the service's own doing: nobody asks for it a second time. */
function causedBy(event: Of<'TransferSent' | 'TransferRefused'>): Origin {
  const { correlationId } = event.metadata;
  return { actor: SUPERVISOR, correlationId, causationId: event.id, key: null, commandHash: null };
}
