import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogRecord, MetricRecord, ToHost, ToPlugin } from '../../../ipc/messages.ts';
import { encodeMessage } from '../../../ipc/pipe-message.ts';
import type { Port } from '../../../ipc/port.ts';
import { recordsOutlet } from '../../../ipc/runtime/records-outlet.ts';

/** A port that takes what a pipe takes. */
function pipeLike(): { port: Port<ToHost, ToPlugin>; sent: ToHost[] } {
  const sent: ToHost[] = [];
  const port: Port<ToHost, ToPlugin> = {
    post(message) {
      encodeMessage(0, message);
      sent.push(message);
    },
    receive: () => undefined,
    onClose: () => undefined,
    close: () => undefined,
  };
  return { port, sent };
}

const line = (n: number, length: number): LogRecord => ({
  level: 'info',
  message: `${n} `.padEnd(length, 'x'),
  at: 0,
  fields: '',
});
const metric = (labels: Record<string, string>): MetricRecord => ({
  type: 'counter',
  name: 'n',
  help: '',
  labels,
  value: 1,
});

describe('records outlet', () => {
  it('sends in parts what is too large for one message: every record once, in order, the dropped ones counted once', () => {
    const { port, sent } = pipeLike();
    const outlet = recordsOutlet({ port, queuedBytes: () => 0 });
    const records = Array.from({ length: 200 }, (_, n) => line(n, 8_000));
    outlet.post({ kind: 'log', generation: 1, records, dropped: 7 });
    assert.ok(sent.length > 1);
    assert.deepEqual(
      sent.flatMap((message) => (message.kind === 'log' ? message.records : [])),
      records,
    );
    assert.equal(
      sent.reduce((sum, message) => sum + (message.kind === 'log' ? message.dropped : 0), 0),
      7,
    );
  });

  it('counts a record that is too large for any message, and sends the others', () => {
    const { port, sent } = pipeLike();
    const outlet = recordsOutlet({ port, queuedBytes: () => 0 });
    const huge = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`label_${n}`, 'x'.repeat(1_000)]));
    outlet.post({ kind: 'metric', generation: 1, records: [metric({ a: '1' }), metric(huge), metric({ b: '2' })] });
    const names = sent.flatMap((message) => (message.kind === 'metric' ? message.records : []));
    assert.deepEqual(
      names.map(({ labels }) => labels),
      [{ a: '1' }, { b: '2' }],
    );
    outlet.post({ kind: 'log', generation: 1, records: [line(1, 10)], dropped: 0 });
    const last = sent.at(-1);
    assert.ok(last?.kind === 'log' && last.dropped === 1);
  });

  it('keeps no records while the host does not read, says how many it lost, and lets frames pass', () => {
    const { port, sent } = pipeLike();
    let queued = 100 * 1024 * 1024;
    const outlet = recordsOutlet({ port, queuedBytes: () => queued });
    outlet.post({ kind: 'log', generation: 1, records: [line(1, 10), line(2, 10)], dropped: 3 });
    outlet.post({ kind: 'metric', generation: 1, records: [metric({})] });
    outlet.post({ kind: 'refused', generation: 1, code: 'X', message: 'x' });
    outlet.post({ kind: 'renew', generation: 1 });
    assert.equal(sent.length, 0);
    outlet.post({
      kind: 'frame',
      generation: 1,
      sequence: 0,
      count: 1,
      types: ['a'],
      typeIndex: '\u0000',
      lines: '{}',
    });
    queued = 0;
    outlet.post({ kind: 'log', generation: 1, records: [line(3, 10)], dropped: 0 });
    outlet.post({ kind: 'renew', generation: 1 });
    assert.deepEqual(
      sent.map((message) => (message.kind === 'log' ? message.dropped : message.kind)),
      ['frame', 6, 'renew'],
    );
  });
});
