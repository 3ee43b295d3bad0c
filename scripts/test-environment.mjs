import { constants, createContext } from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

/** Buffers are made by Node, of its own realm's classes: the tests must mean the same ones. */
const SHARED = ['ArrayBuffer', 'Uint8Array'];

/**
 * jest's environment, with a global object as V8 makes it in place of the one that jest puts a proxy behind. With a proxy
 * each look at a global name (`Object`, `Number`, `JSON`) is a call, which takes a third of the time of the simulations.
 */
export default class PlainEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const watched = this.global;
    const plain = createContext(constants.DONT_CONTEXTIFY);
    for (const name of Reflect.ownKeys(watched)) {
      if (Object.hasOwn(plain, name) && !SHARED.includes(name)) continue;
      Object.defineProperty(plain, name, copyOf(watched, name, plain));
    }
    plain.global = plain;
    plain.Error.stackTraceLimit = watched.Error.stackTraceLimit;
    this.context = plain;
    this.global = plain;
    this.moduleMocker = new this.moduleMocker.constructor(plain);
    this.fakeTimersModern = new this.fakeTimersModern.constructor({ config: config.projectConfig, global: plain });
  }
}

/** What has a getter is loaded by it (`fetch`, `crypto`): when somebody asks for it, and once. */
function copyOf(watched, name, plain) {
  const descriptor = Object.getOwnPropertyDescriptor(watched, name);
  if ('value' in descriptor) return descriptor;
  const replace = (value) => Object.defineProperty(plain, name, { ...shape, value, writable: true });
  const shape = { configurable: true, enumerable: descriptor.enumerable };
  return {
    ...shape,
    get() {
      const value = watched[name];
      replace(value);
      return value;
    },
    set: replace,
  };
}
