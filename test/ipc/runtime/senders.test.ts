import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogRecord, MetricRecord, ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { LogSender } from '../../../ipc/runtime/log-sender.ts';
import { MetricSender } from '../../../ipc/runtime/metric-sender.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { TestPort } from '../../support/test-port.ts';

const logsOf = (port: TestPort<ToHost, ToPlugin>): { records: readonly LogRecord[]; dropped: number }[] =>
  port.take().flatMap((message) => (message.kind === 'log' ? [message] : []));
const metricsOf = (port: TestPort<ToHost, ToPlugin>): MetricRecord[] =>
  port.take().flatMap((message) => (message.kind === 'metric' ? message.records : []));

describe('log sender', () => {
  it('gathers the lines of one turn into one message', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const sender = new LogSender({ port, clock: new FakeClock(), generation: 1, debug: false, linesPerSecond: 200 });
    sender.write('info', 'one', { a: 1 });
    sender.write('error', 'two');
    assert.deepEqual(logsOf(port), []);
    await settle();
    const [message, ...more] = logsOf(port);
    assert.deepEqual(more, []);
    assert.deepEqual(
      message?.records.map(({ level, message, fields }) => [level, message, fields]),
      [
        ['info', 'one', '{"a":1}'],
        ['error', 'two', ''],
      ],
    );
  });

  it('sends debug lines only when they are wanted', () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const sender = new LogSender({ port, clock: new FakeClock(), generation: 1, debug: false, linesPerSecond: 200 });
    sender.write('debug', 'unheard');
    sender.debug = true;
    sender.write('debug', 'heard');
    sender.flush();
    assert.deepEqual(
      logsOf(port).flatMap(({ records }) => records.map(({ message }) => message)),
      ['heard'],
    );
  });

  it('counts what is over the budget of a second, and starts anew in the next', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const sender = new LogSender({ port, clock, generation: 1, debug: false, linesPerSecond: 200 });
    for (let n = 0; n < 250; n += 1) sender.write('info', `${n}`);
    sender.flush();
    await clock.advance(1_000);
    sender.write('info', 'again');
    sender.flush();
    const messages = logsOf(port);
    assert.equal(
      messages.reduce((sum, { records }) => sum + records.length, 0),
      201,
    );
    assert.equal(
      messages.reduce((sum, { dropped }) => sum + dropped, 0),
      50,
    );
  });

  it('counts long lines by their length too', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const sender = new LogSender({ port, clock, generation: 1, debug: false, linesPerSecond: 10 });
    sender.write('info', 'x'.repeat(8_000), { text: 'y'.repeat(12_000) });
    sender.write('info', 'still within');
    sender.write('info', 'x'.repeat(2_000));
    sender.write('info', 'over');
    sender.flush();
    await clock.advance(1_000);
    sender.write('info', 'again');
    sender.flush();
    const messages = logsOf(port);
    assert.deepEqual(
      messages.map(({ records, dropped }) => [records.length, dropped]),
      [
        [3, 1],
        [1, 0],
      ],
    );
  });
});

describe('metric sender', () => {
  it('merges a hot counter and a gauge, keeps every observation, and leaves no timer', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const sender = new MetricSender({ port, clock, generation: 1, warn: assert.fail });
    const counter = sender.counter({ name: 'c', help: '' });
    for (let n = 0; n < 1_000; n += 1) counter.inc();
    counter.inc(5, { a: 'b' });
    for (const value of [1, 2, 3]) sender.gauge({ name: 'g', help: '' }).set(value);
    for (const value of [1, 1, 2]) sender.histogram({ name: 'h', help: '' }).observe(value);
    assert.deepEqual(metricsOf(port), []);
    await clock.advance(250);
    assert.deepEqual(
      metricsOf(port).map(({ type, name, value }) => [type, name, value]),
      [
        ['counter', 'c', 1_000],
        ['counter', 'c', 5],
        ['gauge', 'g', 3],
        ['histogram', 'h', 1],
        ['histogram', 'h', 1],
        ['histogram', 'h', 2],
      ],
    );
    assert.equal(clock.pending, 0);
  });

  it('ignores what is not a finite number', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const sender = new MetricSender({ port, clock, generation: 1, warn: assert.fail });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '3' as unknown as number]) {
      sender.counter({ name: 'c', help: '' }).inc(value);
      sender.gauge({ name: 'g', help: '' }).set(value);
    }
    await clock.advance(250);
    assert.deepEqual([metricsOf(port), clock.pending], [[], 0]);
  });

  it('sends so many labels and so much of their names that the host can say what is wrong with them, and no more', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const sender = new MetricSender({ port, clock, generation: 1, warn: assert.fail });
    const labels = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`l${n}`, 'x']));
    sender.gauge({ name: 'many', help: '' }).set(1, labels);
    sender.gauge({ name: 'long', help: '' }).set(1, { ['k'.repeat(100_000)]: 'x' });
    await clock.advance(250);
    const names = metricsOf(port).map((record) => Object.keys(record.labels));
    assert.deepEqual(
      names.map((keys) => [keys.length, keys[0]?.length]),
      [
        [16, 2],
        [1, 256],
      ],
    );
  });

  it('drops, counts and tells what is too much for a second', async () => {
    const port = new TestPort<ToHost, ToPlugin>();
    const clock = new FakeClock();
    const told: string[] = [];
    const sender = new MetricSender({ port, clock, generation: 1, warn: (text) => told.push(text) });
    const gauge = sender.gauge({ name: 'g', help: '' });
    const measure = async (label: string): Promise<number> => {
      for (let n = 0; n < 12_000; n += 1) gauge.set(n, { id: `${n}${label}` });
      await clock.advance(1_000);
      return metricsOf(port).length;
    };
    assert.equal(await measure(''), 10_000);
    const long = await measure('x'.repeat(1_000));
    assert.ok(long > 1_000 && long < 1_100, `${long}`);
    assert.deepEqual(told, ['2000 metric records were dropped: too many or too long for a second']);
  });
});
