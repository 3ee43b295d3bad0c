import { consumerTooSlow, streamDeleted } from '../wire/errors.ts';
import { LIVE_ROOM, type SubscriptionCall } from './subscription-outlet.ts';

/**
 * A subscription to one stream from after a revision; the stream need not exist yet. It ends when the stream is deleted for
 * good.
 */
export async function subscribeToStream(call: SubscriptionCall): Promise<void> {
  const { context, options, stream, outlet, stillAllowed } = call;
  const { view } = context;
  const from = options.getStream();
  const last = (): number => view.eventsOf(stream).length - 1;
  let revision = from?.hasStart() ? -1 : from?.hasEnd() ? last() : Number(from?.getRevision() ?? 0);
  let live = false;
  while (!outlet.closed) {
    const visible = view.visible(stream);
    if (visible.kind === 'deleted') throw streamDeleted(stream);
    const behind = visible.kind === 'events' ? visible.lastRevision - revision : 0;
    if (live && behind > LIVE_ROOM) {
      if (context.dropsSlowConsumers) throw consumerTooSlow();
      live = false;
    }
    const event = visible.kind === 'events' ? visible.events[revision + 1] : undefined;
    if (event !== undefined && visible.kind === 'events') {
      if (!visible.isHidden(event)) await outlet.sendEvent(event);
      revision += 1;
    } else if (live) {
      await outlet.nextChange();
      stillAllowed();
    } else {
      live = true;
      await outlet.sendCaughtUp();
    }
  }
}
