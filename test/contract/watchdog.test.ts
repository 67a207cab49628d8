/** The watchdog over real threads: each vice is found from outside and ended with the right reason, and what only looks like one lives. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { PluginSpec } from '../../host/config/plugin-plan.ts';
import type { Exit } from '../../host/sandbox/exit.ts';
import { openThreadVessel } from '../../host/sandbox/thread-vessel.ts';
import type { Vessel } from '../../host/sandbox/vessel.ts';
import { Watchdog } from '../../host/sandbox/watchdog.ts';
import { makeBirth } from '../../host/supervision/birth.ts';
import { systemClock } from '../../ipc/clock.ts';
import { eventually } from '../support/eventually.ts';
import { fixtureSpec } from '../support/plugin-spec.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VesselRecorder } from '../support/vessel-recorder.ts';

const MIB = 1024 * 1024;
const LIMIT = 64 * MIB;
const DEADLINE = { deadlineMs: 10_000 };
/** Its plugins hold the ports of their runtime. */
const ROGUE = new URL('../fixtures/rogue/thread.ts', import.meta.url).href;
let runs = 0;
const STOPPED = { reason: 'stopped', detail: 'the test is over', stack: '', code: '' } as const;

/** One for all, as in a host: what an ended thread still takes is not its neighbours'. */
const ofHost = new Watchdog({ clock: systemClock });
after(() => ofHost[Symbol.dispose]());

interface Run {
  readonly vessel: Vessel;
  readonly seen: VesselRecorder;
  /** Of the beginning of its vice. */
  readonly beganAt: number;
  readonly residentBefore: number;
}

async function begin(
  t: TestContext,
  vice: string,
  options: { spec?: Partial<PluginSpec>; watchdog?: Watchdog } = {},
): Promise<Run> {
  runs += 1;
  // Each another plugin: a thread that native code holds on to would keep its plugin from starting.
  const name = options.spec?.name ?? `vice-${runs}`;
  const spec = { ...fixtureSpec('vice', { ...options.spec, config: { vice, ...options.spec?.config } }), name };
  const { watchdog = ofHost } = options;
  const seen = new VesselRecorder();
  const hostDirectory = process.cwd();
  const birth = makeBirth({ spec, generation: 1, idPrefix: 'vice-1', debug: false, connection: null, hostDirectory });
  const vessel = openThreadVessel(
    { spec, birth, listener: seen },
    { clock: systemClock, variables: {}, watchdog, runtime: ROGUE },
  );
  t.after(() => vessel.terminate(STOPPED));
  await vessel.control.call('initialize', DEADLINE);
  await vessel.control.call('start', DEADLINE);
  const residentBefore = process.memoryUsage.rss();
  await eventually(() => seen.logs.find(({ message }) => message === 'begins'));
  return { vessel, seen, beganAt: performance.now(), residentBefore };
}

async function contained(
  t: TestContext,
  { seen, beganAt, residentBefore, vessel }: Run,
): Promise<Exit & { ms: number; grownBytes: number; stallMs: number }> {
  let peak = residentBefore;
  let stallMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last - 5);
    last = now;
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  t.after(() => clearInterval(timer));
  const exit = await eventually(() => seen.exits[0]);
  const ms = performance.now() - beganAt;
  clearInterval(timer);
  assert.ok(vessel.history.length > 0 && vessel.history.length <= 50);
  const grownBytes = peak - residentBefore;
  t.diagnostic(
    `${exit.reason} after ${Math.round(ms)} ms: ${exit.detail}; memory grew by ${Math.round(grownBytes / MIB)} MB, the host stood still for ${Math.round(stallMs)} ms`,
  );
  return { ...exit, ms, grownBytes, stallMs };
}

async function lives(t: TestContext, { vessel, seen }: Run, ms: number): Promise<void> {
  const until = performance.now() + ms;
  let peak = 0;
  await eventually(() => {
    peak = Math.max(peak, vessel.vitals.heapBytes + vessel.vitals.externalBytes);
    assert.deepEqual(seen.exits, []);
    return performance.now() > until;
  }, ms + 5_000);
  assert.deepEqual(seen.exits, []);
  t.diagnostic(
    `lives; its memory reached ${Math.round(peak / MIB)} MB, ${Math.round((vessel.vitals.collectedBytes ?? 0) / MIB)} MB after collection`,
  );
}

describe('watchdog: memory', () => {
  for (const vice of ['leak an array', 'leak a Map', 'leak closures', 'leak strings', 'leak Buffers']) {
    it(`ends a plugin that begins to ${vice}, before memory grew by three times its limit`, async (t) => {
      const exit = await contained(t, await begin(t, vice));
      assert.equal(exit.reason, 'leak');
      assert.match(exit.detail, /^memory \d+ MB after collection, limit 64 MB$/);
      assert.ok(exit.grownBytes < 3 * LIMIT, `memory grew by ${exit.grownBytes / MIB} MB`);
    });
  }

  it('ends a plugin that fills its heap without ever letting it be collected', async (t) => {
    const exit = await contained(t, await begin(t, 'leak in a loop that never ends'));
    assert.equal(exit.reason, 'out_of_memory');
    assert.match(exit.detail, /^memory \d+ MB, limit 64 MB/);
    // The budget is 3 s (bench hang); a busy machine is given twice as long here.
    assert.ok(exit.ms < 6_000);
  });

  for (const vice of ['queue messages that nobody reads', 'hold Blobs', 'hold wasm memory']) {
    it(`ends a plugin whose memory no heap accounts for: ${vice}`, async (t) => {
      const quiet = await begin(t, 'do nothing');
      const exit = await contained(t, await begin(t, vice));
      assert.equal(exit.reason, 'leak');
      assert.deepEqual(quiet.seen.exits, []);
    });
  }

  it('ends a plugin that fills one huge array', async (t) => {
    const exit = await contained(t, await begin(t, 'fill one huge array'));
    assert.ok(['leak', 'out_of_memory', 'hang'].includes(exit.reason), exit.reason);
  });
});

describe('watchdog: loop and CPU', () => {
  for (const vice of ['never yield', 'never yield, with microtasks']) {
    it(`ends a plugin that begins to ${vice} within three seconds`, async (t) => {
      const exit = await contained(t, await begin(t, vice));
      assert.equal(exit.reason, 'hang');
      assert.match(exit.detail, /^its event loop stood still for 2(\.\d)? s, limit 2 s$/);
      // The budget is 3 s (bench hang); a busy machine is given twice as long here.
      assert.ok(exit.ms < 6_000);
    });
  }

  it('ends a plugin whose loop spins', async (t) => {
    // A machine that has other things to do gives no thread a whole core.
    const limits = { ...fixtureSpec('vice').limits, cpuShare: 0.1 };
    const exit = await contained(t, await begin(t, 'spin with setImmediate', { spec: { limits } }));
    assert.equal(exit.reason, 'hang');
    assert.match(exit.detail, /^used \d+ % of a core for 3(\.\d)? s, limit 10 %$/);
    assert.ok(exit.ms < 10_000);
  });
});

describe('watchdog: what lives', () => {
  for (const habit of [
    'be busy once',
    'be busy now and then',
    'parse a large document',
    'parse documents all the time',
    'drop Buffers all the time',
  ]) {
    it(`leaves a plugin alone that does no more than ${habit}`, async (t) => {
      await lives(t, await begin(t, habit), 4_500);
    });
  }
});

describe('watchdog: floods', () => {
  for (const vice of [
    'flood the events wire with small messages',
    'flood the events wire with messages of a megabyte',
    'flood the events wire with messages of another generation',
    'flood the events wire with empty logs',
    'flood the events wire with log lines',
    'flood the pulse wire',
  ]) {
    it(`cuts off a plugin that begins to ${vice}, and the host goes on meanwhile`, async (t) => {
      // It says nothing while it floods: on a busy machine long enough to be taken for one that hangs.
      const limits = { ...fixtureSpec('vice').limits, hangTimeoutMs: 60_000 };
      const exit = await contained(t, await begin(t, vice, { spec: { limits } }));
      assert.equal(exit.reason, 'flood');
      assert.ok(exit.ms < 6_000);
    });
  }

  for (const vice of ['flood the events wire with ports', 'flood the control wire']) {
    it(`cuts off a plugin that begins to ${vice}, by its first message`, async (t) => {
      const exit = await contained(t, await begin(t, vice));
      assert.ok(['flood', 'protocol'].includes(exit.reason));
      assert.ok(exit.ms < 6_000);
    });
  }

  it('tells a slip from a flood', async (t) => {
    const exit = await contained(t, await begin(t, 'send one wrong message'));
    assert.equal(exit.reason, 'protocol');
    assert.equal(exit.detail, 'sent a message of kind gossip on its events wire');
  });
});

describe('watchdog: threads that do not end', { skip: process.platform === 'win32' }, () => {
  it('frees the slot at once, counts the thread as a zombie, and says when there are too many', async (t) => {
    const directory = tempDir(t);
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    // Whoever blocks in a system call is let go by its other end, or this process could not end itself. Held until this process ends:
    // one that comes later, as after a failure of this test, does not block at all.
    let writer: number | null = null;
    const release = (): number => (writer ??= openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    t.after(() => void release());
    const told: string[] = [];
    const watchdog = new Watchdog({ clock: systemClock, onTooManyZombies: (why) => told.push(why) });
    t.after(() => watchdog[Symbol.dispose]());
    const base = fixtureSpec('vice');
    const spec = {
      name: 'sleeper',
      config: { vice: 'block in a system call', pipe },
      permissions: { ...base.permissions, read: [directory] },
    };
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => begin(t, 'block in a system call', { spec, watchdog })),
    );
    await eventually(() => runs.every(({ vessel }) => vessel.vitals.silentMs > 300));
    const startedAt = performance.now();
    await Promise.all(runs.map(({ vessel }) => vessel.terminate(STOPPED)));
    assert.ok(performance.now() - startedAt < 5_000, 'the slots are free');
    assert.deepEqual(
      runs.map(({ seen }) => seen.exits.length),
      [1, 1, 1, 1],
    );
    assert.equal(watchdog.zombies, 0);
    await eventually(() => told[0]);
    assert.equal(watchdog.zombies, 4);
    assert.match(told[0] ?? '', /^4 threads that were ended are still there: plugin sleeper generation 1 for 2 s, /);
    if (process.platform === 'linux') assert.deepEqual(prioritiesOf('sleeper'), [10, 10, 10, 10], 'others come first');
    // A fifth would soon be held by the same.
    await assert.rejects(
      begin(t, 'block in a system call', { spec, watchdog }),
      /4 threads of earlier runs are still there/,
    );
    release();
    await eventually(() => watchdog.zombies === 0);
    assert.equal(told.length, 1);
  });
});

/** Of the threads that bear this plugin's name. */
function prioritiesOf(plugin: string): number[] {
  return readdirSync('/proc/self/task').flatMap((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8');
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    return name.startsWith(`${plugin}-`) ? [Number(rest.split(' ')[16])] : [];
  });
}
