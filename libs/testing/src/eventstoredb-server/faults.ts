import { type Fault, type FaultKind, type FaultyCall } from './options.ts';

interface InjectedFault {
  readonly fault: Fault;
  remaining: number;
  hits: number;
  /** What waits until it is taken back. */
  readonly held: (() => void)[];
}

/** The faults that are asked for, in the order in which they were: each call is hit by the first that fits it. */
export class Faults {
  readonly #injected = new Map<number, InjectedFault>();
  #lastId = 0;

  inject(fault: Fault): number {
    this.#lastId += 1;
    const { times = 1 } = fault;
    this.#injected.set(this.#lastId, {
      fault,
      remaining: times === 'until-cleared' ? Infinity : times,
      hits: 0,
      held: [],
    });
    return this.#lastId;
  }

  /** Lets go of what it held, as it came. @returns how many calls it hit */
  clear(id: number): number {
    const { hits = 0, held = [] } = this.#injected.get(id) ?? {};
    this.#injected.delete(id);
    for (const work of held) work();
    return hits;
  }

  /** Does something when a fault of this kind is taken back. */
  hold(fault: FaultKind, work: () => void): void {
    for (const injected of this.#injected.values()) if (injected.fault === fault) injected.held.push(work);
  }

  /** The fault that hits this call, which counts as one of its times. */
  take(call: FaultyCall, stream: string, node: number): FaultKind | undefined {
    if (this.#injected.size === 0) return undefined;
    for (const injected of this.#injected.values()) {
      if (injected.remaining <= 0 || !fits(injected.fault, call, stream, node)) continue;
      injected.remaining -= 1;
      injected.hits += 1;
      return injected.fault;
    }
    return undefined;
  }
}

function fits(fault: Fault, call: FaultyCall, stream: string, node: number): boolean {
  const calls = fault.kind === 'drop-subscription' ? ['subscribe'] : (fault.calls ?? ['append']);
  const { streamPrefix = '' } = fault;
  return calls.includes(call) && stream.startsWith(streamPrefix) && (fault.node ?? node) === node;
}
