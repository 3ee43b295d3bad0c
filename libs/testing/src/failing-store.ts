import { StoreError, type EventStore } from '#event-store';

/** A store that can't append an event of this type: always, or as long as `fails` says so. */
export function failingAt(type: string, inner: EventStore, fails: () => boolean = () => true): EventStore {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'append') return value.bind(target) as unknown;
      return (...call: Parameters<EventStore['append']>) => {
        if (fails() && call[2].some((event) => event.type === type)) {
          throw new StoreError('store-unavailable', `${type} can't be appended`);
        }
        return inner.append(...call);
      };
    },
  });
}
