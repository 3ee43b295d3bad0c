import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { LogLevel } from '../config/config.ts';

/**
 * JSON, a line for each thing worth telling. Never a token, never an amount with a name: what is logged is picked field by
 * field, and the headers that carry secrets are cut out wherever they might slip in.
 */
export function createLogger(level: LogLevel): Logger {
  return pino({
    level,
    base: { service: 'writ-ledger' },
    timestamp: stdTimeFunctions.isoTime,
    redact: {
      paths: ['authorization', '*.authorization', '*.headers.authorization', '*.*.headers.authorization'],
      censor: '…',
    },
  });
}

/** What Nest says when an address can't be listened on: whoever starts the service is told so in a sentence of ours. */
const CAN_NOT_LISTEN = /^Error: (listen|getaddrinfo) /;

/** Nest's own words, of which only those that matter. */
export function nestLogger(logger: Logger): LoggerService {
  const say = (level: 'debug' | 'warn' | 'error' | 'fatal') => (message: unknown) => {
    const text = String(message);
    logger[CAN_NOT_LISTEN.test(text) ? 'debug' : level]({ source: 'nest' }, text);
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
