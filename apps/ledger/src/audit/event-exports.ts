import type { Bound } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { ProblemError } from '../http/problem.ts';

/** Each holds a page of the log, and reads the next one when its reader has taken it. */
const MOST = 8;

/** Counts the exports of the log under way: a reader may take all the time that it wants, but not everybody's. */
@Injectable()
export class EventExports {
  #underWay = 0;

  get bound(): Bound {
    return { what: 'event-exports', most: MOST, inUse: () => this.#underWay };
  }

  /** Counts an export until its answer is over, in whatever way. @throws ProblemError `overloaded` */
  begin(response: ServerResponse): void {
    if (this.#underWay >= MOST) {
      throw new ProblemError({
        code: 'overloaded',
        detail: 'Too many exports of the log are under way. Ask again later.',
      });
    }
    // Whose reader has gone meanwhile is over: nobody would tell of it a second time.
    if (response.destroyed) return;
    this.#underWay += 1;
    response.once('close', () => (this.#underWay -= 1));
  }
}
