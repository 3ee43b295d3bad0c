import type { ProjectionStatus } from '#projections';
import type { ProblemCode } from '../http/problem.ts';

/** What the service needs to be of use. Each says yes, or why not. */
export interface Health {
  /** @returns undefined when the store answers */
  store(): Promise<string | undefined>;
  /** @returns undefined when the read models have caught up with the log */
  projections(): string | undefined;
  /** @returns undefined when what was left open at the last stop is finished */
  supervisor(): string | undefined;
  /** @returns undefined when the clock is not behind what is recorded */
  clock(): string | undefined;
  /** @returns undefined while the service takes commands */
  stopping(): string | undefined;
}

/** @returns why the read models are behind, with the position of the event that they are stuck at; undefined when they are not */
export function projectionProblem({ state, failure }: ProjectionStatus): string | undefined {
  if (failure?.position !== undefined) return `The read models are stuck at the event at ${failure.position}.`;
  if (failure !== undefined) return 'The read models are stuck.';
  return state === 'live' ? undefined : 'The read models have not caught up with the log.';
}

interface Check {
  readonly name: 'store' | 'projections' | 'supervisor' | 'clock' | 'stopping';
  readonly code: ProblemCode;
}

/** In the order in which one is the cause of the next. */
const CHECKS: readonly Check[] = [
  { name: 'stopping', code: 'shutting-down' },
  { name: 'store', code: 'store-unavailable' },
  { name: 'clock', code: 'clock-unreliable' },
  { name: 'projections', code: 'read-model-behind' },
  { name: 'supervisor', code: 'overloaded' },
];

export interface Readiness {
  /** Why the service is not ready; undefined when it is. */
  readonly problem: { readonly code: ProblemCode; readonly detail: string } | undefined;
  /** `ok`, or what is wrong, by name. */
  readonly checks: Readonly<Record<string, string>>;
}

export async function readiness(health: Health): Promise<Readiness> {
  const checks: Record<string, string> = {};
  let problem: Readiness['problem'];
  for (const { name, code } of CHECKS) {
    const detail = await health[name]();
    checks[name] = detail ?? 'ok';
    if (detail !== undefined) problem ??= { code, detail };
  }
  return { problem, checks };
}
