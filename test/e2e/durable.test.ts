/** What a host keeps, and what it does when it cannot: a restart, a second host, a full disk, a damaged file. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AppHost, type AppHostFiles } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { type Manners, MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { NO_DISKS, SmallDisk } from '../support/small-disk.ts';
import { tempDir } from '../support/temp-dir.ts';

const MAPPINGS = `mappings:
  - { eventSource: puppet, eventType: happened, internalType: Happened }
  - { eventSource: webhook, eventType: webhook-received, internalType: Happened }`;

function hook(prompt = 'Look at {{.ResourceName}}'): string {
  const spec = { eventConfigurations: [{ eventType: 'Happened', agentRef: { name: 'agent' }, prompt }] };
  return JSON.stringify({ apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec });
}

interface Ledger {
  readonly received: number;
  readonly restored: number;
  readonly inFlight: number;
  readonly residual: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

async function agentOf(t: TestContext, manners: Manners = {}): Promise<MisbehavingAgent> {
  const agent = await MisbehavingAgent.start(manners);
  t.after(() => agent.stop());
  return agent;
}

function files(agent: MisbehavingAgent, data: string, settings: object = {}): AppHostFiles {
  const plugins = JSON.stringify({ settings: { shutdownGrace: '700ms', ...settings } });
  return {
    mappings: MAPPINGS,
    hooks: { 'h.yaml': hook() },
    plugins,
    flags: ['--agent-url', agent.url, '--data', data],
  };
}

async function readiness(host: AppHost | RunningHost): Promise<{ status: number; text: string }> {
  const base = host instanceof AppHost ? `http://127.0.0.1:${host.app.ports.health}` : host.health;
  const answer = await fetch(`${base}/readyz?verbose`);
  return { status: answer.status, text: await answer.text() };
}

function webhookFiles(agent: MisbehavingAgent, port: number, data: string): AppHostFiles {
  const plugin = {
    name: 'webhook',
    required: true,
    config: { port, host: '127.0.0.1' },
    permissions: { net: { listen: [port] }, env: ['WEBHOOK_TOKEN', 'WEBHOOK_SECRET'] },
  };
  return {
    ...files(agent, data),
    plugins: JSON.stringify({ plugins: [plugin], settings: { shutdownGrace: '3s' } }),
    hooks: { 'h.yaml': hook('Look at {{.ResourceName}}: {{.Message}}') },
    bundles: { webhook: 'plugins/webhook' },
  };
}

async function post(port: number, resource: string, message = 'm'): Promise<number> {
  const body = JSON.stringify({ resource, message });
  return (await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body })).status;
}

describe('durable', () => {
  it('a restart takes up what was accepted: ledger, trail, the agent’s task and the dedup window', async (t) => {
    const agent = await agentOf(t, { states: ['working'] });
    const data = join(tempDir(t), 'data');
    const first = await AppHost.start(t, files(agent, data));
    const { id } = await first.emit({ resourceName: 'api', namespace: 'default' });
    await eventually(() => agent.calls.some(({ method }) => method === 'GetTask'));
    const before = await first.json<Ledger>('/api/v1/ledger');
    assert.deepEqual([before.received, before.inFlight, before.residual], [1, 1, 0]);
    await first.app.stop('the test says so');

    const second = await AppHost.start(t, files(agent, data));
    const taken = await second.json<Ledger>('/api/v1/ledger');
    assert.deepEqual([taken.received, taken.restored, taken.inFlight, taken.residual], [0, 1, 1, 0]);
    assert.equal(await second.metric('khook_outbox_firings'), 1);
    assert.equal((await second.emit({ resourceName: 'api', namespace: 'default' })).outcome, 'duplicate');
    agent.reform({ states: ['completed'] });
    const done = await eventually(async () => {
      const ledger = await second.json<Ledger>('/api/v1/ledger');
      return ledger.inFlight === 0 ? ledger : null;
    });
    assert.deepEqual([done.outcomes.delivered, done.outcomes.duplicate, done.residual], [1, 1, 0]);
    assert.equal(agent.sends.length, 1);
    const event = await second.json<{
      outcome: string;
      plugin: string;
      resourceName: string;
      trail: { step: string }[];
    }>(`/api/v1/events/${id}`);
    assert.deepEqual([event.outcome, event.plugin, event.resourceName], ['delivered', 'puppet', 'api']);
    assert.deepEqual(
      event.trail.map(({ step }) => step),
      ['received', 'mapped', 'restored', 'completed'],
    );
    await eventually(() => second.grep(/Outbox opened; firings taken up from an earlier run: 1/).length === 1);
  });

  it('a second host on the same data is refused with a clear error, and not started again', async (t) => {
    const data = tempDir(t);
    const agent = await agentOf(t);
    const first = await RunningHost.start(t, files(agent, data));
    const second = await RunningHost.start(t, files(agent, data)).then(
      () => assert.fail('it started'),
      (error: Error) => error.message,
    );
    assert.match(second, /khook exited with 1/);
    assert.match(second, /khook run: The outbox file .*outbox\.db is in use by another process.*--data/);
    assert.doesNotMatch(second, /it starts again/);
    assert.equal((await readiness(first)).status, 200);
  });

  it('a host on damaged data runs and says so, takes nothing, and goes on once the file is moved away', async (t) => {
    const data = tempDir(t);
    writeFileSync(join(data, 'outbox.db'), 'no database '.repeat(1_000));
    const [agent, port] = [await agentOf(t), await freePort()];
    const host = await AppHost.start(t, webhookFiles(agent, port, data));
    await host.plugin('webhook', 'running');
    const { status, text } = await readiness(host);
    assert.equal(status, 503);
    assert.match(text, /outbox.*outbox\.db is damaged/);
    assert.equal(await host.metric('khook_outbox_fault'), 1);
    const [line] = host.log.filter(({ name, level }) => name === 'outbox' && level === 'error');
    assert.equal(line?.code, 'HOST_ERR_OUTBOX');
    const answered = post(port, 'api');
    await eventually(async () => (await host.json<Ledger>('/api/v1/ledger')).inFlight === 1);
    assert.equal(await Promise.race([answered, new Promise((done) => setTimeout(() => done('waits'), 200))]), 'waits');
    renameSync(join(data, 'outbox.db'), join(data, 'outbox.db.damaged'));
    assert.equal(await answered, 200);
    await eventually(() => agent.sends.length === 1);
    assert.equal((await readiness(host)).status, 200);
    assert.equal(await host.metric('khook_outbox_fault'), 0);
    assert.match(readFileSync(join(data, 'outbox.db.damaged'), 'utf8'), /^no database/);
  });

  it('a full disk holds the sources back and loses nothing', {
    skip: NO_DISKS,
  }, async (t) => {
    const small = SmallDisk.mount(t, 500);
    if (small === null) return t.skip('nothing can be mounted here');
    const agent = await agentOf(t, { states: ['working'] });
    const port = await freePort();
    const host = await AppHost.start(t, webhookFiles(agent, port, small.path));
    await host.plugin('webhook', 'running');
    const answers: Promise<number>[] = [];
    const large = 'x'.repeat(20_000);
    for (let n = 0; (await readiness(host)).status === 200; n += 1) {
      answers.push(post(port, `r-${n}`, large));
      await Promise.race([answers.at(-1), eventually(async () => (await readiness(host)).status === 503)]);
    }
    assert.match((await readiness(host)).text, /no space is left/);
    assert.ok(answers.length > 3, `${answers.length} requests`);
    small.grow(5_000);
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([200]));
    await eventually(async () => (await readiness(host)).status === 200);
    await eventually(() => agent.sends.length >= 4);
    const { residual, outcomes } = await host.json<Ledger>('/api/v1/ledger');
    assert.deepEqual([residual, outcomes.dropped, outcomes.dead_lettered], [0, 0, 0]);
  });

  it('a stop while the disk is full drops what could not be written and tells the sender', {
    skip: NO_DISKS,
  }, async (t) => {
    const small = SmallDisk.mount(t, 2_000);
    if (small === null) return t.skip('nothing can be mounted here');
    small.remount('ro');
    const [agent, port] = [await agentOf(t), await freePort()];
    const host = await AppHost.start(t, webhookFiles(agent, port, join(small.path, 'data')));
    await host.plugin('webhook', 'running');
    const answers = [post(port, 'api'), post(port, 'api'), post(port, 'web')];
    await eventually(async () => (await host.json<Ledger>('/api/v1/ledger')).inFlight === 3);
    const from = performance.now();
    await host.app.stop('the test says so');
    assert.deepEqual(await Promise.all(answers), [503, 503, 503]);
    assert.ok(performance.now() - from < 10_000, `the stop took ${performance.now() - from} ms`);
    const last = host.log.find(({ msg }) => msg === 'khook stopped') as unknown as { ledger: Ledger };
    assert.deepEqual([last.ledger.outcomes.dropped, last.ledger.inFlight, last.ledger.residual], [3, 0, 0]);
  });

  it('nothing is kept with --data none', async (t) => {
    const agent = await agentOf(t);
    const host = await AppHost.start(t, files(agent, 'none'));
    await host.emit({});
    await eventually(async () => (await host.outcomes()).delivered === 1);
    assert.ok(!existsSync(join(host.directory, 'data')));
    assert.ok(!existsSync('none'));
  });
});
