import { basisOfStream } from '#kernel';

/** A JSON object, of whatever shape. */
export type Members = Readonly<Record<string, unknown>>;

/** What an answer speaks of, by which it is found out whether any of it is to be withheld. */
export interface Cited {
  /** Ids of legal orders. */
  readonly orders: Set<string>;
  /** Freezes of which somebody asks the lift, or that an event is about: what was said then speaks of their basis. */
  readonly freezes: Set<string>;
}

/** The default claim group of an order begins so (`claimGroupOf`). */
const OWN_CLAIM_GROUP = 'legal-order/';

/** The legal orders that a value names, in whatever member, and the freezes whose lift it is about. */
export function citedIn(value: unknown, cited: Cited = { orders: new Set(), freezes: new Set() }): Cited {
  if (typeof value === 'string') {
    const orderId = orderOfName(value);
    if (orderId !== undefined) cited.orders.add(orderId);
  } else if (Array.isArray(value)) {
    for (const item of value) citedIn(item, cited);
  } else if (isObject(value)) {
    const { kind, id, orderId } = value;
    if (kind === 'legal-order' && typeof id === 'string') cited.orders.add(id);
    if (typeof orderId === 'string') cited.orders.add(orderId);
    if (isAboutLift(value)) cited.freezes.add(value.freezeId);
    if (isRecordedEvent(value)) for (const freezeId of freezesOf(value)) cited.freezes.add(freezeId);
    for (const member of Object.values(value)) citedIn(member, cited);
  }
  return cited;
}

/** The order whose stream, or whose own claim group, has this name. */
export function orderOfName(name: string): string | undefined {
  if (name.startsWith(OWN_CLAIM_GROUP)) return name.slice(OWN_CLAIM_GROUP.length);
  const basis = basisOfStream(name);
  return basis?.kind === 'legal-order' ? basis.id : undefined;
}

/** True of a lift request, of the events of one, and of what was asked of one. */
export function isAboutLift(value: Members): value is Members & { readonly freezeId: string } {
  return typeof value['freezeId'] === 'string' && typeof value['requestId'] === 'string';
}

export function isRecordedEvent(value: Members): boolean {
  return 'schemaVersion' in value && 'metadata' in value;
}

/** The freeze that a recorded event says it is about. */
export function freezesOf({ data }: Members): readonly string[] {
  return isObject(data) && typeof data['freezeId'] === 'string' ? [data['freezeId']] : [];
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
