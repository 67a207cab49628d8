import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { metricsServer } from '../../../host/http/metrics-server.ts';
import type { DeadLetterQuery, EventQuery } from '../../../host/http/view.ts';
import { createMetrics } from '../../../host/telemetry/metrics.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { emitters, register } from '../telemetry/telemetry-support.ts';
import { DEAD_LETTER, EVENT, PLUGIN, serve, view } from './http-support.ts';

const surroundings = { clock: systemClock };

async function read(url: string): Promise<unknown> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.json();
}

test('metrics server: each path of the API has the shape of the contract', async (t) => {
  const host = view();
  const url = await serve(t, metricsServer(host, surroundings));
  assert.deepEqual(await read(`${url}/api/v1/plugins`), { plugins: [PLUGIN] });
  assert.deepEqual(await read(`${url}/api/v1/events`), { events: [EVENT] });
  assert.deepEqual(await read(`${url}/api/v1/events/${EVENT.id}`), EVENT);
  assert.deepEqual(await read(`${url}/api/v1/hooks`), { hooks: host.hooks() });
  assert.deepEqual(await read(`${url}/api/v1/ledger`), host.ledger());
  assert.deepEqual(await read(`${url}/api/v1/flight-records`), { flightRecords: [] });
  assert.deepEqual(await read(`${url}/api/v1/dead-letters`), { total: 1, deadLetters: [DEAD_LETTER] });
  assert.deepEqual(await read(`${url}/api/v1/dead-letters/${DEAD_LETTER.id}`), { ...DEAD_LETTER, prompt: 'look' });
});

test('metrics server: a scrape through HTTP shows what the rooms said', async (t) => {
  const rooms = emitters();
  const sources = {
    plugins: () => [],
    ledger: () => ({ residual: 0, inFlight: 0 }),
    activeEvents: () => 0,
    outbox: () => ({ firings: 0, hasFault: false, isFull: false, deadLetters: 0 }),
    logLinesLost: () => 0,
    zombieThreads: () => 0,
    isLeader: () => true,
    hooks: () => ({ isSynced: true, lastContactAt: 0, refused: [] }),
  };
  const metrics = createMetrics({ rooms, sources, clock: systemClock, hostMetrics: false });
  t.after(() => metrics[Symbol.dispose]());
  register(rooms, 'webhook');
  rooms.bus.emit('frame:received', { plugin: 'webhook', types: new Map([['webhook-received', 2]]) });
  rooms.bus.emit('frame:done', { plugin: 'webhook', events: 2, durationMs: 3 });
  const url = await serve(t, metricsServer(view({ metrics: () => metrics.scrape() }), surroundings));
  const response = await fetch(`${url}/metrics`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const plugin = (await response.text()).split('\n').filter((line) => line.includes('plugin'));
  assert.ok(plugin.includes('khook_plugin_events_total{plugin="webhook",event_type="webhook-received"} 2'));
  assert.ok(plugin.includes('khook_plugin_event_processing_duration_seconds_count{plugin="webhook"} 2'));
});

test('metrics server: the query of events reaches the trail, with a limit of 100 by default', async (t) => {
  const asked: EventQuery[] = [];
  const events = async (query: EventQuery) => {
    asked.push(query);
    return [];
  };
  const url = await serve(t, metricsServer(view({ events }), surroundings));
  await read(`${url}/api/v1/events`);
  await read(`${url}/api/v1/events?limit=1000&plugin=webhook&outcome=delivered`);
  assert.deepEqual(asked, [
    { limit: 100, plugin: null, outcome: null },
    { limit: 1000, plugin: 'webhook', outcome: 'delivered' },
  ]);
});

const BAD_QUERIES: readonly (readonly [string, RegExp])[] = [
  ['limit=0', /'limit' must be a whole number between 1 and 10000, got '0'/],
  ['limit=10001', /between 1 and 10000, got '10001'/],
  ['limit=ten', /got 'ten'/],
  ['limit=1e2', /got '1e2'/],
  ['limit=', /got ''/],
  ['limit=1&limit=2', /'limit' is given twice/],
  ['outcome=lost', /'outcome' must be one of invalid, .*dropped, got 'lost'/],
  ['plugin=../x', /'plugin' must be the name of a plugin/],
  ['limt=5', /unknown parameter 'limt', expected limit, plugin, outcome/],
];

for (const [query, words] of BAD_QUERIES) {
  test(`metrics server: ?${query} is 400 and says what was expected`, async (t) => {
    const url = await serve(t, metricsServer(view(), surroundings));
    const response = await fetch(`${url}/api/v1/events?${query}`);
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, words);
  });
}

test('metrics server: an event that the trail does not know is 404', async (t) => {
  const url = await serve(t, metricsServer(view(), surroundings));
  const response = await fetch(`${url}/api/v1/events/nope`);
  assert.equal(response.status, 404);
  assert.match(await response.text(), /there is no event nope/);
});

test('metrics server: dead letters are asked for by Hook and agent, and a wrong name is 400 in words', async (t) => {
  const asked: DeadLetterQuery[] = [];
  const deadLetters = async (query: DeadLetterQuery) => {
    asked.push(query);
    return { total: 0, deadLetters: [] };
  };
  const url = await serve(t, metricsServer(view({ deadLetters }), surroundings));
  await read(`${url}/api/v1/dead-letters`);
  await read(`${url}/api/v1/dead-letters?limit=5&hook=default/h&agent=kagent/a`);
  assert.deepEqual(asked, [
    { limit: 100, hook: null, agent: null },
    { limit: 5, hook: 'default/h', agent: 'kagent/a' },
  ]);
  for (const [query, words] of [
    ['agent=a', /'agent' must be a namespace and a name \(default\/agent-name\), got 'a'/],
    ['hook=a/b/c', /'hook' must be a namespace and a name/],
    ['limit=0', /between 1 and 10000/],
    ['plugin=a', /unknown parameter 'plugin', expected limit, hook, agent/],
  ] as const) {
    const response = await fetch(`${url}/api/v1/dead-letters?${query}`);
    assert.equal(response.status, 400, query);
    assert.match(((await response.json()) as { error: string }).error, words);
  }
});

test('metrics server: nothing can be changed through it', async (t) => {
  const url = await serve(t, metricsServer(view(), surroundings));
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    assert.equal((await fetch(`${url}/api/v1/plugins`, { method })).status, 405);
    assert.equal((await fetch(`${url}/api/v1/dead-letters/${DEAD_LETTER.id}`, { method })).status, 405);
  }
  const retried = await fetch(`${url}/api/v1/dead-letters/${DEAD_LETTER.id}/retry`, { method: 'POST' });
  assert.equal(retried.status, 404);
});

test('metrics server: a thousand scrapes at once are all answered and leave no socket behind', async () => {
  const rooms = emitters();
  const sources = {
    plugins: () => [],
    ledger: () => ({ residual: 0, inFlight: 0 }),
    activeEvents: () => 0,
    outbox: () => ({ firings: 0, hasFault: false, isFull: false, deadLetters: 0 }),
    logLinesLost: () => 0,
    zombieThreads: () => 0,
    isLeader: () => true,
    hooks: () => ({ isSynced: true, lastContactAt: 0, refused: [] }),
  };
  using metrics = createMetrics({ rooms, sources, clock: systemClock, hostMetrics: false });
  const server = metricsServer(view({ metrics: () => metrics.scrape() }), surroundings);
  const port = await server.start({ port: 0, host: '127.0.0.1' });
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  const scrape = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      request.on('error', reject);
    });
  const statuses = await Promise.all(Array.from({ length: 1_000 }, scrape));
  assert.deepEqual(new Set(statuses), new Set([200]));
  await server.stop();
  await eventually(() => sockets() <= before);
});
