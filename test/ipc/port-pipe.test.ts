import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Clock, systemClock } from '../../ipc/clock.ts';
import { encodeMessage } from '../../ipc/pipe-message.ts';
import type { Slice } from '../../ipc/port-bounded.ts';
import { Pipe, type PipeOptions } from '../../ipc/port-pipe.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Ends {
  readonly near: Pipe;
  readonly far: Socket;
  readonly faults: string[];
  readonly slices: Slice[];
}

/** A real pipe of the system: one end wrapped, the other raw. */
async function open(t: TestContext, options: Partial<PipeOptions> = {}): Promise<Ends & { readonly socket: Socket }> {
  const path = join(tempDir(t), 'pipe');
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket)).listen(path);
  await eventually(() => server.listening);
  const far = connect(path);
  far.on('error', () => undefined);
  const socket = await accepted.promise;
  t.after(() => {
    far.destroy();
    socket.destroy();
    server.close();
  });
  const faults: string[] = [];
  const slices: Slice[] = [];
  const near = new Pipe(socket, {
    clock: systemClock,
    channels: 2,
    maxQueueBytes: 1024 * 1024,
    onFault: (fault) => faults.push(fault),
    onSlice: (slice) => slices.push(slice),
    ...options,
  });
  return { near, far, faults, slices, socket };
}

describe('pipe port', () => {
  it('delivers each channel its own messages, and keeps those that come before there is a receiver', async (t) => {
    const { near, far } = await open(t);
    far.write(Buffer.concat([encodeMessage(0, 'a'), encodeMessage(1, 'b'), encodeMessage(0, 'c')]));
    const second: unknown[] = [];
    near.port(1).receive((message) => second.push(message));
    await eventually(() => second.length > 0);
    const first: unknown[] = [];
    near.port(0).receive((message) => first.push(message));
    assert.deepEqual([first, second], [['a', 'c'], ['b']]);
  });

  it('sends what is posted, and nothing after its channel or the other side is closed', async (t) => {
    const { near, far, faults } = await open(t);
    const pieces: Buffer[] = [];
    far.on('data', (piece: Buffer) => pieces.push(piece));
    const [one, two] = [near.port(0), near.port(1)];
    one.post({ n: 1 });
    one.close();
    one.post({ n: 2 });
    two.post({ n: 3 });
    const expected = Buffer.concat([encodeMessage(0, { n: 1 }), encodeMessage(1, { n: 3 })]);
    await eventually(() => Buffer.concat(pieces).equals(expected));
    let closed = 0;
    two.onClose(() => {
      closed += 1;
    });
    far.destroy();
    await eventually(() => closed === 1);
    two.onClose(() => {
      closed += 1;
    });
    two.post({ n: 4 });
    await eventually(() => closed === 2);
    assert.deepEqual(faults, []);
  });

  it('reads a flood in slices, and the loop turns in between', async (t) => {
    const { near, far, slices, faults } = await open(t);
    let count = 0;
    near.port(0).receive(() => {
      count += 1;
    });
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    t.after(() => clearInterval(timer));
    const one = encodeMessage(0, { kind: 'log', text: 'x'.repeat(100) });
    const many = Buffer.concat(Array.from({ length: 50_000 }, () => one));
    far.write(many);
    await eventually(() => count === 50_000);
    assert.ok(slices.every(({ messages }) => messages <= 128));
    assert.equal(
      slices.reduce((sum, { messages }) => sum + messages, 0),
      50_000,
    );
    assert.ok(longest < 100, `the loop stood still for ${longest} ms`);
    assert.deepEqual(faults, []);
  });

  it('delivers the last words before it says that the other side has gone, also while it rests', async (t) => {
    let now = 0;
    const slow: Clock = {
      ...systemClock,
      now: () => {
        now += 10;
        return now;
      },
    };
    const { near, far, socket } = await open(t, { clock: slow });
    // As child_process does with the pipes of a child that has exited.
    socket.on('pause', () => socket.resume());
    const heard: unknown[] = [];
    near.port(0).receive((message) => heard.push(message));
    near.onClose(() => heard.push('gone'));
    far.end(Buffer.concat(['a', 'b', 'c', 'd'].map((word) => encodeMessage(0, word))));
    await eventually(() => heard.includes('gone'));
    assert.deepEqual(heard, ['a', 'b', 'c', 'd', 'gone']);
  });

  it('gives up once, and reads no further, when the other side sends what is no message', async (t) => {
    const { near, far, faults, socket } = await open(t);
    const seen: unknown[] = [];
    near.port(0).receive((message) => seen.push(message));
    far.write(Buffer.concat([encodeMessage(0, 'fine'), Buffer.alloc(100, 0xff), encodeMessage(0, 'too late')]));
    await eventually(() => faults.length > 0);
    assert.deepEqual(seen, ['fine']);
    assert.match(faults[0] ?? '', /^sent a message that says it has \d+ bytes$/);
    assert.ok(socket.destroyed);
    assert.equal(faults.length, 1);
  });

  it('gives up when more waits for the other side than it may leave unread', async (t) => {
    const { near, faults } = await open(t);
    const port = near.port(0);
    for (let n = 0; n < 100 && faults.length === 0; n += 1) port.post({ lines: 'x'.repeat(100_000) });
    assert.deepEqual(faults, ['left more than 1048576 bytes of it unread']);
    assert.doesNotThrow(() => port.post({ n: 1 }));
  });

  it('gives up when a channel that nobody listens on is flooded', async (t) => {
    const { far, faults } = await open(t);
    far.write(Buffer.concat(Array.from({ length: 300 }, () => encodeMessage(1, 'x'))));
    await eventually(() => faults[0]);
    assert.deepEqual(faults, ['sent messages before it was spoken to']);
  });
});
