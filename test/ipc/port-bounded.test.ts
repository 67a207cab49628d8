import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { systemClock } from '../../ipc/clock.ts';
import { type BoundedPort, boundedPort, type Slice } from '../../ipc/port-bounded.ts';
import { eventually } from '../support/eventually.ts';

interface Pair {
  readonly port: BoundedPort<unknown, unknown>;
  readonly other: MessagePort;
  readonly seen: unknown[];
  readonly faults: string[];
  readonly slices: Slice[];
}

function open(t: TestContext): Pair {
  const { port1, port2 } = new MessageChannel();
  const [seen, faults, slices]: [unknown[], string[], Slice[]] = [[], [], []];
  const port = boundedPort<unknown, unknown>(port1, {
    clock: systemClock,
    onFault: (fault) => faults.push(fault),
    onSlice: (slice) => slices.push(slice),
  });
  port.receive((message) => seen.push(message));
  t.after(() => {
    port.close();
    port2.close();
  });
  return { port, other: port2, seen, faults, slices };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('bounded port', () => {
  it('takes everything in order, a slice per turn', async (t) => {
    const { other, seen, slices } = open(t);
    for (let n = 0; n < 1_000; n += 1) other.postMessage(n);
    await eventually(() => seen.length === 1_000);
    await turn();
    assert.deepEqual(
      seen,
      Array.from({ length: 1_000 }, (_, n) => n),
    );
    assert.ok(slices.every(({ messages }) => messages <= 128));
    assert.equal(
      slices.reduce((sum, { messages }) => sum + messages, 0),
      1_000,
    );
  });

  it('lets others have their turn while a thread posts as fast as it can', async (t) => {
    const { port1, port2 } = new MessageChannel();
    const source = `const { workerData } = require('node:worker_threads'); for (let n = 0; n < 100000; n += 1) workerData.postMessage({ n });`;
    const worker = new Worker(source, { eval: true, workerData: port2, transferList: [port2] });
    t.after(() => worker.terminate());
    let count = 0;
    let turns = 0;
    const port = boundedPort(port1, { clock: systemClock, onFault: assert.fail });
    t.after(() => port.close());
    port.receive(() => {
      count += 1;
    });
    const others = systemClock.every(1, () => {
      turns += 1;
    });
    t.after(() => others.cancel());
    await eventually(() => count === 100_000);
    assert.ok(turns > 20, `others had ${turns} turns`);
  });

  it('tells of each slice what it cost, not how long a busy machine let it wait', async (t) => {
    const { port, other, slices } = open(t);
    port.receive(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60));
    other.postMessage('one');
    await eventually(() => slices.length > 0);
    assert.ok((slices[0]?.ms ?? 60) < 30, `${slices[0]?.ms} ms`);
    port.receive(() => {
      const until = systemClock.cpu() + 60;
      while (systemClock.cpu() < until);
    });
    other.postMessage('two');
    await eventually(() => slices.length > 1);
    assert.ok((slices[1]?.ms ?? 0) >= 60, `${slices[1]?.ms} ms`);
  });

  it('answers within the turn when there is little to read', async (t) => {
    const { port, other } = open(t);
    const echo = new Promise((resolve) => other.once('message', resolve));
    port.receive((message) => port.post(message));
    other.postMessage('hello');
    assert.equal(await echo, 'hello');
  });

  it('names what carries ports, closes them, and reads on', async (t) => {
    const { other, seen, faults } = open(t);
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port2.once('close', resolve));
    other.postMessage('with a port', [port1]);
    other.postMessage('plain');
    await eventually(() => seen.length > 0);
    assert.deepEqual([seen, faults], [['plain'], ['a message that carries 1 ports']]);
    await closed;
  });

  it('hears nothing after its close, of what had arrived before it either', async (t) => {
    const { port, other, seen } = open(t);
    port.receive((message) => {
      seen.push(message);
      port.close();
    });
    for (let n = 0; n < 10; n += 1) other.postMessage(n);
    await eventually(() => seen.length > 0);
    await turn();
    assert.deepEqual(seen, [0]);
    port.post('into the void');
  });

  it('reads the last words of an end that is gone, within bounds', async (t) => {
    const { port, other, seen } = open(t);
    for (let n = 0; n < 5_000; n += 1) other.postMessage(n);
    other.close();
    port.readLast();
    assert.ok(seen.length >= 1 && seen.length <= 1_024);
    assert.equal(seen[0], 0);
  });

  it('tells its close once, also to whoever asks later', async (t) => {
    const { port, other } = open(t);
    const closes: string[] = [];
    port.onClose(() => closes.push('early'));
    other.close();
    await eventually(() => closes.length > 0);
    port.onClose(() => closes.push('late'));
    await turn();
    assert.deepEqual(closes, ['early', 'late']);
  });
});
