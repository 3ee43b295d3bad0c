import type { Queries } from '#projections';
import { reject, RejectionError, type Thing } from '#kernel';
import { Inject, Injectable } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { malformedRequest, ProblemError } from '../http/problem.ts';
import { RuleField } from '../validation/fields.ts';
import { countRule, CURSOR_RULE, cursorRule, positionRule } from '../validation/rules.ts';
import { IS_POSITION, QUERIES } from './tokens.ts';

/** How long a query waits for the read models to reach the position that it asks for. */
const READ_WAIT_MS = 2_000;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const OWN_POSITION_RULE = 'must be a position of this log, as an answer gave it';

/** What every GET takes. */
export class ReadQuery {
  @RuleField(positionRule, {
    optional: true,
    description: 'The answer includes everything up to this position, or is a 503.',
  })
  atLeast?: string;
}

/** What every list takes. */
export class ListQuery extends ReadQuery {
  @RuleField(countRule(MAX_LIMIT), { optional: true, description: 'Most items of the answer; 50 if absent.' })
  @Transform(({ value }) => Number(value))
  limit: number = DEFAULT_LIMIT;

  @RuleField(cursorRule, { optional: true, description: '`nextCursor` of the answer before.' })
  cursor?: string;
}

/** Whether a text can be a position of the log. */
export type IsPosition = (text: string) => boolean;

/** Asks the read models, once they are where the caller wants them. */
@Injectable()
export class QueryEdge {
  readonly #queries: Queries;
  readonly #isPosition: IsPosition;

  constructor(@Inject(QUERIES) queries: Queries, @Inject(IS_POSITION) isPosition: IsPosition) {
    this.#queries = queries;
    this.#isPosition = isPosition;
  }

  /** @throws ProblemError `read-model-behind` when they do not get there in time; as `demandOwn` */
  async upTo(atLeast: string | undefined): Promise<Queries> {
    this.demandOwn({ atLeast });
    if (atLeast !== undefined && !(await this.#queries.waitFor(atLeast, READ_WAIT_MS))) {
      const detail = 'The read model has not reached that position yet.';
      throw new ProblemError({ code: 'read-model-behind', detail });
    }
    return this.#queries;
  }

  /**
   * Callers keep positions, and bring those of another store after the ledger has moved: they mean nothing here.
   * @param positions as they were given, by field
   * @throws ProblemError `malformed-request` that names those which can't be of this log
   */
  demandOwn(positions: Readonly<Record<string, string | undefined>>): void {
    const errors = Object.entries(positions).flatMap(([field, position]) =>
      position === undefined || this.#isPosition(position)
        ? []
        : [{ field, message: field === 'cursor' ? CURSOR_RULE : OWN_POSITION_RULE }],
    );
    if (errors.length > 0) throw new ProblemError(malformedRequest(errors));
  }
}

/** What was found, or 404. @throws RejectionError `<thing>-not-found` */
export function found<Value>(value: Value | undefined, thing: Thing, id: string): Value {
  if (value !== undefined) return value;
  throw new RejectionError(reject(`${thing}-not-found`, `There is no ${thing.replaceAll('-', ' ')} ${id}.`));
}
