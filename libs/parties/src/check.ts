import { basisStream, type Recorded } from '#kernel';
import type { AccountAttached, PartyEvent } from './events.ts';
import { linkName, openingKey, spellingOf, type PartyState } from './state.ts';

/**
 * Says why this event should never be in this state, or undefined when it is legal. What a naming cites is not looked up
 * here: `resolveNaming`.
 */
export function checkParty(state: PartyState, event: Recorded<PartyEvent>): string | undefined {
  if (event.type === 'CommandRefused') return undefined;
  if (event.stream !== `party-${event.data.partyId}`) return 'the party is not the one that the stream is about';
  if (event.type === 'PartyRegistered') {
    return state.registered === undefined ? undefined : 'the party is registered already';
  }
  if (state.registered === undefined) return 'the party is not registered';
  switch (event.type) {
    case 'PartyIdentified':
      return undefined;
    case 'AddressLinked': {
      // In another spelling it was another address once: what was recorded then stays legal.
      const link = state.addresses.get(linkName(event.data, event.data.role));
      const isLinked = link?.spellings.includes(spellingOf(event.data)) === true;
      return isLinked ? 'the address is linked in that role already' : undefined;
    }
    case 'AccountAttached':
      return checkAttachment(state, event.data);
    case 'AccountDetached': {
      const attachment = state.attachments.get(openingKey(event.data.key, event.data.accountId));
      return attachment?.status === 'attached' ? undefined : 'no account stands attached by that opening';
    }
    case 'PartyNamed':
      if (event.data.citation.stream !== basisStream(event.data.basis)) return 'the citation is not of the basis';
      return state.named.has(basisStream(event.data.basis)) ? 'the basis names the party already' : undefined;
    case 'PartyNoLongerNamed':
      if (event.data.citation.stream !== basisStream(event.data.basis)) return 'the citation is not of the basis';
      return state.named.has(basisStream(event.data.basis)) ? undefined : 'the basis does not name the party';
  }
}

function checkAttachment(state: PartyState, data: AccountAttached['data']): string | undefined {
  const { partyId, accountId, capacity, opening } = data;
  if (opening.accountId !== accountId) return 'the opening is of another account';
  const holder = opening.holders.find((entry) => entry.partyId === partyId);
  if (holder?.capacity !== capacity) return 'the opening does not list the party in that capacity';
  if (state.identification === null) return 'the party is not identified';
  if (state.named.size > 0) return 'a basis names the party';
  if (state.attachments.has(openingKey(opening.key, accountId))) return 'that opening attached the account already';
  return undefined;
}
