import { Agent, request as sendRequest, type IncomingHttpHeaders } from 'node:http';

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON, where the answer says that it is. */
  readonly body: unknown;
}

export interface HttpRequest {
  readonly method: string;
  /** Sent as it is: no URL parser has put it right. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: string | Uint8Array | undefined;
}

const TIMEOUT_MS = 20_000;
const MAX_SOCKETS = 100;

/** Sends requests to one service over connections that it keeps. */
export class HttpClient {
  readonly #origin: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });

  constructor(url: string) {
    this.#origin = new URL(url);
  }

  /** @throws Error when there is no whole answer in time */
  send({ method, path, headers, content }: HttpRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#origin;
      const length = content === undefined ? {} : { 'content-length': String(Buffer.byteLength(content)) };
      const request = sendRequest(
        { agent: this.#agent, hostname, port, method, path, headers: { ...length, ...headers }, timeout: TIMEOUT_MS },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const { statusCode = 0, headers: answered } = response;
            resolve({ status: statusCode, headers: answered, text, body: parsed(answered, text) });
          });
        },
      );
      request.on('timeout', () => request.destroy(new Error(`${method} ${path} was not answered in time`)));
      request.on('error', reject);
      request.end(content);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsed({ 'content-type': type = '' }: IncomingHttpHeaders, text: string): unknown {
  return /^application\/(problem\+)?json(;|$)/.test(type) && text !== '' ? (JSON.parse(text) as unknown) : undefined;
}
