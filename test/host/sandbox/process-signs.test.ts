import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { exitOfChild, exitOfError } from '../../../host/sandbox/child-exit.ts';
import { processArguments } from '../../../host/sandbox/process-flags.ts';
import { ProcessSigns, readProcess } from '../../../host/sandbox/process-signs.ts';
import { parseStat } from '../../../host/sandbox/thread-signs.ts';
import { NO_USES } from '../../../ipc/uses.ts';
import { eventually } from '../../support/eventually.ts';
import { fixtureSpec } from '../../support/plugin-spec.ts';

const MIB = 1024 * 1024;
const ON_LINUX = { skip: process.platform === 'linux' ? false : 'reads /proc' };
const BORN = { heapBytes: 5 * MIB, externalBytes: MIB, cpuSeconds: 0.1, loopActiveMs: 50, uses: NO_USES };

describe('process signs', ON_LINUX, () => {
  it('are read from the system, and are nothing where there is no such process', () => {
    const own = readProcess(process.pid);
    assert.ok(own !== null && own.ownBytes > 5 * MIB && own.ownBytes < own.residentBytes);
    assert.ok(own.cpuSeconds > 0 && own.faultedBytes > 0);
    assert.equal(readProcess(2 ** 30), null);
  });

  it('count from the birth what the system gave, whatever the process says of itself', async (t) => {
    const grow = `process.stdin.once('data', () => { globalThis.held = Buffer.alloc(80 * 1024 * 1024, 1); console.log('grown'); }); console.log('up');`;
    const child = spawn(process.execPath, ['-e', grow], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text;
    });
    await eventually(() => said.includes('up'));
    const signs = new ProcessSigns(child.pid ?? 0);
    signs.born(BORN);
    const before = signs.sizes();
    assert.ok(Math.abs(before.heapBytes + before.externalBytes - 6 * MIB) < 4 * MIB);
    child.stdin.write('go');
    await eventually(() => said.includes('grown'));
    signs.said({ heapBytes: 1, externalBytes: 0, cpuSeconds: 0, loopActiveMs: 0, uses: NO_USES });
    const after = signs.sizes();
    assert.ok(after.heapBytes > 68 * MIB && after.heapBytes < 82 * MIB, `${after.heapBytes}`);
    // How much of it is buffers is the child's word, but never more than all of it.
    signs.said({ heapBytes: 1, externalBytes: 1e12, cpuSeconds: 1e9, loopActiveMs: 0, uses: NO_USES });
    const lied = signs.sizes();
    assert.ok(lied.heapBytes + lied.externalBytes < 200 * MIB);
    assert.ok(lied.cpuSeconds < 60);
    assert.ok((signs.outside().loopActiveMs ?? 0) > 0);
  });

  it('count what its main thread computes, not what its thread pool does', async (t) => {
    const work = `const { pbkdf2 } = require('node:crypto'); const again = () => pbkdf2('p', 's', 200_000, 32, 'sha256', again); again(); again(); console.log('up');`;
    const child = spawn(process.execPath, ['-e', work], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const total = (): number => parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).cpuSeconds;
    const own = (): number => readProcess(pid)?.cpuSeconds ?? 0;
    const before = [total(), own()] as const;
    await eventually(() => total() - before[0] > 1);
    assert.ok(own() - before[1] < 0.3, `${own() - before[1]} s`);
  });

  it('are the word of the process where the system says nothing', () => {
    const signs = new ProcessSigns(2 ** 30);
    signs.born(BORN);
    const { heapBytes, externalBytes, cpuSeconds } = signs.sizes();
    assert.deepEqual([heapBytes, externalBytes, cpuSeconds], [5 * MIB, MIB, 0.1]);
    assert.deepEqual(signs.outside(), { loopActiveMs: 50, cpuSeconds: 0.1, faultedBytes: null });
    assert.equal(signs.residentBytes(), 0);
  });
});

describe('exit of a child', () => {
  it('is out of memory when V8 says so before it aborts', () => {
    const fill = 'const held = []; for (;;) held.push(new Array(1000).fill({}));';
    const { signal, status, stderr } = spawnSync(process.execPath, ['--max-old-space-size=20', '-e', fill]);
    const exit = exitOfChild({ code: status, signal, stderr: stderr.toString().slice(-8_192) });
    assert.equal(exit.reason, 'out_of_memory');
    assert.match(exit.detail, /JavaScript heap out of memory/);
  });

  it('is a crash with the name of the signal, or an exit with its code', () => {
    const abort = exitOfChild({ code: null, signal: 'SIGABRT', stderr: 'what Node said' });
    assert.deepEqual(abort, {
      reason: 'crash',
      detail: 'its process was ended by SIGABRT',
      stack: 'what Node said',
      code: 'SIGABRT',
    });
    assert.equal(exitOfChild({ code: 7, signal: null, stderr: '' }).detail, 'its process ended with code 7');
    // Whoever only says so has not run out of memory.
    const liar = exitOfChild({ code: 1, signal: null, stderr: 'FATAL ERROR: JavaScript heap out of memory' });
    assert.equal(liar.reason, 'exited');
  });

  it('has one line of the error that the plugin ended with', () => {
    const error = { code: 'X', kind: 'plugin', name: 'Error', message: 'first\nsecond', stack: 'at a' } as const;
    assert.deepEqual(exitOfError(error), { reason: 'crash', detail: 'first second', stack: 'at a', code: 'X' });
  });
});

describe('command line of a child', () => {
  it('has the flags of a thread, limits far above those of the watchdog, and no value that is secret', () => {
    const spec = fixtureSpec('puppet', { config: { token: 'secret' } });
    const given = processArguments(spec, 42);
    assert.ok(given.includes('--permission') && given.includes('--no-addons') && !given.includes('--allow-net'));
    assert.ok(given.includes('--max-old-space-size=1024'));
    assert.ok(!given.some((flag) => flag.startsWith('--allow-child-process') || flag.startsWith('--allow-fs-write')));
    assert.equal(given.at(-1), '42');
    assert.doesNotMatch(given.join(' '), /secret/);
  });
});
