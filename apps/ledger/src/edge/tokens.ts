/** Names of what the composition hands to the controllers. */
export const LEDGER = Symbol('the core, for commands');
export const QUERIES = Symbol('the read models');
export const EVENT_READER = Symbol('the log, for auditors');
export const IS_POSITION = Symbol('what can be a position of the log');
export const REPLAY_ACCOUNT = Symbol('an account as of a moment');
export const REPLAY_FREEZES = Symbol('the freezes in force as of a moment');
export const HEALTH = Symbol('what the health of the service is made of');
export const METRICS = Symbol('the metrics');
export const LOGGER = Symbol('the log of the service');
export const EDGE_OPTIONS = Symbol('bounds of the edge');
