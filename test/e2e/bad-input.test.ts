/** Whatever a user, a bundle or a plugin gets wrong: it is named, and everything else runs. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort, RunningHost } from '../support/running-host.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/plugins');
const MAPPINGS = 'mappings: [{ eventSource: refused, eventType: happened, internalType: Happened }]';

describe('bad input', () => {
  it('names a bad entry by file, line and path in the words of the guide, and runs the others', async (t) => {
    const host = await RunningHost.start(t, {
      plugins: `plugins:
  - name: webhook
    config:
      port: 0
    permissions: { net: { listen: ["\${config.port}"] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] }
  - name: stubborn
    enabeld: true
  - name: emitter
    config: { count: "\${NOT_SET_ANYWHERE}" }
  - name: refused
  - name: refused
`,
      bundles: {
        webhook: 'plugins/webhook',
        stubborn: join(FIXTURES, 'stubborn'),
        emitter: join(FIXTURES, 'emitter'),
        refused: join(FIXTURES, 'refused'),
        thrower: join(FIXTURES, 'thrower'),
      },
    });
    for (const name of ['webhook', 'stubborn', 'emitter']) await host.plugin(name, 'failed');
    await host.plugin('thrower', 'running');
    const said = host.grep(/config/).join('\n');
    assert.match(
      said,
      /plugins\.yaml:4:13: plugins\[0\]\.config\.port: configuration 'port' must be between 1 and 65535, got 0/,
    );
    assert.match(
      said,
      /plugins\.yaml:7:\d+: plugins\[1\].*unknown configuration key: enabeld.*did you mean 'enabled'\?/,
    );
    assert.match(said, /plugins\.yaml:9:\d+: plugins\[2\]\.config\.count: .*NOT_SET_ANYWHERE/);
    assert.match(said, /HOST_ERR_CONFIG_DUPLICATE/);
  });

  it('says of a bundle without a manifest, and of one that lies about its entry, what is wrong', async (t) => {
    const host = await RunningHost.start(t, { bundles: { thrower: join(FIXTURES, 'thrower') } });
    mkdirSync(join(host.directory, 'plugins/empty'));
    mkdirSync(join(host.directory, 'plugins/liar'));
    host.write(
      'plugins/liar/package.json',
      JSON.stringify({
        name: 'liar',
        version: '1.0.0',
        main: '../../../etc/passwd',
        khook: { apiVersion: 1, eventTypes: ['x'] },
      }),
    );
    await eventually(() => host.grep(/HOST_ERR_BUNDLE_MANIFEST/).length > 0);
    await eventually(() => host.grep(/HOST_ERR_BUNDLE_ENTRY/).length > 0);
    assert.equal((await host.plugin('thrower', 'running')).generation, 1);
  });

  it('tells a plugin apart that may not do what it asks for, and prints the lines that would let it', async (t) => {
    const host = await RunningHost.start(t, { bundles: { webhook: 'plugins/webhook' } });
    const plugin = await host.plugin('webhook', 'blocked(grants)');
    assert.match(String(plugin.remedy), /plugins:\n {2}- name: webhook\n {4}permissions:/);
    assert.match(String(plugin.remedy), /listen/);
    await eventually(() => host.grep(/plugin webhook is blocked/).length > 0);
  });

  it('fails only the plugin whose port is taken, with the reason, and starts it when the port is free', async (t) => {
    const squatter = createServer();
    await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done));
    const { port } = squatter.address() as { port: number };
    t.after(() => squatter.close());
    const host = await RunningHost.start(t, {
      plugins: `plugins: [{ name: webhook, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]`,
      bundles: { webhook: 'plugins/webhook', stubborn: join(FIXTURES, 'stubborn') },
    });
    await host.plugin('stubborn', 'running');
    await eventually(() => host.grep(/[Ff]ailed to start plugin.*/).length > 0);
    assert.match(host.grep(/[Ff]ailed to start plugin/).join('\n'), new RegExp(`${port}`));
    squatter.close();
    await host.plugin('webhook', 'running');
  });

  it('judges events that are wrong as invalid, tells the plugin, and logs each kind', async (t) => {
    const host = await RunningHost.start(t, { mappings: MAPPINGS, bundles: { refused: join(FIXTURES, 'refused') } });
    await eventually(() => host.grep(/polluting: accepted/).length > 0);
    const told = host.log.filter(({ name }) => name === 'refused-plugin').map(({ msg }) => msg);
    for (const answer of [
      'no message: EVENT_ERR_INVALID',
      'undeclared: EVENT_ERR_INVALID',
      'forged: EVENT_ERR_SOURCE',
      'large: EVENT_ERR_TOO_LARGE',
      'circular: EVENT_ERR_NOT_SERIALISABLE',
    ]) {
      assert.ok(told.includes(answer), `${answer} is not among ${told.join(', ')}`);
    }
    await eventually(() => host.grep(/invalid event/i).length > 0);
    const { outcomes, residual } = await host.json<{ outcomes: Record<string, number>; residual: number }>(
      '/api/v1/ledger',
    );
    assert.deepEqual([outcomes.invalid, outcomes.unmatched, residual], [2, 1, 0]);
  });

  it('sends an event of a Hook with a broken prompt with the raw text, and shows the Hook as not ready', async (t) => {
    const port = await freePort();
    const host = await RunningHost.start(t, {
      plugins: `plugins: [{ name: webhook, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]`,
      mappings: 'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived }]',
      hooks: {
        'broken.yaml': `
apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: broken, namespace: default }
spec: { eventConfigurations: [{ eventType: webhook-received, agentRef: { name: a }, prompt: "Look {{if .Reason}} at this" }] }
`,
      },
      bundles: { webhook: 'plugins/webhook' },
    });
    await host.plugin('webhook', 'running');
    const { hooks } = await host.json<{ hooks: { ready: boolean; reason: string }[] }>('/api/v1/hooks');
    assert.equal(hooks[0]?.ready, false);
    assert.match(hooks[0]?.reason ?? '', /\d+:\d+/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body: '{}' })).status, 200);
    const prompted = await eventually(() => host.log.find(({ msg }) => msg === 'Embedded agent was sent a prompt'));
    assert.match(String(prompted.prompt), /^Look \{\{if \.Reason\}\} at this/);
  });

  it('dead-letters what an unreachable agent never got, and says why', async (t) => {
    const [port, nobody] = [await freePort(), await freePort()];
    const host = await RunningHost.start(t, {
      plugins: `
plugins: [{ name: webhook, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]
settings: { delivery: { attempts: 1, initialBackoff: 20ms, maxBackoff: 20ms, maxAge: 300ms } }
`,
      mappings: 'mappings: [{ eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived }]',
      hooks: {
        'h.yaml': `
apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: h, namespace: default }
spec: { eventConfigurations: [{ eventType: webhook-received, agentRef: { name: a }, prompt: p }] }
`,
      },
      bundles: { webhook: 'plugins/webhook' },
      flags: ['--agent-url', `http://127.0.0.1:${nobody}/`],
    });
    await host.plugin('webhook', 'running');
    const answer = await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body: '{}' });
    assert.equal(answer.status, 200);
    const { id } = (await answer.json()) as { id: string };
    const event = await eventually(async () => {
      const found = await host.json<{ outcome: string | null; trail: { step: string; detail: string }[] }>(
        `/api/v1/events/${id}`,
      );
      return found.outcome === null ? null : found;
    });
    assert.equal(event.outcome, 'dead_lettered');
    // It was called more often than it may be sent a message: an agent that is down takes none.
    assert.ok(event.trail.filter(({ step }) => step === 'called').length > 1);
    assert.match(event.trail.at(-1)?.detail ?? '', /^HOST_ERR_OUTBOX_AGE: /);
    assert.match(
      event.trail.find(({ step }) => step === 'failed')?.detail ?? '',
      new RegExp(`127\\.0\\.0\\.1:${nobody}`),
    );
  });

  it('keeps running without any configuration at all, and is not ready only for what was required', async (t) => {
    const host = await RunningHost.start(t, {});
    assert.equal((await fetch(`${host.health}/readyz`)).status, 200);
    host.write(
      'config/event-mappings.yaml',
      'mappings: [{ eventSource: a, eventType: b, internalType: C, severity: dire }]',
    );
    await eventually(
      () => host.grep(/invalid severity 'dire', must be one of: info, warning, error, critical/).length > 0,
    );
  });

  it('does not start where one of its own ports is taken, says which flag changes it, and exits with 4', async (t) => {
    const squatter = createServer();
    await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done));
    const { port } = squatter.address() as { port: number };
    t.after(() => squatter.close());
    const starting = RunningHost.start(t, { flags: ['--metrics-port', String(port)] });
    await assert.rejects(starting, (error: Error) => {
      assert.match(error.message, /khook exited with 4/);
      assert.match(error.message, new RegExp(`${port}`));
      assert.match(error.message, /--metrics-port/);
      return true;
    });
  });
});
