/** The symptoms of the guide, one test for each of its chapters: what its commands print when this is wrong, and that the fix it prints is one. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { eventually } from '../support/eventually.ts';
import { khook } from '../support/khook-command.ts';
import { freePort, type HostFiles, RunningHost } from '../support/running-host.ts';

const FIXTURES = 'test/fixtures/plugins';
const SETTINGS = 'settings: { shutdownGrace: 200ms, healthCheckInterval: 100ms }';
const GRANTED = 'env: [WEBHOOK_TOKEN, WEBHOOK_SECRET]';
const spec = { eventConfigurations: [{ eventType: 'WebhookReceived', agentRef: { name: 'a' }, prompt: 'look' }] };
const HOOK = JSON.stringify({ apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec });
const MAPPING = 'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived }]\n';

function start(t: TestContext, entries: readonly string[], files: HostFiles = {}): Promise<RunningHost> {
  return RunningHost.start(t, {
    plugins: ['plugins:', ...entries.map((entry) => `  - ${entry}`), SETTINGS].join('\n'),
    mappings: MAPPING,
    hooks: { 'h.yaml': HOOK },
    ...files,
  });
}

/** What the shell command prints of the log. */
function grep(host: RunningHost, command: string): string {
  return spawnSync('sh', ['-c', command], { input: host.text, encoding: 'utf8' }).stdout;
}

/** Until the shell command finds a line. */
function found(host: RunningHost, command: string, line: RegExp): Promise<true> {
  return eventually(() => {
    const text = grep(host, command);
    if (!line.test(text)) throw new Error(`${command} found no ${line} in\n${host.text}`);
    return true;
  });
}

async function shell(command: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', command])).stdout;
}

function emit(host: RunningHost, type: string): Promise<{ stdout: string }> {
  return khook(['emit', 'webhook', type, '--url', host.admin, '--resource', `r-${performance.now()}`]);
}

describe('symptom', () => {
  it('"plugin not loading" is told by log, metrics and API, whatever the cause', async (t) => {
    const host = await start(t, ['{ name: mqtt }', '{ name: stubborn, enabled: false }', '{ name: thrower }'], {
      bundles: {
        stubborn: join(FIXTURES, 'stubborn'),
        thrower: join(FIXTURES, 'thrower'),
        webhook: 'plugins/webhook',
      },
    });
    await host.plugin('thrower', 'running');
    await found(host, 'grep "Successfully registered.*plugin"', /thrower plugin/);
    assert.doesNotMatch(grep(host, 'grep "Successfully registered.*plugin"'), /mqtt|stubborn|webhook/);
    await found(host, 'grep -i "failed to.*plugin"', /there is no bundle of plugin 'mqtt'/);
    assert.match(String((await host.plugin('mqtt', 'failed')).reason), /HOST_ERR_BUNDLE_MISSING/);
    await host.plugin('stubborn', 'disabled');
    const { remedy } = await host.plugin('webhook', 'blocked(grants)');
    assert.match(String(remedy), /- name: webhook\n\s+permissions:\n/);
    const metrics = await shell(`curl -s ${host.metrics}/metrics | grep plugin`);
    for (const line of ['{plugin="thrower"} 1', '{plugin="mqtt"} 0', '{plugin="webhook"} 0']) {
      assert.ok(metrics.includes(`khook_plugin_active${line}`), metrics);
    }
  });

  it('"events not being processed" ends when the lines of the log are pasted', async (t) => {
    const host = await start(t, [], { mappings: 'mappings: []\n' });
    assert.match((await emit(host, 'webhook-received')).stdout, /outcome: unmapped/);
    await found(host, 'grep -i "mapping"', /No event mapping for webhook:webhook-received/);
    const line = host.log.find(({ msg }) => msg.startsWith('No event mapping'));
    host.write('config/event-mappings.yaml', String(line?.yaml));
    await eventually(async () => (await emit(host, 'webhook-received')).stdout.includes('accepted: for agent'));

    host.write('config/hooks/h.yaml', HOOK.replace('WebhookReceived', 'WebhookRecieved'));
    await eventually(async () => (await emit(host, 'webhook-received')).stdout.includes('outcome: unmatched'));
    host.write('config/hooks/h.yaml', HOOK);
    host.write('config/event-mappings.yaml', MAPPING.replace(' }]', ', enabled: false }]'));
    await eventually(async () => (await emit(host, 'webhook-received')).stdout.includes('outcome: mapping_disabled'));
    await found(host, 'grep -i "mapping"', /The event mapping of webhook:webhook-received is disabled/);
  });

  it('"plugin crashes or stops" leaves the panic, its count and its flight record', async (t) => {
    const bundles = { thrower: join(FIXTURES, 'thrower') };
    const host = await start(t, ['{ name: thrower, config: { where: later } }'], { bundles });
    await found(host, 'grep -i "panic\\|fatal"', /plugin panic: a bug in a callback/);
    await found(host, 'grep "plugin.*stopped\\|plugin.*failed"', /plugin thrower failed: crash/);
    await eventually(async () =>
      /khook_plugin_restarts_total\{plugin="thrower",reason="crash"\} [1-9]/.test(
        await shell(`curl -s ${host.metrics}/metrics`),
      ),
    );
    const record = await shell(`curl -s '${host.metrics}/api/v1/flight-records?plugin=thrower'`);
    assert.match(record, /"detail":"a bug in a callback","stack":"TypeError: a bug in a callback\\n[^"]*index\.ts:\d+/);
  });

  it('"webhook server not responding" names the port that is taken', async (t) => {
    const squatter = createServer();
    await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done));
    t.after(() => squatter.close());
    const { port } = squatter.address() as { port: number };
    const entry = `{ name: webhook, required: true, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, ${GRANTED} } }`;
    const host = await start(t, [entry], { bundles: { webhook: 'plugins/webhook' } });
    await found(host, 'grep -i "webhook.*server"', /Webhook server failed/);
    await found(host, 'grep -i "failed to.*plugin"', new RegExp(`EADDRINUSE.*${port}`));
    assert.match(await shell(`curl -s '${host.health}/readyz?verbose'`), /\[-\]plugin-webhook failed/);
  });

  it('"high CPU usage" is seen in metrics and in a profile of the plugin', async (t) => {
    const bundles = { puppet: join(FIXTURES, 'puppet') };
    const entry = '{ name: puppet, config: { spin: true }, limits: { cpuShare: 1, hangTimeout: 1m } }';
    const host = await start(t, [entry], { bundles });
    await host.plugin('puppet', 'running');
    const file = join(host.directory, 'cpu.pb.gz');
    await shell(`curl -sf -o ${file} '${host.admin}/debug/pprof/profile?seconds=1&plugin=puppet'`);
    assert.match(gunzipSync(readFileSync(file)).toString('latin1'), /puppet\/index\.ts/);
    await eventually(async () => {
      const metrics = await shell(`curl -s ${host.metrics}/metrics`);
      return /khook_plugin_cpu_seconds_total\{plugin="puppet"\} (?:[1-9]|0\.[1-9])/.test(metrics);
    });
  });

  it('"high memory usage" ends the plugin that holds it, not the host, and says how much it was', async (t) => {
    const bundles = { puppet: join(FIXTURES, 'puppet'), stubborn: join(FIXTURES, 'stubborn') };
    const entry = '{ name: puppet, config: { holdMb: 200 }, limits: { memoryMb: 32 } }';
    const host = await start(t, [entry], { bundles });
    await found(
      host,
      'grep "plugin.*stopped\\|plugin.*failed"',
      /plugin puppet failed: memory \d+ MB after collection, limit 32 MB/,
    );
    await host.plugin('stubborn', 'running');
    const heap = join(host.directory, 'heap.pb.gz');
    await shell(`curl -sf -o ${heap} '${host.admin}/debug/pprof/heap?seconds=1&plugin=stubborn'`);
    assert.ok(gunzipSync(readFileSync(heap)).length > 0);
  });

  it('"invalid configuration format" and "environment variable issues" are told in the words of the guide', async (t) => {
    const port = await freePort();
    const permissions = `permissions: { net: { listen: ["\${config.port}"] }, ${GRANTED} }`;
    const entry = (value: string): string => `{ name: webhook, config: { port: ${value} }, ${permissions} }`;
    const bundles = { webhook: 'plugins/webhook' };
    const host = await start(t, [entry('70000')], { bundles, env: { PLUGIN_PORT: String(port) } });
    const plugins = (value: string): string => `plugins:\n  - ${entry(value)}\n${SETTINGS}\n`;
    await found(host, 'grep -i "config"', /configuration 'port' must be between 1 and 65535, got 70000/);
    host.write('config/plugins.yaml', plugins('[1]'));
    await found(host, 'grep -i "config"', /configuration 'port' must be an integer, got/);
    host.write('config/plugins.yaml', plugins(`"\${PLUGIN_TOKEN}"`));
    await found(host, 'grep -i "config"', /environment variable PLUGIN_TOKEN is not set; set it, or give a default/);
    host.write('config/plugins.yaml', `plugins: [\n`);
    await found(host, 'grep -i "config"', /Configuration file .* cannot be used; the configuration that was in force/);
    assert.equal((await khook(['check', '-c', join(host.directory, 'config')], host.directory)).code, 3);
    host.write('config/plugins.yaml', plugins(`"\${PLUGIN_PORT:-8090}"`));
    await host.plugin('webhook', 'running');
    assert.match(await shell(`curl -s -X POST localhost:${port}/webhook -d '{}'`), /"status":"received"/);
  });

  it('"unhealthy" is a failed /readyz that names the plugin, while /healthz stays well', async (t) => {
    const bundles = { puppet: join(FIXTURES, 'puppet') };
    const entry = '{ name: puppet, required: true, config: { health: bad } }';
    const host = await start(t, [entry], { bundles });
    await found(host, 'grep "plugin.*stopped\\|plugin.*failed"', /plugin puppet failed: unhealthy/);
    await eventually(async () => /\[-\]plugin-puppet/.test(await shell(`curl -s ${host.health}/readyz`)));
    assert.equal(await shell(`curl -s ${host.health}/healthz`), 'ok');
  });
});
