import { within } from './call-timeout.ts';
import { readCertificates } from './certificates.ts';
import { type Certificates, StreamsConnection } from './client.ts';
import type { Connection } from './settings.ts';

/**
 * The one client that is in use. One that did not answer in time may be connected to a node that hangs or was cut off: it
 * is replaced, what it still has under way may end within the grace, then it is closed.
 */
export class ClientInUse {
  readonly #connection: Connection;
  readonly #certificates: Certificates;
  readonly #graceMs: number;
  readonly #retired = new Map<StreamsConnection, NodeJS.Timeout>();
  #current: StreamsConnection;
  #generation = 0;
  #closed = false;

  /** @throws StoreError `store-unavailable` for certificates that can't be read */
  constructor(connection: Connection, graceMs: number) {
    this.#connection = connection;
    this.#certificates = readCertificates(connection);
    this.#graceMs = graceMs;
    this.#current = this.#create();
  }

  get current(): StreamsConnection {
    return this.#current;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Puts a new client in the place of one that is no good, if that was not done meanwhile. */
  replace(bad: StreamsConnection): void {
    if (this.#closed || bad !== this.#current) return;
    this.#current = this.#create();
    const timer = setTimeout(() => {
      this.#retired.delete(bad);
      void bad.close();
    }, this.#graceMs).unref();
    this.#retired.set(bad, timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const retired = [...this.#retired];
    this.#retired.clear();
    for (const [, timer] of retired) clearTimeout(timer);
    const clients = [this.#current, ...retired.map(([client]) => client)];
    // Calls that are cancelled end at once; should one not, nobody waits for it for ever.
    await within(Promise.all(clients.map((client) => client.close())), this.#graceMs).catch(() => undefined);
  }

  #create(): StreamsConnection {
    this.#generation += 1;
    return new StreamsConnection(this.#connection, this.#certificates, this.#generation);
  }
}
