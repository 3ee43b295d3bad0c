import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export type Heading = 'to-server' | 'from-server';

/**
 * A way to servers on which things go wrong when a test asks for it, where the servers can't be asked: to any server, of
 * anybody. It passes bytes on and looks at none, so it does not mind TLS. gRPC's clients go through it by the environment
 * that it gives, to each node by its own name and address: certificates fit, and the nodes that a cluster tells of
 * are reached by the same way.
 */
export interface Tunnel {
  /** For a process whose clients of gRPC are to come this way; read when a client makes a connection. */
  readonly environment: Readonly<Record<'grpc_proxy' | 'no_grpc_proxy', string>>;
  /** Connections that there are. */
  readonly connections: number;
  /** Ends all connections at once, as a reset. @returns how many */
  cut(): number;
  /** Lets so many more bytes through, over all connections together, then cuts them all. @returns when it has */
  cutAfter(heading: Heading, sizeBytes: number): Promise<void>;
  /** Lets nothing through, one way or both, on connections that there are and on new ones; closes none of them. */
  stall(heading?: Heading): void;
  /** Lets everything through that was held up, and what comes. */
  resume(): void;
  /** Resets all new connections. Those that there are stay. */
  refuse(): void;
  /** Takes new connections again. */
  accept(): void;
  /** Ends everything. */
  close(): Promise<void>;
}

/** A name that no server has. */
const NO_SERVER = 'nowhere.invalid';
const NOTHING = Buffer.alloc(0);
const HEADINGS: readonly Heading[] = ['to-server', 'from-server'];

/** Opens a way, on loopback. */
export async function openTunnel(): Promise<Tunnel> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('the tunnel has no port');
  return new OpenTunnel(listener, address.port);
}

interface Waiter {
  readonly heading: Heading;
  leftBytes: number;
  readonly resolve: () => void;
}

class OpenTunnel implements Tunnel {
  readonly environment: Tunnel['environment'];
  readonly #listener: Server;
  readonly #ways = new Set<Way>();
  readonly #stalled = new Set<Heading>();
  #waiters: Waiter[] = [];
  #isOpen = true;
  #isCutting = false;

  constructor(listener: Server, port: number) {
    this.environment = { grpc_proxy: `http://127.0.0.1:${port}`, no_grpc_proxy: NO_SERVER };
    this.#listener = listener;
    listener.on('connect', (request: IncomingMessage, near: Duplex) => this.#take(request.url ?? '', near));
    // What is no CONNECT is for nobody here.
    listener.on('request', (_, response) => response.writeHead(405).end());
  }

  get connections(): number {
    return this.#ways.size;
  }

  cut(): number {
    return this.#endAll('reset');
  }

  cutAfter(heading: Heading, sizeBytes: number): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ heading, leftBytes: sizeBytes, resolve }));
  }

  stall(heading?: Heading): void {
    for (const one of heading === undefined ? HEADINGS : [heading]) {
      this.#stalled.add(one);
      for (const way of this.#ways) way.hold(one);
    }
  }

  resume(): void {
    this.#stalled.clear();
    for (const way of this.#ways) way.release();
  }

  refuse(): void {
    this.#isOpen = false;
  }

  accept(): void {
    this.#isOpen = true;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    this.cut();
    this.#listener.closeAllConnections();
    await closed;
  }

  /** Who asks is told at once that it is connected: a server that can't be reached looks like one that hangs up. */
  #take(target: string, near: Duplex): void {
    near.on('error', () => undefined);
    near.write('HTTP/1.1 200 Connected\r\n\r\n');
    if (!this.#isOpen) {
      near.destroy();
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const far = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 80 : port) });
    const way = new Way(near, far, (heading, chunk) => this.#allowed(heading, chunk));
    this.#ways.add(way);
    for (const heading of this.#stalled) way.hold(heading);
    near.once('close', () => this.#ways.delete(way));
  }

  #endAll(how: 'reset' | 'close'): number {
    const ways = [...this.#ways];
    this.#ways.clear();
    for (const way of ways) way.end(how);
    return ways.length;
  }

  /** What of a chunk may pass; with the first byte that may not, everything is cut. */
  #allowed(heading: Heading, chunk: Buffer): Buffer {
    if (this.#isCutting) return NOTHING;
    let allowed = chunk;
    for (const waiter of this.#waiters) {
      if (waiter.heading !== heading) continue;
      allowed = allowed.subarray(0, waiter.leftBytes);
      waiter.leftBytes -= chunk.length;
    }
    const due = this.#waiters.filter(({ leftBytes }) => leftBytes < 0);
    if (due.length === 0) return allowed;
    this.#waiters = this.#waiters.filter(({ leftBytes }) => leftBytes >= 0);
    this.#isCutting = true;
    // Once what was allowed is on its way; a reset would take it back.
    setImmediate(() => {
      this.#isCutting = false;
      this.#endAll('close');
      for (const { resolve } of due) resolve();
    });
    return allowed;
  }
}

/** One connection, both ways. */
class Way {
  readonly #ends: Readonly<Record<Heading, Duplex>>;
  readonly #held = new Set<Heading>();

  constructor(near: Duplex, far: Socket, allowed: (heading: Heading, chunk: Buffer) => Buffer) {
    this.#ends = { 'to-server': near, 'from-server': far };
    this.#forward('to-server', near, far, allowed);
    this.#forward('from-server', far, near, allowed);
  }

  #forward(heading: Heading, from: Duplex, to: Duplex, allowed: (heading: Heading, chunk: Buffer) => Buffer): void {
    from.on('data', (chunk: Buffer) => {
      const isWritten = to.write(allowed(heading, chunk));
      if (isWritten) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#held.has(heading)) from.resume();
      });
    });
    from.on('end', () => to.end());
    from.on('error', () => undefined);
    from.on('close', () => to.destroy());
  }

  hold(heading: Heading): void {
    this.#held.add(heading);
    this.#ends[heading].pause();
  }

  release(): void {
    this.#held.clear();
    for (const heading of HEADINGS) this.#ends[heading].resume();
  }

  end(how: 'reset' | 'close'): void {
    for (const end of Object.values(this.#ends)) {
      if (how === 'reset' && end instanceof Socket) end.resetAndDestroy();
      else end.destroy();
    }
  }
}
