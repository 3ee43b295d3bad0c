import type { EventFilter } from '#event-store';
import { addressName, type ChainAddress, type Recorded } from '#kernel';
import { decodeEvent, type LedgerEvent } from '#replay';
import { hitSubjectName, type HitSubject } from '#sanctions';
import type { Core } from './core.ts';

/**
 * Facts that are looked for across streams, and that can never become false: found in the index, or among what the index
 * has not taken in yet. Each throws RejectionError `read-model-behind` while the index is being built.
 */

type Event<Type extends LedgerEvent['type']> = Recorded<Extract<LedgerEvent, { readonly type: Type }>>;

/** A freeze belongs to one account for good. */
export async function accountOfFreeze(core: Core, freezeId: string): Promise<string | undefined> {
  return lookUp(
    core,
    () => core.index.accountOfFreeze(freezeId),
    ['AccountFrozen', 'FreezeAbandoned'],
    (event) => (event.data.freezeId === freezeId ? event.data.accountId : undefined),
  );
}

/** The hits that were raised for this subject and this very entry, the first one first. */
export async function hitsOf(core: Core, subject: HitSubject, entrySha256: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const wanted = hitSubjectName(subject);
  await lookUp(
    core,
    () => {
      for (const hitId of core.index.hitsOf(subject, entrySha256)) found.add(hitId);
      return undefined;
    },
    ['SanctionsHitRaised'],
    ({ data }) => {
      if (data.entry.sha256 === entrySha256 && hitSubjectName(data.subject) === wanted) found.add(data.hitId);
      return undefined;
    },
  );
  return [...found];
}

/** The parties to whom one of these addresses is linked as their own. */
export async function partiesControlling(core: Core, addresses: readonly ChainAddress[]): Promise<readonly string[]> {
  const found = new Set<string>();
  if (addresses.length === 0) return [];
  const wanted = new Set(addresses.map(addressName));
  await lookUp(
    core,
    () => {
      for (const address of addresses) for (const partyId of core.index.partiesControlling(address)) found.add(partyId);
      return undefined;
    },
    ['AddressLinked'],
    ({ data }) => {
      if (data.role === 'holder-controlled' && wanted.has(addressName(data))) found.add(data.partyId);
      return undefined;
    },
  );
  return [...found];
}

/** The checkpoint is taken before the index is asked: what comes in between is seen twice, and nothing is missed. */
async function lookUp<Type extends LedgerEvent['type'], Found>(
  { index, store }: Core,
  indexed: () => Found | undefined,
  types: readonly Type[],
  pick: (event: Event<Type>) => Found | undefined,
): Promise<Found | undefined> {
  let after = index.checkpoint();
  const known = indexed();
  if (known !== undefined) return known;
  const filter: EventFilter = { types };
  for (;;) {
    const page = await store.readAll({ limit: 1_000, filter, ...(after === undefined ? {} : { after }) });
    for (const recorded of page.events) {
      const decoded = decodeEvent(recorded);
      const picked = decoded.ok ? pick(decoded.event as Event<Type>) : undefined;
      if (picked !== undefined) return picked;
    }
    if (page.atEnd) return undefined;
    after = page.scannedTo;
  }
}
