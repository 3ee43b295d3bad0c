import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { compose, type Service } from './composition.ts';
import { readConfig, unknownVariables, type Config } from './config/config.ts';
import { createLogger } from './operations/logging.ts';
import { describeStartFailure, StartError } from './start-error.ts';

const BROKEN =
  'the event log can not be used any more: the service ends. Start it again: what was acknowledged is on disk';

/** Longest time from the signal to the end, in milliseconds. */
const STOP_LIMIT_MS = 9_500;

/**
 * Runs the service in this process until a signal ends it, or what only another start can mend.
 * @param args of the command line: there must be none
 */
export async function start(host: NodeJS.Process, args: readonly string[] = []): Promise<void> {
  let place = { host: '', port: 0, dataDir: '' };
  try {
    demandNoArguments(args);
    const config = readConfig(host.env);
    place = config;
    const logger = createLogger(config.logLevel);
    const misspelt = unknownVariables(host.env);
    if (misspelt.length > 0) logger.warn({ variables: misspelt }, 'these variables are set and mean nothing here');
    const service = await compose(config, logger);
    stopInTime(host, service, logger);
    const url = await service.listen();
    logger.info({ url, mode: config.identity.mode }, 'listening');
    if (config.identity.mode === 'development') welcome(host, config, url);
  } catch (error) {
    host.stderr.write(`${describeStartFailure(error, place)}\n`);
    host.exit(1);
  }
}

/** @throws StartError for any: who names a folder there would be served another one */
function demandNoArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new StartError(
    `The service takes no arguments, and was given ${first}: set WRIT_DATA_DIR, PORT and what else docs/operations.md names as environment variables.`,
  );
}

/**
 * The first signal stops the service in order, within a bound. Further ones change nothing: a signal to the process group
 * arrives directly, and again by way of the script that started the service. A log that broke ends it likewise, as a failure:
 * whoever restarts what ended, restarts it, and none of those looks at a service that stays and only says that it is unwell.
 */
function stopInTime(host: NodeJS.Process, service: Service, logger: Logger): void {
  let stopping = false;
  const stop = (exitCode: 0 | 1, tell: () => void): void => {
    if (stopping) return;
    stopping = true;
    tell();
    void Promise.race([service.stop().then(() => true), delay(STOP_LIMIT_MS, false)]).then(
      (inTime) => {
        if (inTime) logger.info('stopped');
        else logger.error('not all that was under way came to its end in time');
        host.exit(inTime ? exitCode : 1);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the stop failed');
        host.exit(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => stop(0, () => logger.info({ signal }, 'stopping'));
  host.on('SIGTERM', onSignal);
  host.on('SIGINT', onSignal);
  void service.broken.then((reason) => stop(1, () => logger.error({ reason }, BROKEN)));
}

/** For the person who just started it; what follows is for machines. */
function welcome(host: NodeJS.Process, { dataDir, store }: Config, url: string): void {
  const place = store.kind === 'sqlite' ? `in ${dataDir}/` : 'on EventStoreDB';
  const lines = [
    '',
    `Writ is listening on ${url}, with its log ${place} (development mode: it makes its own tokens).`,
    '',
    `  Try it in the browser   ${url}/docs`,
    '  Get a token             npm run --silent token -- --sub alice --roles ops',
    '  The first freeze        see README.md',
    '',
  ];
  host.stderr.write(`${lines.join('\n')}\n`);
}
