import type { EventReader, OrderedEventStore } from '#event-store';
import { readSeal, sealLog, unsealLog } from '#event-store/sqlite';
import type { Position } from '#kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../config/config.ts';
import { readOptions } from '../options.ts';
import { describeStartFailure, StartError } from '../start-error.ts';
import { howFar, unitOf } from '../store/how-far.ts';
import { grouped, Progress, type Output } from '../terminal.ts';
import { messageOf } from '../thrown.ts';
import { CopyError } from './copy-error.ts';
import { type Copied, LogCopy } from './log-copy.ts';
import { type Place, readPlace } from './places.ts';

const USAGE = `Usage: npm run copy -- --from <log> --to <log> [--seal | --stopped | --unseal]
  <log>      sqlite:<data folder>, esdb://<host>:<port>, or eventstoredb for the one in WRIT_EVENTSTOREDB_URL
  --seal     the cut-over from a file: seals it when the copy is near its end, then copies the rest
  --stopped  the cut-over from EventStoreDB: every instance is stopped, and the log must not grow
  --unseal   calls a cut-over off: takes the seal off the file --from, if --to has nothing beyond it`;

/** The source is sealed when no more than this is missing: a second or two. */
const NEAR_EVENTS = 2_000;
/** How long a log that nobody is to write to is watched. */
const STILL_MS = 5_000;

type Mode = 'seal' | 'stopped' | 'unseal' | 'rehearse';

/**
 * Copies a log from one store to another, `npm run copy`: event by event, compared event by event, and gone on with where a
 * former run was broken off.
 * @returns the exit code: 0 when all of it is there and verified, otherwise 1
 */
export async function runCopy(args: readonly string[], environment: Environment, output: Output): Promise<number> {
  try {
    const options = readOptions(args, ['from', 'to'], USAGE, ['seal', 'stopped', 'unseal']);
    if (options.from === undefined || options.to === undefined) throw new StartError(USAGE);
    const [from, to] = [readPlace('from', options.from, environment), readPlace('to', options.to, environment)];
    const mode = modeOf(options);
    demandPossible(from, to, mode);
    const moving = { from, to, output };
    for (const line of await opened(moving, (copy, source) => move(moving, mode, copy, source))) {
      output.stdout.write(`${line}\n`);
    }
    return 0;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir: '' })}\n`);
    return 1;
  }
}

interface Moving {
  readonly from: Place;
  readonly to: Place;
  readonly output: Output;
}

function modeOf(options: Partial<Record<Exclude<Mode, 'rehearse'>, boolean>>): Mode {
  const given = (['seal', 'stopped', 'unseal'] as const).filter((flag) => options[flag] === true);
  if (given.length > 1) throw new StartError(USAGE);
  return given[0] ?? 'rehearse';
}

/** @throws StartError for what makes no sense, before anything is opened */
function demandPossible(from: Place, to: Place, mode: Mode): void {
  if (from.kind === 'eventstoredb' && to.kind === 'eventstoredb') {
    throw new StartError('One of --from and --to is sqlite:<data folder>: the variables name one server.');
  }
  if (from.path !== undefined && from.path === to.path) throw new StartError('--from and --to are the same log.');
  if (from.path === undefined) {
    if (mode === 'unseal') throw new StartError('Only a file can be sealed and unsealed: --from is no sqlite: here.');
    if (mode !== 'seal') return;
    throw new StartError(
      'This command can seal a file, not a log on EventStoreDB. Stop every instance of the service, and say --stopped.',
    );
  }
  if (mode === 'stopped') throw new StartError('A file is sealed: say --seal instead of --stopped.');
  const sealed = readSeal(from.path);
  if (mode === 'rehearse' || sealed === undefined || sealed.movedTo === to.name) return;
  throw new StartError(`${from.path} is sealed for another move, to ${sealed.movedTo}: name that one as --to.`);
}

async function opened<Result>(
  { from, to, output }: Moving,
  work: (copy: LogCopy, source: EventReader) => Promise<Result>,
): Promise<Result> {
  const source = await from.openSource();
  let destination: OrderedEventStore | undefined;
  try {
    destination = await to.openDestination();
    const bar = await Bar.over(source, output);
    try {
      return await work(new LogCopy({ source, destination, onProgress: (_, position) => bar.at(position) }), source);
    } finally {
      bar.end();
    }
  } finally {
    await destination?.close();
    await source.close();
  }
}

function move(moving: Moving, mode: Mode, copy: LogCopy, source: EventReader): Promise<readonly string[]> {
  switch (mode) {
    case 'rehearse':
      return rehearse(moving, copy);
    case 'seal':
      return cutOver(moving, copy, source);
    case 'stopped':
      return copyStopped(moving, copy, source);
    case 'unseal':
      return callOff(moving, copy);
  }
}

async function rehearse({ from, to }: Moving, copy: LogCopy): Promise<readonly string[]> {
  // However much comes meanwhile: the end that the source had at some moment.
  await copy.copyToEnd(Infinity);
  const sealed = from.path === undefined ? undefined : readSeal(from.path);
  if (sealed !== undefined) return [verified(from, to, copy.copied), ofSealed(from, to, sealed.movedTo)];
  const next = from.kind === 'sqlite' ? '--seal' : '--stopped, when every instance is stopped,';
  return [
    verified(from, to, copy.copied),
    `The source goes on, and the copy does not follow it: the same command goes on from here, with ${next} for the cut-over (docs/operations/moving.md).`,
  ];
}

function ofSealed(from: Place, to: Place, movedTo: string): string {
  const next =
    movedTo === to.name
      ? 'the same command with --seal ends the cut-over'
      : 'this copy is no cut-over: start no service on it';
  return `${from.name} is sealed: the ledger has moved to ${movedTo}, and ${next} (docs/operations/moving.md).`;
}

async function cutOver({ from, to }: Moving, copy: LogCopy, source: EventReader): Promise<readonly string[]> {
  if (from.path === undefined) throw new TypeError('only a file is sealed');
  await copy.copyToEnd(NEAR_EVENTS);
  const startedMs = performance.now();
  sealLog(from.path, { movedTo: to.name, sealedAt: new Date().toISOString() });
  try {
    await copy.copyToEnd();
    await demandEnd(copy, source);
  } catch (error) {
    throw new StartError(
      `${messageOf(error)} ${from.name} is sealed: give the same command again, or --unseal instead of --seal to go on with it.`,
    );
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  return [
    verified(from, to, copy.copied),
    `${from.name} is sealed and takes no command any more; from the seal to the last comparison it took ${seconds} s.`,
    `Stop the service, and start it on the copy: ${howToStart(to)} (docs/operations/moving.md).`,
  ];
}

async function copyStopped({ from, to }: Moving, copy: LogCopy, source: EventReader): Promise<readonly string[]> {
  await copy.copyToEnd();
  await sleep(STILL_MS);
  await demandEnd(copy, source);
  return [
    verified(from, to, copy.copied),
    `${from.name} did not grow while it was watched for ${String(STILL_MS / 1_000)} s. Nothing but you keeps an instance from writing to it.`,
    `Start the service on the copy: ${howToStart(to)} (docs/operations/moving.md).`,
  ];
}

async function callOff({ from, to }: Moving, copy: LogCopy): Promise<readonly string[]> {
  if (from.path === undefined) throw new TypeError('only a file is sealed');
  if (readSeal(from.path) === undefined) return [`${from.name} is not sealed.`];
  await copy.compare();
  unsealLog(from.path);
  return [
    `${from.name} is not sealed any more, and takes commands again; ${to.name} has ${grouped(copy.copied.events)} events of it and no other. Start no service there.`,
  ];
}

/** @throws CopyError when the source has more than was copied, though nothing should come any more */
async function demandEnd(copy: LogCopy, source: EventReader): Promise<void> {
  const head = await source.head();
  if (head === copy.copied.position) return;
  throw new CopyError('The source goes on growing: somebody writes to it. Stop every instance of the service first.');
}

function verified(from: Place, to: Place, { events, position }: Copied): string {
  const upTo = position === undefined ? '' : `, up to position ${position}`;
  return `${to.name} has ${grouped(events)} events, each the same as in ${from.name}${upTo}.`;
}

function howToStart(to: Place): string {
  if (to.path === undefined) return 'with WRIT_STORE=eventstoredb and the WRIT_EVENTSTOREDB_ variables';
  return `with WRIT_DATA_DIR set to the folder of ${to.path}, without WRIT_STORE`;
}

/** Progress along the source's log. */
class Bar {
  readonly #progress: Progress;
  #total: number;
  #furthest = 0;

  static async over(source: EventReader, output: Output): Promise<Bar> {
    return new Bar(howFar(await source.head()), output);
  }

  private constructor(total: number, output: Output) {
    this.#total = total;
    this.#progress = new Progress(output.stderr, 'copying');
  }

  at(position: Position): void {
    this.#furthest = Math.max(this.#furthest, howFar(position));
    // A source that serves grows meanwhile.
    this.#total = Math.max(this.#total, this.#furthest);
    this.#progress.at(this.#furthest, this.#total, unitOf(position));
  }

  end(): void {
    this.#progress.end();
  }
}
