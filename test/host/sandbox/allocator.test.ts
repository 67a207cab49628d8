import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Allocator } from '../../../host/sandbox/allocator.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A thread with 100 MB in small buffers ends; what the process holds then, before and after. */
const SCRIPT = `
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { Allocator } from '${new URL('../../../host/sandbox/allocator.ts', import.meta.url).href}';
import { systemClock } from '${new URL('../../../ipc/clock.ts', import.meta.url).href}';
const body = 'globalThis.a = Array.from({ length: 50000 }, () => Buffer.alloc(2000, 1)); require("node:worker_threads").parentPort.postMessage(0)';
const worker = new Worker(body, { eval: true, execArgv: [] });
await new Promise((done) => worker.once('message', done));
await worker.terminate();
const before = process.memoryUsage.rss();
new Allocator({ clock: systemClock }).giveBack();
for (let n = 0; n < 100 && process.memoryUsage.rss() > before - 40e6; n += 1) await sleep(50);
console.log(JSON.stringify([before, process.memoryUsage.rss()]));`;

describe('allocator', () => {
  it('gives back once for all that was freed, and not again for a while', async () => {
    const clock = new FakeClock();
    let trims = 0;
    const trim = (): void => {
      trims += 1;
    };
    using allocator = new Allocator({ clock, trim });
    for (let n = 0; n < 5; n += 1) allocator.giveBack();
    await clock.advance(0);
    assert.equal(trims, 1);
    allocator.giveBack();
    await clock.advance(9_999);
    assert.equal(trims, 1);
    await clock.advance(1);
    assert.equal(trims, 2);
    await clock.advance(60_000);
    assert.equal(trims, 2);
  });

  it('leaves no timer behind', () => {
    const clock = new FakeClock();
    const allocator = new Allocator({ clock, trim: () => undefined });
    allocator.giveBack();
    allocator[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });

  it('frees what a thread that is gone had outside its heap', {
    skip: !isGlibc() && 'there is no malloc_trim here',
  }, () => {
    const env = { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', SCRIPT], {
      env,
    });
    assert.equal(String(stderr), '');
    const [before = 0, after = 0] = JSON.parse(String(stdout)) as number[];
    assert.ok(before - after > 40e6, `${before} before, ${after} after`);
  });
});

function isGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
