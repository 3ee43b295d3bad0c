import { type Fault, type FaultKind, type FaultyCall } from './options.ts';

interface InjectedFault {
  readonly fault: Fault;
  remaining: number;
  hits: number;
}

/** The faults that are asked for, in the order in which they were: each call is hit by the first that fits it. */
export class Faults {
  readonly #injected = new Map<number, InjectedFault>();
  #lastId = 0;

  inject(fault: Fault): number {
    this.#lastId += 1;
    const { times = 1 } = fault;
    this.#injected.set(this.#lastId, { fault, remaining: times === 'until-cleared' ? Infinity : times, hits: 0 });
    return this.#lastId;
  }

  /** @returns how many calls it hit */
  clear(id: number): number {
    const hits = this.#injected.get(id)?.hits ?? 0;
    this.#injected.delete(id);
    return hits;
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
