import type { AccountEvent } from '#accounts';
import { MAX_APPEND_EVENTS, type EventReader } from '#event-store';
import type { FreezeAuthorised } from '#freezes';
import {
  reject,
  type CommandRefused,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Rejection,
} from '#kernel';
import { decodeEvent, type LedgerEvent } from '#replay';
import type { Outcome } from './ledger-api.ts';

/**
 * What a command came to, from its recorded events alone: the same today and years later.
 * @param authorised of a freeze: the authorisation that it cites, where it is at hand
 */
export function outcomeOf(
  reader: EventReader,
  recorded: readonly RecordedEvent[],
  replayed: boolean,
  authorised?: Recorded<FreezeAuthorised>,
): Outcome | Promise<Outcome> {
  const events = recorded as readonly Recorded<LedgerEvent>[];
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw new Error('a command without events has no recorded outcome');
  const rejection = rejectionOf(first);
  if (rejection !== undefined) {
    const { correlationId } = first.metadata;
    return { status: 'rejected', replayed, rejection, correlationId, revision: last.revision };
  }
  const accepted = { status: 'accepted', replayed, events, revision: last.revision, position: last.position } as const;
  if (first.type !== 'AccountFrozen') return accepted;
  if (authorised !== undefined) return { ...accepted, authorisation: authorised };
  const { freezeId, citation } = first.data;
  return eventAt(reader, citation).then((authorisation) => {
    if (authorisation?.type !== 'FreezeAuthorised') throw new Error(`${freezeId} cites no authorisation`);
    return { ...accepted, authorisation: authorisation as Recorded<FreezeAuthorised> };
  });
}

/** The outcome of the command whose first event on its home stream has this revision. */
export async function recordedOutcome(
  reader: EventReader,
  stream: string,
  revision: number,
  replayed: boolean,
): Promise<Outcome> {
  const [first, second] = await reader.read(stream, { from: revision, limit: 2 });
  if (first === undefined) throw new Error(`${stream}@${String(revision)} is not in the store`);
  const rest = second !== undefined && follows(second, first) ? await readRest(reader, first) : [];
  return outcomeOf(reader, [first, ...rest].map(checked), replayed);
}

/** A command's events on one stream are those of one append. */
async function readRest(reader: EventReader, first: RecordedEvent): Promise<RecordedEvent[]> {
  const following = await reader.read(first.stream, { from: first.revision + 1, limit: MAX_APPEND_EVENTS });
  const end = following.findIndex((event) => !follows(event, first));
  return end < 0 ? [...following] : following.slice(0, end);
}

/** A command's later events carry no key and are caused by its first. */
function follows(event: RecordedEvent, first: RecordedEvent): boolean {
  return event.metadata.key === null && event.metadata.causationId === first.id;
}

/** An event as it is read, its members in the order of its schema. @throws Error for a malformed one */
export function checked(recorded: RecordedEvent): RecordedEvent {
  const decoded = decodeEvent(recorded);
  if (!decoded.ok) throw new Error(`${recorded.stream}@${String(recorded.revision)} is malformed: ${decoded.problem}`);
  return decoded.event;
}

/** One event by its place, its data checked; undefined when nothing stands there. */
export async function checkedEvent(
  reader: EventReader,
  stream: string,
  revision: number,
): Promise<RecordedEvent | undefined> {
  const [event] = await reader.read(stream, { from: revision, to: revision });
  return event === undefined ? undefined : checked(event);
}

export async function eventAt(reader: EventReader, pointer: EventPointer): Promise<RecordedEvent | undefined> {
  const revision = Number(pointer.revision);
  const [event] = await reader.read(pointer.stream, { from: revision, to: revision });
  return event?.id === pointer.eventId ? checked(event) : undefined;
}

/** Events that say no: the rejection is made of them, and only of them. */
function rejectionOf(event: Recorded<LedgerEvent>): Rejection | undefined {
  switch (event.type) {
    case 'CommandRefused':
      return refusal(event);
    case 'AccountOpeningAbandoned':
      return openingAbandoned(event);
    case 'FreezeAbandoned':
      return freezeAbandoned(event);
    default:
      return undefined;
  }
}

function refusal({ data }: Recorded<CommandRefused>): Rejection {
  return reject(data.code, data.detail, data.extra);
}

function openingAbandoned({ data }: Recorded<Extract<AccountEvent, { type: 'AccountOpeningAbandoned' }>>): Rejection {
  if (data.reason === 'already-exists') {
    return reject('already-exists', 'an account with this id was opened meanwhile', { accountId: data.accountId });
  }
  return reject('party-named-by-basis', 'a basis in force names the party: no account opens for it', {
    partyId: data.partyId,
  });
}

function freezeAbandoned({ data }: Recorded<Extract<AccountEvent, { type: 'FreezeAbandoned' }>>): Rejection {
  switch (data.reason) {
    case 'already-frozen':
      return alreadyFrozen(data.existingFreezeId);
    case 'basis-ended':
      return reject('basis-not-in-force', 'the basis ended before the freeze was placed');
    case 'not-a-holder':
    case 'account-not-open':
      return reject('basis-does-not-name-account', 'the account is not held by a party that the basis names');
    case 'basis-varied':
      return reject(
        'basis-not-in-force',
        'the basis was varied before the freeze was placed, and names the account no more',
      );
    case 'superseded':
    case 'key-used':
      throw new Error('an authorisation that is given up without its key does not answer for that key');
  }
}

export function alreadyFrozen(freezeId: string | undefined): Rejection {
  return reject('already-exists', 'a freeze under this basis is in force', { freezeId });
}
