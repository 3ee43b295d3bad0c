import { basisSchema, basisStream, systemClock, toTimestamp, type Basis, type Bound, type Clock } from '#kernel';
import { isUnderNonDisclosure } from '#legal-orders';
import { pagesOf, type StreamReader } from '#replay';
import { citedIn, isObject, type Lift } from './cited.ts';
import { withhold, type Secrets } from './withhold.ts';

/** Most orders of which it is remembered until when nothing may be told. */
const MAX_KNOWN = 100_000;
/** Events of a stream among which the registration is looked for: it is the first, unless others were forced in before. */
const FIRST_EVENTS = 10;

export interface NonDisclosureSources {
  /** The store: never behind, so that nothing is told of an order that was registered a moment ago. */
  readonly reader: StreamReader;
  /** The basis of a freeze; undefined where it is not known, or not yet. */
  readonly basisOfFreeze: (freezeId: string) => Basis | undefined;
  /** The order on which the request of a lift relies; null where on none, undefined where it is not known, or not yet. */
  readonly orderOfLift: (freezeId: string, requestId: string) => string | null | undefined;
  readonly clock?: Clock;
}

interface Registered {
  readonly nonDisclosureUntil: string | undefined;
}

/** Knows which orders are under non-disclosure now, and withholds them. */
export class NonDisclosure {
  readonly #sources: NonDisclosureSources;
  readonly #clock: Clock;
  /** A registration never changes. */
  readonly #known = new Map<string, Registered>();

  constructor(sources: NonDisclosureSources) {
    this.#sources = sources;
    this.#clock = sources.clock ?? systemClock;
  }

  get bound(): Bound {
    return { what: 'orders-with-disclosure-known', most: MAX_KNOWN, inUse: () => this.#known.size };
  }

  /**
   * An answer as it is shown to those who must not be told.
   * @throws StoreError when it can't be found out what may be told: nothing is shown then
   */
  async withheld(value: unknown): Promise<unknown> {
    const secrets = await this.#secretsIn(value);
    if (secrets.orders.size === 0 && secrets.freezes.size === 0 && secrets.lifts.size === 0) return value;
    return withhold(value, secrets);
  }

  /** @throws StoreError when it can't be found out */
  async isSecret(orderId: string): Promise<boolean> {
    const registered = this.#known.get(orderId) ?? (await this.#look(orderId));
    return registered !== undefined && isUnderNonDisclosure(registered, toTimestamp(this.#clock.now()));
  }

  async #secretsIn(value: unknown): Promise<Secrets> {
    const { orders: ids, freezes: freezeIds, lifts: requests } = citedIn(value);
    const orders = new Set<string>();
    for (const id of ids) if (await this.isSecret(id)) orders.add(id);
    const freezes = new Set<string>();
    for (const [id, stream] of freezeIds) if (await this.#restsOnSecret(id, stream)) freezes.add(id);
    const lifts = new Set<string>();
    for (const [name, lift] of requests) if (await this.#reliesOnSecret(lift)) lifts.add(name);
    return { orders, freezes, lifts };
  }

  async #reliesOnSecret({ freezeId, requestId, stream }: Lift): Promise<boolean> {
    const known = this.#sources.orderOfLift(freezeId, requestId);
    const ids = known === undefined ? await this.#ordersInLog({ freezeId, requestId, stream }) : [known];
    for (const id of ids) if (id !== null && (await this.isSecret(id))) return true;
    return false;
  }

  async #ordersInLog({ freezeId, requestId, stream }: Lift): Promise<readonly string[]> {
    const requests = await this.#ofFreeze(freezeId, stream, 'LiftRequested');
    return requests.flatMap(({ requestId: id, orderId }) =>
      id === requestId && typeof orderId === 'string' ? [orderId] : [],
    );
  }

  /** @param stream on which the freeze stands: it is asked when nothing else knows of the freeze yet */
  async #restsOnSecret(freezeId: string, stream: string | undefined): Promise<boolean> {
    const known = this.#sources.basisOfFreeze(freezeId);
    const bases = known === undefined ? await this.#basesInLog(freezeId, stream) : [known];
    for (const { kind, id } of bases) if (kind === 'legal-order' && (await this.isSecret(id))) return true;
    return false;
  }

  async #basesInLog(freezeId: string, stream: string | undefined): Promise<readonly Basis[]> {
    return (await this.#ofFreeze(freezeId, stream, 'AccountFrozen')).flatMap((data) => {
      const basis = basisSchema.safeParse(data['basis']);
      return basis.success ? [basis.data] : [];
    });
  }

  /** What the events of a type say that are about a freeze; nothing where its stream is not known. */
  async #ofFreeze(
    freezeId: string,
    stream: string | undefined,
    wanted: string,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    if (stream === undefined) return [];
    const found: Readonly<Record<string, unknown>>[] = [];
    for await (const page of pagesOf(this.#sources.reader, stream)) {
      for (const { type, data } of page) {
        if (type === wanted && isObject(data) && data['freezeId'] === freezeId) found.push(data);
      }
    }
    return found;
  }

  async #look(orderId: string): Promise<Registered | undefined> {
    const stream = basisStream({ kind: 'legal-order', id: orderId });
    const events = await this.#sources.reader.read(stream, { limit: FIRST_EVENTS });
    const registration = events.find(({ type }) => type === 'LegalOrderRegistered');
    if (registration === undefined) return undefined;
    const { nonDisclosureUntil } = Object(registration.data) as { readonly nonDisclosureUntil?: unknown };
    const registered = {
      nonDisclosureUntil: typeof nonDisclosureUntil === 'string' ? nonDisclosureUntil : undefined,
    };
    const oldest = this.#known.keys().next();
    if (this.#known.size >= MAX_KNOWN && oldest.done !== true) this.#known.delete(oldest.value);
    this.#known.set(orderId, registered);
    return registered;
  }
}
