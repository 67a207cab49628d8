/** `isolation: process` in a whole host: what ends the plugin's process ends nothing else, and no process outlives its host. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { childrenOf, familyOf, residentBytes } from '../support/process-stats.ts';
import { RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

const BUNDLES = { wrecker: 'test/fixtures/plugins/wrecker', emitter: 'test/fixtures/plugins/emitter' };

function plugins(deed: string, folder: string, limits = '{}'): string {
  return `plugins:
  - { name: wrecker, isolation: process, config: { deed: ${deed}, folder: ${folder} }, permissions: { read: [${folder}] }, limits: ${limits} }
  - { name: emitter, config: { count: 1000000 }, rateLimit: { eventsPerSecond: 1000, burst: 100 } }
`;
}

const makePipe = (folder: string): unknown => execFileSync('mkfifo', [join(folder, 'pipe')]);

const isAlive = (pid: number): boolean => residentBytes(pid) > 0;

describe('process tier', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  for (const [deed, why] of [
    ['abort in native code', /plugin wrecker failed: crash: its process was ended by SIGABRT/],
    ['call process.abort', /plugin wrecker failed: /],
    ['block in a system call', /plugin wrecker failed: hang: its event loop stood still for 0\.\d s, limit 0\.3 s/],
    ['kill itself', /plugin wrecker failed: /],
  ] as const) {
    it(`has a plugin back that began to ${deed}, and its neighbour notices nothing`, async (t) => {
      const folder = tempDir(t);
      const host = await AppHost.start(t, {
        plugins: plugins(deed, folder, '{ hangTimeout: 300ms }'),
        bundles: BUNDLES,
      });
      makePipe(folder);
      await eventually(() => host.grep(why).length > 0);
      // A plugin is not started with a named pipe in a folder that it may read.
      rmSync(join(folder, 'pipe'));
      await eventually(async () => Number((await host.plugin('wrecker', 'running')).generation) >= 2);
      const neighbour = await host.plugin('emitter', 'running');
      assert.equal(neighbour.generation, 1);
      const accepted = Number(neighbour.eventsAccepted);
      await eventually(async () => Number((await host.plugin('emitter', 'running')).eventsAccepted) > accepted);
    });
  }

  for (const deed of ['do nothing', 'block its loop', 'block in a system call']) {
    it(`leaves no child behind that was told to ${deed}, when the host is killed`, async (t) => {
      const folder = tempDir(t);
      const host = await RunningHost.start(t, {
        plugins: plugins(deed, folder, '{ hangTimeout: 10m }'),
        bundles: BUNDLES,
      });
      await host.plugin('wrecker', 'running');
      await eventually(() => host.log.find(({ plugin, msg }) => plugin === 'wrecker' && msg === 'begins'));
      makePipe(folder);
      // It blocks within a moment of that.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [, own = 0, child = 0] = familyOf(host.pid);
      assert.deepEqual(childrenOf(own), [child]);
      // The keeper first, or it would have another host up at once.
      host.signal('SIGKILL');
      process.kill(own, 'SIGKILL');
      const killedAt = performance.now();
      await eventually(() => !isAlive(child));
      t.diagnostic(`gone after ${Math.round(performance.now() - killedAt)} ms`);
    });
  }
});
