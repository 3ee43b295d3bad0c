import type { ProjectionEvent, ViolationView } from '#projections';
import type { Logger } from 'pino';
import type { ClockWatch } from './clock-watch.ts';
import type { LagWatch } from './lag-watch.ts';
import type { Metrics } from './metrics.ts';

const AHEAD =
  'events that were acknowledged are not in the log any more: the read models had taken them in, and are kept beside the new ones, as read-models.db.ahead';

/** Tells what becomes of the read models: log lines and metrics. */
export function watchProjections(
  metrics: Pick<Metrics, 'rebuild' | 'eventsMissing'>,
  { lag, clock }: { readonly lag: LagWatch; readonly clock: Pick<ClockWatch, 'recorded'> },
  logger: Logger,
): (event: ProjectionEvent) => void {
  let stuck = false;
  return (event) => {
    switch (event.type) {
      case 'committed':
        lag.takenIn(event.checkpoint);
        clock.recorded(event.recordedAt);
        return;
      case 'violation':
        logger.error(
          { violation: pointerTo(event.violation) },
          'an event in the log breaks an invariant: it changes nothing',
        );
        return;
      case 'building':
        metrics.rebuild('missing');
        logger.info({ cause: 'missing' }, 'there are no read models: they are built from the first event of the log');
        return;
      case 'building-in-parts':
        return;
      case 'rebuilding': {
        const { cause, missingEvents } = event;
        metrics.rebuild(cause);
        if (missingEvents !== undefined) {
          metrics.eventsMissing(missingEvents);
          logger.error({ missingEvents }, AHEAD);
        }
        logger[cause === 'asked-for' || cause === 'projections-changed' ? 'info' : 'warn'](
          { cause },
          'the read models are built anew',
        );
        return;
      }
      case 'status': {
        const { checkpoint, failure } = event.status;
        if (checkpoint !== undefined) lag.takenIn(checkpoint);
        clock.recorded(event.recordedAt);
        if (failure !== undefined) logger.error({ failure }, 'the read models are stuck');
        else if (stuck) logger.info({ checkpoint }, 'the read models go on');
        stuck = failure !== undefined;
      }
    }
  };
}

/** Where an auditor finds it, and of what sort it is; what the event says stays there. */
function pointerTo({
  stream,
  revision,
  position,
  eventId,
  code,
}: ViolationView): Omit<ViolationView, 'detail' | 'type' | 'detectedAt'> {
  return { stream, revision, position, eventId, code };
}
