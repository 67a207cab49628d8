import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ApiClient } from '../../../host/cluster/api-client.ts';
import { ApiError } from '../../../host/cluster/api-error.ts';
import { hookTarget } from '../../../host/cluster/hook-informer.ts';
import type { HookObject } from '../../../host/cluster/hook-store.ts';
import { ListWatch, type ListWatchTimes } from '../../../host/cluster/list-watch.ts';
import { systemClock } from '../../../ipc/clock.ts';
import { ApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { hookObject } from './hook-objects.ts';

const FAST: Partial<ListWatchTimes> = { stableMs: 20, backoff: { initialMs: 5, maxMs: 20, factor: 2 } };

async function following(t: TestContext, times: Partial<ListWatchTimes> = {}, server = new ApiServer()) {
  const connection = await server.open();
  const source = { connection, problem: null, renew: async () => connection };
  const client = new ApiClient({ source, clock: systemClock });
  const watch = new ListWatch<HookObject>({
    ...{ client, clock: systemClock, random: () => 0, target: hookTarget(''), times: { ...FAST, ...times } },
  });
  const known = new Map<string, string>();
  const said: string[] = [];
  const errors: unknown[] = [];
  watch.events.on('replaced', ({ objects }) => {
    said.push(`replaced ${objects.length}`);
    known.clear();
    for (const { metadata } of objects) known.set(metadata.uid, metadata.resourceVersion);
  });
  watch.events.on('put', ({ object: { metadata } }) => {
    said.push(`put ${metadata.name}`);
    known.set(metadata.uid, metadata.resourceVersion);
  });
  watch.events.on('removed', ({ object: { metadata } }) => {
    said.push(`removed ${metadata.name}`);
    known.delete(metadata.uid);
  });
  watch.events.on('failed', ({ error }) => errors.push(error));
  t.after(async () => {
    await watch.close();
    client[Symbol.dispose]();
    await server.close();
  });
  watch.start();
  await eventually(() => server.openWatches === 1);
  const names = (): string =>
    [...known.keys()]
      .map((uid) => uid.replace('uid-shop-', ''))
      .sort()
      .join(' ');
  const has = (expected: string): Promise<true> => eventually(() => names() === expected || null).then(() => true);
  return { server, watch, said, errors, has, names };
}

function put(server: ApiServer, ...names: string[]): void {
  for (const name of names) server.put(hookObject({ name }), 'hooks');
}

describe('list and watch', () => {
  it('tells what there is, page by page, and then what changes', async (t) => {
    const server = new ApiServer();
    put(server, ...Array.from({ length: 1_100 }, (_, n) => `h${n}`));
    const { said, has, names } = await following(t, {}, server);
    assert.deepEqual(said, ['replaced 1100']);
    assert.equal(server.requestsOf('list').length, 3);
    server.delete('uid-shop-h7', 'hooks');
    put(server, 'new');
    await eventually(() => said.length === 3);
    assert.deepEqual(said.slice(1), ['removed h7', 'put new']);
    assert.equal(names().split(' ').length, 1_100);
    await has(names());
  });

  it('goes on from the last version when a watch ends, bookmarks included, without a list', async (t) => {
    const { server, has } = await following(t);
    put(server, 'a');
    await has('a');
    const version = server.bookmark();
    server.closeWatches();
    await eventually(() => server.requestsOf('watch').length >= 2);
    assert.equal(server.requestsOf('watch').at(-1)?.query.resourceVersion, version);
    assert.equal(server.requestsOf('watch').at(-1)?.query.allowWatchBookmarks, 'true');
    put(server, 'b');
    await has('a b');
    assert.equal(server.requestsOf('list').length, 1);
  });

  for (const gone of ['status', 'event'] as const) {
    it(`lists anew when its version is gone, told by the ${gone}`, async (t) => {
      const { server, has, said } = await following(t);
      put(server, 'a', 'b');
      await has('a b');
      server.faults = { gone, isAbrupt: gone === 'status' };
      server.closeWatches();
      server.delete('uid-shop-a', 'hooks');
      put(server, 'c');
      server.compact();
      await has('b c');
      assert.equal(said.at(-1), 'replaced 2');
      put(server, 'd');
      await has('b c d');
    });
  }

  it('survives a watch that is closed again and again, and waits longer each time', async (t) => {
    const { server, has } = await following(t, { stableMs: 60_000 });
    server.faults = { closeWatchAfterMs: 1 };
    server.closeWatches();
    await eventually(() => server.requestsOf('watch').length > 10);
    put(server, 'a');
    await has('a');
    assert.equal(server.requestsOf('list').length, 1);
  });

  it('gives up a watch on which nothing comes, not even its end', async (t) => {
    const { server, has } = await following(t, { silenceMs: 100 });
    server.faults = { isSilent: true };
    put(server, 'a');
    await eventually(() => server.requestsOf('watch').length > 2);
    server.faults = {};
    await has('a');
  });

  it('takes no notice of what is no JSON but to watch again', async (t) => {
    const { server, has, errors } = await following(t);
    server.say('this is not JSON');
    await eventually(() => errors.length > 0);
    server.say('{"type":"NEWS","object":{}}');
    const oddities = [
      'null',
      '{"type":"ADDED"}',
      '{"type":"ADDED","object":7}',
      '{"type":"ADDED","object":{"metadata":{"resourceVersion":7}}}',
    ];
    for (const odd of oddities) server.say(odd);
    server.say('{"type":"DELETED","object":{"metadata":{"resourceVersion":"1"}}}');
    put(server, 'a');
    await has('a');
  });

  it('passes over what is no object in a list, and does not believe an answer that is no list', async (t) => {
    const answers: unknown[] = [
      '<html>',
      { items: 'none', metadata: { resourceVersion: '1' } },
      { items: [], metadata: {} },
      { items: [null, 7, {}, { metadata: { name: 'x' } }, hookObject()], metadata: { resourceVersion: '5' } },
    ];
    const respond = (_: unknown, response: ServerResponse): void => {
      const answer = answers.shift();
      if (answer === undefined) response.writeHead(200).flushHeaders();
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    };
    const server = createServer(respond);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connection = {
      ...{ server: `http://127.0.0.1:${port}`, ca: null, token: null, clientCertificate: null },
      ...{ skipTlsVerify: false, namespace: 'x' },
    };
    const source = { connection, problem: null, renew: async () => connection };
    const client = new ApiClient({ source, clock: systemClock });
    const watch = new ListWatch({ client, clock: systemClock, random: () => 0, target: hookTarget(''), times: FAST });
    t.after(async () => {
      await watch.close();
      client[Symbol.dispose]();
      server.closeAllConnections();
      server.close();
    });
    const listed = new Promise<number>((resolve) =>
      watch.events.on('replaced', ({ objects }) => resolve(objects.length)),
    );
    watch.start();
    assert.equal(await listed, 1);
  });

  it('says every failure, waits as long as it was asked to, and goes on', async (t) => {
    const { server, has, errors } = await following(t);
    server.faults = { status: 429, retryAfter: '0.1' };
    server.closeWatches();
    await eventually(() => errors.length > 0);
    assert.ok(errors[0] instanceof ApiError && errors[0].retryAfterMs === 100);
    server.faults = {};
    put(server, 'a');
    await has('a');
  });

  it('lists anew after a while, so that what was missed is not missed for ever', async (t) => {
    const { server, said } = await following(t, { resyncMs: 50 });
    server.faults = { closeWatchAfterMs: 60 };
    server.closeWatches();
    await eventually(() => said.filter((each) => each === 'replaced 0').length > 2);
  });

  it('answers a relist by a list that began after it, also while the server is away', async (t) => {
    const { server, watch, said } = await following(t);
    await Promise.all([watch.relist(), watch.relist()]);
    assert.ok(said.length >= 2);
    server.faults = { status: 503 };
    const lists = said.length;
    const relisted = watch.relist();
    await eventually(() => server.requestsOf('list').length > 4);
    assert.equal(said.length, lists);
    server.faults = {};
    await relisted;
    assert.equal(said.length, lists + 1);
  });

  it('ends by close alone, whatever it is at, and fails who waits for a list', async (t) => {
    const { server, watch } = await following(t);
    server.faults = { status: 500 };
    const relisted = watch.relist().then(
      () => 'resolved',
      () => 'rejected',
    );
    await watch.close();
    assert.equal(await relisted, 'rejected');
    await assert.rejects(watch.relist());
  });
});
