/** What a real host tells those who listen: the read API without secrets, the loopback port with whole events, and with secrets for whoever asks. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { serverSentEvents } from '../../host/commands/server-sent.ts';
import { rawRequest } from '../host/http/http-support.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';

const MAPPINGS = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
const HOOK = JSON.stringify({
  apiVersion: 'kagent.dev/v1alpha2',
  kind: 'Hook',
  metadata: { name: 'h' },
  spec: { eventConfigurations: [{ eventType: 'Happened', agentRef: { name: 'a' }, prompt: 'look' }] },
});
const SECRETIVE = { resourceName: 'r', message: 'password=hunter2', metadata: { apiKey: 'k-12345', note: 'plain' } };

interface Message {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

interface Ear {
  readonly heard: Message[];
  readonly of: (name: string) => Record<string, unknown>[];
  /** Resolves when the host has ended it. */
  readonly ended: Promise<void>;
  readonly text: () => string;
}

async function listen(t: TestContext, url: string): Promise<Ear> {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const response = await fetch(url, { signal: controller.signal });
  assert.equal(response.status, 200, url);
  const heard: Message[] = [];
  const ended = (async () => {
    for await (const { name, data } of serverSentEvents(response.body as unknown as AsyncIterable<Uint8Array>))
      heard.push({ name, data: JSON.parse(data) as Record<string, unknown> });
  })();
  ended.catch(() => undefined);
  const of = (name: string): Record<string, unknown>[] =>
    heard.flatMap((each) => (each.name === name ? [each.data] : []));
  return { heard, of, ended, text: () => JSON.stringify(heard) };
}

async function start(t: TestContext, plugins = 'plugins: []'): Promise<{ host: AppHost; read: string; admin: string }> {
  const names = ['puppet', ...(plugins.includes('breaker') ? ['breaker'] : [])];
  const bundles = Object.fromEntries(names.map((name) => [name, `test/fixtures/plugins/${name}`]));
  const host = await AppHost.start(t, { plugins, mappings: MAPPINGS, hooks: { 'h.yaml': HOOK }, bundles });
  const { metrics, admin } = host.app.ports;
  return {
    host,
    read: `http://127.0.0.1:${metrics}/api/v1/stream`,
    admin: `http://127.0.0.1:${admin}/api/v1/recording`,
  };
}

describe('stream of the read API', () => {
  it('tells an event when it has ended, as the read API shows it, and nobody a secret', async (t) => {
    const { host, read } = await start(t);
    const all = await listen(t, read);
    const some = await listen(t, `${read}?kind=event&outcome=unmapped,invalid`);
    const { id } = await host.emit(SECRETIVE);
    const other = await host.emit({ type: 'unknown' });
    await eventually(() => all.of('event').length === 2 && some.of('event').length === 1);
    assert.deepEqual(
      all.of('event').find((event) => event.id === id),
      await host.json(`/api/v1/events/${id}`),
    );
    assert.equal(some.of('event')[0]?.id, other.id);
    assert.doesNotMatch(all.text(), /hunter2|k-12345/);
    assert.equal(typeof all.of('hello')[0]?.version, 'string');
  });

  it('tells how plugins change their state, and what is known of a run that failed', async (t) => {
    const { host, read } = await start(t, 'plugins: [{ name: breaker, config: { afterMs: 400 } }]');
    const all = await listen(t, read);
    const puppets = await listen(t, `${read}?kind=plugin,flight-record&plugin=puppet`);
    const [flight] = await eventually(() => (all.of('flight-record').length > 0 ? all.of('flight-record') : null));
    assert.equal(flight?.plugin, 'breaker');
    const { flightRecords } = await host.json<{ flightRecords: { id: string }[] }>('/api/v1/flight-records');
    assert.ok(flightRecords.some(({ id }) => id === flight?.id));
    const states = all.of('plugin').filter(({ name }) => name === 'breaker');
    assert.ok(
      states.some(({ state }) => state === 'backing-off' || state === 'starting'),
      JSON.stringify(states),
    );
    assert.ok(puppets.heard.every(({ name, data }) => name === 'hello' || data.name === 'puppet'));
  });

  it('refuses a query that it does not understand', async (t) => {
    const { read, admin } = await start(t);
    const cases: readonly (readonly [url: string, words: RegExp])[] = [
      [`${read}?kind=events`, /'kind' must be one or several of event, plugin, flight-record, got 'events'/],
      [`${read}?outcome=delivered,lost`, /'outcome' must be one or several of .*, got 'lost'/],
      [`${read}?plugin=a,..%2Fx`, /'plugin' must be the name of a plugin/],
      [`${read}?last=5`, /unknown parameter 'last'/],
      [`${admin}?last=-1`, /'last' must be a whole number between 0 and 1000000, got '-1'/],
      [`${admin}?follow=yes`, /'follow' must be true or false, got 'yes'/],
      [`${admin}?kind=event`, /unknown parameter 'kind'/],
    ];
    for (const [url, words] of cases) {
      const response = await fetch(url);
      assert.equal(response.status, 400, url);
      assert.match(await response.text(), words);
    }
  });

  it('ends when the host stops', async (t) => {
    const { host, read } = await start(t);
    const all = await listen(t, read);
    await host.app.stop('the test wants it');
    await all.ended;
  });
});

describe('recording', () => {
  it('has whole events, without secrets unless they are asked for', async (t) => {
    const { host, admin } = await start(t);
    const ears = [await listen(t, `${admin}?follow=true`), await listen(t, `${admin}?follow=true&raw=true`)];
    await host.emit({ ...SECRETIVE, namespace: 'default', tags: { team: 'x' }, reason: 'Because' });
    const [safe, raw] = await Promise.all(ears.map((ear) => eventually(() => ear.of('event')[0])));
    for (const event of [safe, raw]) {
      assert.equal(event?.internalType, 'Happened');
      assert.deepEqual([event?.namespace, event?.reason, event?.tags], ['default', 'Because', { team: 'x' }]);
      const [firing] = (event?.firings ?? []) as Record<string, unknown>[];
      assert.deepEqual(
        [firing?.hook, firing?.agent, firing?.decision, firing?.outcome],
        ['default/h', 'default/a', 'accepted', 'delivered'],
      );
    }
    assert.deepEqual([safe?.message, safe?.metadata], ['password=[redacted]', { apiKey: '[redacted]', note: 'plain' }]);
    assert.deepEqual([raw?.message, raw?.metadata], [SECRETIVE.message, SECRETIVE.metadata]);
    assert.deepEqual([safe?.redacted, raw?.redacted], [true, undefined]);
    assert.equal(host.grep(/Events are being recorded, with secrets/).length, 1);
    assert.deepEqual(
      ears.map((ear) => ear.of('config').map(({ redacted }) => redacted)),
      [[true], [false]],
    );
  });

  it('begins with what is remembered, and then has every event once', async (t) => {
    const { host, admin } = await start(t);
    const ids: string[] = [];
    const emit = async (n: number): Promise<void> => void ids.push((await host.emit({ resourceName: `r${n}` })).id);
    for (let n = 0; n < 10; n += 1) await emit(n);
    const ear = await listen(t, `${admin}?last=1000&follow=true`);
    for (let n = 10; n < 20; n += 1) await emit(n);
    await eventually(() => ear.of('event').length >= 20);
    assert.deepEqual(
      ear
        .of('event')
        .map(({ id }) => id)
        .sort(),
      ids.toSorted(),
    );
    const last = await listen(t, `${admin}?last=3`);
    await last.ended;
    assert.deepEqual(
      last.of('event').map(({ id }) => id),
      ids.slice(-3),
    );
  });

  it('says by what events are judged, again when that has changed, and not when it has not', async (t) => {
    const { host, admin } = await start(t);
    const ear = await listen(t, `${admin}?follow=true`);
    const path = `${host.directory}/config/hooks/h.yaml`;
    writeFileSync(path, `${HOOK}\n`);
    writeFileSync(path, HOOK.replace('look', 'look again'));
    await eventually(() => ear.of('config').length === 2);
    await host.emit({});
    await eventually(() => ear.of('event').length === 1);
    const [first, second] = ear.of('config');
    assert.match(JSON.stringify(first?.hooks), /"prompt":"look"/);
    assert.match(JSON.stringify(second?.hooks), /"prompt":"look again"/);
    assert.equal(ear.of('config').length, 2);
    assert.doesNotMatch(ear.text(), new RegExp(host.directory));
  });

  it('is not to be had from elsewhere than this machine', async (t) => {
    const { host, admin } = await start(t);
    const foreign = 'GET /api/v1/recording HTTP/1.1\r\nHost: khook.example.com\r\nConnection: close\r\n\r\n';
    assert.match(await rawRequest(new URL(admin).origin, foreign), /^HTTP\/1\.1 403 /);
    const onReadApi = await fetch(`http://127.0.0.1:${host.app.ports.metrics}/api/v1/recording`);
    assert.equal(onReadApi.status, 404);
  });
});
