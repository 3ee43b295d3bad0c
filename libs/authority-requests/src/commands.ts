import type { Basis } from '#kernel';
import type { AnswerOutcome, Letter } from './events.ts';

/** Registers a letter as it came. */
export interface RegisterAuthorityRequest {
  readonly type: 'RegisterAuthorityRequest';
  readonly requestId: string;
  readonly letter: Letter;
}

/** Answers a letter, once. What is granted needs a basis; whatever basis is cited has to be in force: `context` tells. */
export interface AnswerAuthorityRequest {
  readonly type: 'AnswerAuthorityRequest';
  readonly requestId: string;
  readonly outcome: AnswerOutcome;
  readonly reason: string;
  readonly basis?: Basis | undefined;
}

export type AuthorityRequestCommand = RegisterAuthorityRequest | AnswerAuthorityRequest;
