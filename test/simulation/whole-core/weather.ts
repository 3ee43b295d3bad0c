import type { EventToAppend } from '#event-store';
import type { SimulatedTime } from './time.ts';
import {
  APPEND_FATES,
  DISK_FAULTS,
  type AppendFate,
  type DiskFault,
  type LeftAt,
  type Mishap,
  type Plan,
  type Spell,
} from './plan.ts';

interface Running {
  readonly what: Spell;
  readonly instance: number;
  readonly byMs: number;
  readonly untilMs: number;
}

/** How long an instance is down that a freeze was left by, in milliseconds. */
const LEFT_FOR_MS = 400;

export interface WeatherOptions {
  readonly time: SimulatedTime;
  readonly plan: Plan;
  readonly draw: (below: number) => number;
  readonly note: (line: string) => void;
  /** Does to the snapshots of an instance what a mishap says, and ends it. */
  readonly spoil: (fault: DiskFault, mishap: Mishap) => void;
}

/** What goes wrong now: mishaps begin when the run has come to the append that each waits for. */
export class Weather {
  readonly #time: SimulatedTime;
  readonly #draw: (below: number) => number;
  readonly #plan: Plan;
  readonly #waiting: Mishap[];
  readonly #note: (line: string) => void;
  readonly #spoil: (fault: DiskFault, mishap: Mishap) => void;
  /** By instance, what becomes of its next appends. */
  readonly #fates: [Mishap[], Mishap[]] = [[], []];
  /** By key, freezes whose second append is yet to fail. */
  readonly #left = new Map<string, LeftAt>();
  #spells: Running[] = [];
  #appends = 0;
  #isOver = false;
  /** What has gone wrong so far, by its name. */
  readonly begun = new Set<string>();

  constructor({ time, plan, draw, note, spoil }: WeatherOptions) {
    this.#time = time;
    this.#plan = plan;
    this.#draw = draw;
    this.#waiting = [...plan.mishaps];
    this.#note = note;
    this.#spoil = spoil;
  }

  /** The second append of a freeze will fail, once. */
  leave(key: string, what: LeftAt): void {
    this.#left.set(key, what);
  }

  /** Counts an append, and says what becomes of it. */
  fateOfAppend(
    instance: 0 | 1,
    events: readonly EventToAppend[],
  ): { readonly what: AppendFate; readonly forMs: number } | undefined {
    this.#appends += 1;
    while ((this.#waiting[0]?.atAppend ?? Infinity) < this.#appends) this.#begin(this.#waiting.shift());
    const left = this.#isOver ? undefined : this.#leftAt(events);
    if (left !== undefined) {
      this.begun.add('left');
      this.#note(`the freeze is left, ${left} (instance ${instance})`);
      return { what: left, forMs: LEFT_FOR_MS };
    }
    const [next, ...rest] = this.#fates[instance];
    if (next === undefined || this.#isOver) return undefined;
    this.begun.add(next.what);
    this.#note(`${next.what} (instance ${instance})`);
    this.#fates[instance] = next.times > 1 ? [{ ...next, times: next.times - 1 }, ...rest] : rest;
    return { what: next.what as AppendFate, forMs: next.forMs };
  }

  #leftAt(events: readonly EventToAppend[]): LeftAt | undefined {
    for (const { type, metadata } of this.#left.size === 0 ? [] : events) {
      const key = type === 'AccountFrozen' ? metadata.key?.value : undefined;
      const left = key === undefined ? undefined : this.#left.get(key);
      if (key === undefined || left === undefined) continue;
      this.#left.delete(key);
      return left;
    }
    return undefined;
  }

  #begin(mishap: Mishap | undefined): void {
    if (mishap === undefined || this.#isOver) return;
    const { what, instance, forMs, byMs } = mishap;
    if (isFate(what)) {
      // One end of an instance is enough at a time.
      const times = what.startsWith('crash') ? 1 : mishap.times;
      this.#fates[instance].push({ ...mishap, times });
      return;
    }
    this.begun.add(what);
    if (isDiskFault(what)) {
      this.#note(`${what} (instance ${instance})`);
      this.#spoil(what, mishap);
      return;
    }
    this.#spells.push({ what, instance, byMs, untilMs: this.#time.now() + forMs });
    this.#note(`${what} (instance ${instance}, ${forMs} ms${what === 'clock-off' ? `, by ${byMs} ms` : ''})`);
  }

  /** Nothing goes wrong any more, and nothing is off. */
  end(): void {
    this.#isOver = true;
    this.#spells = [];
  }

  /** Something is wrong now, or will be at an append to come of an instance that is hit already. */
  get isRough(): boolean {
    return this.#now().length > 0;
  }

  #now(): readonly Running[] {
    const nowMs = this.#time.now();
    if (this.#spells.length > 0) this.#spells = this.#spells.filter(({ untilMs }) => untilMs > nowMs);
    return this.#spells;
  }

  isUnavailable(instance: number): boolean {
    return this.#now().some(
      (spell) => spell.what === 'store-unavailable' || (spell.what === 'cut-off' && spell.instance === instance),
    );
  }

  /** How long the store will go on to answer nobody. */
  hangsForMs(): number {
    const hanging = this.#now().filter(({ what }) => what === 'store-hangs');
    return hanging.reduce((longest, { untilMs }) => Math.max(longest, untilMs - this.#time.now()), 0);
  }

  isDeaf(instance: number): boolean {
    return this.#now().some((spell) => spell.what === 'deaf' && spell.instance === instance);
  }

  clockOffMs(instance: 0 | 1): number {
    if (this.#isOver) return 0;
    const off = this.#now().filter((spell) => spell.what === 'clock-off' && spell.instance === instance);
    return off.reduce((sum, { byMs }) => sum + byMs, this.#plan.clocksOffMs[instance]);
  }

  /** How long a call is under way, in one direction. */
  delayMs(instance: number): number {
    const isSlow = this.#now().some((spell) => spell.what === 'slow' && spell.instance === instance);
    if (isSlow) return this.#draw(700);
    return this.#draw(20) === 0 ? this.#draw(60) : this.#draw(4);
  }
}

function isDiskFault(what: Mishap['what']): what is DiskFault {
  return (DISK_FAULTS as readonly string[]).includes(what);
}

function isFate(what: Mishap['what']): what is AppendFate {
  return (APPEND_FATES as readonly string[]).includes(what);
}
