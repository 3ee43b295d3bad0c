import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { malformedRequest, ProblemError } from './problem.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const MAX_CORRELATION_ID_LENGTH = 128;
const MAX_KEY_LENGTH = 255;

/** The caller's `X-Correlation-Id` if it is fit for logs and events, or a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-correlation-id'];
  const fits = typeof given === 'string' && given.length <= MAX_CORRELATION_ID_LENGTH && VISIBLE_ASCII.test(given);
  return fits ? given : randomUUID();
}

/**
 * What HTTP rules out in the head of any request (RFC 9112, 3.2), what it lets a server refuse (RFC 9110, 10.1.1), and a
 * header of which Node would keep the first and say nothing (RFC 9110, 5.3).
 */
export function flawOfHead({ httpVersion, headers, rawHeaders }: IncomingMessage): ProblemError | undefined {
  for (const name of ONCE) if (isRepeated(name, rawHeaders)) return malformedHeader(name, 'must be there once');
  if (httpVersion !== '1.1') return undefined;
  if (headers.host === undefined) return malformedHeader('Host', 'must be there');
  const { expect = '100-continue' } = headers;
  return expect.toLowerCase() === '100-continue' ? undefined : malformedHeader('Expect', 'must be 100-continue');
}

/** Who is asked, and who asks: two answers would be none. */
const ONCE = ['Host', 'Authorization'] as const;

/** @param rawHeaders names and values in turn, as they came */
function isRepeated(name: string, rawHeaders: readonly string[]): boolean {
  let times = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index];
    if (given?.length === name.length && given.toLowerCase() === name.toLowerCase()) times += 1;
  }
  return times > 1;
}

/** How a body is written is said by headers: none but JSON in UTF-8, as it is, can be read. */
export function isPlainUtf8(headers: IncomingHttpHeaders): boolean {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
  return encoding.toLowerCase() === 'identity' && /^utf-?8$/i.test(charset);
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/i;

/** @throws ProblemError `idempotency-key-missing`, or `malformed-request` naming the header */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string {
  const key = headers['idempotency-key'];
  if (key === undefined || key === '') {
    const detail = 'Every command needs an Idempotency-Key header, so that it can be sent again safely.';
    throw new ProblemError({ code: 'idempotency-key-missing', detail });
  }
  if (typeof key === 'string' && key.length <= MAX_KEY_LENGTH && VISIBLE_ASCII.test(key)) return key;
  throw malformedHeader('Idempotency-Key', `must be 1 to ${String(MAX_KEY_LENGTH)} visible ASCII characters`);
}

const REVISION_TAG = /^(?:"(0|[1-9][0-9]{0,14})"|(0|[1-9][0-9]{0,14}))$/;

/**
 * The revision that `If-Match` demands, or undefined where nothing is demanded.
 * @throws ProblemError `malformed-request` for weak tags, lists, and whatever else no answer of ours gave as `ETag`
 */
export function ifMatchOf(headers: IncomingHttpHeaders): number | undefined {
  const tag = headers['if-match'];
  if (tag === undefined || tag === '*') return undefined;
  const [, quoted, bare] = REVISION_TAG.exec(tag) ?? [];
  const revision = quoted ?? bare;
  if (revision !== undefined) return Number(revision);
  throw malformedHeader('If-Match', 'must be one revision, as an answer gave it in ETag, such as "7"');
}

function malformedHeader(field: string, message: string): ProblemError {
  return new ProblemError(malformedRequest([{ field, message }]));
}

/** True for a media type that `Accept` names itself, in whatever case, and does not rule out by `q=0` (RFC 9110, 12.5.1). */
export function accepts(accept: string | undefined, mediaType: string): boolean {
  const ranges = accept?.toLowerCase().split(',') ?? [];
  return ranges.some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    return type === mediaType && !parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
  });
}
