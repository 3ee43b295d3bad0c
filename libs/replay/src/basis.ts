import { assertNever, type Timestamp } from '#kernel';
import { standingObstacle } from '#legal-orders';
import type { StreamState } from './judged.ts';

/** Why nothing new may rest on a basis. */
export interface BasisObstacle {
  readonly code: 'basis-not-found' | 'basis-not-in-force';
  readonly detail: string;
}

/**
 * Why nothing new may rest, at a time, on what a stream is about; undefined when something may. Each kind of basis has its
 * own rule, and what is of another kind is no basis.
 */
export function basisObstacle(contents: StreamState, at: Timestamp): BasisObstacle | undefined {
  switch (contents.kind) {
    case 'legalOrder':
      return standingObstacle(contents.state, at);
    case 'asset':
    case 'party':
    case 'account':
    case 'authorityRequest':
      return { code: 'basis-not-found', detail: 'that is nothing on which a freeze or a disclosure could rest' };
    default:
      return assertNever(contents);
  }
}
