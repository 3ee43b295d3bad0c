import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOCK_FOLDER = '.set-up-lock';
const WAIT_LIMIT_MS = 15 * 60_000;
const POLL_MS = 200;
/** A lock without a holder's name is a moment old, or its maker was killed in that moment. */
const NAMELESS_LIMIT_MS = 10_000;

/**
 * Does the work while no other process works under the lock. The lock is a folder that holds one empty file for each
 * process that works under it, named by its id; when none of them lives, the lock is taken away.
 *
 * @template T
 * @param {string} root folder that the lock is for
 * @param {(lock: { alsoHeldBy: (pid: number) => void }) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  const folder = join(root, LOCK_FOLDER);
  const deadline = Date.now() + WAIT_LIMIT_MS;
  while (!tryToTake(folder)) {
    if (Date.now() > deadline)
      throw new Error(`Waited too long for another set-up. If there is none, delete ${folder}.`);
    await sleep(POLL_MS);
  }
  try {
    return await work({ alsoHeldBy: (pid) => addHolder(folder, pid) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tryToTake(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isAbandoned(folder)) takeAway(folder);
    return false;
  }
  addHolder(folder, process.pid);
  return true;
}

function addHolder(folder, pid) {
  writeFileSync(join(folder, String(pid)), '');
}

function isAbandoned(folder) {
  try {
    const holders = readdirSync(folder);
    if (holders.length === 0) return Date.now() - statSync(folder).mtimeMs > NAMELESS_LIMIT_MS;
    return !holders.some((pid) => isAlive(Number(pid)));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Renames before it removes: of several that wait only one succeeds, and what it got is looked at once more. */
function takeAway(folder) {
  const aside = `${folder}-${process.pid}`;
  try {
    renameSync(folder, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (isAbandoned(aside)) rmSync(aside, { recursive: true, force: true });
  else renameSync(aside, folder);
}
