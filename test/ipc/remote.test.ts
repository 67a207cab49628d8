import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../../ipc/errors.ts';
import { messagePort } from '../../ipc/port-message.ts';
import { exposeRemote, type Remote, wrapRemote } from '../../ipc/remote.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Api {
  ping(): Promise<void>;
  add(a: number, b: number): Promise<number>;
  live(): Promise<unknown>;
  fail(): Promise<void>;
  never(): Promise<void>;
}

interface Call {
  readonly id: string;
  readonly type: string;
  readonly path: readonly string[];
}

const SOON = { deadlineMs: 1_000 };

interface Wire {
  readonly clock: FakeClock;
  readonly remote: Remote<Api>;
  readonly faults: string[];
  readonly far: MessagePort;
}

function join(t: TestContext): Wire {
  const { port1, port2 } = new MessageChannel();
  const clock = new FakeClock();
  const faults: string[] = [];
  const remote = wrapRemote<Api>(messagePort(port1), {
    clock,
    peer: 'plugin webhook',
    onFault: (fault) => faults.push(fault),
  });
  t.after(() => {
    remote.close('the test is over');
    port2.close();
    assert.equal(clock.pending, 0);
  });
  return { clock, remote, faults, far: port2 };
}

/** A far side that is what it should be. */
function joinHonest(t: TestContext): Wire & { readonly called: string[] } {
  const wire = join(t);
  const called: string[] = [];
  const api: Api & { secret(): Promise<void> } = {
    async ping() {
      called.push('ping');
    },
    async add(a, b) {
      return a + b;
    },
    async live() {
      return { an: 'object' };
    },
    async fail() {
      throw new CodedError('PLUGIN_ERR_CONFIG', 'no such port', { kind: 'user' });
    },
    never: () => new Promise(() => undefined),
    async secret() {
      called.push('secret');
    },
  };
  exposeRemote<Api>(messagePort(wire.far), api, ['ping', 'add', 'live', 'fail', 'never']);
  return { ...wire, called };
}

/** A far side that answers each call with what `forge` makes of it. */
function joinForger(t: TestContext, forge: (call: Call) => readonly (readonly [unknown, ...MessagePort[]])[]): Wire {
  const wire = join(t);
  wire.far.on('message', (call: Call) => {
    for (const [message, ...transfer] of forge(call)) wire.far.postMessage(message, transfer);
  });
  return wire;
}

const reply = (id: string, value: unknown): object => ({ id, type: 'RAW', value });
const ok = (id: string): object => reply(id, { ok: true, value: null });

describe('remote', () => {
  it('calls what is exposed and gives back plain values', async (t) => {
    const { remote, called } = joinHonest(t);
    assert.equal(await remote.call('ping', SOON), null);
    assert.equal(await remote.call('add', { ...SOON, args: [2, 3] }), 5);
    assert.equal(await remote.call('live', SOON), null);
    assert.deepEqual(called, ['ping']);
  });

  it('rejects with the coded error of the other side', async (t) => {
    const { remote } = joinHonest(t);
    await assert.rejects(remote.call('fail', SOON), {
      code: 'PLUGIN_ERR_CONFIG',
      message: 'no such port',
      kind: 'user',
    });
  });

  it('reaches nothing that is not exposed, whatever path is asked for', async (t) => {
    const { far } = join(t);
    far.close();
    const { port1, port2 } = new MessageChannel();
    t.after(() => {
      port1.close();
      port2.close();
    });
    const reached: string[] = [];
    const answered: string[] = [];
    const api = { ping: async () => void reached.push('ping'), secret: async () => void reached.push('secret') };
    exposeRemote<typeof api>(messagePort(port1), api, ['ping']);
    port2.on('message', ({ id }: { id: string }) => answered.push(id));
    const forged: [string, unknown][] = [
      ['APPLY', ['secret']],
      ['APPLY', ['ping', 'constructor']],
      ['APPLY', ['constructor']],
      ['APPLY', ['__proto__']],
      ['APPLY', []],
      ['APPLY', 'ping'],
      ['GET', ['ping']],
      ['SET', ['ping']],
      ['CONSTRUCT', ['ping']],
      ['ENDPOINT', []],
      ['RELEASE', []],
    ];
    for (const [position, [type, path]] of forged.entries()) {
      port2.postMessage({ id: `${position}`, type, path, argumentList: [], value: { type: 'RAW', value: 1 } });
    }
    for (const junk of [null, 7, 'APPLY', []]) port2.postMessage(junk);
    port2.postMessage({ id: 'last', type: 'APPLY', path: ['ping'], argumentList: [] });
    await eventually(() => answered.includes('last'));
    assert.deepEqual([answered, reached], [['last'], ['ping']]);
  });

  it('gives each call its deadline and ignores the answer that comes too late', async (t) => {
    const calls: Call[] = [];
    const { remote, clock, faults, far } = joinForger(t, (call) => {
      calls.push(call);
      return [];
    });
    const late = remote.call('never', { deadlineMs: 50 });
    await eventually(() => calls.length === 1);
    await Promise.all([
      assert.rejects(late, {
        code: 'IPC_ERR_DEADLINE',
        message: "plugin webhook did not answer 'never' within 0.05 s",
      }),
      clock.advance(50),
    ]);
    far.postMessage(ok(calls[0]?.id ?? ''));
    const next = remote.call('ping', SOON);
    await eventually(() => calls.length === 2);
    far.postMessage(ok(calls[1]?.id ?? ''));
    assert.equal(await next, null);
    assert.deepEqual([faults, clock.pending], [[], 0]);
  });

  it('bounds the calls that wait, and takes others once those are over', async (t) => {
    const { remote, clock } = joinHonest(t);
    const waiting = Array.from({ length: 16 }, () => remote.call('never', SOON));
    await assert.rejects(remote.call('ping', SOON), { code: 'IPC_ERR_BUSY' });
    const ended = Promise.allSettled(waiting);
    await clock.advance(1_000);
    for (const end of await ended) assert.equal(end.status === 'rejected' && end.reason.code, 'IPC_ERR_DEADLINE');
    assert.equal(await remote.call('ping', SOON), null);
    assert.equal(clock.pending, 0);
  });

  it('rejects everything that waits when it is closed, and everything after it', async (t) => {
    const { remote, clock } = joinHonest(t);
    const waiting = [remote.call('never', SOON), remote.call('never', SOON)].map((call) =>
      assert.rejects(call, { code: 'IPC_ERR_CLOSED', message: 'plugin webhook is gone: it was stopped' }),
    );
    remote.close('it was stopped');
    remote.close('for another reason');
    await Promise.all(waiting);
    await assert.rejects(remote.call('ping', SOON), { message: 'plugin webhook is gone: it was stopped' });
    assert.equal(clock.pending, 0);
  });

  it('rejects everything that waits when the wire closes', async (t) => {
    const { remote, clock, far } = join(t);
    const waiting = assert.rejects(remote.call('never', SOON), {
      code: 'IPC_ERR_CLOSED',
      message: 'plugin webhook is gone: its control wire closed',
    });
    far.close();
    await eventually(() => clock.pending === 2);
    await clock.advance(100);
    await waiting;
    assert.equal(clock.pending, 0);
  });

  it('lets whoever knows why the wire closed say it', async (t) => {
    const { remote, clock, far } = join(t);
    const message = 'plugin webhook is gone: it threw in its stop';
    const waiting = assert.rejects(remote.call('never', SOON), { code: 'IPC_ERR_CLOSED', message });
    far.close();
    await eventually(() => clock.pending === 2);
    remote.close('it threw in its stop');
    await waiting;
    assert.equal(clock.pending, 0);
  });

  it('rejects a call whose arguments cannot be sent', async (t) => {
    const { remote, clock, faults } = joinHonest(t);
    const unsendable = (() => 1) as unknown as number;
    await assert.rejects(remote.call('add', { ...SOON, args: [unsendable, 1] }), { code: 'IPC_ERR_PROTOCOL' });
    assert.deepEqual([faults, clock.pending], [[], 0]);
    assert.equal(await remote.call('ping', SOON), null);
  });

  const forgeries: Record<string, (id: string) => readonly [unknown, ...MessagePort[]]> = {
    'a live proxy': (id) => {
      const { port1 } = new MessageChannel();
      return [{ id, type: 'HANDLER', name: 'proxy', value: port1 }, port1];
    },
    'a thrown value of comlink': (id) => [
      { id, type: 'HANDLER', name: 'throw', value: { isError: true, value: { message: 'x' } } },
    ],
    'an unknown handler': (id) => [{ id, type: 'HANDLER', name: 'nobody', value: null }],
    'a call instead of an answer': (id) => [{ id, type: 'APPLY', path: ['ping'], argumentList: [] }],
    'an answer to a call that nobody made': () => [ok('made-up')],
    'a kind without text': (id) => [{ id, type: { toString: null, valueOf: null } }],
    'no object': () => ['hello'],
    nothing: () => [null],
    'an id that is no string': () => [ok(7 as unknown as string)],
    'no result': (id) => [reply(id, undefined)],
    'a result that is neither': (id) => [reply(id, { ok: 'maybe', value: 1 })],
    'an object for a value': (id) => [reply(id, { ok: true, value: { a: 1 } })],
    'a list for a value': (id) => [reply(id, { ok: true, value: [1] })],
    'a bigint for a value': (id) => [reply(id, { ok: true, value: 1n })],
    'no value at all': (id) => [reply(id, { ok: true })],
    'a port for a value': (id) => {
      const { port1 } = new MessageChannel();
      return [reply(id, { ok: true, value: port1 }), port1];
    },
    'an error without a code': (id) => [reply(id, { ok: false, error: { message: 'm' } })],
    'an error that is text': (id) => [reply(id, { ok: false, error: 'no' })],
    'an error with a stack that is no text': (id) => [
      reply(id, { ok: false, error: { code: 'A', kind: 'plugin', name: 'n', message: 'm', stack: {} } }),
    ],
    'an error of an unknown kind': (id) => [
      reply(id, { ok: false, error: { code: 'A', kind: 'nobody', name: 'n', message: 'm', stack: '' } }),
    ],
    'an error with a port for a name': (id) => {
      const { port1 } = new MessageChannel();
      return [
        reply(id, { ok: false, error: { code: 'A', kind: 'plugin', name: port1, message: 'm', stack: '' } }),
        port1,
      ];
    },
    'an error as long as a book': (id) => [
      reply(id, {
        ok: false,
        error: { code: 'A', kind: 'plugin', name: 'n', message: 'm'.repeat(100_000), stack: '' },
      }),
    ],
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    it(`ends the wire on ${name}, once, and lets nothing of it in`, async (t) => {
      // Many times over, as a flood would: the rest of what is queued must find the door shut.
      const { remote, clock, faults } = joinForger(t, ({ id }) => Array.from({ length: 20 }, () => forge(id)));
      const waiting = [remote.call('ping', SOON), remote.call('never', SOON)];
      for (const end of await Promise.allSettled(waiting)) {
        assert.equal(end.status === 'rejected' && end.reason.code, 'IPC_ERR_CLOSED');
      }
      await assert.rejects(remote.call('ping', SOON), { code: 'IPC_ERR_CLOSED' });
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([faults.length, clock.pending], [1, 0]);
      assert.ok((faults[0] ?? '').length < 100);
    });
  }

  it('ends the wire on a second answer to the same call', async (t) => {
    const { remote, faults } = joinForger(t, ({ id }) => [[ok(id)], [ok(id)]]);
    assert.equal(await remote.call('ping', SOON), null);
    await eventually(() => faults.length === 1);
  });
});
