import { basisStream } from '#kernel';
import { citedIn, isAboutLift, isObject, isRecordedEvent, orderOfName, type Members } from './cited.ts';
import { WITHHELD_ORDER } from './withheld.dto.ts';

/** Of which orders nothing is told, and of which freezes not what was said about their lift. */
export interface Secrets {
  readonly orders: ReadonlySet<string>;
  readonly freezes: ReadonlySet<string>;
  /** Requests of a lift that rely on an order of release of which nothing is told, by `liftName`. */
  readonly lifts: ReadonlySet<string>;
}

/**
 * What is shown to those who must not be told of some orders: the one place that decides it. An order, and a change of it,
 * is "a legal order"; what rests on it says so of its basis, and does not point to the order's stream; words that people
 * wrote about it are left out. Of a recorded event, its place, type, time, author and hashes are left.
 */
export function withhold(value: unknown, secrets: Secrets): unknown {
  if (Array.isArray(value)) return value.map((item) => withhold(item, secrets));
  if (!isObject(value)) return value;
  if (isRecordedEvent(value)) return withheldEvent(value, secrets);
  if (isRefusal(value)) return speaksOfSecrets(value, secrets) ? withheldRefusal(value, secrets) : value;
  if (isViolation(value)) return withheldViolation(value, secrets);
  if (isSecretOrder(value, secrets)) return WITHHELD_ORDER;
  if (isSecretPointer(value, secrets)) return null;
  const withoutWords = restsOnSecret(value, secrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      withoutWords && ABOUT_BASIS.has(name) ? null : withhold(member, secrets),
    ]),
  );
}

/** Stands for the stream of an order where the log itself is not shown; no id begins like this. */
const WITHHELD_STREAM = basisStream({ kind: 'legal-order', id: '~' });

/** Members in which people say why, or which name what they speak of: an order, a change of it. */
const ABOUT_BASIS: ReadonlySet<string> = new Set(['note', 'reason', 'orderId', 'changeId']);

/** Of the answer to a letter, a task, a lift request. */
function restsOnSecret(value: Members, secrets: Secrets): boolean {
  return isSecretBasis(value['basis'], secrets) || (isAboutLift(value) && speaksOfSecrets(value, secrets));
}

function speaksOfSecrets(value: Members, { orders, freezes, lifts }: Secrets): boolean {
  const cited = citedIn(value);
  return (
    [...cited.orders].some((id) => orders.has(id)) ||
    [...cited.freezes.keys()].some((id) => freezes.has(id)) ||
    [...cited.lifts.keys()].some((name) => lifts.has(name))
  );
}

function isRefusal(value: Members): boolean {
  return 'command' in value && 'decidedOn' in value;
}

function isViolation(value: Members): boolean {
  return 'detectedAt' in value;
}

/** The order itself or a change of it, or the basis that it is. A lift request may name an order, and is none. */
function isSecretOrder(value: Members, secrets: Secrets): boolean {
  if (isSecretBasis(value, secrets)) return true;
  return typeof value['orderId'] === 'string' && secrets.orders.has(value['orderId']) && !isAboutLift(value);
}

function isSecretBasis(value: unknown, { orders }: Secrets): boolean {
  if (!isObject(value) || value['kind'] !== 'legal-order') return false;
  return typeof value['id'] === 'string' && orders.has(value['id']);
}

/** A place on the order's stream. */
function isSecretPointer({ stream }: Members, { orders }: Secrets): boolean {
  return typeof stream === 'string' && orders.has(orderOfName(stream) ?? '');
}

/** The envelope and the hash stay: the chain can be followed. */
function withheldEvent(event: Members, secrets: Secrets): Members {
  const { stream, data, metadata } = event;
  if (!speaksOfSecrets({ stream, data }, secrets)) return event;
  return { ...event, data: null, metadata: withheldMetadata(metadata, secrets) };
}

/** The namings of earlier versions have the id of their basis as the correlation id. */
function withheldMetadata(metadata: unknown, { orders }: Secrets): unknown {
  if (!isObject(metadata) || typeof metadata['correlationId'] !== 'string') return metadata;
  return orders.has(metadata['correlationId']) ? { ...metadata, correlationId: null } : metadata;
}

function withheldRefusal(refusal: Members, secrets: Secrets): Members {
  const stream = shownStream(refusal['stream'], secrets);
  return { ...refusal, stream, detail: null, extra: null, request: null, decidedOn: null };
}

/** What is wrong with an event of another stream is said without naming the order. */
function withheldViolation(violation: Members, secrets: Secrets): Members {
  if (!isSecretPointer(violation, secrets)) return violation;
  return { ...violation, stream: shownStream(violation['stream'], secrets), detail: null };
}

function shownStream(stream: unknown, { orders }: Secrets): unknown {
  return typeof stream === 'string' && orders.has(orderOfName(stream) ?? '') ? WITHHELD_STREAM : stream;
}
