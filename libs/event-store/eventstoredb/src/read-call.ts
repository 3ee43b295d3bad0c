import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { CallTimeout } from './call-timeout.ts';
import type { StreamsConnection } from './client.ts';

/** How long a server may say nothing. */
export interface Patience {
  readonly idleMs: number;
  /** Asked then; while it resolves, the server has as much time again. Default: nobody is asked, and the call is given up. */
  readonly whenIdle?: () => Promise<void>;
}

/**
 * Takes in a read, message by message, until it ends or `take` says that it is enough: a server that filters looks for one
 * more than it was asked for, to the end of its log if there is none.
 * @throws CallTimeout, what ended the call, or what `whenIdle` failed with
 */
export function readToEnd(
  client: StreamsConnection,
  request: streams.ReadReq,
  { idleMs, whenIdle = noAnswer }: Patience,
  take: (message: streams.ReadResp) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail: (error: unknown) => void = reject;
    let cancel: () => void = () => undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      whenIdle().then(
        () => {
          if (!isOver) timer.refresh();
        },
        (error: unknown) => finish(() => fail(error)),
      );
    }, idleMs);
    function finish(settle: () => void): void {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      settle();
      cancel();
    }
    client.read(request).then(
      (call) => {
        cancel = () => call.cancel();
        call.on('data', (message: streams.ReadResp) => {
          if (isOver) return;
          timer.refresh();
          try {
            if (take(message)) finish(resolve);
          } catch (error) {
            finish(() => fail(error));
          }
        });
        // Also after the end: what a cancelled call says of itself concerns nobody.
        call.on('error', (error: Error) => finish(() => fail(error)));
        call.on('end', () => finish(resolve));
        if (isOver) cancel();
      },
      (error: unknown) => finish(() => fail(error)),
    );
  });
}

function noAnswer(): Promise<never> {
  return Promise.reject(new CallTimeout());
}
