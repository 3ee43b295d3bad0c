import type { Actor } from '#kernel';

/** Who acts in a log that is made. */
export const SERVICE: Actor = { id: 'payments', roles: ['service'] };
export const MAKER: Actor = { id: 'maker', roles: ['ops'] };
export const CHECKER: Actor = { id: 'checker', roles: ['approver'] };
