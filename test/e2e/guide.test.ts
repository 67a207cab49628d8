/** The greps of docs/logs.md with real grep processes on the log of a real host, and the HTTP calls of the guide with real curl. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { codeBlocks, readDoc, section, tableRows } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, type LogLine, RunningHost } from '../support/running-host.ts';

const FIXTURES = 'test/fixtures/plugins';
const PAGE = readDoc('logs.md');

/** Documented grep → what must be among the lines that it finds. */
const GREPS: Readonly<Record<string, readonly RegExp[]>> = {
  'grep "Successfully registered.*plugin"': [/webhook plugin/, /thrower plugin/, /stubborn plugin/, /refused plugin/],
  'grep -i "plugin"': [/Successfully started plugin webhook/],
  'grep -i "plugin-manager"': [/Starting plugin webhook/],
  'grep -i "failed to.*plugin"': [/Failed to start plugin puppet: .* within 0\.1 s/],
  'grep -i "mapping"': [
    /Loaded event mapping/,
    /Successfully loaded event mappings/,
    /No event mapping for webhook:other/,
  ],
  'grep -i "invalid event"': [/Invalid event of plugin refused/, /Invalid event mapping: .*invalid severity 'dire'/],
  'grep -i "panic\\|fatal"': [/plugin panic: a bug in a callback.*"msg":"Plugin panicked"/],
  'grep "plugin.*stopped\\|plugin.*failed"': [
    /plugin thrower failed: crash: a bug in a callback/,
    /plugin refused stopped/,
  ],
  'grep -i "webhook.*server"': [/Webhook server started/],
  'grep -i "config"': [/Configuration loaded/, /Configuration reloaded/],
  'grep -i "debug"': [/"plugin":"stubborn","msg":"Debug mode enabled for plugin"/, /\[DEBUG\] still here/],
};
/** Needs a connection to a cluster. */
const ELSEWHERE = ['grep -i "kubernetes.*watcher"'];

/** What the documented command, run by a shell, prints of the log. */
function run(grep: string, host: RunningHost): string[] {
  const { status, stdout } = spawnSync('sh', ['-c', grep], { input: host.text, encoding: 'utf8' });
  return status === 0 ? stdout.trimEnd().split('\n') : [];
}

function pluginsYaml(port: number, refused = ''): string {
  return `plugins:
  - { name: webhook, required: true, config: { port: ${port} }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }
  - { name: thrower, config: { where: later } }
  - { name: stubborn, config: { debug: true } }
  - { name: puppet, config: { startMs: 60000 }, limits: { startTimeout: 100ms } }
  - { name: refused${refused} }
settings: { shutdownGrace: 200ms }
`;
}

async function startHost(t: TestContext): Promise<{ host: RunningHost; port: number }> {
  const port = await freePort();
  const names = ['thrower', 'stubborn', 'puppet', 'refused'];
  const spec = { eventConfigurations: [{ eventType: 'webhook-received', agentRef: { name: 'a' }, prompt: 'look' }] };
  const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
  const host = await RunningHost.start(t, {
    plugins: pluginsYaml(port),
    mappings: `mappings:
  - { eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived }
  - { eventSource: refused, eventType: happened, internalType: Happened }
  - { eventSource: webhook, eventType: other, internalType: Other, severity: dire }
`,
    hooks: { 'h.yaml': JSON.stringify(hook) },
    bundles: {
      webhook: 'plugins/webhook',
      ...Object.fromEntries(names.map((name) => [name, join(FIXTURES, name)])),
    },
  });
  await host.plugin('webhook', 'running');
  return { host, port };
}

/** The row of docs/logs.md that a line is an instance of. */
function documented({ msg }: LogLine, rows: readonly (readonly string[])[]): readonly string[] | undefined {
  return rows.find(([, , phrase = '']) => {
    const parts = phrase.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('[\\s\\S]*')}`).test(msg);
  });
}

describe('troubleshooting', () => {
  it('finds with each documented grep what it is there to find', async (t) => {
    const [block = ''] = codeBlocks(section(PAGE, '## Greps'), 'bash');
    const greps = block.split('\n').filter((line) => line.startsWith('grep'));
    assert.deepEqual([...Object.keys(GREPS), ...ELSEWHERE].sort(), greps.sort());

    const { host, port } = await startHost(t);
    const emit = ['scripts/khook', 'emit', 'webhook', 'other', '--url', host.admin];
    execFileSync(emit[0] ?? '', emit.slice(1));
    execFileSync('curl', ['-sf', '-X', 'POST', `http://localhost:${port}/webhook`, '-d', '{}']);
    // Stopped by an edit, in which the host reads its configuration anew.
    await eventually(() => host.grep(/Invalid event of plugin refused/).length > 0);
    host.write('config/plugins.yaml', pluginsYaml(port, ', enabled: false'));
    await host.plugin('refused', 'disabled');

    for (const [grep, wanted] of Object.entries(GREPS)) {
      for (const line of wanted) {
        await eventually(() => {
          const found = run(grep, host);
          if (!found.some((each) => line.test(each))) throw new Error(`${grep} found no ${line} in\n${host.text}`);
          return true;
        });
      }
    }
    assert.deepEqual(run('grep -i "kubernetes.*watcher"', host), []);

    host.signal('SIGTERM');
    assert.equal((await host.exit).code, 0, host.text.slice(-3000));
    const rows = tableRows(section(PAGE, '## What the lines say'));
    const told = host.log.filter((line) => !isOwnWord(line) && !isSummary(line) && line.level !== 'debug');
    const unknown = told.filter((line) => documented(line, rows) === undefined);
    assert.deepEqual(
      unknown.map(({ name, msg }) => `${name}: ${msg}`),
      [],
      'lines that docs/logs.md does not know',
    );
    for (const line of told) {
      const [name, level, phrase = ''] = documented(line, rows) ?? [line.name, line.level];
      assert.deepEqual([line.name, line.level], [name, level], phrase);
    }
  });

  it('shows debug lines of everything with LOG_LEVEL=debug', async (t) => {
    const bundles = { puppet: join(FIXTURES, 'puppet') };
    const host = await RunningHost.start(t, { bundles, env: { LOG_LEVEL: 'debug' } });
    await host.plugin('puppet', 'running');
    assert.ok(
      run('grep -i "config"', host).some((line) => /Configuration note: event mappings file .* not found/.test(line)),
    );
    for (const line of ['plugin puppet: starting → running', '[DEBUG] puppet is starting']) {
      await eventually(() => run('grep -i "debug"', host).some((each) => each.includes(line)));
    }
  });

  it('answers the calls of the guide', async (t) => {
    const { host, port } = await startHost(t);
    const curl = (...args: string[]): string => execFileSync('curl', ['-s', ...args], { encoding: 'utf8' });
    const json = 'Content-Type: application/json';
    const taken = curl('-X', 'POST', `http://localhost:${port}/webhook`, '-H', json, '-d', '{"test": "data"}');
    assert.equal(JSON.parse(taken).status, 'received');
    const metrics = execFileSync('sh', ['-c', `curl -s ${host.metrics}/metrics | grep plugin`], { encoding: 'utf8' });
    assert.match(metrics, /^khook_plugin_active\{plugin="webhook"\} 1$/m);
    assert.match(metrics, /^khook_plugin_events_total\{plugin="webhook",event_type="webhook-received"\} 1$/m);
    assert.equal(curl(`${host.health}/healthz`), 'ok');
    assert.equal(curl(`${host.health}/readyz`), 'ok');
    assert.match(curl(`${host.health}/readyz?verbose`), /^\[\+\]plugin-webhook ok$/m);
  });
});

/** What a plugin says in its own words, and the problems of the configuration, which docs/errors.md tells apart. */
function isOwnWord({ name, msg, code }: LogLine): boolean {
  const isShipped = /^Webhook server/.test(msg);
  const isPlugins = name.endsWith('-plugin') && name !== 'embedded-agent' && !isShipped;
  return (
    isPlugins ||
    (typeof code === 'string' && /^(Failed to load plugin|Invalid )/.test(msg) && code.startsWith('HOST_ERR_'))
  );
}

/** What repeats is summed up after a while, in words close to the first line's. */
function isSummary({ msg }: LogLine): boolean {
  return /\b\d+ more\b/.test(msg);
}
