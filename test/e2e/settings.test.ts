/** No setting is without an effect: each one of `settings` is flipped, and the difference is observed from outside. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { settingsSchema } from '../../host/config/settings.ts';
import { FIXED_SETTINGS } from '../../host/config-in-force.ts';
import { AppHost, type AppHostFiles } from '../support/app-host.ts';
import { packed } from '../support/archive.ts';
import { eventually } from '../support/eventually.ts';
import { type Manners, MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { RunningHost } from '../support/running-host.ts';
import { schemaKeys } from '../support/schema-keys.ts';
import { tempDir } from '../support/temp-dir.ts';

type Tree = { readonly [key: string]: unknown };

const MAPPINGS = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
const PUPPET = { puppet: 'test/fixtures/plugins/puppet' };

function hookText(prompt: string, configurations = 1): string {
  const configuration = { eventType: 'happened', agentRef: { name: 'agent' }, prompt };
  const spec = { eventConfigurations: Array(configurations).fill(configuration) };
  return JSON.stringify({ apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec });
}

const HOOKS = { 'h.yaml': hookText('Look at {{.ResourceName}}') };

/** plugins.yaml with the puppet, told what to do, and with these settings. */
function yaml(settings: Tree, puppet: Tree = {}): string {
  return JSON.stringify({ plugins: [{ name: 'puppet', ...puppet }], settings: { shutdownGrace: '50ms', ...settings } });
}

interface Given {
  readonly settings?: Tree;
  readonly puppet?: Tree;
  readonly files?: AppHostFiles;
}

function start(t: TestContext, { settings = {}, puppet, files = {} }: Given): Promise<AppHost> {
  return AppHost.start(t, { plugins: yaml(settings, puppet), bundles: PUPPET, ...files });
}

function rewrite(host: AppHost, settings: Tree, puppet?: Tree): void {
  writeFileSync(join(host.directory, 'config/plugins.yaml'), yaml(settings, puppet));
}

/** A host whose firings go to an agent with these manners, three events having been fired. */
async function firing(
  t: TestContext,
  { settings = {}, manners = {}, events = 1 }: { settings?: Tree; manners?: Manners; events?: number },
): Promise<{ host: AppHost; agent: MisbehavingAgent }> {
  const agent = await MisbehavingAgent.start(manners);
  t.after(() => agent.stop());
  const delivery = { initialBackoff: '1ms', maxBackoff: '10ms', ...(settings.delivery as Tree | undefined) };
  const files = { mappings: MAPPINGS, hooks: HOOKS, flags: ['--agent-url', agent.url], bundles: {}, plugins: '' };
  const all = { shutdownGrace: '50ms', ...settings, delivery };
  const host = await AppHost.start(t, { ...files, plugins: JSON.stringify({ settings: all }) });
  for (let n = 0; n < events; n += 1) await host.emit({ resourceName: `r${n}` });
  return { host, agent };
}

const REFUSES: Manners = { onSend: () => ({ kind: 'says', status: 500, body: 'no' }) };
const NEVER_DONE: Manners = { states: ['working'] };
const dead = (host: AppHost): Promise<number> => host.outcomes().then(({ dead_lettered: count = 0 }) => count);
const received = (host: AppHost): Promise<number> => host.metric('khook_events_total');

/** Setting → a test that fails when the setting has no effect. */
const FLIPS: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  async pluginDirectory(t) {
    const elsewhere = tempDir(t);
    cpSync(PUPPET.puppet, join(elsewhere, 'puppet'), { recursive: true });
    const flags = ['--config', '{directory}/config', '--metrics-port', '0', '--health-port', '0'];
    const files = { plainFlags: true, flags, bundles: {} };
    const host = await start(t, { settings: { pluginDirectory: tempDir(t) }, files });
    await host.plugin('puppet', 'failed');
    rewrite(host, { pluginDirectory: elsewhere });
    await host.plugin('puppet', 'running');
  },
  async maxPlugins(t) {
    const files = { bundles: { ...PUPPET, stubborn: 'test/fixtures/plugins/stubborn' } };
    const host = await start(t, { settings: { maxPlugins: 1 }, files });
    await host.plugin('puppet', 'running');
    assert.match(String((await host.plugin('stubborn', 'failed')).reason), /settings\.maxPlugins is 1/);
    rewrite(host, { maxPlugins: 2 });
    await host.plugin('stubborn', 'running');
  },
  async loadTimeout(t) {
    const slow = { config: { startMs: 700 } };
    const host = await start(t, { settings: { loadTimeout: '300ms' }, puppet: slow });
    await eventually(() => host.grep(/Failed to start plugin puppet: .* within/).length > 0);
    rewrite(host, { loadTimeout: '30s' }, slow);
    await host.plugin('puppet', 'running');
  },
  async healthCheckInterval(t) {
    const checks = (host: AppHost): Promise<number> => host.metric('khook_plugin_custom_checks_total{plugin="puppet"}');
    const seldom = await start(t, { settings: { healthCheckInterval: '1h' } });
    await seldom.plugin('puppet', 'running');
    const often = await start(t, { settings: { healthCheckInterval: '20ms' } });
    await eventually(async () => (await checks(often)) > 5);
    assert.equal(await checks(seldom), 0);
    rewrite(seldom, { healthCheckInterval: '20ms' });
    await eventually(async () => (await checks(seldom)) > 5);
  },
  async shutdownGrace(t) {
    const stop = async (shutdownGrace: string): Promise<number> => {
      const puppet = { config: { stopMs: 3_000 }, limits: { stopTimeout: '10s' } };
      const host = await start(t, { settings: { shutdownGrace }, puppet });
      await host.plugin('puppet', 'running');
      const at = performance.now();
      await host.app.stop('the test says so');
      return performance.now() - at;
    };
    const [short, long] = [await stop('10ms'), await stop('10s')];
    assert.ok(short < 2_900 && long >= 3_000, `${short} ms with 10ms, ${long} ms with 10s`);
    // Of the process too: a plugin that does not stop must not hold it.
    const plugins = yaml({ shutdownGrace: '300ms' }, { name: 'stubborn', limits: { stopTimeout: '1m' } });
    const bundles = { stubborn: 'test/fixtures/plugins/stubborn' };
    const khook = await RunningHost.start(t, { plugins, bundles });
    await khook.plugin('stubborn', 'running');
    const signalledAt = performance.now();
    khook.signal('SIGTERM');
    assert.deepEqual(await khook.exit, { code: 0, signal: null });
    assert.ok(performance.now() - signalledAt < 15_000, `the process took ${performance.now() - signalledAt} ms`);
  },
  async 'dedup.window'(t) {
    const second = async (window: string): Promise<string | null> => {
      const { host } = await firing(t, { settings: { dedup: { window } } });
      await eventually(async () => (await host.outcomes()).delivered === 1);
      return (await host.emit({ resourceName: 'r0' })).outcome;
    };
    assert.deepEqual([await second('1ms'), await second('10m')], [null, 'duplicate']);
  },
  async 'bus.creditEvents'(t) {
    // The rate limit lets one or two pass, one waits for it; the rest waits in the plugin for want of credit.
    const puppet = { config: { count: 20 }, rateLimit: { eventsPerSecond: 0.001, burst: 1 } };
    const narrow = await start(t, { settings: { bus: { creditEvents: 1 } }, puppet });
    const wide = await start(t, { puppet });
    await eventually(async () => (await received(wide)) === 20);
    assert.ok((await received(narrow)) <= 3, `received ${await received(narrow)}`);
  },
  async 'bus.creditBytes'(t) {
    const config = { count: 10, messageLength: 60_000 };
    const puppet = { config, rateLimit: { eventsPerSecond: 0.001, burst: 1 } };
    const narrow = await start(t, { settings: { bus: { creditBytes: '128KiB' } }, puppet });
    const wide = await start(t, { puppet });
    await eventually(async () => (await received(wide)) === 10);
    assert.ok((await received(narrow)) <= 5, `received ${await received(narrow)}`);
  },
  async 'matcher.threads'(t) {
    const threadsOf = async (threads: number): Promise<number> => {
      let born = 0;
      const count = (): void => {
        born += 1;
      };
      subscribe('worker_threads', count);
      // Without the puppet: its thread would be counted.
      await AppHost.start(t, { plugins: JSON.stringify({ settings: { matcher: { threads } } }) });
      unsubscribe('worker_threads', count);
      return born;
    };
    assert.deepEqual([await threadsOf(1), await threadsOf(3)], [1, 3]);
  },
  async 'matcher.frameTimeout'(t) {
    const heavy = '{{range $a := .Metadata.list}}{{range $b := $.Metadata.list}}{{if eq $a $b}}{{end}}{{end}}{{end}}';
    const judged = async (frameTimeout: string): Promise<string | null> => {
      const files = { mappings: MAPPINGS, hooks: { 'h.yaml': hookText(`${heavy}x`, 50) } };
      const host = await start(t, { settings: { matcher: { frameTimeout } }, files });
      return (await host.emit({ metadata: { list: Array.from({ length: 150 }, (_, n) => n) } })).outcome;
    };
    assert.deepEqual([await judged('10ms'), await judged('1m')], ['invalid', null]);
  },
  async 'matcher.maxPromptLength'(t) {
    const files = { mappings: MAPPINGS, hooks: { 'h.yaml': hookText('y'.repeat(1_000)) } };
    const host = await start(t, { settings: { matcher: { maxPromptLength: 256 } }, files });
    const prompts = (): string[] =>
      host.log.filter(({ msg }) => msg === 'Embedded agent was sent a prompt').map(({ prompt }) => String(prompt));
    await host.emit({});
    assert.match((await eventually(() => prompts()[0])) ?? '', /^y{256}… \[cut at 256 characters\]/);
    rewrite(host, { matcher: { maxPromptLength: 999 } });
    await eventually(() => host.grep(/Configuration reloaded/).length > 1);
    await eventually(async () => {
      await host.emit({ resourceName: `r${performance.now()}` });
      return prompts().some((prompt) => /^y{999}… \[cut at 999 characters\]/.test(prompt));
    });
  },
  async 'delivery.attempts'(t) {
    const sends = async (attempts: number): Promise<number> => {
      const { host, agent } = await firing(t, { settings: { delivery: { attempts } }, manners: REFUSES });
      await eventually(async () => (await dead(host)) === 1);
      return agent.sends.length;
    };
    assert.deepEqual([await sends(1), await sends(4)], [1, 4]);
  },
  async 'delivery.initialBackoff'(t) {
    const slow = { delivery: { initialBackoff: '1h', maxBackoff: '1h' } };
    const patient = await firing(t, { settings: slow, manners: REFUSES });
    const hasty = await firing(t, { manners: REFUSES });
    await eventually(async () => (await dead(hasty.host)) === 1);
    assert.deepEqual([patient.agent.sends.length, hasty.agent.sends.length], [1, 3]);
  },
  async 'delivery.maxBackoff'(t) {
    // The third delay lies between 80 and 160 ms unless it is bounded.
    const longest = async (maxBackoff: string): Promise<string> => {
      const delivery = { attempts: 4, initialBackoff: '10ms', maxBackoff };
      const { host } = await firing(t, { settings: { delivery }, manners: REFUSES });
      await eventually(async () => (await dead(host)) === 1);
      return [...host.lines.join('').matchAll(/next attempt in (\S+) s/g)].at(-1)?.[1] ?? '';
    };
    assert.equal(await longest('10ms'), '0.0');
    assert.match(await longest('24h'), /^0\.[12]$/);
  },
  async 'delivery.timeout'(t) {
    const manners: Manners = { onSend: () => ({ kind: 'hangs' }) };
    const patient = await firing(t, { settings: { delivery: { attempts: 1 } }, manners });
    const hasty = await firing(t, { settings: { delivery: { attempts: 1, timeout: '50ms' } }, manners });
    await eventually(() => hasty.host.grep(/HOST_ERR_AGENT_TIMEOUT/).length > 0);
    assert.deepEqual(patient.host.grep(/HOST_ERR_AGENT/), []);
  },
  async 'delivery.taskTimeout'(t) {
    const patient = await firing(t, { manners: NEVER_DONE });
    const hasty = await firing(t, { settings: { delivery: { taskTimeout: '50ms' } }, manners: NEVER_DONE });
    await eventually(() => hasty.host.grep(/did not finish task/).length > 0);
    assert.deepEqual(patient.host.grep(/did not finish task/), []);
  },
  async 'delivery.concurrencyPerAgent'(t) {
    const settings = { delivery: { concurrencyPerAgent: 1 } };
    const alone = await firing(t, { settings, manners: NEVER_DONE, events: 3 });
    const together = await firing(t, { manners: NEVER_DONE, events: 3 });
    await eventually(() => together.agent.sends.length === 3);
    assert.equal(alone.agent.sends.length, 1);
  },
  async 'delivery.queueLimit'(t) {
    const small = await firing(t, { settings: { delivery: { queueLimit: 1 } }, manners: NEVER_DONE, events: 3 });
    await eventually(async () => (await dead(small.host)) === 2);
    assert.ok(small.host.grep(/HOST_ERR_OUTBOX_FULL/).length > 0);
    const large = await firing(t, { manners: NEVER_DONE, events: 3 });
    assert.equal(await dead(large.host), 0);
  },
  async 'delivery.queueBytes'(t) {
    const large = (n: number): Tree => ({ resourceName: `r${n}`, namespace: 'default' });
    const lost = async (queueBytes: string): Promise<number> => {
      const manners = NEVER_DONE;
      const { host } = await firing(t, { settings: { delivery: { queueBytes } }, manners, events: 0 });
      const hooks = hookText(`${'y'.repeat(30_000)} {{.ResourceName}}`);
      writeFileSync(join(host.directory, 'config/hooks/h.yaml'), hooks);
      await eventually(() => host.grep(/Configuration reloaded/).length > 0);
      for (let n = 0; n < 4; n += 1) await host.emit(large(n));
      await eventually(async () => (await host.metric('khook_outbox_firings')) + (await dead(host)) === 4);
      return dead(host);
    };
    assert.deepEqual([await lost('64KiB'), await lost('256MiB')], [2, 0]);
  },
  async 'delivery.whenFull'(t) {
    const settings = (whenFull: string): Tree => ({ delivery: { queueLimit: 1, whenFull } });
    const full = await firing(t, { settings: settings('dead_letter'), manners: NEVER_DONE, events: 2 });
    await eventually(async () => (await dead(full.host)) === 1);
    const held = await firing(t, { settings: settings('block'), manners: NEVER_DONE });
    const answered = held.host.emit({ resourceName: 'r1' });
    await eventually(async () => (await held.host.metric('khook_outbox_full')) === 1);
    assert.equal(await dead(held.host), 0);
    held.agent.reform({});
    await answered;
    await eventually(async () => (await held.host.outcomes()).delivered === 2);
    assert.equal(await held.host.metric('khook_outbox_full'), 0);
  },
  async 'deadLetters.maxCount'(t) {
    const [few, all] = [await threeDead(t, { maxCount: 1 }), await threeDead(t, {})];
    assert.deepEqual([await kept(few), await kept(all)], [1, 3]);
  },
  async 'deadLetters.maxBytes'(t) {
    const [few, all] = [await threeDead(t, { maxBytes: '64KiB' }), await threeDead(t, {})];
    assert.deepEqual([await kept(few), await kept(all)], [2, 3]);
  },
  async 'deadLetters.maxAge'(t) {
    const [young, all] = [await threeDead(t, { maxAge: '10ms' }), await threeDead(t, {})];
    await eventually(async () => (await kept(young)) === 0);
    assert.equal(await kept(all), 3);
  },
  async 'delivery.maxAge'(t) {
    const gone = await MisbehavingAgent.start();
    await gone.stop();
    const lost = async (maxAge: string): Promise<AppHost> => {
      const settings = { shutdownGrace: '50ms', delivery: { maxAge, initialBackoff: '1ms', maxBackoff: '10ms' } };
      const files = { mappings: MAPPINGS, hooks: HOOKS, flags: ['--agent-url', gone.url] };
      const host = await AppHost.start(t, { ...files, plugins: JSON.stringify({ settings }) });
      await host.emit({});
      return host;
    };
    const [patient, hasty] = [await lost('168h'), await lost('100ms')];
    await eventually(async () => (await dead(hasty)) === 1);
    assert.ok(hasty.grep(/HOST_ERR_OUTBOX_AGE/).length > 0);
    assert.equal(await dead(patient), 0);
  },
  async 'delivery.durability'(t) {
    // Whether the disk is flushed cannot be seen from outside: this is what SQLite is told.
    const told = async (durability: string): Promise<string[]> => {
      const exec = t.mock.method(DatabaseSync.prototype, 'exec');
      await firing(t, { settings: { delivery: { durability } } });
      exec.mock.restore();
      const statements = exec.mock.calls.map(({ arguments: [sql] }) => sql);
      return statements.flatMap((sql) => /synchronous = (\w+)/.exec(sql)?.[1] ?? []);
    };
    assert.deepEqual([await told('process'), await told('machine')], [['NORMAL'], ['FULL']]);
  },
  async 'trail.maxEvents'(t) {
    assert.deepEqual([await remembered(t, { maxEvents: 2 }, 'm'), await remembered(t, {}, 'm')], [2, 5]);
  },
  async 'trail.maxBytes'(t) {
    const message = 'm'.repeat(30_000);
    assert.deepEqual([await remembered(t, { maxBytes: '64KiB' }, message), await remembered(t, {}, message)], [2, 5]);
  },
  'archives.maxSize': (t) => archiveLimit(t, 'maxSize', /holds more than 16KiB/),
  'archives.maxFileSize': (t) => archiveLimit(t, 'maxFileSize', /a file may have 16KiB/),
};

const kept = (host: AppHost): Promise<number> => host.metric('khook_dead_letters');

/** A host with three dead letters, each of about 30 KiB. */
async function threeDead(t: TestContext, deadLetters: Tree): Promise<AppHost> {
  const agent = await MisbehavingAgent.start({ onSend: () => ({ kind: 'says', status: 404, body: '' }) });
  t.after(() => agent.stop());
  const hooks = { 'h.yaml': hookText('y'.repeat(30_000)) };
  const plugins = JSON.stringify({ settings: { shutdownGrace: '50ms', deadLetters } });
  const host = await AppHost.start(t, { mappings: MAPPINGS, hooks, plugins, flags: ['--agent-url', agent.url] });
  for (let n = 1; n <= 3; n += 1) {
    await host.emit({ resourceName: `r${n}` });
    await eventually(async () => (await dead(host)) === n);
  }
  return host;
}

/** A bundle of 100 kB in an archive is too large, and is not any more when the limit is raised. */
async function archiveLimit(t: TestContext, limit: string, says: RegExp): Promise<void> {
  const host = await start(t, { settings: { archives: { [limit]: '16KiB' } }, files: { bundles: {} } });
  const [manifest, code] = ['package.json', 'index.ts'].map((name) => readFileSync(join(PUPPET.puppet, name)));
  const archive = packed({ 'package.json': manifest ?? '', 'index.ts': code ?? '', large: 'x'.repeat(100_000) });
  writeFileSync(join(host.directory, 'plugins/puppet-1.0.0.tgz'), archive);
  await eventually(async () => says.test(String((await host.plugin('puppet', 'failed')).reason)));
  rewrite(host, {});
  await host.plugin('puppet', 'running');
}

/** How many of five events the read API still knows. */
async function remembered(t: TestContext, trail: Tree, message: string): Promise<number> {
  const { host } = await firing(t, { settings: { trail }, events: 0 });
  for (let n = 0; n < 5; n += 1) await host.emit({ message });
  return (await host.json<{ events: unknown[] }>('/api/v1/events')).events.length;
}

describe('settings', () => {
  it('are all flipped below', () => {
    const leaves = schemaKeys(settingsSchema).filter(({ isLeaf }) => isLeaf);
    assert.deepEqual(Object.keys(FLIPS).sort(), leaves.map(({ path }) => path).sort());
  });

  for (const [name, flip] of Object.entries(FLIPS)) {
    it(`${name} has an effect`, flip);
  }

  it('that only the next start takes up are named when they change', async (t) => {
    const host = await start(t, {});
    await host.plugin('puppet', 'running');
    rewrite(host, {
      shutdownGrace: '51ms',
      maxPlugins: 11,
      dedup: { window: '1m' },
      bus: { creditEvents: 8 },
      matcher: { threads: 2, frameTimeout: '2s', maxPromptLength: 999 },
      delivery: { attempts: 1 },
      deadLetters: { maxCount: 5 },
      trail: { maxEvents: 5 },
    });
    const said = await eventually(() => host.log.find(({ msg }) => msg.startsWith('Changed settings take effect')));
    assert.deepEqual([...(said.names as string[])].sort(), Object.keys(FIXED_SETTINGS).sort());
  });
});
