import type { FailedPart, LedgerCommand, Outcome, OutcomeOfAll } from '#command-handling';
import { canonicalJson, type Actor, type RecordedEvent } from '#kernel';
import { identification, maker, requestFor, service } from '#testing';
import { accountName, partyName, type Asked } from '../naive-model/command.ts';
import { NaiveModel } from '../naive-model/model.ts';
import { answerFrom } from '../scripts.ts';
import { expectingOf, type Expecting, type Told } from './expected-revisions.ts';
import { isPassingCode, type Instance } from './instance.ts';
import type { Action, Asking, LeftAt, Mode } from './plan.ts';
import type { SimulatedTime } from './time.ts';

/** Attempts of one command in a storm; who plays a script goes on until there is an answer. */
const ATTEMPTS = 6;
const MOST_ATTEMPTS = 400;

/** An answer that stands: what was accepted, or refused on record. */
export interface Answered {
  readonly key: string;
  readonly asked: AskedOnce;
  readonly outcome: Outcome | OutcomeOfAll;
  /** The revision that it named as the one that it saw. */
  readonly ifMatch: number | undefined;
  /** Events that the log held when the answer came. */
  readonly logLength: number;
}

/** A command as it is repeated. */
export type AskedOnce = Exclude<Asked, { readonly passesMs: number }>;

/** One command as it is asked, however often. */
interface Request {
  readonly key: string;
  readonly asked: AskedOnce;
  readonly expecting: Expecting | undefined;
}

/** What callers need of the world. */
export interface Surroundings {
  readonly time: SimulatedTime;
  readonly mode: Mode;
  readonly draw: (below: number) => number;
  /** An instance that can be reached; undefined when none can. */
  readonly reach: () => Instance | undefined;
  readonly log: () => readonly RecordedEvent[];
  readonly note: (line: string) => void;
  /** Makes the second append of a freeze under a key fail, once. */
  readonly leave: (key: string, what: LeftAt) => void;
  /** Waits until all is done that follows from what was asked. */
  readonly untilQuiet: () => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** All callers of one run: they know of each other's freezes, and whatever was answered is kept. */
export class Callers {
  readonly answers: Answered[] = [];
  /** What those were told that named a revision. */
  readonly told: Told[] = [];
  /** What the callers believe; of a script, what has to be. */
  readonly model = new NaiveModel();
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** One caller asks for all that is its own, one after the other. */
  async play(caller: number, actions: readonly (readonly [number, Action])[]): Promise<void> {
    for (const [index, action] of actions) {
      await this.#around.time.sleep(action.pauseMs);
      await this.#act(`${caller}-${index}`, action);
    }
  }

  async #act(key: string, action: Action): Promise<void> {
    const { time, mode, note, untilQuiet, failed } = this.#around;
    const asked = this.#commandOf(action.asking);
    if (asked === undefined) return;
    if ('passesMs' in asked) {
      note(`${asked.passesMs / 86_400_000} days pass`);
      time.leap(asked.passesMs);
    }
    const outcome = 'passesMs' in asked ? undefined : await this.#ask(key, asked, action);
    if (mode !== 'storm') await untilQuiet();
    if (outcome === undefined && !('passesMs' in asked)) return;
    if (action.asking.kind !== 'step') return;
    const { step } = action.asking;
    const { came, freezeIds } = answerFrom(asked, outcome);
    if (mode === 'storm') {
      if (came.includes('accepted')) this.model.apply(step, freezeIds);
      return;
    }
    const expected = this.model.apply(step, freezeIds);
    if (came !== expected) failed(new Error(`${key} ${step.kind} came to ${came}, and has to come to ${expected}`));
  }

  #commandOf(asking: Asking): Asked | undefined {
    switch (asking.kind) {
      case 'step':
        return this.model.command(asking.step);
      case 'register': {
        const partyId = newcomer(asking.id);
        return plain({ type: 'RegisterParty', partyId, kind: 'person', externalRef: `ref-${partyId}` });
      }
      case 'identify':
        return plain(identification(newcomer(asking.id)));
      case 'open-joint': {
        const holders = [partyName(0), asking.id === 0 ? partyName(1) : newcomer(asking.id)];
        const accountId = accountName(90 + asking.id);
        return plain(
          { type: 'OpenAccount', accountId, holders: holders.map((partyId) => ({ partyId, capacity: 'owner' })) },
          service,
        );
      }
    }
  }

  /** @returns what it came to; undefined when the caller gave up */
  async #ask(key: string, asked: AskedOnce, action: Action): Promise<Outcome | OutcomeOfAll | undefined> {
    const { time, mode, draw, reach, leave, log, failed } = this.#around;
    const attempts = action.leftAt !== undefined ? 1 : mode === 'storm' ? ATTEMPTS : MOST_ATTEMPTS;
    if (action.leftAt !== undefined) leave(key, action.leftAt);
    const expecting = expectingOf(asked, action.saw, log());
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const instance = reach();
      const answer =
        instance === undefined ? undefined : await this.#attempt({ key, asked, expecting }, action, instance);
      if (answer !== undefined && !isPassingOutcome(answer)) return answer;
      await time.sleep(50 + draw(50 * 2 ** Math.min(attempt, 6)));
    }
    if (mode !== 'storm') failed(new Error(`${key} was never answered`));
    return undefined;
  }

  /** One request. An answer that comes when nobody waits for it any more counts all the same. */
  async #attempt(
    { key, asked, expecting }: Request,
    { patienceMs }: Action,
    instance: Instance,
  ): Promise<Outcome | OutcomeOfAll | undefined> {
    const { time, note, failed, log } = this.#around;
    const ifMatch = expecting?.revision;
    const answer = execute(instance.ledger, key, asked, ifMatch).then(
      (outcome) => {
        if (!instance.isAlive) return undefined;
        note(`${key} ${nameOf(asked)} at ${instance.number}: ${wordsOf(outcome)}`);
        for (const error of errorsOf(outcome)) failed(error);
        const logLength = log().length;
        if (standsForGood(outcome)) this.answers.push({ key, asked, outcome, ifMatch, logLength });
        if (expecting !== undefined && 'command' in asked && outcome.status !== 'answered') {
          this.told.push({ name: nameOf(asked), type: asked.command.type, expecting, outcome, logLength });
        }
        return outcome;
      },
      (error: unknown) => {
        failed(error);
        return undefined;
      },
    );
    return Promise.race([answer, instance.gone().then(() => undefined), time.sleep(patienceMs).then(() => undefined)]);
  }
}

export function execute(
  ledger: Instance['ledger'],
  key: string,
  asked: AskedOnce,
  ifMatch?: number,
): Promise<Outcome | OutcomeOfAll> {
  return 'all' in asked
    ? ledger.freezeAllNamed(requestFor({ type: 'FreezeAllNamed', ...asked.all } as const, { key }))
    : ledger.execute(requestFor(asked.command, { key, actor: asked.actor, ...(ifMatch !== undefined && { ifMatch }) }));
}

function plain(command: LedgerCommand, actor: Actor = maker): Asked {
  return { command, actor };
}

function newcomer(id: number): string {
  return `p-new-${id}`;
}

export function nameOf(asked: AskedOnce): string {
  if ('all' in asked) return `FreezeAllNamed ${asked.all.basis.id}`;
  const { type, ...fields } = asked.command;
  const ids = Object.values(fields).filter((value) => typeof value === 'string' && value.length < 40);
  return [type, ...ids].join(' ');
}

/** What one command came to, or one part of a freeze of all. */
type AnyOutcome = Outcome | OutcomeOfAll | FailedPart;

/** Of parts that failed for a reason that nobody expects. */
function errorsOf(outcome: AnyOutcome): readonly unknown[] {
  if (outcome.status === 'failed') return [outcome.error];
  return outcome.status === 'answered' ? outcome.parts.flatMap((part) => errorsOf(part.outcome)) : [];
}

function wordsOf(outcome: AnyOutcome): string {
  if (outcome.status === 'failed') return 'failed';
  const replayed = outcome.status !== 'rejected' && outcome.replayed ? ' again' : '';
  if (outcome.status === 'rejected') return outcome.rejection.code;
  if (outcome.status === 'accepted') return `accepted${replayed}`;
  return outcome.parts.map((part) => `${part.accountId} ${wordsOf(part.outcome)}`).join(', ') + replayed;
}

/** Whether to ask again: of a freeze of all, when any part is open. */
function isPassingOutcome(outcome: AnyOutcome): boolean {
  if (outcome.status === 'rejected') return isPassingCode(outcome.rejection.code);
  return outcome.status === 'answered' && outcome.parts.some((part) => isPassingOutcome(part.outcome));
}

/** True for what the log tells for ever: other refusals are decided anew. */
export function standsForGood(outcome: AnyOutcome): boolean {
  if (outcome.status === 'failed') return false;
  if (outcome.status === 'rejected') return recordedAt(outcome) !== undefined;
  return outcome.status === 'accepted' || outcome.parts.some((part) => standsForGood(part.outcome));
}

/** The revision of a refusal that is on record. */
function recordedAt(rejected: { readonly revision?: number }): number | undefined {
  return rejected.revision;
}

/** What stands for good of an answer, as text: equal for every answer under one key. */
export function standing(outcome: AnyOutcome): string {
  if (outcome.status !== 'answered') return canonicalJson(JSON.parse(JSON.stringify({ ...outcome, replayed: null })));
  const parts = outcome.parts.filter((part) => standsForGood(part.outcome));
  return parts.map((part) => `${part.accountId} ${standing(part.outcome)}`).join('\n');
}
