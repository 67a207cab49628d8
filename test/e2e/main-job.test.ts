/** The main job over real HTTP: a webhook is called, a Hook fires, an agent is asked, and everything that can be looked at agrees. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort, RunningHost } from '../support/running-host.ts';

const MAPPINGS = `
mappings:
  - { eventSource: webhook, eventType: webhook-received, internalType: WebhookReceived, severity: info, tags: { category: webhook } }
`;
const HOOK = `
apiVersion: kagent.dev/v1alpha2
kind: Hook
metadata: { name: demo, namespace: default }
spec:
  eventConfigurations:
    - eventType: WebhookReceived
      agentRef: { name: k8s-agent }
      prompt: "Look at {{.ResourceName}}: {{.Metadata.payload.ticket}}"
`;

function pluginsYaml(port: number, config = ''): string {
  return `
plugins:
  - name: webhook
    required: true
    config: { port: ${port}, host: 127.0.0.1${config} }
    permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] }
`;
}

interface Event {
  readonly id: string;
  readonly outcome: string | null;
  readonly trail: readonly { readonly step: string; readonly detail: string }[];
}

describe('main job', () => {
  it('takes a webhook call all the way to the agent, and can tell its way afterwards', async (t) => {
    const port = await freePort();
    const host = await RunningHost.start(t, {
      plugins: pluginsYaml(port),
      mappings: MAPPINGS,
      hooks: { 'demo.yaml': HOOK },
      bundles: { webhook: 'plugins/webhook' },
    });
    await host.plugin('webhook', 'running');
    const answer = await fetch(`http://127.0.0.1:${port}/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer not-to-be-forwarded' },
      body: JSON.stringify({ resource: 'api', message: 'deployment failed', ticket: 'T-1' }),
    });
    assert.equal(answer.status, 200);
    const { status, id } = (await answer.json()) as { status: string; id: string };
    assert.equal(status, 'received');

    const event = await eventually(async () => {
      const found = await host.json<Event>(`/api/v1/events/${id}`);
      return found.outcome === null ? null : found;
    });
    assert.equal(event.outcome, 'delivered');
    assert.deepEqual(
      event.trail.map(({ step }) => step),
      ['received', 'mapped', 'matched', 'accepted', 'called', 'sent', 'completed'],
    );
    const prompted = host.log.find(({ msg }) => msg === 'Embedded agent was sent a prompt');
    assert.match(String(prompted?.prompt), /^Look at api: T-1\n/);
    assert.doesNotMatch(host.text, /not-to-be-forwarded/);
    const accepted = event.trail.find(({ step }) => step === 'accepted')?.detail ?? '';
    assert.ok(accepted.endsWith(String(prompted?.messageId)), `${accepted} is not the message ${prompted?.messageId}`);

    const ledger = await host.json<{
      received: number;
      inFlight: number;
      residual: number;
      outcomes: { delivered: number };
    }>('/api/v1/ledger');
    assert.deepEqual([ledger.received, ledger.inFlight, ledger.residual, ledger.outcomes.delivered], [1, 0, 0, 1]);
    const metrics = await (await fetch(`${host.metrics}/metrics`)).text();
    assert.match(metrics, /^khook_plugin_events_total\{plugin="webhook",event_type="webhook-received"\} 1$/m);
    assert.match(metrics, /^khook_event_outcomes_total\{plugin="webhook",outcome="delivered"\} 1$/m);
    assert.match(metrics, /^khook_api_calls_total\{agent="default\/k8s-agent",outcome="\w+"\} 1$/m);
    assert.match(metrics, /^khook_plugin_active\{plugin="webhook"\} 1$/m);
    assert.match(metrics, /^khook_ledger_residual 0$/m);
    assert.equal((await fetch(`${host.health}/readyz`)).status, 200);
    assert.equal((await fetch(`${host.health}/healthz`)).status, 200);
    await eventually(() => host.grep(/Agent default\/k8s-agent completed its task/).length === 1);
  });

  it('suppresses a repeat within the dedup window, and says of what it is a duplicate', async (t) => {
    const port = await freePort();
    const host = await RunningHost.start(t, {
      plugins: pluginsYaml(port),
      mappings: MAPPINGS,
      hooks: { 'demo.yaml': HOOK },
      bundles: { webhook: 'plugins/webhook' },
    });
    await host.plugin('webhook', 'running');
    for (let n = 0; n < 5; n += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body: '{"resource":"same"}' });
      assert.equal(answer.status, 200);
    }
    const { events } = await eventually(async () => {
      const found = await host.json<{ events: Event[] }>('/api/v1/events?plugin=webhook');
      return found.events.every(({ outcome }) => outcome !== null) ? found : null;
    });
    assert.deepEqual(events.map(({ outcome }) => outcome).sort(), ['delivered', ...Array(4).fill('duplicate')]);
    await eventually(() => host.grep(/Embedded agent was sent a prompt/).length === 1);
  });

  it('drains and exits with 0 on a signal, within its grace period', async (t) => {
    const port = await freePort();
    const host = await RunningHost.start(t, { plugins: pluginsYaml(port), bundles: { webhook: 'plugins/webhook' } });
    await host.plugin('webhook', 'running');
    host.signal('SIGINT');
    assert.deepEqual(await host.exit, { code: 0, signal: null });
    assert.equal(host.grep(/plugin webhook stopped/).length, 1);
    assert.equal(host.log.at(-1)?.msg, 'khook stopped');
  });

  it('goes at once on a second signal', async (t) => {
    const host = await RunningHost.start(t, {
      plugins: 'plugins: [{ name: stubborn, limits: { stopTimeout: 60s } }]\nsettings: { shutdownGrace: 5m }',
      bundles: { stubborn: 'test/fixtures/plugins/stubborn' },
    });
    await host.plugin('stubborn', 'running');
    host.signal('SIGTERM');
    await eventually(() => host.grep(/khook is stopping/).length > 0);
    host.signal('SIGTERM');
    assert.deepEqual(await host.exit, { code: 130, signal: null });
  });
});
