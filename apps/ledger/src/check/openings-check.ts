import type { AccountEvent, AccountState } from '#accounts';
import { sha256Hex, type Recorded } from '#kernel';
import { attachmentOf, openingKey, type Opening, type PartyEvent, type PartyState } from '#parties';

type Of<Type extends (AccountEvent | PartyEvent)['type']> = Recorded<
  Extract<AccountEvent | PartyEvent, { type: Type }>
>;
type OpeningEvent = Of<'AccountAttached'> | Of<'AccountDetached'> | Of<'AccountOpened'>;

/** The states of streams, as far as they were judged; undefined of those that are not known. */
export interface KnownStates {
  readonly account: (accountId: string) => AccountState | undefined;
  readonly party: (partyId: string) => PartyState | undefined;
}

/** What openings came to. */
export interface Openings {
  /** @param event legal on its own stream, and folded. @returns what is wrong with it, if that can be seen */
  take(event: OpeningEvent): string | undefined;
  /** Attachments that neither became a holder of an account nor were undone; 0 where that can't be seen. */
  readonly underWay: number;
  /** What is left of a sum over all events, for who adds it to those of others; nothing where all was seen. */
  readonly left: bigint;
}

/**
 * Holds each `AccountOpened` against what has to stand before it on the streams of its holders: `AccountAttached` of this very
 * opening, and none undone since (DOMAIN, "Opening"). For who sees all streams, in the log's order.
 */
export class OpeningsCheck implements Openings {
  readonly left = 0n;
  readonly #states: KnownStates;
  #underWay = 0;

  constructor(states: KnownStates) {
    this.#states = states;
  }

  get underWay(): number {
    return this.#underWay;
  }

  take(event: OpeningEvent): string | undefined {
    switch (event.type) {
      case 'AccountAttached':
        this.#underWay += 1;
        return undefined;
      case 'AccountOpened':
        return this.#onOpened(event);
      case 'AccountDetached':
        return this.#onDetached(event);
    }
  }

  #onOpened({ data: { accountId, holders }, metadata: { key } }: Of<'AccountOpened'>): string | undefined {
    const untied = holders.filter(({ partyId }) => {
      const party = this.#states.party(partyId);
      const attachment = key === null ? undefined : party && attachmentOf(party, accountId, key);
      if (attachment === undefined) return true;
      this.#underWay -= 1;
      return nameOf(attachment.opening.holders) !== nameOf(holders);
    });
    if (untied.length === 0) return undefined;
    return `opened without being attached by that opening to ${untied.map(({ partyId }) => partyId).join(', ')}`;
  }

  #onDetached({ data: { accountId, partyId, key } }: Of<'AccountDetached'>): string | undefined {
    const opened = this.#states.account(accountId)?.openedKey;
    if (opened?.caller === key.caller && opened.value === key.value)
      return `detached from ${partyId}, and was opened by that opening`;
    this.#underWay -= 1;
    return undefined;
  }
}

/**
 * The same for who sees some of the streams: sums over all of which nothing is left where each attachment became a holder or was
 * undone, and nothing else did. Says nothing of which did not, nor of what came first.
 */
export class OpeningsTally implements Openings {
  readonly underWay = 0;
  readonly #states: Pick<KnownStates, 'party'>;
  #sum = 0n;

  constructor(states: Pick<KnownStates, 'party'>) {
    this.#states = states;
  }

  get left(): bigint {
    return this.#sum;
  }

  take(event: OpeningEvent): undefined {
    switch (event.type) {
      case 'AccountAttached':
        this.#sum += numberOf(event.data.partyId, event.data.opening);
        return undefined;
      case 'AccountDetached': {
        const { accountId, partyId, key } = event.data;
        const undone = this.#states.party(partyId)?.attachments.get(openingKey(key, accountId));
        if (undone !== undefined) this.#sum -= numberOf(partyId, undone.opening);
        return undefined;
      }
      case 'AccountOpened': {
        const { accountId, holders } = event.data;
        const key = event.metadata.key ?? { caller: '', value: '' };
        for (const { partyId } of holders) this.#sum -= numberOf(partyId, { accountId, holders, key });
        return undefined;
      }
    }
  }
}

/** Another one for each attachment: hashed, so that nobody finds some that add up to others. */
function numberOf(partyId: string, { accountId, holders, key }: Omit<Opening, 'commandHash'>): bigint {
  return BigInt(`0x${sha256Hex(JSON.stringify([partyId, openingKey(key, accountId), nameOf(holders)]))}`);
}

function nameOf(holders: Opening['holders']): string {
  return JSON.stringify(holders.map(({ partyId, capacity }) => [partyId, capacity]));
}
