/** An event as the audit API gives it. */
export interface LoggedEvent {
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a log says, counted from its events alone. */
export interface LogFigures {
  readonly events: number;
  readonly freezes: number;
  /** The ids of the freezes whose citation leads to no authority that was in force then. */
  readonly withoutBasis: readonly string[];
  readonly lifts: number;
  /** The ids of the freezes that were lifted without an event that establishes the ground. */
  readonly withoutGround: readonly string[];
  readonly letters: number;
  readonly lettersRefused: number;
  readonly lettersGranted: number;
  /** The letters that asked for information on people, and got it. */
  readonly disclosures: readonly string[];
  /** Commands turned down and kept as a fact. */
  readonly refusals: readonly Refusal[];
  /** Letters turned down, with the reason given. */
  readonly refusedLetters: readonly RefusedLetter[];
}

export interface Refusal {
  readonly stream: string;
  readonly command: string;
  readonly code: string;
  readonly detail: string;
}

export interface RefusedLetter {
  readonly requestId: string;
  readonly reference: string;
  readonly asked: string;
  readonly reason: string;
}

const IN_FORCE = ['LegalOrderVerified', 'SanctionsHitConfirmed'];
const ENDED = ['LegalOrderEnded', 'LegalOrderExpired', 'SanctionsHitCleared'];
const BASIS_STREAM = /^(legalOrder|sanctionsHit)-/;
const ASKS_FOR_DATA = ['disclosure', 'information'];

/**
 * Counts over a log, by the events alone: no code of the domain has a part in it, so that it is a second opinion.
 * @param log in order, from the first event on
 */
export function figuresOf(log: readonly LoggedEvent[]): LogFigures {
  const events = new Map(log.map((event) => [`${event.stream}@${event.revision}`, event]));
  const cited = (event: LoggedEvent): LoggedEvent | undefined => {
    const { stream, revision, eventId } = memberOf(event.data, 'citation');
    const found = events.get(`${String(stream)}@${String(revision)}`);
    return found !== undefined && found.id === eventId && found.position < event.position ? found : undefined;
  };
  const frozen = ofType(log, 'AccountFrozen');
  const lifted = ofType(log, 'AccountUnfrozen');
  const letters = new Map(ofType(log, 'AuthorityRequestRegistered').map((event) => [event.stream, event]));
  const answers = ofType(log, 'AuthorityRequestAnswered');
  const refused = answers.filter(({ data }) => data['outcome'] === 'refused');
  return {
    events: log.length,
    freezes: frozen.length,
    withoutBasis: frozen.filter((event) => !isAuthorised(event, cited(event), log)).map(freezeIdOf),
    lifts: lifted.length,
    withoutGround: lifted.filter((event) => cited(event) === undefined).map(freezeIdOf),
    letters: letters.size,
    lettersRefused: refused.length,
    lettersGranted: answers.filter(({ data }) => data['outcome'] === 'granted').length,
    disclosures: answers
      .filter(({ data, stream }) => data['outcome'] === 'granted' && asksForData(letters.get(stream)))
      .map(({ stream }) => stream),
    refusals: ofType(log, 'CommandRefused').map(refusalOf),
    refusedLetters: refused.map((answer) => refusedLetterOf(answer, letters.get(answer.stream))),
  };
}

/** True when the cited event authorises this account, under a basis that two people had put in force and nobody had ended. */
function isAuthorised(
  freeze: LoggedEvent,
  authorisation: LoggedEvent | undefined,
  log: readonly LoggedEvent[],
): boolean {
  if (authorisation?.type !== 'FreezeAuthorised' || !BASIS_STREAM.test(authorisation.stream)) return false;
  if (authorisation.data['accountId'] !== freeze.data['accountId']) return false;
  const before = log.filter(
    ({ stream, position }) => stream === authorisation.stream && position < authorisation.position,
  );
  const begun = before.find(({ type }) => IN_FORCE.includes(type));
  const registered = before[0];
  return (
    begun !== undefined &&
    !before.some(({ type }) => ENDED.includes(type)) &&
    memberOf(begun.metadata, 'actor')['id'] !== memberOf(registered?.metadata ?? {}, 'actor')['id']
  );
}

function asksForData(letter: LoggedEvent | undefined): boolean {
  return letter === undefined || ASKS_FOR_DATA.includes(String(letter.data['kind']));
}

function refusalOf({ stream, data }: LoggedEvent): Refusal {
  return { stream, command: textOf(data, 'command'), code: textOf(data, 'code'), detail: textOf(data, 'detail') };
}

function refusedLetterOf({ stream, data }: LoggedEvent, letter: LoggedEvent | undefined): RefusedLetter {
  return {
    requestId: stream.replace(/^authorityRequest-/, ''),
    reference: textOf(letter?.data ?? {}, 'reference'),
    asked: textOf(letter?.data ?? {}, 'subject'),
    reason: textOf(data, 'reason'),
  };
}

function ofType(log: readonly LoggedEvent[], type: string): readonly LoggedEvent[] {
  return log.filter((event) => event.type === type);
}

function freezeIdOf({ data, id }: LoggedEvent): string {
  return typeof data['freezeId'] === 'string' ? data['freezeId'] : id;
}

function textOf(data: Readonly<Record<string, unknown>>, name: string): string {
  return typeof data[name] === 'string' ? data[name] : '-';
}

function memberOf(data: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const member = data[name];
  return typeof member === 'object' && member !== null ? (member as Readonly<Record<string, unknown>>) : {};
}
