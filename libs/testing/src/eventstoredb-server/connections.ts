import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const HOST = '127.0.0.1';

/** How long connections may take to end by themselves when the server stops in order. */
const DRAIN_MS = 200;

/** The calls that are under way in this process: the library that serves them does not show its streams. */
const openStreams = new Set<ServerHttp2Stream>();

diagnostics.subscribe('http2.server.stream.created', (message) => {
  const { stream } = message as { readonly stream: ServerHttp2Stream };
  openStreams.add(stream);
  stream.once('close', () => openStreams.delete(stream));
});

/** One address on loopback and what is connected to it, so that a test can have any connection cut. */
export class Connections {
  readonly #accept: (socket: Socket) => void;
  readonly #sockets = new Map<string, Socket>();
  #listener = createServer();
  #port = 0;

  constructor(accept: (socket: Socket) => void) {
    this.#accept = accept;
  }

  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#listener.listening;
  }

  /** @param port of an earlier time, or 0 for a free one. @throws what `listen` throws */
  async open(port: number): Promise<void> {
    this.#listener = createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
      this.#sockets.set(peer, socket);
      socket.once('close', () => this.#sockets.delete(peer));
      socket.on('error', () => undefined);
      this.#accept(socket);
    });
    this.#listener.listen(port, HOST);
    await once(this.#listener, 'listening');
    // It listens on TCP, hence an address and not a pipe's name.
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** Cuts the connection of a call, as a crash does. */
  drop(peer: string): void {
    this.#sockets.get(peer)?.resetAndDestroy();
  }

  dropAll(): void {
    for (const socket of this.#sockets.values()) socket.resetAndDestroy();
  }

  /** Nobody can connect any more, and nobody is connected. */
  close(): void {
    this.#listener.close();
    this.dropAll();
  }
}

/** Ends all calls as a server does that is stopped in order: each is reset, and what was sent before arrives. */
export async function endCallsInOrder(): Promise<void> {
  if (openStreams.size === 0) return;
  for (const stream of openStreams) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  await delay(DRAIN_MS);
}
