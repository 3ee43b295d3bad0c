import { messageOf } from '../thrown.ts';
import { OwnService } from './own-service.ts';
import { playFreeze } from './play-freeze.ts';
import { Stage } from './stage.ts';

/**
 * Starts a service on a temporary folder, plays the story through its HTTP API, and takes everything away again.
 * @returns the exit code: 0 when every line was as expected
 */
export async function demonstrate(host: NodeJS.Process): Promise<number> {
  const stage = new Stage(host.stdout);
  const service = new OwnService(host.env);
  stopOnSignal(host, service);
  try {
    const url = await service.ready();
    stage.say(`A service of its own listens on ${url}, with an empty log in a temporary folder.`);
    await playFreeze({ url, token: (sub, roles) => service.token(sub, roles) }, stage);
  } catch (error) {
    await service.stop();
    host.stderr.write(`\n${messageOf(error)}\n`);
    return 1;
  }
  await service.stop();
  stage.say(`\nAll ${String(stage.lines)} lines are as expected. The service is stopped, and its log removed.`);
  return 0;
}

/** Without its service the story breaks off, and ends as after any other failure. */
function stopOnSignal(host: NodeJS.Process, service: OwnService): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) host.once(signal, () => void service.stop());
}
