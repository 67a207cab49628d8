/** No key of an entry of plugins.yaml is without an effect: each one is flipped, and the difference is observed from outside. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pluginEntrySchema } from '../../host/config/plugin-entry.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { schemaKeys } from '../support/schema-keys.ts';
import { tempDir } from '../support/temp-dir.ts';

type Tree = { readonly [key: string]: unknown };

const PUPPET = 'test/fixtures/plugins/puppet';
const MAPPINGS = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
const HOOK = `{ apiVersion: kagent.dev/v1alpha2, kind: Hook, metadata: { name: h, namespace: shop },
  spec: { eventConfigurations: [{ eventType: happened, agentRef: { name: a }, prompt: look }] } }`;

function yaml(entry: Tree, settings: Tree = {}): string {
  return JSON.stringify({ plugins: [{ name: 'puppet', ...entry }], settings: { shutdownGrace: '1s', ...settings } });
}

function start(t: TestContext, entry: Tree, settings: Tree = {}): Promise<AppHost> {
  const hooks = { 'h.yaml': HOOK };
  return AppHost.start(t, { plugins: yaml(entry, settings), mappings: MAPPINGS, hooks, bundles: { puppet: PUPPET } });
}

function rewrite(host: AppHost, entry: Tree, settings: Tree = {}): void {
  writeFileSync(join(host.directory, 'config/plugins.yaml'), yaml(entry, settings));
}

async function isReady(host: AppHost): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${host.app.ports.health}/readyz`)).status === 200;
}

/** How many events were judged of those that the puppet sends one by one. */
async function judged(t: TestContext, rateLimit: Tree, enough: number): Promise<number> {
  const host = await start(t, { config: { count: 20 }, rateLimit: { eventsPerSecond: 0.001, burst: 1, ...rateLimit } });
  const total = async (): Promise<number> => {
    const { received, inFlight, outcomes } = await host.json<{
      received: number;
      inFlight: number;
      outcomes: { dropped: number };
    }>('/api/v1/ledger');
    return received === 20 ? received - inFlight - outcomes.dropped : 0;
  };
  await eventually(async () => (await total()) >= enough);
  return total();
}

/** The folder of a puppet whose manifest asks for these. */
function puppetThatAsks(t: TestContext, permissions: Tree): string {
  const bundle = join(tempDir(t), 'puppet');
  cpSync(resolve(PUPPET), bundle, { recursive: true });
  const khook = { apiVersion: 1, eventTypes: ['happened'], permissions };
  const manifest = { name: 'puppet', version: '1.0.0', type: 'module', main: 'index.ts', khook };
  writeFileSync(join(bundle, 'package.json'), JSON.stringify(manifest));
  return bundle;
}

/** Asks for every permission there is; each one that is missing blocks it, and the log says which. */
async function everyPermission(t: TestContext): Promise<void> {
  const folder = tempDir(t);
  const net = { any: true, listen: [8_123], connect: ['10.1.2.3:443'] };
  const all = { net, read: [folder], write: [folder], env: ['TOKEN'], kubernetes: true };
  const puppet = puppetThatAsks(t, all);
  const host = await AppHost.start(t, { plugins: yaml({ permissions: all }), bundles: { puppet } });
  // With everything granted only the cluster itself is missing.
  await host.plugin('puppet', 'blocked(connection)');
  const without: readonly [granted: Tree, reason: RegExp][] = [
    [{ ...all, net: { ...net, any: false, connect: net.connect } }, /connect anywhere$/],
    [{ ...all, net: { any: true, connect: net.connect } }, /listen on port 8123$/],
    [{ ...all, net: { listen: net.listen } }, /connect anywhere; connect to 10\.1\.2\.3:443$/],
    [{ ...all, read: [] }, /read \/\S+$/],
    [{ ...all, write: [] }, /write \/\S+$/],
    [{ ...all, env: [] }, /see the environment variable TOKEN$/],
    [{ ...all, kubernetes: false }, /use the Kubernetes connection$/],
  ];
  for (const [permissions, reason] of without) {
    rewrite(host, { permissions });
    await eventually(async () => {
      const plugin = await host.plugin('puppet', 'blocked(grants)');
      assert.match(String(plugin.reason), reason);
      return true;
    });
  }
}

const FLIPS: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  async name(t) {
    const host = await start(t, { name: 'nobody' });
    assert.match(String((await host.plugin('nobody', 'failed')).reason), /there is no bundle of plugin 'nobody'/);
  },
  async enabled(t) {
    const host = await start(t, { enabled: false });
    await host.plugin('puppet', 'disabled');
    rewrite(host, { enabled: true });
    await host.plugin('puppet', 'running');
  },
  async required(t) {
    const broken = { limits: { memoryMb: 1 } };
    const host = await start(t, broken);
    await host.plugin('puppet', 'failed');
    assert.equal(await isReady(host), true);
    rewrite(host, { ...broken, required: true });
    await eventually(async () => !(await isReady(host)));
  },
  async path(t) {
    // Accepted for older files, and said to have no effect.
    const host = await start(t, { path: '/opt/plugins/puppet.so' });
    await host.plugin('puppet', 'running');
  },
  async config(t) {
    const host = await start(t, { config: { count: 0, note: 'from plugins.yaml' } });
    await eventually(() => host.grep(/"initialised"/).some((line) => line.includes('from plugins.yaml')));
  },
  'permissions.net.any': everyPermission,
  'permissions.net.listen': everyPermission,
  'permissions.net.connect': everyPermission,
  'permissions.read': everyPermission,
  'permissions.write': everyPermission,
  'permissions.env': everyPermission,
  'permissions.kubernetes': everyPermission,
  async 'limits.memoryMb'(t) {
    const hungry = { config: { holdMb: 60 } };
    const host = await start(t, { ...hungry, limits: { memoryMb: 8 } });
    const reasons = ['out_of_memory', 'leak'];
    await eventually(async () => {
      const { plugins } = await host.json<{ plugins: { lastExit: { reason: string } | null }[] }>('/api/v1/plugins');
      return reasons.includes(plugins[0]?.lastExit?.reason ?? '');
    });
    rewrite(host, { ...hungry, limits: { memoryMb: 512 } });
    await eventually(async () => Number((await host.plugin('puppet', 'running')).memoryBytes) > 45_000_000);
  },
  async 'limits.hangTimeout'(t) {
    const blocked = { config: { blockMs: 1_500 } };
    const host = await start(t, { ...blocked, limits: { hangTimeout: '300ms' } });
    await eventually(() => host.grep(/plugin puppet failed: hang/).length > 0);
    assert.deepEqual(host.grep(/its loop turns again/), []);
    rewrite(host, { ...blocked, limits: { hangTimeout: '20s' } });
    await eventually(() => host.grep(/its loop turns again/).length > 0);
  },
  async 'limits.cpuShare'(t) {
    const busy = { config: { spin: true } };
    const tolerated = await start(t, { ...busy, limits: { cpuShare: 1 } });
    const host = await start(t, { ...busy, limits: { cpuShare: 0.1 } });
    await eventually(() => host.grep(/plugin puppet failed: hang.*of a core/).length > 0);
    assert.deepEqual(tolerated.grep(/plugin puppet failed/), []);
  },
  async 'limits.startTimeout'(t) {
    // Each of the two alone would be quick enough.
    const slow = { config: { initMs: 400, startMs: 400 } };
    const host = await start(t, { ...slow, limits: { startTimeout: '600ms' } });
    await eventually(() => host.grep(/Failed to start plugin puppet: .* within/).length > 0);
    rewrite(host, { ...slow, limits: { startTimeout: '20s' } });
    await host.plugin('puppet', 'running');
  },
  async 'limits.stopTimeout'(t) {
    const forced = async (stopTimeout: string): Promise<boolean> => {
      const host = await start(t, { config: { stopMs: 300 }, limits: { stopTimeout } }, { shutdownGrace: '10s' });
      await host.plugin('puppet', 'running');
      rewrite(host, { enabled: false });
      await host.plugin('puppet', 'disabled');
      return host.grep(/plugin puppet did not stop within .* and was terminated/).length > 0;
    };
    assert.deepEqual([await forced('100ms'), await forced('20s')], [true, false]);
  },
  async 'limits.healthCheckTimeout'(t) {
    const often = { healthCheckInterval: '20ms' };
    const silent = { config: { health: 'never' } };
    const patient = await start(t, { ...silent, limits: { healthCheckTimeout: '10m' } }, often);
    const hasty = await start(t, { ...silent, limits: { healthCheckTimeout: '30ms' } }, often);
    await eventually(() => hasty.grep(/Plugin health check failed/).length > 0);
    assert.deepEqual(patient.grep(/Plugin health check failed/), []);
  },
  async 'limits.files'(t) {
    const open = { config: { openFiles: 20 } };
    const host = await start(t, { ...open, limits: { files: 5 } });
    await eventually(() => host.grep(/opened 5 files/).length > 0);
    rewrite(host, { ...open, limits: { files: 30 } });
    await eventually(() => host.grep(/opened 20 files/).length > 0);
  },
  async 'limits.sockets'(t) {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const permissions = { net: { connect: [`127.0.0.1:${port}`] } };
    const many = { config: { connections: { count: 9, port } }, permissions };
    const puppet = puppetThatAsks(t, permissions);
    const host = await AppHost.start(t, {
      plugins: yaml({ ...many, limits: { sockets: 3 } }),
      bundles: { puppet },
    });
    await eventually(() => host.grep(/made 3 connections/).length > 0);
    rewrite(host, { ...many, limits: { sockets: 20 } });
    await eventually(() => host.grep(/made 9 connections/).length > 0);
  },
  async 'limits.logLinesPerSecond'(t) {
    const talks = { config: { logLines: 400 } };
    const host = await start(t, { ...talks, limits: { logLinesPerSecond: 20 } });
    await eventually(() => host.grep(/log lines of plugin puppet were dropped/).length > 0);
    assert.ok(host.grep(/line \d+"/).length < 30);
    rewrite(host, { ...talks, limits: { logLinesPerSecond: 1_000 } });
    await eventually(() => host.grep(/"line 399"/).length > 0);
  },
  async 'rateLimit.eventsPerSecond'(t) {
    const [slow, quick] = [await judged(t, {}, 1), await judged(t, { eventsPerSecond: 1_000_000 }, 20)];
    assert.ok(slow <= 2 && quick === 20, `${slow} and ${quick}`);
  },
  async 'rateLimit.burst'(t) {
    const [small, large] = [await judged(t, {}, 1), await judged(t, { burst: 10 }, 10)];
    assert.ok(small <= 2 && large >= 10 && large <= 11, `${small} and ${large}`);
  },
  async 'rateLimit.whenFull'(t) {
    const rateLimit = { eventsPerSecond: 0.001, burst: 1 };
    const waits = await start(t, { config: { count: 20 }, rateLimit });
    const drops = await start(t, { config: { count: 20 }, rateLimit: { ...rateLimit, whenFull: 'drop_newest' } });
    await eventually(async () => ((await drops.outcomes()).dropped ?? 0) >= 18);
    assert.equal((await waits.outcomes()).dropped, 0);
    assert.ok(waits.grep(/plugin puppet is throttled/).length > 0);
  },
  async namespaces(t) {
    const host = await start(t, { namespaces: ['elsewhere'] });
    await host.plugin('puppet', 'running');
    assert.equal((await host.emit({})).outcome, 'unmatched');
    rewrite(host, { namespaces: ['elsewhere', 'shop'] });
    await eventually(async () => (await host.emit({})).outcome !== 'unmatched');
  },
  async isolation(t) {
    const host = await start(t, { isolation: 'process' });
    assert.equal((await host.plugin('puppet', 'running')).isolation, 'process');
    rewrite(host, { isolation: 'thread' });
    await eventually(async () => (await host.plugin('puppet', 'running')).isolation === 'thread');
  },
};

describe('entry of plugins.yaml', () => {
  it('has no key that is not flipped below', () => {
    const leaves = schemaKeys(pluginEntrySchema).filter(({ isLeaf }) => isLeaf);
    assert.deepEqual(Object.keys(FLIPS).sort(), leaves.map(({ path }) => path).sort());
  });

  const keysOf = Map.groupBy(Object.entries(FLIPS), ([, flip]) => flip);
  for (const [flip, keys] of keysOf) it(`${keys.map(([key]) => key).join(', ')}: an effect each`, flip);

  it('config.debug of any plugin shows its debug lines, and says that they are on', async (t) => {
    const host = await start(t, {});
    await host.plugin('puppet', 'running');
    assert.deepEqual(host.grep(/puppet is starting/), []);
    rewrite(host, { config: { debug: true } });
    await eventually(() => host.grep(/\[DEBUG\] puppet is starting/).length > 0);
    assert.equal(host.grep(/Debug mode enabled for plugin/).length, 1);
  });
});
