import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readMessage } from '../../../host/sandbox/event-wire.ts';
import type { ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { LogSender } from '../../../ipc/runtime/log-sender.ts';
import { MetricSender } from '../../../ipc/runtime/metric-sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { TestPort } from '../../support/test-port.ts';
import { VesselRecorder } from '../../support/vessel-recorder.ts';

const frame = { kind: 'frame', generation: 1, sequence: 0, count: 1, types: ['a'], typeIndex: '\u0000', lines: '{}' };
const record = { level: 'info', message: 'm', at: 1, fields: '' };
const sample = { type: 'counter', name: 'n', help: 'h', labels: { a: 'b' }, value: 1 };
const log = { kind: 'log', generation: 1, records: [record], dropped: 0 };
const metric = { kind: 'metric', generation: 1, records: [sample] };
const refused = { kind: 'refused', generation: 1, code: 'EVENT_ERR_SOURCE', message: 'm' };
const renew = { kind: 'renew', generation: 1 };

const WITHOUT_TEXT = { toString: null, valueOf: null };

describe('event wire', () => {
  it('hands each kind of message to its listener', () => {
    const seen = new VesselRecorder();
    for (const message of [frame, log, { ...log, dropped: 3 }, metric, refused, renew]) {
      assert.equal(readMessage(message, 1, seen), null);
    }
    assert.deepEqual(seen.frames, [frame]);
    assert.deepEqual(seen.logs, [record, record]);
    assert.deepEqual(seen.metrics, [sample]);
    assert.deepEqual([seen.dropped, seen.refused, seen.renewals], [3, ['EVENT_ERR_SOURCE'], 1]);
  });

  it('discards what belongs to another generation', () => {
    const seen = new VesselRecorder();
    for (const message of [frame, log, metric, refused, renew]) assert.equal(readMessage(message, 2, seen), null);
    assert.deepEqual([seen.frames, seen.logs, seen.metrics, seen.refused, seen.renewals], [[], [], [], [], 0]);
  });

  it('names what is not the protocol, and takes nothing of it', () => {
    const text = (length: number): string => 'x'.repeat(length);
    const bad: unknown[] = [
      null,
      undefined,
      'frame',
      7,
      { generation: 1 },
      { generation: 1, kind: 'credit' },
      { generation: 1, kind: WITHOUT_TEXT },
      { ...frame, count: 2 },
      { ...frame, count: WITHOUT_TEXT },
      { ...log, records: {} },
      { ...log, records: new Array(1_001).fill(record) },
      { ...log, records: [], dropped: -1 },
      { ...log, records: [], dropped: undefined },
      ...[
        null,
        { ...record, level: 'fatal' },
        { ...record, message: text(8_193) },
        { ...record, message: 1 },
        { ...record, at: Number.NaN },
        { ...record, fields: text(32_769) },
        { ...record, fields: {} },
      ].map((entry) => ({ ...log, records: [entry] })),
      ...[
        null,
        { ...sample, type: 'summary' },
        { ...sample, name: text(257) },
        { ...sample, help: null },
        { ...sample, value: Number.POSITIVE_INFINITY },
        { ...sample, value: '1' },
        { ...sample, labels: null },
        { ...sample, labels: { a: 1 } },
        { ...sample, labels: { a: text(1_025) } },
        { ...sample, labels: { [text(257)]: 'a' } },
        { ...sample, labels: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, 'a'])) },
      ].map((entry) => ({ ...metric, records: [entry] })),
      { ...refused, code: text(65) },
      { ...refused, message: text(8_193) },
      { ...refused, code: undefined },
    ];
    const seen = new VesselRecorder();
    for (const message of bad) {
      const fault = readMessage(structuredClone(message), 1, seen);
      assert.equal(typeof fault, 'string', `took ${JSON.stringify(message)?.slice(0, 80)}`);
      assert.ok((fault ?? '').length < 200);
    }
    assert.deepEqual([seen.frames, seen.logs, seen.metrics, seen.refused, seen.dropped], [[], [], [], [], 0]);
  });

  it('never throws, whatever a plugin puts on its port', () => {
    const kinds = fc.constantFrom('frame', 'log', 'metric', 'refused');
    const body = fc.dictionary(
      fc.constantFrom('count', 'types', 'typeIndex', 'lines', 'sequence', 'records', 'dropped', 'code', 'message'),
      fc.anything({ withBigInt: true, withMap: true, withTypedArray: true, withSparseArray: true }),
    );
    fc.assert(
      fc.property(kinds, body, (kind, fields) => {
        assert.doesNotThrow(() => readMessage({ ...fields, kind, generation: 1 }, 1, new VesselRecorder()));
      }),
    );
    fc.assert(
      fc.property(fc.anything(), (kind) => {
        assert.doesNotThrow(() => readMessage({ kind, generation: 1 }, 1, new VesselRecorder()));
      }),
    );
  });
});

/** The runtime must never say what the host treats as a broken protocol: that would end a plugin for its log lines. */
describe('event wire: what the runtime sends', () => {
  interface Wire {
    readonly clock: FakeClock;
    readonly port: TestPort<ToHost, ToPlugin>;
    readonly generation: 1;
  }
  const wire = (): Wire => ({ clock: new FakeClock(), port: new TestPort<ToHost, ToPlugin>(), generation: 1 });
  const read = (messages: readonly ToHost[]): VesselRecorder => {
    const seen = new VesselRecorder();
    for (const message of messages) assert.equal(readMessage(message, 1, seen), null);
    return seen;
  };

  it('any log line is within the protocol', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true }),
        fc.anything({ withBigInt: true, withNullPrototype: true }),
        (message, fields) => {
          const given = wire();
          const sender = new LogSender({ ...given, debug: true, linesPerSecond: 200 });
          sender.write('info', message, fields as Record<string, unknown>);
          sender.flush();
          assert.equal(read(given.port.take()).logs.length, 1);
        },
      ),
    );
  });

  const lines: Record<string, [unknown, Record<string, unknown>?]> = {
    'a message that cannot be text': [Object.create(null)],
    'a message whose text throws': [
      {
        toString() {
          throw new Error('no');
        },
      },
    ],
    'a symbol': [Symbol('s')],
    'a huge message': ['x'.repeat(100_000)],
    'fields full of backslashes': ['m', { path: '\\'.repeat(60_000) }],
    'fields full of quotes': ['m', { text: '"'.repeat(60_000) }],
    'fields full of half characters': ['m', { text: '\ud800'.repeat(30_000) }],
    'fields full of pairs': ['m', { text: `a${'😀'.repeat(30_000)}` }],
    'circular fields': ['m', Object.assign({} as Record<string, unknown>, { self: [] as unknown[] })],
    'fields that throw': [
      'm',
      {
        get x(): string {
          throw new Error('no');
        },
      },
    ],
    'a function for fields': ['m', (() => 1) as unknown as Record<string, unknown>],
    'an error in the fields': ['m', { error: new Error('x'.repeat(50_000)) }],
  };
  for (const [name, [message, fields]] of Object.entries(lines)) {
    it(`${name} is logged within the protocol`, () => {
      const given = wire();
      const sender = new LogSender({ ...given, debug: false, linesPerSecond: 200 });
      sender.write('warn', message, fields);
      sender.flush();
      const [line] = read(given.port.take()).logs;
      if (line?.fields !== '') JSON.parse(line?.fields ?? 'missing');
    });
  }

  it('a turn that logs for many seconds without a pause stays within the protocol', () => {
    const given = wire();
    const sender = new LogSender({ ...given, debug: false, linesPerSecond: 200 });
    const start = given.clock.now();
    let now = start;
    given.clock.now = () => now;
    for (let second = 0; second < 20; second += 1, now += 1_000) {
      for (let n = 0; n < 300; n += 1) sender.write('info', `${second}/${n}`);
    }
    sender.flush();
    const seen = read(given.port.take());
    assert.deepEqual([seen.logs.length, seen.dropped], [20 * 200, 20 * 100]);
  });

  it('any metric is within the protocol', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('counter', 'gauge', 'histogram'),
        fc.string({ maxLength: 300, size: 'max' }),
        fc.array(fc.double(), { maxLength: 5 }),
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true }), { maxKeys: 3 }),
        (type, name, values, labels) => {
          const given = wire();
          const sender = new MetricSender({ ...given, warn: () => undefined });
          for (const value of [...values, 1e308, 1e308]) {
            const given = labels as Record<string, string>;
            if (type === 'counter') sender.counter({ name, help: name.repeat(9) }).inc(value, given);
            else if (type === 'gauge') sender.gauge({ name, help: '' }).set(value, given);
            else sender.histogram({ name, help: '' }).observe(value, given);
          }
          sender.flush();
          read(given.port.take());
          assert.equal(given.clock.pending, 0);
        },
      ),
    );
  });

  it('a label as long as an essay is cut', () => {
    const given = wire();
    const sender = new MetricSender({ ...given, warn: () => undefined });
    sender.counter({ name: 'n', help: 'h'.repeat(5_000) }).inc(1, { error: 'e'.repeat(5_000) });
    sender.flush();
    assert.equal(read(given.port.take()).metrics.length, 1);
  });

  it('more records than one message may hold become several messages', () => {
    const given = wire();
    const sender = new MetricSender({ ...given, warn: () => undefined });
    for (let n = 0; n < 2_500; n += 1) sender.histogram({ name: 'n', help: '' }).observe(n);
    sender.flush();
    assert.equal(read(given.port.take()).metrics.length, 2_500);
  });
});
