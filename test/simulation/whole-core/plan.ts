import { randomIntegers } from '#testing';
import fc from 'fast-check';
import { HOLDERS } from '../naive-model/accounts.ts';
import type { Step } from '../naive-model/step.ts';
import { aScene, months, script } from '../scripts.ts';

/** What the callers of one run ask for: scripts of the naive model, and a few commands that it does not know. */
export type Asking =
  | { readonly kind: 'step'; readonly step: Step }
  /** Registers a party, or says who it is, or opens an account for it and party 0 together. */
  | { readonly kind: 'register' | 'identify' | 'open-joint'; readonly id: number };

/**
 * Which revision of the stream that a command is about the caller names as the one that it saw (`If-Match`): none, the latest
 * that it could have seen, or the one before that.
 */
export type Saw = 'nothing' | 'latest' | 'older';

/** One thing that a caller does. */
export interface Action {
  readonly caller: number;
  readonly asking: Asking;
  readonly saw: Saw;
  /** The freeze is authorised, and then left to others: its second append fails once in this way, and the caller gives up. */
  readonly leftAt?: LeftAt | undefined;
  /** How long the caller waits before it, in milliseconds. */
  readonly pauseMs: number;
  /** After which time the caller gives up an attempt, and asks again under the same key. */
  readonly patienceMs: number;
}

/** What becomes of single appends of one instance. */
export const APPEND_FATES = [
  /** The request is lost; the instance learns that the outcome is unknown. */
  'request-lost',
  /** It is stored, and the acknowledgement is lost. */
  'ack-lost',
  /** The instance learns that the outcome is unknown, and then it is stored, perhaps after the instance gave up. */
  'late',
  /** It arrives a second time. */
  'twice',
  'unavailable',
  'full',
  /** Another writer is said to have come first. */
  'conflict',
  /** The instance ends before the request has left it, or when it was stored; it starts anew with nothing in memory. */
  'crash-before',
  'crash-after',
] as const;
export type AppendFate = (typeof APPEND_FATES)[number];

/** What goes on for a while. */
export const SPELLS = [
  /** The store answers nobody that it can be reached. */
  'store-unavailable',
  /** One instance can't reach it. */
  'cut-off',
  /** The store answers nobody; what was asked is done when it comes back. */
  'store-hangs',
  /** One instance's calls take long. */
  'slow',
  /** One instance's clock is wrong. */
  'clock-off',
  /** One instance is told of no commit. */
  'deaf',
] as const;
export type Spell = (typeof SPELLS)[number];

/** What becomes of the snapshots of one instance, which ends at once and finds them so when it starts anew. */
export const DISK_FAULTS = [
  'snapshots-damaged',
  /** As when a folder is put back that belongs to a log which went another way. */
  'snapshots-of-another-log',
] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

const LEFT_AT = ['unavailable', 'crash-before'] as const;
export type LeftAt = (typeof LEFT_AT)[number];

/** Something that goes wrong from the n-th append of the run on. */
export interface Mishap {
  readonly atAppend: number;
  readonly what: AppendFate | Spell | DiskFault;
  /** Of an append's fate: how many in a row. */
  readonly times: number;
  /** Of a spell, and how long a crashed instance is down, in milliseconds. */
  readonly forMs: number;
  readonly instance: 0 | 1;
  /** Of a clock: by how much, in milliseconds. */
  readonly byMs: number;
}

/**
 * `storm`: several callers at once. `script`: one caller, whose every answer is compared with the naive model. `months`: as
 * `script`, over months of orders that run out and are extended.
 */
export type Mode = 'storm' | 'script' | 'months';

export interface Plan {
  readonly seed: number;
  readonly mode: Mode;
  readonly actions: readonly Action[];
  readonly mishaps: readonly Mishap[];
  /** By how much the clock of each instance is always off, in milliseconds. */
  readonly clocksOffMs: readonly [number, number];
}

type Draw = (below: number) => number;

const MODES: readonly Mode[] = ['storm', 'storm', 'script', 'months'];
const CALLERS = 3;
const STEPS_OF_A_CALLER = 12;
const STEPS_OF_TRAFFIC = 12;
const STEPS_OF_A_SCRIPT = 32;

/** Draws what happens in a run: the same for the same seed. */
export function planOf(seed: number): Plan {
  const draw = randomIntegers(Math.imul(seed, 0x9e3779b1));
  const mode = MODES[draw(MODES.length)] ?? 'storm';
  const actions = mode === 'storm' ? stormActions(draw) : scriptActions(draw, mode);
  const mishaps = Array.from({ length: draw(9) }, () => drawMishap(draw, mode, actions.length));
  mishaps.sort((one, other) => one.atAppend - other.atAppend);
  return { seed, mode, actions, mishaps, clocksOffMs: [draw(2_000) - 1_000, draw(4_000) - 2_000] };
}

function sample<Value>(arbitrary: fc.Arbitrary<Value>, draw: Draw): Value {
  const [value] = fc.sample(arbitrary, { seed: draw(0x7fffffff), numRuns: 1 });
  if (value === undefined) throw new Error('nothing was drawn');
  return value;
}

function scriptActions(draw: Draw, mode: 'script' | 'months'): readonly Action[] {
  const steps = sample(mode === 'months' ? months : script, draw).slice(0, STEPS_OF_A_SCRIPT);
  return steps.map((step) => ({
    caller: 0,
    asking: { kind: 'step', step },
    saw: 'nothing',
    pauseMs: draw(50),
    patienceMs: 15_000,
  }));
}

/** Callers that know of each other's freezes, and ask for whatever they like; and one that only moves money. */
function stormActions(draw: Draw): readonly Action[] {
  const actions: Action[] = [];
  const add = (caller: number, asking: Asking): void => {
    const patienceMs = draw(5) === 0 ? 20 + draw(300) : 12_000;
    const saw = SAW[draw(SAW.length)] ?? 'nothing';
    actions.push({ caller, asking, saw, pauseMs: draw(3) === 0 ? draw(1_500) : draw(20), patienceMs });
  };
  const leaves = draw(2) === 0;
  if (leaves) actions.push(...overtaken(draw));
  for (let caller = leaves ? 1 : 0; caller < CALLERS; caller += 1) {
    const steps = sample(fc.array(aScene, { minLength: 2, maxLength: 4 }), draw).flat();
    for (const step of steps.slice(0, STEPS_OF_A_CALLER)) {
      if (draw(8) === 0) add(caller, extra(draw));
      add(caller, { kind: 'step', step });
    }
  }
  for (let moved = 0; moved < STEPS_OF_TRAFFIC; moved += 1) add(CALLERS, { kind: 'step', step: movement(draw) });
  return actions;
}

const SAW: readonly Saw[] = [...Array.from({ length: 9 }, () => 'nothing' as const), 'latest', 'latest', 'older'];

/** What no other scene is about. */
const OVERTAKEN_ID = 9;

/**
 * A freeze that is authorised and not placed when its order is varied so that it names the account no more, or ended. Each
 * step follows at once on the one before: nobody else has taken the freeze up by then.
 */
function overtaken(draw: Draw): readonly Action[] {
  const account = draw(HOLDERS.length);
  const plain = { ...movement(draw), account, id: OVERTAKEN_ID, varies: 'subjects', asMaker: false } as const;
  const another = { ...plain, account: (account + 1) % HOLDERS.length };
  const leftAt = LEFT_AT[draw(LEFT_AT.length)] ?? 'unavailable';
  const ends = draw(3) === 0;
  const steps: readonly Step[] = [
    { ...plain, kind: 'order' },
    { ...plain, kind: 'verify' },
    ...(ends ? [] : [{ ...another, kind: 'propose-variation' } as const]),
    { ...plain, kind: 'freeze' },
    ...(ends ? [{ ...plain, kind: 'propose-ending' } as const] : []),
    { ...plain, kind: 'verify-change' },
  ];
  return steps.map((step) => ({
    caller: 0,
    asking: { kind: 'step', step },
    saw: 'nothing',
    ...(step.kind === 'freeze' && { leftAt }),
    pauseMs: draw(5),
    patienceMs: 12_000,
  }));
}

const MOVEMENTS = [
  'reserve',
  'reserve',
  'reserve',
  'dispatch',
  'settle',
  'cancel',
  'transfer',
  'transfer',
  'deposit',
  'reverse',
] as const;

/** Of what nobody else has named, and the step before may have. */
function movement(draw: Draw): Step {
  return {
    kind: MOVEMENTS[draw(MOVEMENTS.length)] ?? 'reserve',
    account: draw(HOLDERS.length),
    id: 5 + draw(4),
    other: 1,
    change: 1,
    amount: 1 + draw(2),
    under: 'order',
    scope: 'debit',
    names: 'account',
    varies: 'both',
    states: 'nothing',
    measure: 'asset-freeze',
    expires: false,
    asMaker: draw(2) === 0,
  };
}

function extra(draw: Draw): Asking {
  const kinds = ['register', 'identify', 'open-joint', 'open-joint'] as const;
  return { kind: kinds[draw(kinds.length)] ?? 'register', id: draw(3) };
}

function drawMishap(draw: Draw, mode: Mode, actions: number): Mishap {
  const kinds = [...APPEND_FATES, ...SPELLS, ...DISK_FAULTS];
  const what = kinds[draw(kinds.length)] ?? 'slow';
  const sign = draw(2) === 0 ? -1 : 1;
  // Scripts tell days apart, and no hours.
  const isFar = draw(4) === 0 && mode === 'storm';
  return {
    atAppend: draw(Math.max(1, 2 * actions)),
    what,
    times: draw(3) === 0 ? 1 + draw(25) : 1,
    forMs: draw(3) === 0 ? draw(30_000) : draw(3_000),
    instance: draw(2) === 0 ? 0 : 1,
    byMs: sign * (isFar ? draw(600_000) : draw(8_000)),
  };
}

/** A part of a plan, by the places of what is kept. */
export interface Kept {
  readonly actions: readonly number[];
  readonly mishaps: readonly number[];
}

export function allOf({ actions, mishaps }: Plan): Kept {
  return { actions: [...actions.keys()], mishaps: [...mishaps.keys()] };
}

export function keepOnly(plan: Plan, kept: Kept): Plan {
  return {
    ...plan,
    actions: plan.actions.filter((_, index) => kept.actions.includes(index)),
    mishaps: plan.mishaps.filter((_, index) => kept.mishaps.includes(index)),
  };
}

/** `0,3,7/2`: actions 0, 3 and 7, and mishap 2. */
export function keptAsText({ actions, mishaps }: Kept): string {
  return `${actions.join(',')}/${mishaps.join(',')}`;
}

export function keptFromText(text: string): Kept {
  const [actions = '', mishaps = ''] = text.split('/');
  const places = (list: string): readonly number[] => (list === '' ? [] : list.split(',').map(Number));
  return { actions: places(actions), mishaps: places(mishaps) };
}
