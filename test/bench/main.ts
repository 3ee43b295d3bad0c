import { cpus } from 'node:os';
import { decider } from './decider.ts';
import { deposits } from './http.ts';
import { line, perSecond } from './rounds.ts';
import { manyCallers, oneCaller } from './store.ts';

/** Prints how fast it is: ratios of one run, medians of rounds that take turns. Judges nothing: machines are noisy. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);

say(`Node ${process.version}, ${String(cpus().length)} x ${cpus()[0]?.model ?? 'unknown processor'}\n`);
say(`${''.padEnd(58)} ${'Writ'.padStart(12)} ${'base'.padStart(12)}   ratio`);
say(line('deposits over HTTP, 64 connections / bare Fastify handler', await deposits(), 0.4));
say(line('store, one event from each of 64 callers / plain, no keys', await manyCallers(false), 0.5));
say(line('store, one event from each of 64 callers / plain, same keys', await manyCallers(true), 0.5));
say(line('store, 1,000 events from one caller / plain inserts', await oneCaller(), 0.5));
const figure = decider();
say(
  `${'account decider with evolve, commands'.padEnd(58)} ${perSecond(figure).padStart(12)} ${''.padStart(12)} ${''.padStart(7)}   (target 500,000/s)`,
);
