import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Watchdog } from '../../../host/sandbox/watchdog.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { ScriptedWatched } from '../../support/scripted-watched.ts';

function build(
  t: TestContext,
  ...plugins: readonly string[]
): { clock: FakeClock; watchdog: Watchdog; vessels: ScriptedWatched[] } {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ clock });
  t.after(() => watchdog[Symbol.dispose]());
  const vessels = plugins.map((plugin) => {
    const vessel = new ScriptedWatched(plugin);
    vessel.watch = watchdog.watch(vessel);
    return vessel;
  });
  return { clock, watchdog, vessels };
}

function only<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}

const MB = 1024 * 1024;

describe('watchdog', () => {
  it('leaves a healthy vessel alone and keeps its signs of the last ten seconds', async (t) => {
    const { clock, vessels } = build(t, 'good');
    await clock.advance(30_000);
    const { exits, watch } = only(vessels);
    assert.deepEqual(exits, []);
    const history = watch?.history ?? [];
    assert.equal(history.length, 50);
    const span = (history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0);
    assert.ok(span >= 9_000 && span <= 11_000, `${span} ms`);
    assert.equal(watch?.vitals.heapBytes, 10 * 1024 * 1024);
  });

  it('ends a vessel whose loop stands still, and nobody else', async (t) => {
    const { clock, vessels } = build(t, 'hung', 'good');
    await clock.advance(1_000);
    const [hung, good] = vessels as [ScriptedWatched, ScriptedWatched];
    hung.isAnswering = false;
    await clock.advance(2_300);
    assert.deepEqual(
      hung.exits.map(({ reason }) => reason),
      ['hang'],
    );
    assert.deepEqual(good.exits, []);
    assert.ok((hung.watch?.vitals.silentMs ?? 0) > 2_000);
  });

  it('holds no silence against a vessel while the host itself was held up', async (t) => {
    const { clock, vessels } = build(t, 'good');
    const good = only(vessels);
    await clock.advance(1_000);
    good.isAnswering = false;
    await clock.advance(1_000);
    // The machine slept for a minute: the ticks that were due are not run one by one.
    clock.jump(60_000);
    await clock.advance(100);
    assert.deepEqual(good.exits, []);
    await clock.advance(1_500);
    assert.deepEqual(
      good.exits.map(({ reason }) => reason),
      ['hang'],
    );
  });

  it('does not judge a thread before its runtime has answered once', async (t) => {
    const { clock, vessels } = build(t, 'slow');
    only(vessels).isAnswering = false;
    await clock.advance(60_000);
    assert.deepEqual(only(vessels).exits, []);
    assert.equal(only(vessels).pulses.length, 1, 'one question at a time');
  });

  it('asks for a collection over the limit, and judges what is left', async (t) => {
    const { clock, vessels } = build(t, 'wasteful', 'leaky');
    const [wasteful, leaky] = vessels as [ScriptedWatched, ScriptedWatched];
    await clock.advance(2_000);
    const grow = clock.every(500, () => {
      wasteful.heap = 90;
    });
    leaky.heap = 90;
    leaky.heapAfterCollection = 80;
    await clock.advance(5_000);
    grow.cancel();
    assert.deepEqual(wasteful.exits, []);
    assert.ok(wasteful.pulses.some(({ kind }) => kind === 'collect'));
    assert.deepEqual(
      leaky.exits.map(({ reason, detail }) => [reason, detail]),
      [['leak', 'memory 80 MB after collection, limit 64 MB']],
    );
  });

  it('ends a vessel once, and reads it no more', async (t) => {
    const { clock, vessels } = build(t, 'huge');
    only(vessels).heap = 800;
    await clock.advance(5_000);
    assert.deepEqual(only(vessels).exits.length, 1);
    const { length } = only(vessels).watch?.history ?? [];
    await clock.advance(5_000);
    assert.equal(only(vessels).watch?.history.length, length);
  });

  it('looks after the others when one cannot be read, whether it throws, rejects or never answers', async (t) => {
    const { clock, vessels } = build(t, 'throwing', 'rejecting', 'silent', 'hung');
    const [throwing, rejecting, silent, hung] = vessels as [
      ScriptedWatched,
      ScriptedWatched,
      ScriptedWatched,
      ScriptedWatched,
    ];
    await clock.advance(500);
    throwing.failure = new Error('no such file');
    rejecting.readSizes = () => Promise.reject(new Error('ERR_WORKER_NOT_RUNNING'));
    silent.readSizes = () => new Promise(() => undefined);
    hung.isAnswering = false;
    await clock.advance(3_000);
    assert.deepEqual(
      hung.exits.map(({ reason }) => reason),
      ['hang'],
    );
    assert.deepEqual([...throwing.exits, ...rejecting.exits, ...silent.exits], []);
    assert.ok((silent.watch?.vitals.unreadMs ?? 0) > 1_000);
  });

  it('does not take an answer that was not asked for', async (t) => {
    const { clock, vessels } = build(t, 'forger');
    await clock.advance(100);
    const { watch } = only(vessels);
    for (const message of [null, 7, {}, { kind: 'ping', n: 99 }, { kind: 'collect', n: 1 }, { kind: 'pong', n: 1 }]) {
      assert.equal(watch?.answered(message), 'an answer to a pulse that was not asked for');
    }
  });

  it('asks a thread what became of new memory before it blames it', async (t) => {
    const { clock, vessels } = build(t, 'quiet', 'parser');
    const [quiet, parser] = vessels as [ScriptedWatched, ScriptedWatched];
    await clock.advance(1_000);
    // Between two readings of its sizes: a document becomes 150 MB of objects, and its thread answers nothing meanwhile.
    const sizes = parser.readSizes;
    const answers: (() => void)[] = [];
    const sizesAfter = { heapBytes: 160 * MB, heapTotalBytes: 160 * MB };
    parser.readSizes = (told) => new Promise((resolve) => answers.push(() => resolve({ ...told, ...sizesAfter })));
    Object.assign(parser, { faulted: 160, resident: 250 });
    quiet.resident = 250;
    await clock.advance(400);
    assert.deepEqual(parser.exits, []);
    parser.readSizes = sizes;
    parser.heap = 160;
    for (const answer of answers) answer();
    await clock.advance(1_000);
    assert.deepEqual(parser.exits, [], 'its heap explains it');
    assert.deepEqual(quiet.exits, []);
  });

  it('blames the thread that took what no heap accounts for', async (t) => {
    const { clock, vessels } = build(t, 'quiet', 'leaky');
    const [quiet, leaky] = vessels as [ScriptedWatched, ScriptedWatched];
    await clock.advance(1_000);
    for (let n = 0; n < 40; n += 1) {
      for (const vessel of vessels) vessel.resident += 5;
      leaky.faulted += 5;
      await clock.advance(50);
    }
    assert.deepEqual(
      leaky.exits.map(({ reason }) => reason),
      ['leak'],
    );
    assert.match(leaky.exits[0]?.detail ?? '', /^took \d+ MB within [\d.]+ s that its heap does not account for/);
    assert.deepEqual(quiet.exits, []);
  });

  it('does not lay at its neighbours what a thread takes that was ended and is still there', async (t) => {
    const { clock, vessels } = build(t, 'busy', 'ended');
    const [busy, ended] = vessels as [ScriptedWatched, ScriptedWatched];
    await clock.advance(1_000);
    ended.watch?.close();
    for (let n = 0; n < 40; n += 1) {
      for (const vessel of vessels) vessel.resident += 8;
      ended.faulted += 5;
      busy.faulted += 3;
      await clock.advance(50);
    }
    assert.deepEqual([...busy.exits, ...ended.exits], []);
  });

  it('samples on demand, also when the vessel cannot be read', async (t) => {
    const { vessels } = build(t, 'good');
    const good = only(vessels);
    await good.watch?.sample();
    assert.equal(good.watch?.vitals.heapBytes, 10 * 1024 * 1024);
    good.readSizes = () => Promise.reject(new Error('gone'));
    await good.watch?.sample();
  });

  it('stops with its timer', async (t) => {
    const { clock, watchdog } = build(t, 'good');
    watchdog[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
});

describe('zombies', () => {
  const told: string[] = [];
  const clock = new FakeClock();
  const watchdog = new Watchdog({ clock, onTooManyZombies: (why) => told.push(why) });

  it('are threads that were told to end and are there two seconds later', async () => {
    const quick = Promise.withResolvers<void>();
    const never = Promise.withResolvers<void>();
    watchdog.awaitEnd({ plugin: 'quick', generation: 1 }, quick.promise);
    watchdog.awaitEnd({ plugin: 'stuck', generation: 4 }, never.promise);
    await clock.advance(1_000);
    quick.resolve();
    await settle();
    assert.equal(watchdog.zombies, 0);
    await clock.advance(1_001);
    assert.equal(watchdog.zombies, 1);
    never.resolve();
    await settle();
    assert.equal(watchdog.zombies, 0);
  });

  it('are reported once, when there are more than three', async () => {
    for (let generation = 1; generation <= 3; generation += 1)
      watchdog.awaitEnd({ plugin: 'stuck', generation }, new Promise(() => undefined));
    await clock.advance(5_000);
    assert.deepEqual(told, []);
    watchdog.awaitEnd({ plugin: 'other', generation: 1 }, new Promise(() => undefined));
    watchdog.awaitEnd({ plugin: 'other', generation: 2 }, new Promise(() => undefined));
    await clock.advance(5_000);
    assert.deepEqual(told, [
      '4 threads that were ended are still there: plugin stuck generation 1 for 7 s, plugin stuck generation 2 for 7 s, plugin stuck generation 3 for 7 s, plugin other generation 1 for 2 s',
    ]);
    watchdog[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
});
