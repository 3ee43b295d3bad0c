import { BulkLog } from '#event-store/sqlite';
import { existsSync } from 'node:fs';
import { filesIn } from '../data-folder.ts';
import type { Environment } from '../config/config.ts';
import { dataFolder, readOptions } from '../options.ts';
import { describeStartFailure, StartError } from '../start-error.ts';
import { demandFile } from '../store/demand-file.ts';
import { grouped, Progress, type Output } from '../terminal.ts';
import { leastEvents, Story, type StoryOptions } from './story.ts';

const USAGE = 'Usage: npm run load -- --accounts <number> --events <number> [--seed <number>] [--data <folder>]';
const MAX_ACCOUNTS = 1_000_000;
const MAX_EVENTS = 100_000_000;
const STEPS_BETWEEN_LOOKS = 1_000;

/**
 * Makes a log of accounts and what happens on them, where there is none yet.
 * @returns the exit code
 */
export function loadLog(args: readonly string[], environment: Environment, output: Output): number {
  let dataDir = '';
  try {
    const options = readOptions(args, ['accounts', 'events', 'seed', 'data'], USAGE);
    if (options.data === undefined) demandFile(environment, 'Name a folder for the made log with --data.');
    dataDir = dataFolder(options, environment);
    const story = storyOf(options);
    const { events: path } = filesIn(dataDir);
    if (existsSync(path)) throw new StartError(`${path} holds a log already: name another folder with --data.`);
    const seconds = make(path, story, new Progress(output.stderr, 'writing'));
    const rate = grouped(Math.round(story.events / seconds));
    const made = `${grouped(story.events)} events of ${grouped(story.accounts)} accounts`;
    output.stdout.write(`${path} holds ${made}, made in ${seconds.toFixed(1)} s (${rate}/s).\n`);
    return 0;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir })}\n`);
    return 1;
  }
}

/** @returns seconds that it took */
function make(path: string, options: StoryOptions, progress: Progress): number {
  const log = new BulkLog(path);
  try {
    const story = new Story(options, log);
    let steps = 0;
    while (story.step()) {
      steps += 1;
      if (steps % STEPS_BETWEEN_LOOKS === 0) progress.at(story.events, options.events, 'events');
    }
    log.finish();
  } catch (error) {
    log.abandon();
    throw error;
  }
  return progress.end();
}

function storyOf({ accounts, events, seed }: Partial<Record<'accounts' | 'events' | 'seed', string>>): StoryOptions {
  if (accounts === undefined || events === undefined) throw new StartError(USAGE);
  const options = {
    accounts: wholeNumber('--accounts', accounts, 1, MAX_ACCOUNTS),
    events: wholeNumber('--events', events, 1, MAX_EVENTS),
    seed: wholeNumber('--seed', seed ?? '1', 0, Number.MAX_SAFE_INTEGER),
  };
  const least = leastEvents(options.accounts);
  if (options.events < least) {
    throw new StartError(`--events must be at least ${String(least)} for ${String(options.accounts)} accounts.`);
  }
  return options;
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StartError(`${name} must be a whole number from ${String(min)} to ${String(max)}.`);
}
