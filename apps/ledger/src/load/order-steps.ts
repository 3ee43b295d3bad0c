import { liftByBasis, settleFreeze } from '#accounts';
import { basisState } from '#freezes';
import { basisStream, toMs, toTimestamp, type Basis, type Recorded } from '#kernel';
import {
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  type FreezeAuthorised,
  type LegalOrderCommand,
  type LegalOrderEvent,
  type LegalOrderState,
  type RequestedInstrument,
} from '#legal-orders';
import { attachmentOf, decideParty } from '#parties';
import { accepted, type MadeAccount } from './account-steps.ts';
import { newStream, type MadeLog, type MadeOrigin, type MadeStream } from './made-log.ts';
import { CHECKER, MAKER } from './people.ts';
import type { SeededRandom } from './random.ts';

/** An order in force, and the account that is frozen under it. */
interface MadeOrder {
  readonly orderId: string;
  readonly stream: MadeStream<LegalOrderState, LegalOrderEvent>;
  readonly account: MadeAccount;
  readonly namesParty: boolean;
  readonly freezeId: string;
}

const ORDERS = '/v1/admin/legal-orders';
const DAY_MS = 86_400_000;

/** What happens because of legal orders: each is registered, verified, and one account is frozen under it; many end later. */
export class OrderSteps {
  readonly #log: MadeLog;
  readonly #random: SeededRandom;
  readonly #inForce: MadeOrder[] = [];
  #orders = 0;

  constructor(log: MadeLog, random: SeededRandom) {
    this.#log = log;
    this.#random = random;
  }

  get inForce(): number {
    return this.#inForce.length;
  }

  /** Four or five events, and one for each withdrawal that is stopped. */
  freeze(account: MadeAccount): void {
    this.#orders += 1;
    const orderId = `ord-${String(this.#orders)}`;
    const basis: Basis = { kind: 'legal-order', id: orderId };
    const stream = newStream<LegalOrderState, LegalOrderEvent>(
      basisStream(basis),
      initialLegalOrderState(),
      evolveLegalOrder,
    );
    const namesParty = this.#random.below(3) === 0;
    this.#register(stream, orderId, account, namesParty);
    if (namesParty) this.#followNaming(stream, orderId, account);
    const authorisation = this.#authorise(stream, orderId, account, namesParty);
    const settled = settleFreeze({
      authorisation,
      basis,
      state: account.stream.state,
      opening: false,
      keyStands: false,
      basisEnded: false,
      lostBy: () => undefined,
      by: 'handler',
      now: this.#log.now,
    });
    if (typeof settled === 'string') throw new Error(`a freeze of a made log came to ${settled}`);
    const { key, commandHash, correlationId } = authorisation.metadata;
    const origin: MadeOrigin = { actor: MAKER, correlationId, causationId: authorisation.id, key, commandHash };
    this.#log.append(account.stream, settled.events, origin);
    this.#inForce.push({ orderId, stream, account, namesParty, freezeId: authorisation.id });
  }

  #register(stream: MadeOrder['stream'], orderId: string, account: MadeAccount, namesParty: boolean): void {
    const instrument = this.#instrument(orderId, account, namesParty);
    this.#onOrder(stream, { type: 'RegisterLegalOrder', orderId, instrument }, MAKER, ORDERS, instrument);
    const method = 'called the court';
    const path = `${ORDERS}/${orderId}/verification`;
    this.#onOrder(stream, { type: 'VerifyLegalOrder', orderId, method }, CHECKER, path, { method });
  }

  #instrument(orderId: string, { accountId, party }: MadeAccount, namesParty: boolean): RequestedInstrument {
    const receivedAt = this.#log.now;
    const issuedAt = toTimestamp(toMs(receivedAt) - DAY_MS);
    return {
      effect: 'restrain',
      orderId,
      kind: this.#random.oneOf(['freezing-order', 'restraint-order', 'account-freezing-order']),
      authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
      caseReference: `CL-${this.#random.hex()}`,
      statute: 'Senior Courts Act 1981 s.37',
      subjects: [
        namesParty ? { kind: 'party', partyId: party.name.slice('party-'.length) } : { kind: 'account', accountId },
      ],
      scope: { direction: this.#random.oneOf(['debit', 'debit', 'both', 'credit']), assets: 'all' },
      issuedAt,
      receivedAt,
      effectiveAt: issuedAt,
      documentSha256: Array.from({ length: 8 }, () => this.#random.hex()).join(''),
    };
  }

  #authorise(
    stream: MadeOrder['stream'],
    orderId: string,
    { accountId, party, stream: { name: homeStream, state } }: MadeAccount,
    namesParty: boolean,
  ): Recorded<FreezeAuthorised> {
    const { listedBy } = stream.state;
    const attachment = namesParty ? attachmentOf(party.state, accountId, state.openedKey ?? undefined) : undefined;
    const namedBy = attachment?.pointer ?? listedBy;
    if (namedBy === undefined) throw new Error('an order of a made log lists nobody');
    const tie = namesParty ? { namedBy, partyId: party.name.slice('party-'.length) } : { namedBy };
    const content = { basis: { kind: 'legal-order', id: orderId } };
    const path = `/v1/admin/accounts/${accountId}/freezes`;
    const origin = this.#log.asked({ actor: MAKER, homeStream, path, content });
    const context = { now: this.#log.now, actor: MAKER, tie, endedFreezes: [] };
    const command = { type: 'AuthoriseFreeze', orderId, accountId } as const;
    const [event] = this.#log.append(stream, accepted(decideLegalOrder(command, stream.state, context)), origin);
    if (event?.type !== 'FreezeAuthorised') throw new Error('a made order authorises no freeze');
    return event;
  }

  /** The order that came first ends, and with it what rests on it. Three events or more. */
  end(): void {
    const order = this.#inForce.shift();
    if (order === undefined) return;
    const { orderId, stream, account, namesParty, freezeId } = order;
    const proposal = {
      changeId: 'chg-1',
      how: 'discharged',
      documentSha256: 'd'.repeat(64),
      issuedAt: this.#log.now,
      reference: 'consent order',
    } as const;
    const changes = `${ORDERS}/${orderId}/changes`;
    this.#onOrder(stream, { type: 'ProposeEnding', orderId, ...proposal }, MAKER, changes, {
      kind: 'ending',
      ...proposal,
    });
    const verification = { type: 'VerifyChange', orderId, changeId: 'chg-1', method: 'sealed copy' } as const;
    this.#onOrder(stream, verification, CHECKER, `${changes}/chg-1/verification`, { method: verification.method });
    const { ended } = basisState({ kind: 'legalOrder', state: stream.state }, orderId);
    if (ended === undefined) throw new Error('a made order has not ended');
    const lifted = liftByBasis(account.stream.state, freezeId, 'basis-ended', ended);
    this.#log.append(account.stream, lifted, this.#log.caused(ended.pointer.eventId));
    if (namesParty) this.#followNaming(stream, orderId, account);
  }

  #followNaming(stream: MadeOrder['stream'], orderId: string, { party }: MadeAccount): void {
    const state = basisState({ kind: 'legalOrder', state: stream.state }, orderId);
    const { basis, terms, ended } = state;
    const naming = { basis, terms, ended, inForce: state.inForceBy(this.#log.now) !== undefined };
    const partyId = party.name.slice('party-'.length);
    const context = { now: this.#log.now, actor: MAKER };
    const events = accepted(decideParty({ type: 'FollowBasis', partyId, naming }, party.state, context));
    const [first] = events;
    if (first === undefined || !('citation' in first.data)) return;
    this.#log.append(party, events, this.#log.caused(first.data.citation.eventId, orderId));
  }

  #onOrder(
    stream: MadeOrder['stream'],
    command: LegalOrderCommand,
    actor: typeof MAKER,
    path: string,
    content: object,
  ): void {
    const origin = this.#log.asked({ actor, homeStream: stream.name, path, content });
    const decision = decideLegalOrder(command, stream.state, { now: this.#log.now, actor });
    this.#log.append(stream, accepted(decision), origin);
  }
}
