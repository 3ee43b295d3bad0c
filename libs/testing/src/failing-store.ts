import { StoreError, type EventStore } from '#event-store';

/** A store that appends, or reads a stream, in another way. */
export function storeWith(inner: EventStore, otherWay: Partial<Pick<EventStore, 'append' | 'read'>>): EventStore {
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(otherWay, name)) return Reflect.get(otherWay, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A store that can't append an event of this type: always, or as long as `fails` says so. */
export function failingAt(type: string, inner: EventStore, fails: () => boolean = () => true): EventStore {
  return storeWith(inner, {
    append: (...call) => {
      if (fails() && call[2].some((event) => event.type === type)) {
        throw new StoreError('store-unavailable', `${type} can't be appended`);
      }
      return inner.append(...call);
    },
  });
}
