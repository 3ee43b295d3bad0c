import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { openTunnel, type Tunnel } from './tunnel.ts';

let server: Server;
let tunnel: Tunnel;
/** What came to the server, and its connections. */
let arrived: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  arrived = '';
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => {
      arrived += text;
      socket.write(text.toUpperCase());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  tunnel = await openTunnel();
});
afterEach(async () => {
  await tunnel.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

interface End {
  readonly socket: Socket;
  readonly received: () => string;
  readonly closed: Promise<unknown>;
}

/** As a client of gRPC goes through it. */
async function connected(): Promise<End> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const asked = request(tunnel.environment.grpc_proxy, { method: 'CONNECT', path: `127.0.0.1:${port}` });
  asked.end();
  const [, socket] = (await once(asked, 'connect')) as [unknown, Socket];
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  return { socket, received: () => received, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

it('passes bytes on, both ways', async () => {
  const { socket, received } = await connected();
  socket.write('hello');
  await until(() => received() === 'HELLO');
  expect(tunnel.connections).toBe(1);
  const large = 'x'.repeat(5_000_000);
  socket.write(large);
  await until(() => received().length === 5 + large.length);
  socket.end();
  await until(() => tunnel.connections === 0);
});

it('cuts what there is, and takes new connections', async () => {
  const ends = [await connected(), await connected()];
  expect(tunnel.cut()).toBe(2);
  await Promise.all(ends.map(({ closed }) => closed));
  expect(tunnel.connections).toBe(0);
  const { socket, received } = await connected();
  socket.write('again');
  await until(() => received() === 'AGAIN');
});

it('cuts after so many bytes to the server', async () => {
  const { socket, closed } = await connected();
  const cut = tunnel.cutAfter('to-server', 7);
  socket.write('four');
  await until(() => arrived === 'four');
  socket.write('fours');
  await Promise.all([cut, closed]);
  await until(() => arrived === 'fourfou');
});

it('cuts after so many bytes from the server, which has had what was sent', async () => {
  const { socket, received, closed } = await connected();
  const cut = tunnel.cutAfter('from-server', 2);
  socket.write('lost');
  await Promise.all([cut, closed]);
  expect([arrived, received()]).toEqual(['lost', 'LO']);
});

it('holds up one way or both, on new connections as well, and loses nothing by that', async () => {
  const one = await connected();
  tunnel.stall('from-server');
  one.socket.write('a');
  await until(() => arrived === 'a');
  tunnel.stall();
  const other = await connected();
  one.socket.write('b');
  other.socket.write('c');
  // All that could come has come.
  for (let turns = 0; turns < 100; turns += 1) await new Promise(setImmediate);
  expect([arrived, one.received(), other.received()]).toEqual(['a', '', '']);
  tunnel.resume();
  await until(() => one.received() === 'AB' && other.received() === 'C');
});

it('refuses new connections until it is to take them again', async () => {
  const there = await connected();
  tunnel.refuse();
  await (
    await connected()
  ).closed;
  there.socket.write('still');
  await until(() => there.received() === 'STILL');
  tunnel.accept();
  const { socket, received } = await connected();
  socket.write('back');
  await until(() => received() === 'BACK');
});
