import type { AccountView } from '#accounts';
import type { LedgerCommands } from '#command-handling';
import type { FreezesAsOf, Moment } from '#replay';
import { isPosition, type Position } from '#kernel';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { Account, AccountPath, assetsShown, shownAccount } from '../accounts/account.dto.ts';
import { found, ListQuery, QueryEdge } from '../edge/query-edge.ts';
import { EVENT_READER, LEDGER, REPLAY_ACCOUNT, REPLAY_FREEZES } from '../edge/tokens.ts';
import { lookUpAssets } from '../edge/scales.ts';
import { assetsOfFreeze, FreezePage, shownFreeze } from '../freezes/freeze.dto.ts';
import { etagOf } from '../http/answer.ts';
import { accepts } from '../http/headers.ts';
import { malformedRequest, ProblemError } from '../http/problem.ts';
import { callerOf } from '../http/request.ts';
import { NonDisclosureGate } from '../non-disclosure/gate.ts';
import { NDJSON, QueryRoute } from '../openapi/routes.ts';
import { CURSOR_RULE } from '../validation/rules.ts';
import {
  AuditedEvent,
  AsOfQuery,
  EventPage,
  EventsQuery,
  FreezesAsOfQuery,
  MAX_PAGE,
  RefusalPage,
  shownEvent,
  shownRefusal,
  shownViolation,
  StreamPath,
  ViolationPage,
  type LogReader,
} from './audit.dto.ts';
import { EventExports } from './event-exports.ts';
import { readLines, readPage, type ShowEvents } from './event-log.ts';
import { Replays } from './replays.ts';

/** Gives an account as it was, by replay; undefined when it was not open then. Ends soon after the signal is aborted. */
export type ReplayAccount = (
  accountId: string,
  at: Moment | undefined,
  signal: AbortSignal,
) => Promise<AccountView | undefined>;

/** Gives a page of the freezes that were in force, by replay. Ends soon after the signal is aborted. */
export type ReplayFreezes = (
  at: Moment | undefined,
  page: { readonly after: Position | undefined; readonly limit: number },
  signal: AbortSignal,
) => Promise<FreezesAsOf>;

const DEFAULT_PAGE = 50;
/** Where whoever follows a log may begin: an empty one has reached it too. */
const BEFORE_ALL = /^[0-]+$/;

@ApiTags('Audit')
@Controller('v1/audit')
export class AuditController {
  readonly #reader: LogReader;
  readonly #replayAccount: ReplayAccount;
  readonly #replayFreezes: ReplayFreezes;
  readonly #ledger: LedgerCommands;
  readonly #queries: QueryEdge;
  readonly #gate: NonDisclosureGate;
  readonly #exports: EventExports;
  readonly #replays: Replays;

  constructor(
    @Inject(EVENT_READER) reader: LogReader,
    @Inject(REPLAY_ACCOUNT) replayAccount: ReplayAccount,
    @Inject(REPLAY_FREEZES) replayFreezes: ReplayFreezes,
    @Inject(LEDGER) ledger: LedgerCommands,
    queries: QueryEdge,
    gate: NonDisclosureGate,
    exports: EventExports,
    replays: Replays,
  ) {
    this.#reader = reader;
    this.#replayAccount = replayAccount;
    this.#replayFreezes = replayFreezes;
    this.#ledger = ledger;
    this.#queries = queries;
    this.#gate = gate;
    this.#exports = exports;
    this.#replays = replays;
  }

  @Get('events')
  @QueryRoute({
    operationId: 'listEvents',
    summary: 'The log, as recorded, in order',
    description:
      'Read from the store itself: never behind. With `Accept: application/x-ndjson` one event a line, to the end of the log. ' +
      'Of orders under non-disclosure, and of what cites them, `data` is null to those without the scope `confidential`; ' +
      'envelope and hashes stay.',
    roles: ['auditor'],
    answer: EventPage,
    lines: AuditedEvent,
  })
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() query: EventsQuery): Promise<void> {
    const { types, stream, limit } = query;
    const after = startOf(query);
    this.#queries.demandOwn({ atLeast: query.atLeast, after: query.after, cursor: query.cursor });
    await this.#storeHas(query.atLeast);
    // Whoever is ahead of the log, as after a restore, is not to hear that there is nothing new.
    await this.#storeHas(after);
    const selection = { after, types, stream };
    if (accepts(request.headers.accept, NDJSON)) {
      const show: ShowEvents = async (found) =>
        (await this.#gate.shown(request, found.map(shownEvent))) as readonly object[];
      if (request.method !== 'HEAD') this.#exports.begin(reply.raw);
      sendLines(request, reply, readLines(this.#reader, selection, limit, show));
      return;
    }
    if (limit !== undefined && limit > MAX_PAGE)
      throw malformed('limit', `must be a whole number from 1 to ${String(MAX_PAGE)}`);
    const { events, next } = await readPage(this.#reader, selection, limit ?? DEFAULT_PAGE);
    reply.send({ items: events.map(shownEvent), nextCursor: next });
  }

  @Get('streams/:stream')
  @QueryRoute({
    operationId: 'listStream',
    summary: 'One stream, as recorded, in order',
    roles: ['auditor'],
    answer: EventPage,
    problems: ['stream-not-found'],
  })
  async stream(@Res() reply: FastifyReply, @Param() { stream }: StreamPath, @Query() query: ListQuery): Promise<void> {
    this.#queries.demandOwn({ atLeast: query.atLeast });
    await this.#storeHas(query.atLeast);
    const from = revisionOf(query.cursor);
    // One more than asked for tells whether there is a next page.
    const events = await this.#reader.read(stream, { from, limit: query.limit + 1 });
    if (events.length === 0 && from === 0) found(undefined, 'stream', stream);
    const items = events.slice(0, query.limit).map(shownEvent);
    const nextCursor = events.length > query.limit ? String(from + query.limit) : null;
    reply.send({ items, nextCursor });
  }

  @Get('accounts/:accountId')
  @QueryRoute({
    operationId: 'replayAccount',
    summary: 'An account as of a moment, by replay of the log',
    roles: ['auditor'],
    tagged: true,
    answer: Account,
    problems: ['account-not-found'],
  })
  async account(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() { accountId }: AccountPath,
    @Query() { at, atLeast }: AsOfQuery,
  ): Promise<void> {
    this.#queries.demandOwn({ atLeast, at: positionIn(at) });
    await this.#storeHas(atLeast);
    const moment = await this.#moment(at);
    const replayed = await this.#replays.run(request, reply, (signal) =>
      this.#replayAccount(accountId, moment, signal),
    );
    const view = found(replayed, 'account', accountId);
    const assets = await lookUpAssets(this.#ledger, assetsShown(view));
    const account = shownAccount(view, assets, callerOf(request));
    reply.header('etag', etagOf(view.streamRevision)).send(account);
  }

  @Get('freezes')
  @QueryRoute({
    operationId: 'replayFreezes',
    summary:
      'The freezes in force as of a moment, under which basis, by replay of the log, in the order of their placing',
    description:
      'Read from the store itself: never behind. One answer replays at most 200 accounts: a page may have fewer items than ' +
      '`limit`, even none, and still a `nextCursor`. Give `at` for pages that fit together.',
    roles: ['auditor'],
    answer: FreezePage,
  })
  async freezes(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query() query: FreezesAsOfQuery,
  ): Promise<void> {
    const { at, atLeast, limit, cursor: after } = query;
    this.#queries.demandOwn({ atLeast, at: positionIn(at), cursor: after });
    await this.#storeHas(atLeast);
    const moment = await this.#moment(at);
    const { items, next } = await this.#replays.run(request, reply, (signal) =>
      this.#replayFreezes(moment, { after, limit }, signal),
    );
    const assets = await lookUpAssets(this.#ledger, [...new Set(items.flatMap(assetsOfFreeze))]);
    reply.send({ items: items.map((view) => shownFreeze(view, assets)), nextCursor: next ?? null });
  }

  @Get('refusals')
  @QueryRoute({
    operationId: 'listRefusals',
    summary: 'Refusals on record, in order',
    roles: ['auditor'],
    answer: RefusalPage,
  })
  async refusals(@Res() reply: FastifyReply, @Query() query: ListQuery): Promise<void> {
    const { items, nextCursor } = (await this.#queries.upTo(query.atLeast)).refusals(query);
    reply.send({ items: items.map(shownRefusal), nextCursor });
  }

  @Get('violations')
  @QueryRoute({
    operationId: 'listViolations',
    summary: 'Events in the log that break an invariant, in order: they change nothing',
    roles: ['auditor'],
    answer: ViolationPage,
  })
  async violations(@Res() reply: FastifyReply, @Query() query: ListQuery): Promise<void> {
    const { items, nextCursor } = (await this.#queries.upTo(query.atLeast)).violations(query);
    reply.send({ items: items.map(shownViolation), nextCursor });
  }

  /** @throws ProblemError `read-model-behind` for a position that the log has not reached */
  async #moment(at: string | undefined): Promise<Moment | undefined> {
    if (at === undefined) return undefined;
    if (!isPosition(at)) return { time: at };
    await this.#storeHas(at);
    return { position: at };
  }

  /** What is in the store need not be in the read models. @throws ProblemError `read-model-behind` when it is in neither */
  async #storeHas(position: Position | undefined): Promise<void> {
    if (position === undefined || BEFORE_ALL.test(position)) return;
    const head = await this.#reader.head();
    if (head === undefined || head < position) await this.#queries.upTo(position);
  }
}

function startOf({ after, cursor }: EventsQuery): Position | undefined {
  if (after !== undefined && cursor !== undefined) throw malformed('cursor', 'must not be given together with after');
  return cursor ?? after;
}

/** A time is none. */
function positionIn(at: string | undefined): Position | undefined {
  return at !== undefined && isPosition(at) ? at : undefined;
}

function revisionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^[1-9][0-9]{0,14}$/.test(cursor)) return Number(cursor);
  throw malformed('cursor', CURSOR_RULE);
}

function sendLines(request: FastifyRequest, reply: FastifyReply, lines: AsyncIterable<string>): void {
  reply.header('content-type', NDJSON);
  // Whoever only asks for the head gets no log read for nothing.
  reply.send(request.method === 'HEAD' ? '' : Readable.from(lines, { objectMode: false, highWaterMark: 64 * 1024 }));
}

function malformed(field: string, message: string): ProblemError {
  return new ProblemError(malformedRequest([{ field, message }]));
}
