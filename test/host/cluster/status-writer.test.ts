import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import type { ClusterEvents } from '../../../host/cluster/events.ts';
import { HookStore } from '../../../host/cluster/hook-store.ts';
import { type Refusal, Refusals } from '../../../host/cluster/refusal.ts';
import { StatusWriter } from '../../../host/cluster/status-writer.ts';
import { URGENCIES, type Urgency, writeDueAt } from '../../../host/cluster/write-schedule.ts';
import type { HookStatus } from '../../../host/config/hook-status.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { hookObject } from './hook-objects.ts';
import { type Answer, ScriptedApi } from './scripted-api.ts';

interface Patch {
  readonly metadata: { readonly resourceVersion: string };
  readonly status: HookStatus;
}

const CONFLICT: Answer = { status: 409, reason: 'Conflict' };

function open(t: TestContext, { hooks = 1, answer }: { hooks?: number; answer?: () => Answer | null } = {}) {
  const clock = new FakeClock();
  const store = new HookStore();
  for (let n = 0; n < hooks; n += 1) store.put(hookObject({ name: `h${n}` }));
  let version = 10;
  const counts = new Map<string, number>();
  /** Answers as the API server does, unless the test has another. */
  const api = new ScriptedApi((request) => {
    const other = answer?.() ?? null;
    if (other !== null) return other;
    version += 1;
    const { status } = (request.body ?? {}) as { status?: HookStatus };
    const name = request.target.name ?? '';
    return { body: hookObject({ name, resourceVersion: String(version), status: status ?? {} }) };
  });
  const events = new Emitter<ClusterEvents>();
  const said: [string, unknown][] = [];
  for (const name of ['status:written', 'status:error', 'status:pruned'] as const) {
    events.on(name, (payload) => said.push([name, payload]));
  }
  const refused: Refusal[] = [];
  const refusals = new Refusals({
    clock,
    graceMs: 0,
    isPerNamespace: false,
    onRefused: (each) => refused.push(each),
    onLifted: () => {},
  });
  let mayWrite = true;
  const writer = new StatusWriter({
    ...{ client: api, clock, random: () => 0, refusals, events },
    find: (hook) => store.find(hook),
    desired: ({ id }) => ({ activeEventCount: counts.get(id) ?? 0 }),
    onAnswer: (object) => store.putAnswer(object),
    mayWrite: () => mayWrite,
  });
  t.after(async () => {
    await writer.close(0);
    assert.equal(clock.pending, 0);
  });
  const count = (hook: string, urgency: Parameters<StatusWriter['note']>[1] = 'changed'): void => {
    counts.set(hook, (counts.get(hook) ?? 0) + 1);
    writer.note(hook, urgency);
  };
  const written = (): (number | undefined)[] =>
    api.bodies<Patch | undefined>().map((each) => each?.status.activeEventCount);
  return { clock, store, api, writer, said, refused, count, written, setMayWrite: (may: boolean) => (mayWrite = may) };
}

describe('write schedule', () => {
  it('writes at once what was not written lately, and keeps a gap otherwise, longer the less it matters', () => {
    const at = (urgency: Urgency, events = 0): number => writeDueAt({ writtenAt: 1_000, events }, urgency, 1_500);
    assert.equal(writeDueAt({ writtenAt: null, events: 0 }, 'seen', 7), 7);
    assert.deepEqual(
      URGENCIES.map((urgency) => at(urgency)),
      [31_000, 4_000, 2_000, 2_000],
    );
    assert.equal(at('fired', 1_000), 5_000, 'much is sent less often');
    assert.equal(writeDueAt({ writtenAt: 0, events: 0 }, 'fired', 9_999), 9_999);
  });
});

describe('status writer', () => {
  it('writes the first change at once, and what follows within the gap together', async (t) => {
    const { clock, api, count, written } = open(t);
    count('shop/h0', 'fired');
    await clock.advance(5);
    assert.deepEqual(api.lines, ['patch /apis/kagent.dev/v1alpha2/namespaces/shop/hooks/h0/status']);
    for (let n = 0; n < 100; n += 1) count('shop/h0', 'fired');
    await clock.advance(900);
    assert.deepEqual(written(), [1]);
    await clock.advance(200);
    assert.deepEqual(written(), [1, 101]);
  });

  it('needs few requests for a burst over many Hooks, a few at a time', async (t) => {
    const { clock, api, count } = open(t, { hooks: 200 });
    api.isHeld = true;
    const releasing = clock.every(1, () => api.release());
    for (let n = 0; n < 5_000; n += 1) {
      count(`shop/h${n % 200}`, 'fired');
      if (n % 100 === 0) await clock.advance(10);
    }
    await clock.advance(10_000);
    releasing.cancel();
    assert.ok(api.requests.length <= 600, `${api.requests.length} requests`);
    assert.equal(api.peak, 8);
  });

  it('writes nothing when nothing changed, nor again what the API server did not keep', async (t) => {
    const { clock, api, writer, count } = open(t, {
      answer: () => ({ body: hookObject({ name: 'h0', resourceVersion: 'x' }) }),
    });
    count('shop/h0');
    await clock.advance(5);
    for (let n = 0; n < 5; n += 1) {
      writer.note('shop/h0', 'changed');
      await clock.advance(60_000);
    }
    assert.equal(api.requests.length, 1);
  });

  it('waits less when something more urgent comes', async (t) => {
    const { clock, api, count } = open(t);
    count('shop/h0');
    await clock.advance(5);
    count('shop/h0', 'seen');
    count('shop/h0', 'fired');
    count('shop/h0', 'seen');
    await clock.advance(2_005);
    assert.equal(api.requests.length, 2);
  });

  it('writes what came while it wrote', async (t) => {
    const { clock, api, count, written } = open(t);
    api.isHeld = true;
    count('shop/h0', 'fired');
    await clock.advance(5);
    count('shop/h0', 'fired');
    api.isHeld = false;
    api.release();
    await settle();
    await clock.advance(2_100);
    assert.deepEqual(written(), [1, 2]);
  });

  it('reads the Hook anew after a conflict, and writes on top of that', async (t) => {
    const answers: (Answer | null)[] = [CONFLICT, { body: hookObject({ name: 'h0', resourceVersion: '7' }) }];
    const { clock, api, count, said } = open(t, { answer: () => answers.shift() ?? null });
    count('shop/h0');
    await clock.advance(5);
    assert.deepEqual(
      api.lines.map((line) => line.split(' ')[0]),
      ['patch', 'get', 'patch'],
    );
    assert.deepEqual(
      api.bodies<Patch | undefined>().map((body) => body?.metadata.resourceVersion),
      ['1', undefined, '7'],
    );
    assert.deepEqual(said, [['status:written', { hook: 'shop/h0' }]]);
  });

  it('gives way to endless conflicts, and tries again later', async (t) => {
    let isContested = true;
    const fresh = { body: hookObject({ name: 'h0', resourceVersion: '7' }) };
    const api = { patches: 0 };
    const { clock, count, said, written } = open(t, {
      answer: () => {
        if (!isContested) return null;
        api.patches += 1;
        return api.patches % 2 === 1 ? CONFLICT : fresh;
      },
    });
    count('shop/h0');
    await clock.advance(5);
    assert.equal(said[0]?.[0], 'status:error');
    assert.ok(api.patches < 10, `${api.patches} requests`);
    isContested = false;
    await clock.advance(5_000);
    assert.equal(written().at(-1), 1);
    assert.equal(said.at(-1)?.[0], 'status:written');
  });

  it('tries again with growing pauses while the API server is away, and holds up nobody meanwhile', async (t) => {
    let isAway = true;
    const { clock, api, count, writer, said, written } = open(t, { answer: () => (isAway ? { status: null } : null) });
    count('shop/h0', 'fired');
    await clock.advance(20_000);
    assert.ok(api.requests.length >= 4 && api.requests.length <= 6, `${api.requests.length} attempts`);
    count('shop/h0', 'fired');
    await writer.recorded('shop/h0');
    assert.ok(said.every(([name]) => name === 'status:error'));
    isAway = false;
    await clock.advance(60_000);
    assert.equal(written().at(-1), 2);
  });

  it('says which rule is missing, once, and does not hammer', async (t) => {
    const { clock, api, count, refused, said } = open(t, { hooks: 3, answer: () => ({ status: 403 }) });
    for (let n = 0; n < 3; n += 1) count(`shop/h${n}`);
    await clock.advance(60_000);
    assert.ok(api.requests.length <= 24, `${api.requests.length} requests`);
    assert.deepEqual(
      refused.map(({ verb, resource }) => [verb, resource]),
      [['patch', 'hooks/status']],
    );
    assert.deepEqual(said, []);
  });

  it('forgets a Hook that is gone', async (t) => {
    const { clock, api, count, writer } = open(t, { answer: () => ({ status: 404 }) });
    count('shop/h0');
    await clock.advance(60_000);
    assert.equal(api.requests.length, 1);
    count('shop/h0');
    writer.forget('shop/h0');
    await clock.advance(60_000);
    assert.equal(api.requests.length, 1);
  });

  it('writes the same to another Hook of that name', async (t) => {
    const { clock, api, count, store } = open(t);
    count('shop/h0');
    await clock.advance(5);
    store.put(hookObject({ name: 'h0', uid: 'another', resourceVersion: '99' }));
    count('shop/h0');
    await clock.advance(5_000);
    assert.equal(api.requests.length, 2);
  });

  it('tells when what was noted stands there, and not before', async (t) => {
    const { clock, api, count, writer } = open(t);
    let isRecorded = false;
    const wait = (): void => {
      isRecorded = false;
      void writer.recorded('shop/h0').then(() => {
        isRecorded = true;
      });
    };
    wait();
    await settle();
    assert.ok(isRecorded, 'there is nothing to wait for');
    api.isHeld = true;
    count('shop/h0', 'fired');
    wait();
    await clock.advance(100);
    assert.ok(!isRecorded);
    api.release();
    await settle();
    assert.ok(isRecorded);
    api.isHeld = false;
    count('shop/h0', 'fired');
    wait();
    await clock.advance(500);
    assert.ok(!isRecorded, 'it waits for the gap');
    await clock.advance(700);
    assert.ok(isRecorded);
  });

  it('holds up nobody for longer than a few seconds', async (t) => {
    const { clock, api, count, writer } = open(t);
    api.isHeld = true;
    count('shop/h0', 'fired');
    let isReleased = false;
    void writer.recorded('shop/h0').then(() => {
      isReleased = true;
    });
    await clock.advance(4_900);
    assert.ok(!isReleased);
    await clock.advance(200);
    assert.ok(isReleased);
    api.release();
    await settle();
  });

  it('writes nothing while another khook leads', async (t) => {
    const { clock, api, count, writer, setMayWrite } = open(t);
    setMayWrite(false);
    count('shop/h0', 'fired');
    await writer.recorded('shop/h0');
    await clock.advance(60_000);
    assert.equal(api.requests.length, 0);
    setMayWrite(true);
    count('shop/h0', 'fired');
    setMayWrite(false);
    await clock.advance(60_000);
    assert.equal(api.requests.length, 0, 'nor what was noted before that');
  });

  it('says once that the API server drops fields', async (t) => {
    const clock = new FakeClock();
    const store = new HookStore();
    store.put(hookObject());
    const events = new Emitter<ClusterEvents>();
    let pruned = 0;
    events.on('status:pruned', () => {
      pruned += 1;
    });
    let n = 0;
    const at = '2026-01-02T03:04:05.000Z';
    const writer = new StatusWriter({
      client: new ScriptedApi(() => ({ body: hookObject({ resourceVersion: `v${n}` }) })),
      ...{ clock, random: () => 0, events },
      refusals: new Refusals({ clock, graceMs: 0, isPerNamespace: false, onRefused: () => {}, onLifted: () => {} }),
      find: (hook) => store.find(hook),
      desired: () => {
        n += 1;
        const ready = { type: 'Ready', status: 'True', reason: 'X', message: `${n}`, lastTransitionTime: at } as const;
        return { conditions: [ready] };
      },
      onAnswer: () => {},
      mayWrite: () => true,
    });
    t.after(() => writer.close(0));
    for (let times = 0; times < 3; times += 1) {
      writer.note('shop/h', 'changed');
      await clock.advance(5_000);
    }
    assert.equal(pruned, 1);
  });

  it('writes what waits when it is closed, for as long as it may', async (t) => {
    const { clock, api, count, writer, written } = open(t);
    count('shop/h0');
    await clock.advance(5);
    count('shop/h0');
    const closing = writer.close(500);
    await clock.advance(10);
    await closing;
    assert.deepEqual(written(), [1, 2]);
    count('shop/h0');
    await clock.advance(60_000);
    assert.equal(api.requests.length, 2);
  });
});
