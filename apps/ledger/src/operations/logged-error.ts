import { codeOf, messageOf } from '../thrown.ts';

/** What a line of the log says of an error. */
export interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  /** File and line from which it was thrown, without the folder: for whoever has the sources. */
  readonly at?: string;
}

const NAME = /^[A-Za-z][\w.]{0,63}$/;
const CODE = /^[\w.-]{1,64}$/;
const PLACE = /([\w.-]+\.[cm]?[jt]s):(\d+):\d+/;
/** What reads or computes repeats in its errors what it was given: an amount, a piece of a body, of a token. */
const TALKATIVE = ['SyntaxError', 'RangeError', 'URIError'];
const MAX_MESSAGE_LENGTH = 300;

/**
 * An error as the log shows it: what it is called, what it says, and where it came from, in a form that can be found in the
 * sources. No stack, no folder, no SQL, no token.
 */
export function loggedError(thrown: unknown): LoggedError {
  const name = nameOf(thrown);
  const code = codeOf(thrown);
  const [, file, line] = PLACE.exec(stackOf(thrown)) ?? [];
  return {
    name,
    ...(typeof code === 'string' && CODE.test(code) ? { code } : {}),
    ...(TALKATIVE.includes(name) ? {} : { message: withoutSecrets(messageOf(thrown)) }),
    ...(file === undefined || line === undefined ? {} : { at: `${file}:${line}` }),
  };
}

/** Cuts out of a text that others wrote what no line of the log may say. */
export function withoutSecrets(text: string): string {
  const cut = text
    .slice(0, 4 * MAX_MESSAGE_LENGTH)
    .replace(/\bBearer\s+\S+|\beyJ[\w-]*(\.[\w-]*)*/gi, '(token)')
    .replace(/\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|ATTACH|VACUUM)\b[\s\S]*/, '(statement)')
    .replace(/\b[a-z][a-z+.-]*:\/\/\S+/gi, '(address)')
    .replace(/([A-Za-z]:)?([\\/][^\s\\/:'"`,;()]+){2,}[\\/]?|[\\/][\w.-]+\.\w+/g, '(path)')
    .replace(/\n\s+at .*/g, '');
  return cut.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
}

function nameOf(thrown: unknown): string {
  const name: unknown = Object(thrown) === thrown ? (thrown as { name?: unknown }).name : undefined;
  return typeof name === 'string' && NAME.test(name) ? name : typeof thrown;
}

/** The frames alone: the message before them is anybody's. */
function stackOf(thrown: unknown): string {
  const stack: unknown = Object(thrown) === thrown ? (thrown as { stack?: unknown }).stack : undefined;
  if (typeof stack !== 'string') return '';
  const frames = stack.indexOf('\n    at ');
  return frames === -1 ? '' : stack.slice(frames);
}
