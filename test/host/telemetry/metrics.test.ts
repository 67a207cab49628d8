import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS } from '../../../host/telemetry/metric-catalogue.ts';
import { createMetrics, type Metrics } from '../../../host/telemetry/metrics.ts';
import type { MetricSources, PluginReading } from '../../../host/telemetry/snapshot-metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { crashed, DELIVERY, emitters, exit, register } from './telemetry-support.ts';

const READING: PluginReading = {
  plugin: 'webhook',
  version: '1.2.3',
  isolation: 'thread',
  isActive: true,
  isStale: true,
  heapBytes: 5_000_000,
  externalBytes: 1_000,
  memoryLimitBytes: 64_000_000,
  cpuSeconds: 1.5,
  eventLoopUtilization: 0.25,
  queueEvents: 7,
};

function sources(readings: readonly PluginReading[] = [READING]): MetricSources {
  return {
    plugins: () => readings,
    ledger: () => ({ residual: 0, inFlight: 0 }),
    activeEvents: () => 3,
    outbox: () => ({ firings: 2, hasFault: false, isFull: false, deadLetters: 4 }),
    logLinesLost: () => 0,
    zombieThreads: () => 0,
    isLeader: () => true,
    hooks: () => ({ isSynced: true, lastContactAt: 0, refused: [] }),
  };
}

function open(given: MetricSources = sources()) {
  const rooms = emitters();
  const clock = new FakeClock(1_700_000_000_000);
  const metrics = createMetrics({ rooms, clock, sources: given, hostMetrics: false });
  return { rooms, clock, metrics };
}

/** The samples of one metric, as lines. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.scrape();
  return body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('metrics: the scrape has every entry of the catalogue with its help and type, and nothing else', async () => {
  const { metrics } = open();
  const { body, contentType } = await metrics.scrape();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  const told = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  assert.deepEqual(told.sort(), METRICS.map(({ name, type }) => `${name} ${type}`).sort());
  for (const { name, help } of METRICS) assert.ok(body.includes(`# HELP ${name} ${help}\n`), name);
});

test('metrics: events of a frame are counted by type, and the time of the latest is kept', async () => {
  const { rooms, metrics } = open();
  register(rooms, 'webhook');
  rooms.bus.emit('frame:received', {
    plugin: 'webhook',
    types: new Map([
      ['a', 3],
      ['b', 1],
    ]),
  });
  rooms.bus.emit('frame:received', { plugin: 'webhook', types: new Map([['a', 2]]) });
  assert.deepEqual(await samples(metrics, 'khook_plugin_events_total'), [
    'khook_plugin_events_total{plugin="webhook",event_type="a"} 5',
    'khook_plugin_events_total{plugin="webhook",event_type="b"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'khook_events_total'), ['khook_events_total 6']);
  assert.deepEqual(await samples(metrics, 'khook_plugin_last_event_timestamp_seconds'), [
    'khook_plugin_last_event_timestamp_seconds{plugin="webhook"} 1700000000',
  ]);
});

test('metrics: the 101st event type of a plugin is called other', async () => {
  const { rooms, metrics } = open();
  register(rooms, 'webhook');
  for (let i = 0; i < 150; i += 1) {
    rooms.bus.emit('frame:received', { plugin: 'webhook', types: new Map([[`t${i}`, 1]]) });
  }
  const lines = await samples(metrics, 'khook_plugin_events_total');
  assert.equal(lines.length, 101);
  assert.ok(lines.includes('khook_plugin_events_total{plugin="webhook",event_type="other"} 50'));
});

test('metrics: names of plugins that are not registered are bounded too', async () => {
  const { rooms, metrics } = open(sources([]));
  for (let i = 0; i < 500; i += 1) {
    rooms.ledger.emit('events:settled', { plugin: `stranger-${i}`, outcome: 'unmapped', count: 1 });
  }
  const lines = await samples(metrics, 'khook_event_outcomes_total');
  assert.equal(lines.length, 51);
  assert.ok(lines.includes('khook_event_outcomes_total{plugin="other",outcome="unmapped"} 450'));
});

test('metrics: a recycle is counted at its moment, a stop that was asked for when the plugin starts again', async () => {
  const { rooms, metrics } = open();
  register(rooms, 'webhook');
  const { supervision } = rooms;
  const restarts = (): Promise<string[]> => samples(metrics, 'khook_plugin_restarts_total');
  const start = (generation: number): void => supervision.emit('plugin:starting', { plugin: 'webhook', generation });
  start(1);
  crashed(rooms, { exit: exit('leak', 'x') });
  assert.deepEqual(await restarts(), ['khook_plugin_restarts_total{plugin="webhook",reason="leak"} 1']);
  start(2);
  const asked = { plugin: 'webhook', generation: 2, why: 'configuration changed', forced: false, refused: [] };
  supervision.emit('plugin:stopped', asked);
  assert.equal((await restarts()).length, 1);
  start(3);
  start(4);
  crashed(rooms, { exit: exit('bad_config', 'x'), nextStartMs: null });
  assert.deepEqual(await restarts(), [
    'khook_plugin_restarts_total{plugin="webhook",reason="leak"} 1',
    'khook_plugin_restarts_total{plugin="webhook",reason="stopped"} 1',
  ]);
  assert.deepEqual(await samples(metrics, 'khook_plugin_errors_total'), [
    'khook_plugin_errors_total{plugin="webhook",error_type="leak"} 1',
    'khook_plugin_errors_total{plugin="webhook",error_type="bad_config"} 1',
  ]);
});

test('metrics: snapshots are read at the scrape', async () => {
  const { metrics } = open();
  const expected = [
    'khook_plugin_active{plugin="webhook"} 1',
    'khook_plugin_source_stale{plugin="webhook"} 1',
    'khook_plugin_info{plugin="webhook",version="1.2.3",isolation="thread"} 1',
    'khook_plugin_heap_bytes{plugin="webhook"} 5000000',
    'khook_plugin_external_bytes{plugin="webhook"} 1000',
    'khook_plugin_cpu_seconds_total{plugin="webhook"} 1.5',
    'khook_plugin_event_loop_utilization{plugin="webhook"} 0.25',
    'khook_bus_queue_events{plugin="webhook"} 7',
    'khook_ledger_residual 0',
    'khook_active_events 3',
  ];
  for (let round = 0; round < 2; round += 1) {
    const lines = (await metrics.scrape()).body.split('\n');
    for (const line of expected) assert.ok(lines.includes(line), line);
  }
});

test('metrics: a source that throws costs its own values, not the scrape', async () => {
  const broken = {
    ...sources(),
    ledger: (): never => {
      throw new Error('no ledger');
    },
  };
  const { metrics } = open(broken);
  const { body } = await metrics.scrape();
  assert.match(body, /^khook_plugin_active\{plugin="webhook"\} 1$/m);
  assert.match(body, /^khook_active_events 3$/m);
  assert.match(body, /^khook_scrape_errors_total\{source="ledger"\} 1$/m);
});

test('metrics: all series of a removed plugin go, and its late events do not bring them back', async () => {
  const readings = [READING];
  const { rooms, metrics } = open(sources(readings));
  register(rooms, 'webhook');
  const everything = (): void => {
    rooms.supervision.emit('plugin:starting', { plugin: 'webhook', generation: 2 });
    crashed(rooms, { exit: exit('crash', '') });
    rooms.supervision.emit('plugin:unhealthy', { plugin: 'webhook', generation: 1, detail: '' });
    rooms.supervision.emit('plugin:logs-dropped', { plugin: 'webhook', count: 1 });
    rooms.supervision.emit('plugin:event-refused', { plugin: 'webhook', code: '', message: '' });
    rooms.bus.emit('frame:received', { plugin: 'webhook', types: new Map([['a', 1]]) });
    rooms.bus.emit('frame:throttled', { plugin: 'webhook', events: 1, waitMs: 1 });
    rooms.bus.emit('frame:dropped', { plugin: 'webhook', events: 1, reason: 'queue_full' });
    rooms.bus.emit('frame:done', { plugin: 'webhook', events: 1, durationMs: 1 });
    rooms.bus.emit('frame:failed', { plugin: 'webhook', events: 1, error: '' });
    rooms.match.emit('event:invalid', { source: 'webhook', type: 'a', cause: '' });
    rooms.match.emit('event:poisonous', { source: 'webhook', type: 'a', cause: '' });
    rooms.ledger.emit('events:settled', { plugin: 'webhook', outcome: 'invalid', count: 1 });
  };
  everything();
  const record = { type: 'counter', name: 'seen', help: 'h', labels: {}, value: 1 } as const;
  rooms.supervision.emit('plugin:metric', { plugin: 'webhook', record });
  const before = (await metrics.scrape()).body;
  const labelled = METRICS.filter(({ labels }) => (labels as readonly string[]).includes('plugin')).map(
    ({ name }) => name,
  );
  const missing = labelled.filter((name) => !new RegExp(`^${name}(_count)?\\{.*plugin="webhook"`, 'm').test(before));
  assert.deepEqual(missing, ['khook_plugin_metrics_refused_total'], 'each metric had a series before');
  readings.length = 0;
  rooms.supervision.emit('plugin:removed', { plugin: 'webhook' });
  assert.doesNotMatch((await metrics.scrape()).body, /plugin="webhook"|khook_plugin_custom_/);
  everything();
  assert.doesNotMatch((await metrics.scrape()).body, /plugin="webhook"/);
  register(rooms, 'webhook');
  everything();
  assert.match((await metrics.scrape()).body, /^khook_plugin_events_total\{plugin="webhook",event_type="a"\} 1$/m);
});

test('metrics: calls to agents are counted by outcome and timed', async () => {
  const { rooms, metrics } = open();
  const agent = 'kagent/helper';
  const call = { delivery: DELIVERY, agent, durationMs: 200 };
  rooms.dispatch.emit('call:accepted', { ...call, taskId: 't' });
  rooms.dispatch.emit('call:error', { ...call, code: 'X', message: 'no', retryInMs: null });
  rooms.dispatch.emit('circuit:opened', { agent });
  assert.deepEqual(await samples(metrics, 'khook_api_calls_total'), [
    'khook_api_calls_total{agent="kagent/helper",outcome="accepted"} 1',
    'khook_api_calls_total{agent="kagent/helper",outcome="error"} 1',
  ]);
  const { body } = await metrics.scrape();
  assert.match(body, /^khook_api_call_duration_seconds_bucket\{le="0\.1",agent="kagent\/helper"\} 0$/m);
  assert.match(body, /^khook_api_call_duration_seconds_bucket\{le="0\.25",agent="kagent\/helper"\} 2$/m);
  assert.match(body, /^khook_api_circuit_open\{agent="kagent\/helper"\} 1$/m);
});

test('metrics: dead letters that are none any more are counted by reason, and those there are shown', async () => {
  const { rooms, metrics } = open();
  rooms.dispatch.emit('firing:redriven', DELIVERY);
  rooms.dispatch.emit('firing:redriven', DELIVERY);
  rooms.dispatch.emit('dead-letter:dropped', DELIVERY);
  rooms.dispatch.emit('dead-letters:forgotten', { count: 5, why: 'size' });
  rooms.dispatch.emit('dead-letters:forgotten', { count: 7, why: 'age' });
  assert.deepEqual(await samples(metrics, 'khook_dead_letters_removed_total'), [
    'khook_dead_letters_removed_total{reason="retried"} 2',
    'khook_dead_letters_removed_total{reason="dropped"} 1',
    'khook_dead_letters_removed_total{reason="size"} 5',
    'khook_dead_letters_removed_total{reason="age"} 7',
  ]);
  assert.deepEqual(await samples(metrics, 'khook_dead_letters'), ['khook_dead_letters 4']);
  assert.deepEqual(await samples(metrics, 'khook_outbox_full'), ['khook_outbox_full 0']);
});

test('metrics: only the hash of the configuration in force is shown', async () => {
  const { rooms, metrics } = open();
  rooms.config.emit('config:loaded', { hash: 'one', plugins: 1, mappings: 1, hooks: 1 });
  rooms.config.emit('config:reloaded', { hash: 'two', changed: [] });
  assert.deepEqual(await samples(metrics, 'khook_config_info'), ['khook_config_info{hash="two"} 1']);
});

test('metrics: simultaneous scrapes share one reading', async () => {
  let reads = 0;
  const plugins = (): readonly PluginReading[] => {
    reads += 1;
    return [READING];
  };
  const counted = { ...sources(), plugins };
  const { metrics } = open(counted);
  const bodies = await Promise.all(Array.from({ length: 100 }, () => metrics.scrape()));
  assert.equal(reads, 1);
  assert.equal(new Set(bodies.map(({ body }) => body)).size, 1);
  await metrics.scrape();
  assert.equal(reads, 2, 'the next one reads anew');
});

test('metrics: nothing is counted after disposal', async () => {
  const { rooms, metrics } = open();
  metrics[Symbol.dispose]();
  rooms.bus.emit('frame:received', { plugin: 'a', types: new Map([['a', 1]]) });
  assert.deepEqual(await samples(metrics, 'khook_events_total'), ['khook_events_total 0']);
});

test('metrics: the process and the event loop of the host are in the scrape', async () => {
  const metrics = createMetrics({ rooms: emitters(), clock: new FakeClock(), sources: sources() });
  const { body } = await metrics.scrape();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.match(body, new RegExp(`^${name} `, 'm'));
  }
});
