import type { Actor } from '#kernel';

/** What a caller may be: `service` commands, `ops` makes, `approver` checks, `auditor` reads everything and writes nothing. */
export const ROLES = ['service', 'ops', 'approver', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Those who see orders, freezes and what is asked of them. */
export const OVERSIGHT = ['ops', 'approver', 'auditor'] as const satisfies readonly Role[];

/** Whoever sent a request, as a verified token says. */
export interface Caller extends Actor {
  readonly roles: readonly Role[];
  /** What the token was given beyond roles, by OAuth's name. */
  readonly scopes: readonly string[];
}

/** The scope of those who may read of orders under non-disclosure. */
export const CONFIDENTIAL = 'confidential';

export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}

/** True for those who see a freeze whole: its basis, its scope and what is frozen. Everyone else sees that it is there. */
export function seesFreezesWhole(caller: Caller): boolean {
  return caller.roles.some((role) => role !== 'service');
}

/** True for those from whom orders under non-disclosure are withheld. A service learns of no basis in any case. */
export function mustNotBeTold(caller: Caller): boolean {
  return seesFreezesWhole(caller) && !caller.scopes.includes(CONFIDENTIAL);
}

/** Up to 128 characters, none of them invisible, no blanks at the ends. U+2800 is a letter without a dot, and looks like one. */
const SUBJECT =
  /^(?=.{1,128}$)[^\p{C}\p{Z}\p{DI}\u2800]([^\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]*[^\p{C}\p{Z}\p{DI}\u2800])?$/v;
const OWN_SUBJECT = 'system:';

/** @returns what is wrong with a token's `sub`, or undefined when an actor may be called so */
export function subjectProblem(subject: unknown): string | undefined {
  if (typeof subject !== 'string' || !SUBJECT.test(subject) || subject.length > 128) {
    return 'must be 1 to 128 printable characters';
  }
  if (subject.normalize('NFKC').toLowerCase().startsWith(OWN_SUBJECT)) {
    return 'must not start with "system:", which is the service itself';
  }
  return undefined;
}
