/** What a process holds that a thread cannot, and what its pipes do not take. Real children, each ended by what its plugin does. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { PluginSpec } from '../../host/config/plugin-plan.ts';
import type { Exit } from '../../host/sandbox/exit.ts';
import { openProcessVessel, type ProcessVesselOptions } from '../../host/sandbox/process-vessel.ts';
import type { Vessel } from '../../host/sandbox/vessel.ts';
import { Watchdog } from '../../host/sandbox/watchdog.ts';
import { makeBirth } from '../../host/supervision/birth.ts';
import { systemClock } from '../../ipc/clock.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { childrenOf } from '../support/process-stats.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VesselRecorder } from '../support/vessel-recorder.ts';

const DEADLINE = { deadlineMs: 10_000 };
const STOPPED = { reason: 'stopped', detail: 'the test is over', stack: '', code: '' } as const;
const IS_LINUX = process.platform === 'linux';

const watchdog = new Watchdog({ clock: systemClock });
after(() => watchdog[Symbol.dispose]());

/** With all that the runtime would take away. */
const UNGUARDED = new URL('../fixtures/plugins/wrecker/unguarded.ts', import.meta.url).href;

async function begin(t: TestContext, deed: string): Promise<VesselRecorder> {
  const spec = fixtureSpec('wrecker', { config: { deed, folder: tempDir(t) } });
  return (await run(t, spec, { runtime: UNGUARDED })).seen;
}

function open(
  t: TestContext,
  spec: PluginSpec,
  options: Partial<ProcessVesselOptions> = {},
): { vessel: Vessel; seen: VesselRecorder } {
  const seen = new VesselRecorder();
  const hostDirectory = process.cwd();
  const birth = makeBirth({ spec, generation: 1, idPrefix: 'w-1', debug: false, connection: null, hostDirectory });
  const vessel = openProcessVessel(
    { spec, birth, listener: seen },
    { clock: systemClock, variables: {}, watchdog, ...options },
  );
  t.after(() => vessel.terminate(STOPPED));
  return { vessel, seen };
}

async function run(
  t: TestContext,
  spec: PluginSpec,
  options: Partial<ProcessVesselOptions> = {},
): Promise<{ vessel: Vessel; seen: VesselRecorder }> {
  const { vessel, seen } = open(t, spec, options);
  await vessel.control.call('initialize', DEADLINE);
  await vessel.control.call('start', DEADLINE);
  return { vessel, seen };
}

const ended = (seen: VesselRecorder): Promise<Exit> => eventually(() => seen.exits[0]);

describe('process vessel: ends that no thread survives', () => {
  for (const deed of ['abort in native code', 'call process.abort']) {
    it(`names the signal when the plugin begins to ${deed}`, async (t) => {
      const exit = await ended(await begin(t, deed));
      assert.deepEqual([exit.reason, exit.detail, exit.code], ['crash', 'its process was ended by SIGABRT', 'SIGABRT']);
    });
  }

  it('keeps what Node wrote before it aborted, as the stack of the exit', async (t) => {
    const exit = await ended(await begin(t, 'abort in native code'));
    assert.match(exit.stack, /Assertion|zlib/i);
    assert.ok(exit.stack.length <= 8_192);
  });

  it('names a SIGKILL that the host did not send', async (t) => {
    const exit = await ended(await begin(t, 'kill itself'));
    assert.equal(exit.reason, 'crash');
    assert.match(exit.detail, /^its process was ended by SIGKILL, which khook did not send/);
  });

  it('says with which code a plugin ended its process, not which call that left without an answer', async (t) => {
    const { vessel, seen } = open(t, fixtureSpec('thrower', { config: { where: 'exit in start' } }));
    await vessel.control.call('initialize', DEADLINE);
    // As supervision does with a start that failed.
    await vessel.control.call('start', DEADLINE).catch(() => vessel.terminate({ ...STOPPED, reason: 'failed_start' }));
    assert.deepEqual(
      seen.exits.map(({ reason, detail }) => [reason, detail]),
      [['exited', 'its process ended with code 4']],
    );
  });

  it('calls it out of memory when V8 gives up', async (t) => {
    // A heap so small that V8 is there before the watchdog, which looks at nothing here.
    const base = fixtureSpec('puppet', { config: { holdMb: 10_000 } });
    const limits = { ...base.limits, memoryBytes: 8 * 1024 * 1024 };
    const patient = new Watchdog({ clock: { ...systemClock, every: () => ({ cancel: () => undefined }) } });
    const { vessel, seen } = open(t, { ...base, limits }, { watchdog: patient });
    await vessel.control.call('initialize', DEADLINE);
    await vessel.control.call('start', DEADLINE).catch(() => undefined);
    const exit = await ended(seen);
    assert.equal(exit.reason, 'out_of_memory');
    assert.match(exit.detail, /^FATAL ERROR: .*JavaScript heap out of memory$/);
  });

  it('ends a plugin that blocks in a system call, at once and with nothing left behind', {
    skip: !IS_LINUX,
  }, async (t) => {
    const folder = tempDir(t);
    const base = fixtureSpec('wrecker', { config: { deed: 'block in a system call', folder } });
    const limits = { ...base.limits, hangTimeoutMs: 300 };
    const spec = { ...base, limits, permissions: { ...base.permissions, read: [folder] } };
    const before = childrenOf(process.pid);
    const { seen } = await run(t, spec);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const exit = await ended(seen);
    assert.deepEqual([exit.reason, seen.exits.length], ['hang', 1]);
    assert.deepEqual(childrenOf(process.pid), before);
  });
});

describe('process vessel: pipes', () => {
  for (const [deed, detail] of [
    ['write garbage on its events pipe', /^sent a message that says it has \d+ bytes on its events wire$/],
    ['write garbage on its control pipe', /^sent a message that says it has \d+ bytes on its control wire$/],
    ['announce an endless message', /^sent a message that says it has \d+ bytes on its events wire$/],
    ['send what is not JSON', /^sent bytes that are no message \(.*\) on its events wire$/],
    [
      'speak on a channel that does not exist',
      /^sent a message for channel 9, which does not exist on its control wire$/,
    ],
    ['forge an answer', /^sent an answer of kind HANDLER on its control wire$/],
    ['forge a pulse', /^sent an answer to a pulse that was not asked for on its pulse wire$/],
    ['lie about its size', /^sent a message of kind readings on its life wire$/],
  ] as const) {
    it(`ends a plugin that begins to ${deed}, and nothing else`, async (t) => {
      const neighbour = await begin(t, 'do nothing');
      const exit = await ended(await begin(t, deed));
      assert.equal(exit.reason, 'protocol');
      assert.match(exit.detail, detail);
      assert.deepEqual(neighbour.exits, []);
    });
  }
});

describe('process vessel: birth', () => {
  it('gives the child no environment but what was granted, not even where the system shows it', {
    skip: !IS_LINUX,
  }, async (t) => {
    const base = fixtureSpec('puppet');
    const spec = { ...base, permissions: { ...base.permissions, env: ['TOKEN', 'NODE_OPTIONS'] } };
    // Read at its start, this one would keep Node from starting.
    const variables = { TOKEN: 'top secret', NODE_OPTIONS: '--no-such-flag', OTHER: 'x' };
    const { seen } = await run(t, spec, { variables });
    const initialised = await eventually(() => seen.logs.find(({ message }) => message === 'initialised'));
    assert.deepEqual(JSON.parse(initialised.fields).environment, ['NODE_OPTIONS', 'TOKEN']);
    const pid = childrenOf(process.pid).at(-1);
    const shown = readFileSync(`/proc/${pid}/environ`, 'utf8') + readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    assert.doesNotMatch(shown, /secret|OTHER/);
  });

  it('lets no plugin start a thread, although its runtime has one', async (t) => {
    const { vessel, seen } = await run(
      t,
      fixtureSpec('climber', { config: { attempt: 'start a thread', folder: '' } }),
    );
    const told = await eventually(() => seen.logs.find(({ message }) => message === 'attempted'));
    assert.notEqual(JSON.parse(told.fields).result, 'done');
    assert.equal(await vessel.control.call('healthCheck', DEADLINE), null);
  });
});
