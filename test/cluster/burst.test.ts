import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AppHost } from '../support/app-host.ts';
import { HookPlane, hook, restart } from '../support/cluster/hook-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { MisbehavingAgent } from '../support/misbehaving-agent.ts';

const NAMESPACES = 50;
const HOOKS_EACH = 4;
const EVENTS = 5_000;

describe('a burst over many Hooks', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  before(async () => {
    cluster = await HookPlane.start();
    const namespaces = Array.from({ length: NAMESPACES }, (_, n) => `team-${n}`);
    await Promise.all(namespaces.map((namespace) => cluster.plane.createNamespace(namespace)));
    const names = Array.from({ length: HOOKS_EACH }, (_, n) => `hook-${n}`);
    await cluster.apply(...namespaces.flatMap((namespace) => names.map((name) => hook(namespace, name))));
  });
  after(() => cluster?.stop());

  /** Each event meets the four Hooks of its namespace. */
  async function emitAll(host: AppHost): Promise<void> {
    const left = Array.from({ length: EVENTS / HOOKS_EACH }, (_, n) => restart(`team-${n % NAMESPACES}`, `pod-${n}`));
    const worker = async (): Promise<void> => {
      for (let event = left.pop(); event !== undefined; event = left.pop()) await host.emit(event);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }

  it('is sent in full, and costs far fewer requests than firings', async (t) => {
    const agent = await MisbehavingAgent.start({ states: ['completed'] });
    t.after(() => agent.stop());
    const settings = 'settings: { delivery: { concurrencyPerAgent: 64 } }';
    const host = await cluster.host(t, { plugins: settings, flags: ['--agent-url', agent.url] });
    await eventually(() => cluster.requests('patch', '/status') >= NAMESPACES * HOOKS_EACH, 60_000);
    const [patches, creates] = [cluster.requests('patch', '/status'), cluster.requests('create', '/events')];
    const began = performance.now();
    await emitAll(host);
    const accepted = performance.now() - began;
    await eventually(() => agent.taken.size === EVENTS || null, 120_000);
    const sent = performance.now() - began;
    const shown = async (): Promise<number> => {
      const { items } = await cluster.plane.admin.get<{
        items: { status?: { activeEvents?: { lastNotified?: string }[] } }[];
      }>('/apis/kagent.dev/v1alpha2/hooks');
      return items.flatMap(({ status }) => status?.activeEvents ?? []).filter(({ lastNotified }) => lastNotified)
        .length;
    };
    await eventually(async () => (await shown()) === EVENTS, 90_000);
    const recorded = performance.now() - began;
    const status = cluster.requests('patch', '/status') - patches;
    const events = cluster.requests('create', '/events') - creates + cluster.requests('patch', '/events');
    const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
    t.diagnostic(
      `${EVENTS} firings: accepted in ${seconds(accepted)} s, sent in ${seconds(sent)} s, recorded in ${seconds(recorded)} s; ` +
        `${status} status patches, ${events} writes of Events`,
    );
    // A machine that takes longer makes as many as there is time for: host/cluster/write-queue.ts allows 50 a second, and bursts of 250.
    const allowed = Math.max(EVENTS / 3, 250 + (50 * recorded) / 1_000);
    assert.ok(status < allowed, `${status} patches, ${allowed.toFixed(0)} at most`);
    assert.ok(events < EVENTS / 2, `${events} Events`);
    assert.equal(await host.metric('khook_ledger_residual'), 0);
    const duplicates = [...agent.taken.values()].filter((times) => times > 1).length;
    assert.equal(duplicates, 0);
  });
});
