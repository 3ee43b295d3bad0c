import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../thrown.ts';
import { playApril } from './acts/april.ts';
import { playLetters } from './acts/letters.ts';
import { reckon } from './acts/log.ts';
import { playOttawa } from './acts/ottawa.ts';
import { castFor, type Place } from './cast.ts';
import { OwnService } from './own-service.ts';
import { pageOf } from './page.ts';
import { ASSETS } from './requests.ts';
import { Stage } from './stage.ts';

const DEFAULT_PAGE = 'data/demo.html';

const ABOUT = [
  'Three acts on real facts of 2022, with invented accounts. The instruments, lists, entries and letters are real where an act says so; every account, holder and amount is made up, and no document of the time is at hand: its hash is that of a stand-in.',
  'There are two times. The dates before the steps are those of history, and stand in the fields that the service has for them (issuedAt, receivedAt, effectiveAt, blockedFrom, listedOn). The service records everything as of now: these times are on the page that is written at the end. The acts are played one after another, within seconds.',
];

/**
 * Starts a service on a temporary folder, plays the acts through its HTTP API, writes the page, and takes everything
 * else away again.
 * @returns the exit code: 0 when every line was as expected
 */
export async function demonstrate(host: NodeJS.Process): Promise<number> {
  const stage = new Stage(host.stdout);
  const pageFile = pageNamed(host.argv.slice(2));
  if (pageFile === undefined) {
    host.stderr.write('Usage: npm run demo [-- --page <file>]\n');
    return 2;
  }
  const service = new OwnService(host.env);
  stopOnSignal(host, service);
  try {
    const url = await service.ready();
    stage.say(`A service of its own listens on ${url}, with an empty log in a temporary folder.`);
    const page = await play({ url, token: (sub, roles) => service.token(sub, roles) }, stage);
    mkdirSync(dirname(pageFile), { recursive: true });
    writeFileSync(pageFile, page);
  } catch (error) {
    await service.stop();
    host.stderr.write(`\n${messageOf(error)}\n`);
    return 1;
  }
  await service.stop();
  stage.say();
  stage.say(`All ${String(stage.lines)} lines are as expected. The service is stopped, and its log removed.`);
  stage.say(`The same as one page, for the screen and for paper: ${pageFile}`);
  return 0;
}

/** @returns the page */
async function play(place: Place, stage: Stage): Promise<string> {
  for (const paragraph of ABOUT) stage.say(paragraph);
  const cast = await castFor(place, stage);
  await cast.begin(ASSETS);
  await playOttawa(cast, stage);
  await playApril(cast, stage);
  await playLetters(cast, stage);
  const reckoning = await reckon(cast, stage);
  return pageOf({ about: ABOUT, acts: stage.acts, lines: stage.lines, ...reckoning });
}

/** @returns the file that `--page <file>` names, or the usual one; undefined when the arguments are anything else */
function pageNamed(args: readonly string[]): string | undefined {
  const [option, file, ...more] = args;
  if (option === undefined) return resolve(DEFAULT_PAGE);
  return option === '--page' && file !== undefined && more.length === 0 ? resolve(file) : undefined;
}

/** Without its service the story breaks off, and ends as after any other failure. */
function stopOnSignal(host: NodeJS.Process, service: OwnService): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) host.once(signal, () => void service.stop());
}
