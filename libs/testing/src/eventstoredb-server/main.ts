/** The process of the server: started, steered and ended by the one that wants it. */
import { readFileSync } from 'node:fs';
import { Cluster, type TlsKeys } from './cluster.ts';
import { endCallsInOrder } from './connections.ts';
import { EventLog } from './log/event-log.ts';
import { LogFile } from './log/log-file.ts';
import { type CommandName, type Commands, type FromServer, type StartOrder, type ToServer } from './options.ts';
import { SERVER_CERTIFICATE_FILE, SERVER_KEY_FILE } from './test-keys.ts';

type Handlers = {
  readonly [Name in CommandName]: (
    argument: Commands[Name]['argument'],
  ) => Commands[Name]['answer'] | Promise<Commands[Name]['answer']>;
};

let handlers: Handlers | undefined;

// Nobody is left whom it could serve.
process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToServer) => void receive(message));

async function receive(message: ToServer): Promise<void> {
  if (message.kind === 'start') {
    try {
      send({ kind: 'started', ports: await start(message.order) });
    } catch (error) {
      send({ kind: 'failed', message: String(error) });
    }
    return;
  }
  const { id, name, argument } = message;
  try {
    if (handlers === undefined) throw new Error('the server is not started');
    const handle = handlers[name] as (argument: unknown) => unknown;
    send({ kind: 'answer', id, answer: await handle(argument) });
  } catch (error) {
    send({ kind: 'refused', id, message: String(error) });
  }
}

async function start({ options, dataDir, ports }: StartOrder): Promise<readonly number[]> {
  const { file, transactions } = dataDir === null ? { file: undefined, transactions: [] } : LogFile.open(dataDir);
  const cluster = new Cluster(new EventLog(file, transactions), options, options.tls === true ? testKeys() : undefined);
  handlers = handlersOf(cluster);
  return cluster.open(ports);
}

function handlersOf(cluster: Cluster): Handlers {
  return {
    inject: (fault) => cluster.faults.inject(fault),
    clearFault: (id) => cluster.faults.clear(id),
    changeLeader: (node) => {
      cluster.leader = node;
      return null;
    },
    lag: ({ node, lagging }) => {
      cluster.setLagging(node, lagging);
      return null;
    },
    setUp: async ({ node, up }) => {
      await cluster.setUp(node, up);
      return null;
    },
    dropConnections: (node) => {
      cluster.dropConnections(node);
      return null;
    },
    dropSubscriptions: (as) => cluster.dropSubscriptions(as),
    counts: () => cluster.counts.served,
    resetCounts: () => {
      cluster.counts.reset();
      return null;
    },
    stop: async () => {
      await endCallsInOrder();
      cluster.close();
      return null;
    },
  };
}

const testKeys = (): TlsKeys => ({
  key: readFileSync(SERVER_KEY_FILE),
  certificate: readFileSync(SERVER_CERTIFICATE_FILE),
});

function send(message: FromServer): void {
  process.send?.(message);
}
