import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { Emitter } from '../../../host/base/emitter.ts';
import { PluginMetrics } from '../../../host/telemetry/plugin-metrics.ts';
import type { TelemetryEvents } from '../../../host/telemetry/telemetry-events.ts';
import type { MetricRecord } from '../../../ipc/messages.ts';

function open() {
  const registry = new Registry();
  const events = new Emitter<TelemetryEvents>();
  const refused: string[] = [];
  events.on('metric:refused', ({ reason }) => refused.push(reason));
  return { registry, refused, metrics: new PluginMetrics(registry, events) };
}

function record(changes: Partial<MetricRecord> = {}): MetricRecord {
  return { type: 'counter', name: 'requests_total', help: 'Requests.', labels: {}, value: 1, ...changes };
}

test('plugin metrics: a record is shown under the prefix with the plugin as a label', async () => {
  const { registry, metrics } = open();
  metrics.record('a', record({ labels: { method: 'POST' }, value: 2 }));
  metrics.record('a', record({ labels: { method: 'POST' } }));
  metrics.record('b', record({ labels: { method: 'GET' } }));
  metrics.record('a', record({ type: 'gauge', name: 'depth', value: -4 }));
  metrics.record('a', record({ type: 'histogram', name: 'seconds', value: 0.2 }));
  const body = await registry.metrics();
  assert.match(body, /^# HELP khook_plugin_custom_requests_total Requests\.$/m);
  assert.match(body, /^khook_plugin_custom_requests_total\{plugin="a",method="POST"\} 3$/m);
  assert.match(body, /^khook_plugin_custom_requests_total\{plugin="b",method="GET"\} 1$/m);
  assert.match(body, /^khook_plugin_custom_depth\{plugin="a"\} -4$/m);
  assert.match(body, /^khook_plugin_custom_seconds_count\{plugin="a"\} 1$/m);
});

const REFUSED: readonly (readonly [string, Partial<MetricRecord> | Record<string, unknown>, string])[] = [
  ['a name with capitals', { name: 'Bad' }, 'name'],
  ['a name with a line break', { name: 'a\nkhook_ledger_residual' }, 'name'],
  ['a type that is none', { type: 'summary' }, 'type'],
  ['the label plugin', { labels: { plugin: 'other' } }, 'labels'],
  ['the label le', { labels: { le: '1' } }, 'labels'],
  ['nine labels', { labels: Object.fromEntries([...'abcdefghi'].map((name) => [name, ''])) }, 'labels'],
  ['a label value that is no text', { labels: { a: {} } }, 'labels'],
  ['labels that are none', { labels: null }, 'labels'],
  ['a value that is no number', { value: 'x' }, 'value'],
  ['an infinite value', { value: Number.POSITIVE_INFINITY }, 'value'],
  ['a counter that goes down', { value: -1 }, 'value'],
  ['another type than before', { type: 'gauge' }, 'type_clash'],
  ['other labels than before', { labels: { other: 'x' } }, 'label_clash'],
  ["the name of a histogram's series", { name: 'seconds_sum' }, 'name_clash'],
];

for (const [what, changes, reason] of REFUSED) {
  test(`plugin metrics: refuses ${what}, counts it, and leaves the scrape as it was`, async () => {
    const { registry, refused, metrics } = open();
    metrics.record('a', record());
    metrics.record('a', record({ type: 'histogram', name: 'seconds' }));
    const before = await registry.metrics();
    metrics.record('b', record(changes as Partial<MetricRecord>));
    assert.deepEqual(refused, [reason]);
    assert.equal(await registry.metrics(), before);
  });
}

test('plugin metrics: a plugin has a hundred series, and another plugin still has its own', async () => {
  const { registry, refused, metrics } = open();
  for (let i = 0; i < 150; i += 1) metrics.record('a', record({ labels: { id: String(i) } }));
  metrics.record('a', record({ labels: { id: '5' } }));
  metrics.record('b', record({ labels: { id: '5' } }));
  assert.deepEqual(refused, new Array(50).fill('series_limit'));
  const body = await registry.metrics();
  assert.equal(body.match(/plugin="a"/g)?.length, 100);
  assert.match(body, /\{plugin="a",id="5"\} 2$/m);
  assert.match(body, /\{plugin="b",id="5"\} 1$/m);
});

test('plugin metrics: a forgotten plugin leaves nothing, and may define its metrics anew', async () => {
  const { registry, refused, metrics } = open();
  metrics.record('a', record());
  metrics.record('b', record({ name: 'shared' }));
  metrics.record('a', record({ name: 'shared' }));
  metrics.forget('a');
  const body = await registry.metrics();
  assert.doesNotMatch(body, /plugin="a"|requests_total/);
  assert.match(body, /shared\{plugin="b"\} 1/);
  metrics.record('a', record({ type: 'histogram' }));
  assert.deepEqual(refused, []);
});

test('plugin metrics: label values that are the same once encoded are one series', async () => {
  const { registry, metrics } = open();
  for (const half of ['\ud800', '\udbff']) metrics.record('a', record({ labels: { id: half } }));
  metrics.record('a', record({ labels: { id: `${'x'.repeat(128)}1` } }));
  metrics.record('a', record({ labels: { id: `${'x'.repeat(128)}2` } }));
  const body = Buffer.from(await registry.metrics()).toString('utf8');
  assert.match(body, /\{plugin="a",id="\ufffd"\} 2\n/);
  assert.match(body, /\{plugin="a",id="x{128}"\} 2$/m);
});

test('plugin metrics: no record whatsoever breaks the scrape or doubles a series', async () => {
  const anything = fc.record({
    type: fc.constantFrom('counter', 'gauge', 'histogram', 'x'),
    name: fc.oneof(fc.constantFrom('a', 'b', 'a_sum', 'a_count', '__proto__', 'constructor'), fc.string()),
    help: fc.string({ unit: 'binary' }),
    labels: fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom('x', 'y', 'le'), fc.string({ unit: 'binary' }))),
    value: fc.oneof(fc.double(), fc.constant(1)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { maxLength: 40 }), async (records) => {
      const { registry, metrics } = open();
      for (const given of records) metrics.record('p', given as MetricRecord);
      metrics.record('p', null as unknown as MetricRecord);
      const body = Buffer.from(await registry.metrics()).toString('utf8');
      const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
      assert.equal(new Set(names).size, names.length, 'no series twice');
      for (const line of series) assert.match(line, /^khook_plugin_custom_[a-z0-9_]+\{[^\n]*\} (-?\d|Nan|[+-]Inf)/);
    }),
    { numRuns: 100 },
  );
});
