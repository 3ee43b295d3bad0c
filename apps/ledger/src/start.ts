import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { compose, type Service } from './composition.ts';
import { readConfig, unknownVariables, type Config } from './config/config.ts';
import { createLogger } from './operations/logging.ts';
import { describeStartFailure } from './start-error.ts';

/** Longest time from the signal to the end, in milliseconds. */
const STOP_LIMIT_MS = 9_500;

/** Runs the service in this process until a signal ends it. */
export async function start(host: NodeJS.Process): Promise<void> {
  let place = { host: '', port: 0, dataDir: '' };
  try {
    const config = readConfig(host.env);
    place = config;
    const logger = createLogger(config.logLevel);
    const misspelt = unknownVariables(host.env);
    if (misspelt.length > 0) logger.warn({ variables: misspelt }, 'these variables are set and mean nothing here');
    const service = await compose(config, logger);
    stopOnSignal(host, service, logger);
    const url = await service.listen();
    logger.info({ url, mode: config.identity.mode }, 'listening');
    if (config.identity.mode === 'development') welcome(host, config, url);
  } catch (error) {
    host.stderr.write(`${describeStartFailure(error, place)}\n`);
    host.exit(1);
  }
}

/**
 * The first signal stops the service in order, within a bound. Further ones change nothing: a signal to the process group
 * arrives directly, and again by way of the script that started the service.
 */
function stopOnSignal(host: NodeJS.Process, service: Service, logger: Logger): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    void Promise.race([service.stop().then(() => true), delay(STOP_LIMIT_MS, false)]).then(
      (inTime) => {
        if (inTime) logger.info('stopped');
        else logger.error('not all that was under way came to its end in time');
        host.exit(inTime ? 0 : 1);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the stop failed');
        host.exit(1);
      },
    );
  };
  host.on('SIGTERM', stop);
  host.on('SIGINT', stop);
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
