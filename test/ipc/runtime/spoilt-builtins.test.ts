/** A plugin may spoil the builtins of its thread, by mistake or in a library that replaces them. What the runtime writes stays what it is. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../../../ipc/clock.ts';
import type { ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { encodeMessage, MessageReader } from '../../../ipc/pipe-message.ts';
import { EventEncoder } from '../../../ipc/runtime/event-encoder.ts';
import { LogSender } from '../../../ipc/runtime/log-sender.ts';
import { MetricSender } from '../../../ipc/runtime/metric-sender.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { TestPort } from '../../support/test-port.ts';

const wire = () => ({ port: new TestPort<ToHost, ToPlugin>(), clock: new FakeClock(), generation: 1 });
const genuine = { stringify: JSON.stringify, parse: JSON.parse, Date, now: performance.now };
const { setTimeout: later, setInterval: often, queueMicrotask: soon } = globalThis;

function spoilt(): never {
  throw new Error('spoilt');
}

describe('runtime among spoilt builtins', () => {
  beforeEach(() => {
    JSON.stringify = () => '{}\n{}';
    JSON.parse = spoilt;
    performance.now = () => Number.NaN;
    globalThis.Date = spoilt as never;
    globalThis.setTimeout = spoilt as never;
    globalThis.setInterval = spoilt as never;
    globalThis.queueMicrotask = spoilt;
  });
  afterEach(() => {
    JSON.stringify = genuine.stringify;
    JSON.parse = genuine.parse;
    performance.now = genuine.now;
    globalThis.Date = genuine.Date;
    globalThis.setTimeout = later;
    globalThis.setInterval = often;
    globalThis.queueMicrotask = soon;
  });

  it('writes an event as one line of JSON, with the time', () => {
    const encoder = new EventEncoder({ plugin: 'p', clock: new FakeClock() });
    const { line } = encoder.encode({ type: 't', resourceName: 'r', message: 'm' });
    assert.match(line, /^\{"resourceName":"r","message":"m","timestamp":"\d{4}-[^"]+Z"\}$/);
  });

  it('writes the fields of a log line, and sends it by itself', async () => {
    const { port, clock, generation } = wire();
    new LogSender({ port, clock, generation, debug: false, linesPerSecond: 10 }).write('info', 'line', { a: 1 });
    await settle();
    const [message] = port.take();
    assert.equal(message?.kind === 'log' && message.records[0]?.fields, '{"a":1}');
  });

  it('tells series apart by their labels', async () => {
    const { port, clock, generation } = wire();
    const sender = new MetricSender({ port, clock, generation, warn: () => undefined });
    const counter = sender.counter({ name: 'n', help: 'h' });
    counter.inc(1, { a: '1' });
    counter.inc(2, { a: '2' });
    sender.flush();
    const [message] = port.take();
    assert.deepEqual(message?.kind === 'metric' && message.records.map(({ value }) => value), [1, 2]);
  });

  it('writes and reads the messages of a pipe', () => {
    const reader = new MessageReader();
    reader.push(encodeMessage(3, { kind: 'ping', n: 1 }));
    assert.deepEqual(reader.next()?.message, { kind: 'ping', n: 1 });
  });

  it('knows the time, and wakes up', async () => {
    assert.ok(systemClock.now() > 0);
    assert.ok(systemClock.wall() > 1e12);
    await new Promise<void>((resolve) => systemClock.after(1, resolve, { holdsProcess: true }));
  });
});
