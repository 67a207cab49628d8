import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { eventObject, FAST, watch } from './support.ts';

function filled(count: number): ApiServer {
  const api = new ApiServer();
  for (let i = 0; i < count; i += 1) api.put(eventObject(`e${String(i).padStart(5, '0')}`));
  return api;
}

test('list-watch: lists, then goes on from the version of the list', async (t) => {
  const { api, said } = await watch(t, { api: filled(2) });
  await eventually(() => api.openWatches === 1);
  api.put(eventObject('e00002'));
  api.put(eventObject('e00000'));
  api.delete('e00001');
  await eventually(() => said().length === 5);
  assert.deepEqual(said(), ['listed e00000', 'listed e00001', 'added e00002', 'modified e00000', 'deleted e00001']);
  assert.deepEqual(
    api.requests.map(({ kind }) => kind),
    ['list', 'watch'],
  );
  const { query, authorization } = api.requestsOf('watch')[0] ?? assert.fail();
  assert.equal(query.allowWatchBookmarks, 'true');
  assert.equal(query.resourceVersion, '102');
  assert.ok(Number(query.timeoutSeconds) >= 60 && Number(query.timeoutSeconds) <= 90);
  assert.equal(authorization, 'Bearer token-1');
});

test('list-watch: a long list is read in pages', async (t) => {
  const { api, said } = await watch(t, { api: filled(1_201) });
  await eventually(() => api.openWatches === 1);
  assert.equal(new Set(said()).size, 1_201);
  assert.deepEqual(
    api.requestsOf('list').map(({ query }) => [query.limit, query.continue !== undefined]),
    [
      ['500', false],
      ['500', true],
      ['500', true],
    ],
  );
});

test('list-watch: a continue token that expires is replaced, and nothing is missed', async (t) => {
  const api = filled(1_001);
  let pages = 0;
  api.faults.beforePage = () => {
    pages += 1;
    if (pages !== 2) return;
    api.put(eventObject('a-first-by-name'));
    api.compact();
  };
  const { said } = await watch(t, { api });
  await eventually(() => api.openWatches === 1);
  assert.equal(new Set(said()).size, 1_002);
});

test('list-watch: a watch that ends goes on from the last version, bookmarks included', async (t) => {
  const { api, said } = await watch(t, { api: filled(1) });
  await eventually(() => api.openWatches === 1);
  const version = api.bookmark();
  api.closeWatches();
  await eventually(() => api.requestsOf('watch').length === 2);
  assert.equal(api.requestsOf('watch')[1]?.query.resourceVersion, version);
  assert.equal(api.requestsOf('list').length, 1);
  assert.deepEqual(said(), ['listed e00000']);
});

for (const isAbrupt of [false, true]) {
  test(`list-watch: loses and doubles nothing while watches are ${isAbrupt ? 'reset' : 'closed'} every 50 ms`, async (t) => {
    const api = new ApiServer();
    api.faults = { closeWatchAfterMs: 50, isAbrupt };
    const { said } = await watch(t, { api });
    let count = 0;
    await eventually(() => {
      if (count < 200) api.put(eventObject(`e${count}`));
      count += 1;
      return api.requestsOf('watch').length >= 6 && said().length >= 200;
    });
    assert.equal(said().length, 200);
    assert.equal(new Set(said()).size, 200);
    assert.equal(api.requestsOf('list').length, 1);
  });
}

for (const gone of ['status', 'event'] as const) {
  test(`list-watch: an expired version, told as ${gone}, ends in a relist`, async (t) => {
    const { api, said, states } = await watch(t, { api: filled(3) });
    await eventually(() => api.openWatches === 1);
    api.faults = { gone, status: 503 };
    api.closeWatches();
    await eventually(() => states.some((state) => state.kind === 'reconnecting' && state.error !== null));
    api.put(eventObject('e00001'));
    api.delete('e00002');
    api.put(eventObject('e00003'));
    api.compact();
    api.faults = { gone };
    await eventually(() => api.openWatches === 1);
    const first = ['listed e00000', 'listed e00001', 'listed e00002'];
    assert.deepEqual(said(), [...first, 'listed e00000', 'listed e00001', 'listed e00003']);
    assert.equal(api.requestsOf('list').filter(({ query }) => query.continue === undefined).length, 2);
  });
}

test('list-watch: any other ERROR in a watch ends in a relist too', async (t) => {
  const { api, said, states } = await watch(t, { api: filled(1) });
  await eventually(() => api.openWatches === 1);
  api.say('{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcdserver: leader changed"}}');
  await eventually(() => api.requestsOf('watch').length === 2);
  assert.deepEqual(said(), ['listed e00000', 'listed e00000']);
  const failed = states.find((state) => state.kind === 'reconnecting');
  assert.match(String(failed?.error), /etcdserver: leader changed/);
});

for (const line of ['<html>bad gateway</html>', 'null']) {
  test(`list-watch: after the line ${line} the watch is resumed`, async (t) => {
    const { api, said, states } = await watch(t, { api: filled(1) });
    await eventually(() => api.openWatches === 1);
    api.say(line);
    await eventually(() => states.some((state) => state.kind === 'reconnecting' && state.error !== null));
    api.put(eventObject('after'));
    await eventually(() => said().includes('added after'));
    assert.equal(api.requestsOf('list').length, 1);
  });
}

test('list-watch: characters are whole, however the bytes are cut', async (t) => {
  const api = new ApiServer();
  api.faults = { dribbles: true };
  api.put(eventObject('listed', { note: 'größer 🐙 日本' }));
  const { objects } = await watch(t, { api });
  await eventually(() => api.openWatches === 1);
  api.put(eventObject('watched', { note: '日本 🐙 größer' }));
  await eventually(() => objects.length === 2);
  assert.deepEqual(
    objects.map(({ note }) => note),
    ['größer 🐙 日本', '日本 🐙 größer'],
  );
});

test('list-watch: a watch that falls silent is given up and resumed', async (t) => {
  const { api, said, states } = await watch(t, { api: filled(1), times: { silenceMs: 100 } });
  await eventually(() => api.openWatches === 1);
  api.faults = { isSilent: true };
  api.put(eventObject('unheard'));
  await eventually(() => states.some((state) => state.kind === 'reconnecting' && /no data/.test(String(state.error))));
  api.faults = {};
  await eventually(() => said().includes('added unheard'));
});

test('list-watch: a server that accepts and never answers is given up', async (t) => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const { states } = await watch(t, {
    times: { answerMs: 50 },
    connect: (connection) => ({ ...connection, server: `http://127.0.0.1:${port}` }),
  });
  const failed = await eventually(() => states.find((state) => state.kind === 'reconnecting'));
  assert.match(String(failed.error), /no answer within 0.05 s/);
});

test('list-watch: the connection is read at each request, so that a new token is used', async (t) => {
  let token: string | null = null;
  const { api } = await watch(t, {
    connect: (connection) => {
      if (token === null) throw new Error('there is none yet');
      return { ...connection, token };
    },
  });
  token = 'old';
  await eventually(() => api.openWatches === 1);
  token = 'new';
  api.closeWatches();
  await eventually(() => api.requestsOf('watch').length === 2);
  assert.deepEqual(
    api.requests.map(({ authorization }) => authorization),
    ['Bearer old', 'Bearer old', 'Bearer new'],
  );
});

test('list-watch: a server URL with a path keeps it', async (t) => {
  const { api } = await watch(t, { connect: (c) => ({ ...c, server: `${c.server}/k8s/clusters/c-1/` }) });
  await eventually(() => api.openWatches === 1);
  assert.equal(api.requests[0]?.path, '/k8s/clusters/c-1/apis/events.k8s.io/v1/events');
});

test('list-watch: a slow consumer slows the reading and loses nothing', async (t) => {
  const gates: (() => void)[] = [];
  const { api, said } = await watch(t, {
    times: { silenceMs: 50 },
    api: filled(1),
    onObject: () => new Promise((resolve) => gates.push(resolve)),
  });
  await eventually(() => gates.length === 1);
  for (let i = 1; i < 4; i += 1) api.put(eventObject(`slow-${i}`));
  for (let n = 1; n <= 4; n += 1) {
    await eventually(() => gates.length === n);
    assert.equal(said().length, n, 'one at a time');
    gates[n - 1]?.();
  }
  assert.deepEqual(said().slice(1), ['added slow-1', 'added slow-2', 'added slow-3']);
});

test('list-watch: what the listener throws ends it, and is not taken for a fault of the connection', async (t) => {
  const { done, states } = await watch(t, {
    api: filled(1),
    onObject: () => {
      throw new Error('a bug');
    },
  });
  await assert.rejects(done, /a bug/);
  assert.deepEqual(states, []);
});

test('list-watch: Retry-After is obeyed', async (t) => {
  const api = new ApiServer();
  api.faults = { status: 429, retryAfter: '1' };
  const { states } = await watch(t, { api });
  const paused = await eventually(() => states.find((state) => state.kind === 'reconnecting'));
  assert.ok(paused.kind === 'reconnecting' && paused.delayMs >= 1_000);
});

test('list-watch: ends on abort wherever it is, and leaves nothing behind', async (t) => {
  const { api, abort, done } = await watch(t, { api: filled(1) });
  for (let round = 1; round <= 30; round += 1) {
    await eventually(() => api.requestsOf('watch').length === round && api.openWatches === 1);
    api.closeWatches();
  }
  await eventually(() => api.openWatches === 1);
  assert.ok(getEventListeners(abort.signal, 'abort').length <= 2, 'one listener per open request');
  abort.abort();
  await done;
  await eventually(() => api.openWatches === 0);
});

test('list-watch: ends on abort while it waits to reconnect', async (t) => {
  const api = new ApiServer();
  api.faults = { status: 503 };
  const { abort, done, states } = await watch(t, {
    api,
    times: { ...FAST, backoffBaseMs: 60_000, backoffCapMs: 60_000 },
  });
  await eventually(() => states.some(({ kind }) => kind === 'reconnecting'));
  abort.abort();
  await done;
});

test('list-watch: a page that is too large is asked for again in smaller ones', async (t) => {
  const api = new ApiServer();
  for (let i = 0; i < 12; i += 1) api.put(eventObject(`e${i}`, { note: 'x'.repeat(900_000) }));
  api.put(eventObject('whole', { note: 'x'.repeat(3 * 1024 * 1024) }));
  const { said } = await watch(t, { api });
  await eventually(() => api.openWatches === 1);
  assert.equal(new Set(said()).size, 13);
  assert.equal(said().length, 13);
  const limits = api.requestsOf('list').map(({ query }) => query.limit);
  assert.deepEqual(limits.slice(0, 7), ['500', '125', '32', '8', '2', '4', '1'], 'and back, as far as it goes');
});

test('list-watch: a version that was never given, as after a restored backup, ends in a relist', async (t) => {
  const { api, said } = await watch(t, { api: filled(1) });
  await eventually(() => api.openWatches === 1);
  api.say(
    '{"type":"ERROR","object":{"kind":"Status","code":504,"message":"Too large resource version: 9, current: 5"}}',
  );
  await eventually(() => said().length === 2);
  assert.deepEqual(said(), ['listed e00000', 'listed e00000']);
});

test('list-watch: credentials that are refused are renewed, and tried again at once', async (t) => {
  const api = new ApiServer();
  api.faults = { tokens: ['new'] };
  let token = 'old';
  const { states } = await watch(t, {
    api,
    times: { backoffBaseMs: 60_000, backoffCapMs: 60_000 },
    connect: (connection) => ({ ...connection, token }),
    renew: async () => {
      token = 'new';
      return true;
    },
  });
  await eventually(() => api.openWatches === 1);
  assert.deepEqual(states, [{ kind: 'established' }]);
});

test('list-watch: credentials that are refused again are a matter of time', async (t) => {
  const api = new ApiServer();
  api.faults = { tokens: [] };
  let renewals = 0;
  const { states } = await watch(t, {
    api,
    renew: async () => {
      renewals += 1;
      return true;
    },
  });
  await eventually(() => states.length >= 5);
  assert.ok(Math.abs(renewals - api.requests.length / 2) <= 1, 'every other request asks for new ones');
});

test('list-watch: knows up to when it is, by the clock of the API server', async (t) => {
  const api = new ApiServer();
  const ahead = 3_600_000;
  api.faults = { clockAheadMs: ahead };
  const { caughtUp } = await watch(t, { api });
  await eventually(() => caughtUp.length === 1);
  await eventually(() => api.openWatches === 1);
  api.put(eventObject('new', {}, { creationTimestamp: '2026-01-02T03:04:05Z' }));
  api.put(eventObject('new', {}, { creationTimestamp: '2026-01-02T03:04:06Z' }));
  api.bookmark();
  await eventually(() => caughtUp.length === 3);
  assert.equal(caughtUp[1], Date.parse('2026-01-02T03:04:05Z'), 'of what is added, not of what is modified');
  for (const at of [caughtUp[0], caughtUp[2]]) assert.ok(Math.abs((at ?? 0) - Date.now() - ahead) < 5_000);
});
