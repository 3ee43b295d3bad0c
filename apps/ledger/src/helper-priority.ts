/**
 * Lets V8's helpers, which collect garbage and compile beside the threads that answer, wait a little for those where there
 * are fewer processors than threads with work: the thread that answers takes its share of the collecting by itself. By
 * five steps of niceness: with ten it waited for helpers that had begun and were not let on. On Linux, which alone knows the
 * priority of a thread; elsewhere it does nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const STEPS = 5;
const THREADS = '/proc/self/task';
/** What Node calls them. */
const HELPER = 'V8Worker';

function threads(): readonly number[] {
  try {
    return readdirSync(THREADS).map(Number);
  } catch {
    return [];
  }
}

function nameOf(thread: number): string {
  return readFileSync(`${THREADS}/${String(thread)}/comm`, 'utf8').trim();
}

const all = threads();
// In a container that sees another's processes their numbers say nothing here.
const areOurs = all.includes(process.pid);
for (const thread of areOurs ? all : []) {
  try {
    if (nameOf(thread) === HELPER) setPriority(thread, getPriority(thread) + STEPS);
  } catch {
    // Gone meanwhile, or nice enough already, or not allowed here: it stays as it is.
  }
}
