import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type CommandName, type Commands, type FromServer, type StartOrder, type ToServer } from './options.ts';

const START_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 30_000;
const END_LIMIT_MS = 15_000;
/** Not the Node that happens to run the tests: one that runs TypeScript by itself. */
const PINNED_NODE = fileURLToPath(new URL('../../../../node_modules/node/bin/node', import.meta.url));
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The server's process and what is said to it. It ends with the process that started it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #errors = '';

  private constructor() {
    this.#child = fork(MAIN, [], {
      execPath: PINNED_NODE,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // What the tests' own Node was given is not for this one.
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child.on('message', (message: FromServer) => this.#receive(message));
    this.#child.once('exit', () => this.#failAll('the test server has ended'));
  }

  /** @returns the process, serving, and its ports. @throws when it does not start in time */
  static async start(
    order: StartOrder,
  ): Promise<{ readonly server: ServerProcess; readonly ports: readonly number[] }> {
    const server = new ServerProcess();
    try {
      const started = new Promise<unknown>((resolve, reject) => {
        server.#wait(0, START_LIMIT_MS, resolve, reject);
      });
      server.#send({ kind: 'start', order });
      return { server, ports: (await started) as readonly number[] };
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  /** @throws what the server refuses, with its words */
  async command<Name extends CommandName>(
    name: Name,
    argument: Commands[Name]['argument'],
  ): Promise<Commands[Name]['answer']> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<unknown>((resolve, reject) => this.#wait(id, COMMAND_LIMIT_MS, resolve, reject));
    this.#send({ kind: 'command', id, name, argument });
    return (await answered) as Commands[Name]['answer'];
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(END_LIMIT_MS) });
    this.#child.kill('SIGKILL');
    await ended;
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #send(message: ToServer): void {
    if (!this.#child.connected) this.#failAll('the test server has ended');
    else this.#child.send(message, (error) => error !== null && this.#failAll(error.message));
  }

  #receive(message: FromServer): void {
    const id = message.kind === 'answer' || message.kind === 'refused' ? message.id : 0;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (message.kind === 'answer') waiting.resolve(message.answer);
    else if (message.kind === 'started') waiting.resolve(message.ports);
    else waiting.reject(new Error(message.message));
  }

  #wait(id: number, limitMs: number, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    const timer = setTimeout(() => this.#failAll(`the test server has not answered in ${limitMs} ms`), limitMs);
    this.#waiting.set(id, { resolve, reject, timer });
  }

  #failAll(reason: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Error(`${reason}: ${this.#errors}`));
    }
    this.#waiting.clear();
  }
}
