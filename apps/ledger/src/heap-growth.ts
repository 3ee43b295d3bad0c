/**
 * Lets the heaps of all threads grow by a seventh before V8 looks for what is not used any more. By itself it waits until
 * they have grown to several times what is in use, as long as the machine has memory: a bound on what is kept would then
 * bound little. To be imported before anything that starts a thread.
 */
import { setFlagsFromString } from 'node:v8';

const GROWING_PERCENT = 15;

setFlagsFromString(`--heap-growing-percent=${String(GROWING_PERCENT)}`);
