import { assertNever, reject, type Actor, type Rejection, type Timestamp } from '#kernel';
import type {
  AttachAccount,
  DetachAccount,
  IdentifyParty,
  LinkAddress,
  PartyCommand,
  RegisterParty,
} from './commands.ts';
import type { PartyEvent } from './events.ts';
import { followBasis } from './naming.ts';
import { linkName, openingKey, type PartyState } from './state.ts';

export interface PartyContext {
  readonly now: Timestamp;
  readonly actor: Actor;
}

type Decision = readonly PartyEvent[] | Rejection;

/**
 * Decides a command about one party. `[]` where there is nothing to do: an opening that attached before, or was detached;
 * a naming that stands as the basis has it.
 * @throws RangeError when a command contradicts itself: a bug of the caller, not bad input
 */
export const decideParty: (command: PartyCommand, state: PartyState, context: PartyContext) => Decision = (
  command,
  state,
) => {
  switch (command.type) {
    case 'RegisterParty':
      return register(command, state);
    case 'IdentifyParty':
      return identify(command, state);
    case 'LinkAddress':
      return link(command, state);
    case 'AttachAccount':
      return attach(command, state);
    case 'DetachAccount':
      return detach(command, state);
    case 'FollowBasis':
      return followBasis(state, command.naming);
    default:
      return assertNever(command);
  }
};

function register({ partyId, kind, externalRef }: RegisterParty, state: PartyState): Decision {
  if (state.registered !== undefined) return reject('already-exists', 'the party is registered already', { partyId });
  return [{ type: 'PartyRegistered', data: { partyId, kind, externalRef } }];
}

function identify(command: IdentifyParty, state: PartyState): Decision {
  const { partyId, method, evidenceSha256, identifiedAt } = command;
  if (state.registered === undefined) return notFound(partyId);
  return [{ type: 'PartyIdentified', data: { partyId, method, evidenceSha256, identifiedAt } }];
}

function link({ partyId, chain, address, role }: LinkAddress, state: PartyState): Decision {
  if (state.registered === undefined) return notFound(partyId);
  if (state.addresses.has(linkName({ chain, address }, role))) {
    return reject('already-exists', 'the address is linked to the party in that role already', { partyId });
  }
  return [{ type: 'AddressLinked', data: { partyId, chain, address, role } }];
}

/**
 * An opening that attached before is resumed, whatever has happened to the party since: the account's stream decides what
 * becomes of it. Another opening of the same account does not hinder either.
 */
function attach({ partyId, opening }: AttachAccount, state: PartyState): Decision {
  const holder = opening.holders.find((entry) => entry.partyId === partyId);
  if (holder === undefined) throw new RangeError('the opening does not list the party');
  if (state.registered === undefined) return notFound(partyId);
  if (state.attachments.has(openingKey(opening.key, opening.accountId))) return [];
  if (state.identification === null) return reject('party-not-identified', 'the party is not identified', { partyId });
  if (state.named.size > 0) {
    // Neither which basis nor what kind: who may open accounts need not be one who may read orders.
    return reject('party-named-by-basis', 'a basis in force names the party: no account opens for it', { partyId });
  }
  const { accountId } = opening;
  return [{ type: 'AccountAttached', data: { partyId, accountId, capacity: holder.capacity, opening } }];
}

function detach({ partyId, accountId, key }: DetachAccount, state: PartyState): Decision {
  if (state.attachments.get(openingKey(key, accountId))?.status !== 'attached') return [];
  return [{ type: 'AccountDetached', data: { partyId, accountId, key: { caller: key.caller, value: key.value } } }];
}

function notFound(partyId: string): Rejection {
  return reject('party-not-found', 'the party is not registered', { partyId });
}
