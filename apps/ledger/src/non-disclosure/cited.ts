import { basisOfStream } from '#kernel';

/** A JSON object, of whatever shape. */
export type Members = Readonly<Record<string, unknown>>;

/** What an answer speaks of, by which it is found out whether any of it is to be withheld. */
export interface Cited {
  /** Ids of legal orders. */
  readonly orders: Set<string>;
  /**
   * Freezes of which somebody asks the lift, or that an event is about: what was said then speaks of their basis. By their id, the stream of
   * such an event, on which they stand.
   */
  readonly freezes: Map<string, string | undefined>;
  /** Requests of a lift: what is said of one speaks of the order of release on which it relies, if on any. By `liftName`. */
  readonly lifts: Map<string, Lift>;
}

/** A request of a lift, and the stream on which it stands, where that is known. */
export interface Lift {
  readonly freezeId: string;
  readonly requestId: string;
  readonly stream: string | undefined;
}

export function liftName({ freezeId, requestId }: Pick<Lift, 'freezeId' | 'requestId'>): string {
  return `${freezeId} ${requestId}`;
}

/** The default claim group of an order begins so (`claimGroupOf`). */
const OWN_CLAIM_GROUP = 'legal-order/';

/** The legal orders that a value names, in whatever member, and the freezes whose lift it is about. */
export function citedIn(
  value: unknown,
  cited: Cited = { orders: new Set(), freezes: new Map(), lifts: new Map() },
): Cited {
  if (typeof value === 'string') {
    const orderId = orderOfName(value);
    if (orderId !== undefined) cited.orders.add(orderId);
  } else if (Array.isArray(value)) {
    for (const item of value) citedIn(item, cited);
  } else if (isObject(value)) {
    const { kind, id, orderId } = value;
    if (kind === 'legal-order' && typeof id === 'string') cited.orders.add(id);
    if (typeof orderId === 'string') cited.orders.add(orderId);
    if (isAboutLift(value)) {
      note(cited, value.freezeId);
      noteLift(cited, value);
    }
    for (const member of Object.values(value)) citedIn(member, cited);
    if (isRecordedEvent(value)) noteFreezesOf(value, cited);
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
export function isAboutLift(
  value: Members,
): value is Members & { readonly freezeId: string; readonly requestId: string } {
  return typeof value['freezeId'] === 'string' && typeof value['requestId'] === 'string';
}

export function isRecordedEvent(value: Members): boolean {
  return 'schemaVersion' in value && 'metadata' in value;
}

/** The freezes that a recorded event is about, in whatever member it says so. */
function noteFreezesOf({ stream, data }: Members, cited: Cited): void {
  const name = typeof stream === 'string' ? stream : undefined;
  const { freezes, lifts } = citedIn(data);
  for (const freezeId of freezes.keys()) note(cited, freezeId, name);
  for (const lift of lifts.values()) noteLift(cited, lift, name);
  if (isObject(data) && typeof data['freezeId'] === 'string') note(cited, data['freezeId'], name);
}

function note({ freezes }: Cited, freezeId: string, stream?: string): void {
  freezes.set(freezeId, stream ?? freezes.get(freezeId));
}

function noteLift({ lifts }: Cited, lift: Pick<Lift, 'freezeId' | 'requestId'>, stream?: string): void {
  const { freezeId, requestId } = lift;
  const name = liftName(lift);
  lifts.set(name, { freezeId, requestId, stream: stream ?? lifts.get(name)?.stream });
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
