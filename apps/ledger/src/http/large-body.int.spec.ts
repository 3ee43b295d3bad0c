import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startTestService, type TestService, type TestServiceOptions } from '../testing/service.ts';

const LENGTH = 4 * 1024 * 1024;

let service: TestService;
afterEach(() => service.close());

/** A connection on which a command is announced that is far too large, and what has come back on it. */
async function announce(
  patience: NonNullable<TestServiceOptions['patience']>,
): Promise<{ socket: Socket; received: () => string; until: (text: string) => Promise<void> }> {
  service = await startTestService({ patience });
  const port = Number(new URL(await service.listen()).port);
  const token = await service.token('ops-1', 'ops');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  const head = [
    'POST /v1/assets HTTP/1.1',
    'Host: ledger',
    `Authorization: Bearer ${token}`,
    'Idempotency-Key: k-1',
    'Content-Type: application/json',
    `Content-Length: ${String(LENGTH)}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const until = async (text: string): Promise<void> => {
    while (!received.includes(text)) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`closed before ${text}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { socket, received: () => received, until };
}

describe('a body that is too large', () => {
  it('is answered, and whoever still sends it is not cut off: the connection can be used again', async () => {
    const { socket, received, until } = await announce({});
    await until('413 Payload Too Large');
    expect(received()).not.toMatch(/^connection: close/im);
    for (let sent = 0; sent < LENGTH; sent += 65_536) {
      if (!socket.write(Buffer.alloc(65_536, 0x20))) await once(socket, 'drain');
    }
    socket.write('GET /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n');
    await until('HTTP/1.1 200 OK');
    socket.destroy();
  });

  it('is not waited for without end', async () => {
    const { socket, until } = await announce({ arrivalMs: 500, headMs: 500, checkEveryMs: 50 });
    await until('413 Payload Too Large');
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });
});
