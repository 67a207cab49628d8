/** What is left when the host dies: a real kill -9 of the host, and of the keeper. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort, RunningHost } from '../support/running-host.ts';

const BUDGET_MS = 1_000;

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function hostOf(keeper: number): Promise<number> {
  return eventually(() => children(keeper)[0]);
}

describe('keeper', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  it('has the host back within a second after a kill -9, and says why it went', async (t) => {
    const [metrics, port] = [await freePort(), await freePort()];
    const host = await RunningHost.start(t, {
      flags: ['--metrics-port', String(metrics)],
      plugins: `plugins: [{ name: webhook, config: { port: ${port}, host: 127.0.0.1 }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }]`,
      bundles: { webhook: 'plugins/webhook' },
    });
    await host.plugin('webhook', 'running');
    const before = await hostOf(host.pid);
    process.kill(before, 'SIGKILL');
    const killed = performance.now();
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body: '{}' })).status === 200,
    );
    const ms = performance.now() - killed;
    t.diagnostic(`killed to serving again: ${ms.toFixed(0)} ms`);
    assert.ok(ms < BUDGET_MS * 3, `took ${ms} ms`);
    await eventually(() => host.grep(/khook's host was ended by SIGKILL; it starts again in 0\.0 s/).length === 1);
    assert.notEqual(await hostOf(host.pid), before);
    const { findings } = await host.json<{ findings: { code: string; problem: string }[] }>('/api/v1/doctor');
    const told = findings.find(({ code }) => code === 'HOST_RESTARTED')?.problem ?? JSON.stringify(findings);
    assert.match(told, /started again \d+ s ago: the one before was ended by SIGKILL/);
  });

  for (const vice of ['abort the process', 'abort as it is initialised']) {
    it(`gives plugins processes of their own when one of them will ${vice}, again and again`, async (t) => {
      const metrics = await freePort();
      const host = await RunningHost.start(t, {
        flags: ['--metrics-port', String(metrics)],
        plugins: `plugins: [{ name: vice, config: { vice: '${vice}' } }, { name: emitter, config: { count: 10 } }]`,
        bundles: { vice: 'test/fixtures/plugins/vice', emitter: 'test/fixtures/plugins/emitter' },
      });
      await eventually(() => host.grep(/plugin vice failed: .*its process was ended by SIGABRT/)[0], 30_000);
      const { isolation, restarts } = await host.plugin('emitter', 'running');
      assert.deepEqual([isolation, restarts], ['process', {}]);
      await eventually(
        () => host.grep(/khook's host was ended by .*, with every plugin in a process of its own/).length === 1,
      );
    });
  }

  it('leaves no host behind when it is itself killed', async (t) => {
    const host = await RunningHost.start(t, {});
    const child = await hostOf(host.pid);
    process.kill(host.pid, 'SIGKILL');
    await host.exit;
    await eventually(() => !isAlive(child));
  });

  it('passes a signal on once, waits for the host, and leaves with its exit code', async (t) => {
    const host = await RunningHost.start(t, {});
    host.signal('SIGTERM');
    assert.deepEqual(await host.exit, { code: 0, signal: null });
    assert.equal(host.grep(/khook is stopping: SIGTERM/).length, 1);
  });

  it('is small', async (t) => {
    const host = await RunningHost.start(t, {});
    const rss = (pid: number): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    const empty =
      Number(execFileSync(process.execPath, ['-p', 'process.memoryUsage.rss()'], { encoding: 'utf8' })) / 1024 / 1024;
    t.diagnostic(
      `keeper ${rss(host.pid).toFixed(0)} MB, empty node ${empty.toFixed(0)} MB, host ${rss(await hostOf(host.pid)).toFixed(0)} MB`,
    );
    assert.ok(rss(host.pid) < empty * 2.5);
  });
});
