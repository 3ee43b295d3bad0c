import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is read of a request before it is a request: enough to turn it away. */
export interface Glimpse {
  readonly url: string;
  readonly correlationId: string | undefined;
}

/** Looks at a request that has come whole. @returns the answer, head and body, when it is turned away */
export type Look = (glimpse: Glimpse) => string | undefined;

/** What is known of a connection. */
interface Passage {
  /** False from the first thing on that is not one whole plain request at a time: then only the parser knows where one ends. */
  plain: boolean;
  /** The parser has had a request, and nothing of it is left: what comes next begins another. */
  isBetween: boolean;
}

/**
 * Turns requests away before the HTTP parser sees them. That costs a quarter of what it costs behind the parser, and in a
 * flood most requests are turned away. Only what has come as one whole, plain request, on a connection where nothing else is
 * under way, is looked at here; all else is left to the parser, and to whoever stands behind it. Nothing is let through that
 * the parser did not read: what is read here is answered, or read again there from its first byte.
 */
export class Turnstile {
  readonly #look: Look;
  readonly #passages = new WeakMap<Socket, Passage>();

  constructor(look: Look) {
    this.#look = look;
  }

  /** Stands before a server: call it once the server listens to `connection` itself. */
  guard(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const [parse, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[];
      // As long as the server reads its sockets so. Otherwise it reads them alone.
      if (parse === undefined || others.length > 0) return;
      const passage: Passage = { plain: true, isBetween: false };
      this.#passages.set(socket, passage);
      let isFirst = true;
      socket.off('data', parse);
      socket.on('data', (chunk: Buffer) => {
        // The first request goes to the parser, whatever it is: until then a connection counts as one that keeps it waiting.
        if (passage.plain && (isFirst || passage.isBetween)) {
          const glimpse = glimpseOf(chunk);
          if (glimpse === undefined) passage.plain = false;
          else if (!isFirst && this.#turnsAway(glimpse, socket)) return;
        } else passage.plain = false;
        isFirst = false;
        passage.isBetween = false;
        parse.call(socket, chunk);
      });
    });
  }

  /** Says that a request which the parser read is answered. */
  answered(request: IncomingMessage, response: ServerResponse): void {
    const passage = this.#passages.get(request.socket);
    if (passage !== undefined) passage.isBetween = request.complete && response.writableFinished;
  }

  #turnsAway(glimpse: Glimpse, socket: Socket): boolean {
    const answer = this.#look(glimpse);
    if (answer === undefined) return false;
    socket.write(answer, 'utf8');
    return true;
  }
}

/** Longer heads are left to the parser. */
const MAX_HEAD_BYTES = 4096;
/**
 * The whole of a head, so plain that nobody can read it otherwise. The blank after a colon is part of the value here: apart
 * from it, each would double the ways in which a head is tried that does not match in the end.
 */
const HEAD = /^(?:GET|POST) (\/v1\/[\x21-\x7e]*) HTTP\/1\.1\r\n(?:[A-Za-z0-9-]+:[\x20-\x7e]*\r\n)+\r\n$/;
/** What says where the request ends otherwise than by its length, or asks for more than an answer. */
const NOT_PLAIN = /\r\n(?:(?:transfer-encoding|upgrade|expect|trailer|te):|connection:(?! ?keep-alive\r))/i;
const LENGTHS = /\r\ncontent-length: ?([^\r]*)/gi;
const CORRELATION_ID = /\r\nx-correlation-id: ?([\x21-\x7e]{1,128})\r\n/i;

/** Exported for its tests. @returns undefined for anything but one whole request in the plainest form */
export function glimpseOf(chunk: Buffer): Glimpse | undefined {
  const end = chunk.indexOf('\r\n\r\n');
  if (end < 0 || end > MAX_HEAD_BYTES) return undefined;
  const head = chunk.toString('latin1', 0, end + 4);
  const url = HEAD.exec(head)?.[1];
  if (url === undefined || NOT_PLAIN.test(head)) return undefined;
  const lengths = [...head.matchAll(LENGTHS)].map(([, length = '']) => length);
  const bodyBytes = chunk.length - (end + 4);
  const isWhole = lengths.length === 0 ? bodyBytes === 0 : lengths.length === 1 && lengths[0] === String(bodyBytes);
  if (!isWhole) return undefined;
  return { url, correlationId: CORRELATION_ID.exec(head)?.[1] };
}
