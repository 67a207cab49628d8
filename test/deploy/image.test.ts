/**
 * The image without a builder: what the Dockerfile copies and installs, started as the chart starts it, under the image's user, on a read-only
 * root and in namespaces of its own.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { missingNamespaces } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { missingHelm, render } from '../support/helm.ts';
import { buildTree, freePorts, KhookContainer, MISSING_TINI } from '../support/khook-container.ts';
import { childrenOf, familyOf } from '../support/process-stats.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A plugin in a process of its own is a grandchild of the keeper, and is left over when its host dies. */
const PLUGINS = readFileSync(resolve('config/plugins.yaml'), 'utf8').replace(
  '- name: webhook',
  '- name: webhook\n    isolation: process',
);

function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

async function isReady(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
}

describe('image', { skip: missingNamespaces() || missingHelm() }, () => {
  const tree = tempDir({ after: (remove) => after(remove as () => void) });
  before(() => buildTree(tree));

  it('holds no Node of its own, no development tools and no tests', () => {
    const modules = readdirSync(join(tree, 'node_modules'));
    assert.ok(modules.includes('zod'));
    const unwanted = modules.filter((name) => /^node-|^typescript$|^@biomejs$|^fast-check$/.test(name));
    assert.deepEqual(unwanted, []);
    assert.deepEqual(
      readdirSync(tree).filter((name) => name === 'test' || name === 'bench'),
      [],
    );
  });

  it('starts as a user without rights, answers, survives the death of its host and stops when it is told to', async (t) => {
    const [metrics = 0, health = 0, webhook = 0] = await freePorts(3);
    const objects = await render({
      // There is no cluster to elect in, and no kagent.
      leaderElection: { enabled: false },
      kagent: { apiUrl: 'http://127.0.0.1:9' },
      pluginConfig: { content: PLUGINS },
      metrics: { port: metrics },
      health: { port: health },
      webhook: { port: webhook },
    });
    const khook = await KhookContainer.start(t, { tree, objects });
    const { container, image } = khook;
    await eventually(async () => {
      assert.ok(container.isRunning && (await isReady(health)), container.lines.join('\n'));
      return true;
    }, 30_000);

    for (const pid of familyOf(container.pid)) {
      const { Uid, CapEff, CapBnd, NoNewPrivs } = statusOf(pid);
      assert.equal(Uid?.split('\t')[0], String(image.user));
      assert.deepEqual([CapEff, CapBnd, NoNewPrivs], ['0000000000000000', '0000000000000000', '1']);
    }
    const answer = await fetch(`http://127.0.0.1:${webhook}/webhook`, { method: 'POST', body: '{"test":"data"}' });
    assert.deepEqual([answer.status, ((await answer.json()) as { status: string }).status], [200, 'received']);

    const check = (port: number): number | null =>
      spawnSync(process.execPath, image.healthCheck.slice(1), { env: { HEALTH_PORT: String(port) } }).status;
    assert.deepEqual([check(health), check(webhook)], [0, 1]);

    // What is written elsewhere fails on a read-only root; that nothing tried shows in the log.
    assert.deepEqual(
      container.lines.filter((line) => /EROFS|EACCES|EPERM/.test(line)),
      [],
    );
    assert.ok(readdirSync(khook.data).includes('outbox.db'));
    const temporary = readdirSync(`/proc/${container.pid}/root/tmp`);
    assert.deepEqual(temporary, [image.env.NODE_COMPILE_CACHE?.split('/').at(-1)]);

    const { keeper } = khook;
    const size = familyOf(container.pid).length;
    const [host = 0] = childrenOf(keeper);
    process.kill(host, 'SIGKILL');
    await eventually(() => childrenOf(keeper)[0] !== host && isReady(health), 30_000);

    await t.test('leaves no zombie behind', { skip: MISSING_TINI }, async () => {
      await eventually(() => {
        const states = familyOf(container.pid).map((pid) => statusOf(pid).State?.[0]);
        return states.length === size && !states.includes('Z');
      });
    });

    const from = performance.now();
    container.signal('SIGTERM');
    assert.equal(await container.exit, 0);
    assert.ok(performance.now() - from < 10_000);
    assert.ok(container.lines.some((line) => line.includes('khook stopped')));
  });
});
