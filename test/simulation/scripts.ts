import type { FailedPart, Outcome, OutcomeOfAll } from '#command-handling';
import type { EventStore } from '#event-store';
import { LedgerWorld } from '#testing';
import fc from 'fast-check';
import { HOLDERS } from './naive-model/accounts.ts';
import { accountName, partyName, type Asked } from './naive-model/command.ts';
import { NaiveModel } from './naive-model/model.ts';
import type { Expected } from './naive-model/state.ts';
import {
  MEASURES,
  NAMINGS,
  ORDER_SCOPES,
  STATED,
  STEP_KINDS,
  VARIED,
  type Step,
  type StepKind,
} from './naive-model/step.ts';

type Fields = Omit<Step, 'kind'>;
/** What a scene is about, from its first step to its last. */
type About = Pick<Fields, 'account' | 'id' | 'other'>;
/** How a step, or a few that belong together, go about it. */
type Details = Omit<Fields, keyof About | 'under'>;

const about: fc.Arbitrary<About> = fc.record({
  account: fc.nat(HOLDERS.length - 1),
  id: fc.integer({ min: 1, max: 4 }),
  other: fc.integer({ min: 1, max: 4 }),
});

const details: fc.Arbitrary<Details> = fc.record({
  change: fc.integer({ min: 1, max: 4 }),
  amount: fc.integer({ min: 1, max: 4 }),
  scope: fc.constantFrom(...ORDER_SCOPES),
  names: fc.constantFrom(...NAMINGS),
  varies: fc.constantFrom(...VARIED),
  states: fc.constantFrom(...STATED),
  measure: fc.constantFrom('asset-freeze', ...MEASURES),
  expires: onceIn(4),
  asMaker: onceIn(6),
});

function onceIn(times: number): fc.Arbitrary<boolean> {
  return fc.nat(times - 1).map((drawn) => drawn === times - 1);
}

/** Steps that belong together, one after the other: by themselves few of them would come to anything. */
type Phrase = (fields: Fields) => readonly Step[];

const inTurn =
  (...kinds: readonly StepKind[]): Phrase =>
  (fields) =>
    kinds.map((kind) => ({ ...fields, kind }));

/** An order of release is made and verified, and a freeze is lifted on its ground. */
const released: Phrase = (fields) => [
  ...inTurn('release')(fields),
  ...inTurn('verify')({ ...fields, id: fields.other, asMaker: false }),
  ...inTurn('request-release', 'approve-lift')(fields),
];

/** The same, but the order of release is about to end when the lift is to be approved. */
const releaseInDoubt: Phrase = (fields) => [
  ...released(fields).slice(0, -1),
  ...inTurn('propose-ending')({ ...fields, id: fields.other }),
  ...inTurn('approve-lift')(fields),
];

/** An order that runs out. */
const orderForATime: Phrase = (fields) => inTurn('order', 'verify', 'freeze')({ ...fields, expires: true });

/** An extension that waits to be decided when the order's time has run out. */
const extended: Phrase = (fields) => [
  ...inTurn('propose-extension')({ ...fields, amount: 4 }),
  ...inTurn('wait', 'verify-change')(fields),
];

/** An order whose limits are divided over the accounts that it names. */
const divided: Phrase = (fields) =>
  inTurn(
    'order',
    'verify',
    'freeze-all',
  )({
    ...fields,
    names: fields.names === 'holder' ? 'holder' : 'mixed',
    scope: 'limited',
    states: 'shares',
  });

/** Two orders over one claim keep of an account the higher of their limits, not the sum. */
const claimedTwice: Phrase = (fields) => {
  const claimed = { ...fields, names: 'account', scope: 'claimed', states: 'nothing', asMaker: false } as const;
  return [
    ...inTurn('deposit')({ ...fields, amount: 4 }),
    ...inTurn('order', 'verify', 'freeze')(claimed),
    ...inTurn('order', 'verify', 'freeze')({ ...claimed, id: fields.other }),
    ...inTurn('reserve')({ ...fields, amount: 1 }),
  ];
};

/** What an order covers is varied, and whom it names is not. */
const rescoped: Phrase = (fields) => inTurn('propose-variation', 'verify-change')({ ...fields, varies: 'scope' });
const relimited: Phrase = (fields) => rescoped({ ...fields, scope: 'limited' });

/** How a scene goes on, whatever it is about; and each step by itself, as it comes. */
const COMMON: readonly Phrase[] = [
  inTurn('freeze'),
  inTurn('freeze-all'),
  inTurn('request-lift', 'reject-lift', 'approve-lift'),
  inTurn('request-lift', 'reject-lift', 'approve-lift'),
  releaseInDoubt,
  releaseInDoubt,
  inTurn('letter', 'answer'),
  inTurn('deposit', 'reserve'),
  inTurn('transfer'),
  ...STEP_KINDS.map((kind) => inTurn(kind)),
];

interface SceneKind {
  readonly under: Step['under'];
  readonly beginnings: readonly Phrase[];
  readonly continuations: readonly Phrase[];
}

const FUNDS: SceneKind = {
  under: 'order',
  beginnings: [inTurn('deposit'), inTurn('deposit', 'reserve'), inTurn('deposit', 'reserve')],
  continuations: [
    inTurn('transfer'),
    inTurn('reserve'),
    inTurn('reverse'),
    inTurn('dispatch'),
    inTurn('dispatch', 'settle'),
    inTurn('cancel'),
    inTurn('reserve', 'dispatch', 'settle', 'close'),
  ],
};

const ORDER: SceneKind = {
  under: 'order',
  beginnings: [
    inTurn('order', 'verify', 'freeze'),
    inTurn('order', 'verify', 'freeze'),
    inTurn('order', 'verify', 'freeze-all'),
    inTurn('link', 'order', 'verify', 'freeze-all'),
    inTurn('order', 'reject'),
  ],
  continuations: [
    inTurn('freeze'),
    inTurn('reserve'),
    released,
    inTurn('request-lift', 'approve-lift'),
    inTurn('propose-variation', 'verify-change'),
    inTurn('propose-variation', 'verify-change'),
    rescoped,
    inTurn('propose-variation', 'reject-change', 'verify-change'),
    inTurn('propose-ending', 'freeze', 'reject-change'),
    inTurn('propose-ending', 'verify-change'),
  ],
};

/** Freezes that share a limit, and limits that come later over freezes of the whole. */
const LIMITS: SceneKind = {
  under: 'order',
  beginnings: [divided, divided, claimedTwice, inTurn('order', 'verify', 'freeze-all')],
  continuations: [relimited, relimited, rescoped, inTurn('freeze'), released, inTurn('request-lift', 'approve-lift')],
};

const TIME: SceneKind = {
  under: 'order',
  beginnings: [orderForATime],
  continuations: [
    extended,
    extended,
    inTurn('propose-extension', 'verify-change'),
    inTurn('propose-extension', 'wait', 'reject-change'),
    inTurn('wait'),
    rescoped,
  ],
};

const HIT: SceneKind = {
  under: 'hit',
  beginnings: [
    inTurn('raise', 'confirm', 'freeze'),
    inTurn('raise', 'confirm', 'freeze-all'),
    inTurn('raise', 'confirm', 'freeze-all'),
    inTurn('link', 'raise', 'confirm', 'freeze-all'),
    inTurn('raise', 'dismiss'),
  ],
  continuations: [
    inTurn('freeze'),
    released,
    inTurn('request-lift', 'approve-lift'),
    inTurn('propose-clearance', 'freeze', 'reject-clearance', 'approve-clearance'),
    inTurn('propose-clearance', 'approve-clearance'),
  ],
};

/** What a scene begins with, and how it goes on: about the same things, and otherwise as it comes. */
function sceneOf({ under, beginnings, continuations }: SceneKind): fc.Arbitrary<readonly Step[]> {
  const phrase = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...COMMON) },
    { weight: 1, arbitrary: fc.constantFrom(...continuations) },
  );
  return fc
    .record({
      about,
      beginning: fc.tuple(fc.constantFrom(...beginnings), details),
      continuation: fc.array(fc.tuple(phrase, details), { maxLength: 8 }),
    })
    .map(({ about, beginning, continuation }) =>
      [beginning, ...continuation].flatMap(([play, own]) => play({ ...about, under, ...own })),
    );
}

const scene = fc.oneof(
  { weight: 1, arbitrary: sceneOf(FUNDS) },
  { weight: 2, arbitrary: sceneOf(ORDER) },
  { weight: 2, arbitrary: sceneOf(LIMITS) },
  { weight: 1, arbitrary: sceneOf(TIME) },
  { weight: 1, arbitrary: sceneOf(HIT) },
);

/** One scene. */
export const aScene: fc.Arbitrary<readonly Step[]> = scene;

/** Orders that run out, some of them extended, one after the other: months go by. */
export const months: fc.Arbitrary<readonly Step[]> = fc
  .array(sceneOf(TIME), { minLength: 4, maxLength: 8 })
  .map((scenes) => scenes.flatMap((steps, index) => steps.map((step) => ({ ...step, id: index + 1 }))));

/** Scenes one after the other, over the same few accounts, orders and hits. */
export const script: fc.Arbitrary<readonly Step[]> = fc
  .array(scene, { minLength: 3, maxLength: 7 })
  .map((scenes) => scenes.flat());

/**
 * The real core over a store, with the accounts open. Refusals are recorded however many there are, and an answer waits for
 * all that follows from its step, however long that takes.
 */
export async function worldOfScripts(store: EventStore): Promise<LedgerWorld> {
  const sleep = (): Promise<never> => new Promise(() => undefined);
  const world = new LedgerWorld({ store, sleep, limits: { refusalsPerMinute: 0 } });
  await openAccounts(world);
  return world;
}

/** Opens the accounts that scripts are about. */
export async function openAccounts(world: LedgerWorld): Promise<void> {
  for (const [index, party] of HOLDERS.entries()) {
    const [accountId, partyId] = [accountName(index), partyName(party)];
    const holders = [{ partyId, capacity: 'owner' }] as const;
    if (HOLDERS.indexOf(party) === index) await world.openAccount(accountId, partyId);
    else await world.accept({ type: 'OpenAccount', accountId, holders });
  }
}

/** What the ledger made of a step. */
export interface Answer {
  readonly came: Expected;
  /** What it called the freezes that it accepted, by account. */
  readonly freezeIds: ReadonlyMap<number, string>;
  /** Undefined where only time passed. */
  readonly outcome: Outcome | OutcomeOfAll | undefined;
}

/** Asks the ledger for what a step stands for, under a key. Nothing is under way any more when it is over. */
export async function take(world: LedgerWorld, asked: Asked, key: string): Promise<Answer> {
  const answer = await answerTo(world, asked, key);
  await world.ledger.supervisor.pass();
  return answer;
}

async function answerTo(world: LedgerWorld, asked: Asked, key: string): Promise<Answer> {
  if ('passesMs' in asked) {
    world.clock.advance(asked.passesMs);
    return answerFrom(asked, undefined);
  }
  if ('all' in asked) return answerFrom(asked, await world.freezeAll(asked.all, key));
  return answerFrom(asked, await world.ask(asked.command, { actor: asked.actor, key }));
}

/** An outcome in the words of the model. */
export function answerFrom(asked: Asked, outcome: Outcome | OutcomeOfAll | undefined): Answer {
  const freezeIds = new Map<number, string>();
  const note = (single: Outcome | FailedPart, accountId: string): Expected => {
    if (single.status === 'failed') throw single.error;
    if (single.status === 'rejected') return single.rejection.code;
    freezeIds.set(indexOf(accountId), single.authorisation?.id ?? '');
    return 'accepted';
  };
  if (outcome === undefined) return { came: 'accepted', freezeIds, outcome };
  if (outcome.status === 'answered') {
    const came = outcome.parts.map((part) => `${indexOf(part.accountId)} ${note(part.outcome, part.accountId)}`);
    return { came: came.join(', '), freezeIds, outcome };
  }
  const accountId = 'command' in asked && 'accountId' in asked.command ? asked.command.accountId : '';
  return { came: note(outcome, accountId), freezeIds, outcome };
}

function indexOf(accountId: string): number {
  return Number(accountId.slice(accountName(0).length - 1));
}

/** Plays a script and leaves its log in the store. */
export async function playInto(store: EventStore, steps: readonly Step[]): Promise<void> {
  const world = await worldOfScripts(store);
  const model = new NaiveModel();
  for (const [at, each] of steps.entries()) {
    const asked = model.command(each);
    if (asked === undefined) continue;
    const { freezeIds } = await take(world, asked, `step-${at}`);
    // The model knows which freezes there are: later steps are about them.
    model.apply(each, freezeIds);
  }
}
