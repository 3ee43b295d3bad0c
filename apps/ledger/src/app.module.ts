import type { LedgerCommands } from '#command-handling';
import type { Queries } from '#projections';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { AccountsController } from './accounts/accounts.controller.ts';
import { AssetsController } from './assets/assets.controller.ts';
import { AuditController, type ReplayAccount, type ReplayFreezes } from './audit/audit.controller.ts';
import { EventExports } from './audit/event-exports.ts';
import type { LogReader } from './audit/audit.dto.ts';
import { Replays } from './audit/replays.ts';
import { AuthorityRequestsController } from './authority-requests/authority-requests.controller.ts';
import { BooksController } from './books/books.controller.ts';
import { CommandEdge, type EdgeOptions } from './edge/command-edge.ts';
import { QueryEdge, type IsPosition } from './edge/query-edge.ts';
import {
  EDGE_OPTIONS,
  EVENT_READER,
  HEALTH,
  IS_POSITION,
  LEDGER,
  LOGGER,
  METRICS,
  QUERIES,
  REPLAY_ACCOUNT,
  REPLAY_FREEZES,
} from './edge/tokens.ts';
import { FreezesOfBasisController } from './freezes/freezes-of-basis.controller.ts';
import { FreezesController } from './freezes/freezes.controller.ts';
import { LegalOrdersController } from './legal-orders/legal-orders.controller.ts';
import { NonDisclosureGate } from './non-disclosure/gate.ts';
import { NonDisclosure } from './non-disclosure/non-disclosure.ts';
import type { Health } from './operations/health.ts';
import type { Metrics } from './operations/metrics.ts';
import { OperationsController } from './operations/operations.controller.ts';
import { PartiesController } from './parties/parties.controller.ts';
import { SanctionsHitsController } from './sanctions-hits/sanctions-hits.controller.ts';
import { TasksController } from './tasks/tasks.controller.ts';

/** What the edge needs of the rest. */
export interface EdgeServices {
  readonly ledger: LedgerCommands;
  readonly queries: Queries;
  readonly reader: LogReader;
  readonly isPosition: IsPosition;
  readonly replayAccount: ReplayAccount;
  readonly replayFreezes: ReplayFreezes;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly options: EdgeOptions;
}

@Module({
  controllers: [
    AssetsController,
    PartiesController,
    AccountsController,
    LegalOrdersController,
    SanctionsHitsController,
    FreezesController,
    FreezesOfBasisController,
    AuthorityRequestsController,
    TasksController,
    BooksController,
    AuditController,
    OperationsController,
  ],
  providers: [CommandEdge, QueryEdge, EventExports, Replays],
})
export class AppModule {
  static with(services: EdgeServices, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      providers: [
        { provide: LEDGER, useValue: services.ledger },
        { provide: QUERIES, useValue: services.queries },
        { provide: EVENT_READER, useValue: services.reader },
        { provide: IS_POSITION, useValue: services.isPosition },
        { provide: REPLAY_ACCOUNT, useValue: services.replayAccount },
        { provide: REPLAY_FREEZES, useValue: services.replayFreezes },
        { provide: HEALTH, useValue: services.health },
        { provide: METRICS, useValue: services.metrics },
        { provide: LOGGER, useValue: logger },
        { provide: EDGE_OPTIONS, useValue: services.options },
        { provide: NonDisclosureGate, useValue: gateOf(services) },
      ],
    };
  }
}

function gateOf({ reader, queries }: EdgeServices): NonDisclosureGate {
  return new NonDisclosureGate(
    new NonDisclosure({
      reader,
      basisOfFreeze: (freezeId) => queries.basisOfFreeze(freezeId),
      orderOfLift: (freezeId, requestId) => queries.orderOfLift(freezeId, requestId),
    }),
  );
}
