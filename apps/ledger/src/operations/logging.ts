import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import type { LogLevel } from '../config/config.ts';
import { loggedError, withoutSecrets } from './logged-error.ts';

/**
 * JSON, a line for each thing worth telling. Never a token, never an amount, never where a file is: what is logged is picked
 * field by field, errors are shown without what hangs on them, and the headers that carry secrets are cut out wherever they
 * might slip in.
 * @param destination standard output, if absent
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: 'writ-ledger' },
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: loggedError, failure: loggedFailure, reason: (reason) => withoutSecrets(String(reason)) },
    redact: {
      paths: ['authorization', '*.authorization', '*.headers.authorization', '*.*.headers.authorization'],
      censor: '…',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Why the read models are stuck. */
function loggedFailure(failure: unknown): unknown {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const message: unknown = (failure as { message?: unknown }).message;
  return typeof message === 'string' ? { ...failure, message: withoutSecrets(message) } : failure;
}

/** What Nest says when an address can't be listened on: whoever starts the service is told so in a sentence of ours. */
const CAN_NOT_LISTEN = /^Error: (listen|getaddrinfo) /;

/** Nest's own words, of which only those that matter. */
export function nestLogger(logger: Logger): LoggerService {
  const say = (level: 'debug' | 'warn' | 'error' | 'fatal') => (message: unknown) => {
    const text = withoutSecrets(String(message));
    logger[CAN_NOT_LISTEN.test(String(message)) ? 'debug' : level]({ source: 'nest' }, text);
  };
  return {
    log: say('debug'),
    debug: say('debug'),
    verbose: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
  };
}
