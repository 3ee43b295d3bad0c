import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that does what no decent library does: sends half a request, or takes no answer. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  /** Those who wait for anything to happen. */
  readonly #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#wakeUp();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wakeUp();
    });
  }

  static async connect(url: string): Promise<RawClient> {
    const { port, hostname } = new URL(url);
    const client = new RawClient(connect(Number(port), hostname));
    await once(client.socket, 'connect');
    return client;
  }

  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Takes nothing more of what is sent to it. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    while (!this.#closed) await this.#anything();
  }

  /** Resolves with what came, when a whole answer (its `Content-Length` told) is there; then forgets it. */
  async answer(): Promise<string> {
    for (;;) {
      const end = endOfAnswer(this.#received);
      if (end !== undefined) {
        const answer = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return answer;
      }
      if (this.#closed) throw new Error(`the connection was closed after: ${this.#received}`);
      await this.#anything();
    }
  }

  end(): void {
    this.socket.destroy();
  }

  #anything(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeUp(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function endOfAnswer(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
  if (head < 0) return undefined;
  const end = head + 4 + Number(length ?? 0);
  return text.length >= end ? end : undefined;
}

/** A request as text; its body is sent whole. */
export function requestText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: object,
): string {
  const content = body === undefined ? '' : JSON.stringify(body);
  const all = {
    Host: 'localhost',
    ...headers,
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(content)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, '', content].join('\r\n');
}
