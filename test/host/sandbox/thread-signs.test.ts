import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { parseStat, ThreadSigns, threadName } from '../../../host/sandbox/thread-signs.ts';
import { eventually } from '../../support/eventually.ts';

const STAT =
  '4242 (a (strange) name) S 1 4242 4242 0 -1 4194304 12345 0 3 0 250 50 0 0 20 0 9 0 100 1000000 2000 18446744073709551615';

describe('thread signs', () => {
  it('give each thread a name of its own that the system keeps whole', () => {
    const names = Array.from({ length: 1_000 }, () => threadName('a-plugin-with-a-long-name'));
    assert.equal(new Set(names).size, 1_000);
    assert.ok(names.every((name) => name.length <= 15 && name.startsWith('a-plugin')));
  });

  it('read CPU time and faults behind whatever the name contains', () => {
    assert.deepEqual(parseStat(STAT), { cpuSeconds: 3, faultedBytes: 12_345 * 4_096 });
  });

  it('see what a thread takes outside its heap, and only that thread', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const source = `
      const { parentPort } = require('node:worker_threads');
      const held = [];
      parentPort.on('message', () => { held.push(Buffer.alloc(50 * 1024 * 1024, 1)); parentPort.postMessage('held'); });`;
    const open = (): { worker: Worker; signs: ThreadSigns } => {
      const name = threadName('signs');
      const worker = new Worker(source, { eval: true, name });
      t.after(() => worker.terminate());
      return { worker, signs: new ThreadSigns(worker, name) };
    };
    const [busy, idle] = [open(), open()];
    for (const { signs } of [busy, idle]) await eventually(() => signs.outside().faultedBytes);
    // A thread that has not begun answers as one that has ended.
    await eventually(() => Promise.all([busy, idle].map(({ signs }) => signs.sizes())));
    const faults = (signs: ThreadSigns): number => signs.outside().faultedBytes ?? 0;
    const before = [faults(busy.signs), faults(idle.signs)] as const;
    const sizesBefore = await busy.signs.sizes();
    const held = new Promise((resolve) => busy.worker.once('message', resolve));
    busy.worker.postMessage('hold');
    await held;
    assert.ok(faults(busy.signs) - before[0] > 45e6);
    assert.ok(faults(idle.signs) - before[1] < 20e6);
    const sizes = await busy.signs.sizes();
    assert.ok(sizes.externalBytes - sizesBefore.externalBytes > 45e6);
    assert.ok(sizes.heapBytes > 1e6 && sizes.heapTotalBytes >= sizes.heapBytes && sizes.cpuSeconds > 0);
  });

  it('say nothing of a thread that is gone', async () => {
    const name = threadName('gone');
    const worker = new Worker('', { eval: true, name });
    const signs = new ThreadSigns(worker, name);
    await new Promise((resolve) => worker.once('exit', resolve));
    await assert.rejects(signs.sizes(), { code: 'ERR_WORKER_NOT_RUNNING' });
    assert.deepEqual([signs.outside().cpuSeconds, signs.outside().faultedBytes], [null, null]);
  });
});
