import { reject, type CommandKey, type Rejection } from '#kernel';
import { keyEntryId } from '#replay';
import type { CommandRequest, FreezeAllNamed, LedgerCommand } from './ledger-api.ts';
import type { Origin, View } from './plan.ts';

/** A request for one command, or for a freeze of everything that a basis names. */
type AnyRequest = CommandRequest<LedgerCommand | FreezeAllNamed>;

/** A command with its home stream: what its key is scoped to. */
export interface Asked {
  readonly request: AnyRequest;
  readonly homeStream: string;
  readonly key: CommandKey;
}

export function asked(request: AnyRequest, homeStream: string): Asked {
  return { request, homeStream, key: { caller: request.actor.id, homeStream, value: request.idempotencyKey } };
}

/** The origin of what a command itself appends. */
export function originOf({ request, key }: Asked, causationId: string | null = null): Origin {
  const { actor, correlationId, commandHash } = request;
  return { actor, correlationId, commandHash, key, causationId };
}

/** Where the command's key stands on its home stream already. */
export type Seen = { readonly revision: number } | Rejection | undefined;

/**
 * Looks for the command's key on its home stream (invariant 7).
 * @returns the revision of the first event under the key, `idempotency-key-reused` when it was used for something else
 */
export function seen(view: View, { key, request }: Asked): Seen {
  const entry = view.lookup('key', keyEntryId(key));
  if (entry === undefined) return undefined;
  if (entry.value !== request.commandHash) return keyReused();
  return { revision: entry.revision };
}

export function keyReused(): Rejection {
  return reject('idempotency-key-reused', 'this idempotency key was used for another command on the same thing');
}

/** `If-Match`, checked after what is missing or malformed and before the rules. */
export function revisionMismatch(view: View, { ifMatch }: AnyRequest): Rejection | undefined {
  if (ifMatch === undefined || ifMatch === view.revision) return undefined;
  const actual = view.revision < 0 ? null : String(view.revision);
  return reject('revision-mismatch', 'the revision is not the one in If-Match', { streamRevision: actual });
}

/**
 * True for what is found before `If-Match` is looked at: things that are missing, fields that are malformed whatever the state
 * of the thing.
 */
export function precedesIfMatch({ code, isOfState }: Rejection): boolean {
  if (isOfState === true) return false;
  return code === 'malformed-request' || (code.endsWith('-not-found') && code !== 'basis-not-found');
}
