import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attempt, results } from './attempts.ts';

const REFUSED = 'ERR_ACCESS_DENIED';

describe('guard: messaging', () => {
  it("keeps the thread's ports and other threads out of reach", async (t) => {
    const plain = results(await attempt(t, 'messaging', { isGuarded: false }));
    assert.deepEqual(plain, {
      ...plain,
      'the private port by its symbol': true,
      'the private port of stdin': true,
      'the private port by its methods': 'a port',
      parentPort: 'function',
      'ports in workerData': 'function',
      BroadcastChannel: 'host',
      'BroadcastChannel by its prototype': 'host',
      'navigator.locks': 'held',
      executionAsyncResource: 'object',
      createHook: 'function',
    });
    const guarded = results(await attempt(t, 'messaging', { isGuarded: true }));
    assert.deepEqual(guarded, {
      'the private port by its symbol': false,
      'the private port of stdin': false,
      'the private port by its methods': 'nothing',
      'the private port by its events': 'no code',
      'the private port by its dispatch': 'nothing',
      parentPort: 'undefined',
      'ports in workerData': 'undefined',
      BroadcastChannel: REFUSED,
      'BroadcastChannel by its prototype': REFUSED,
      postMessageToThread: REFUSED,
      'navigator.locks': REFUSED,
      executionAsyncResource: REFUSED,
      createHook: REFUSED,
      Worker: REFUSED,
      'a channel of its own': 'word',
      'an event target of its own': 'word',
    });
  });
});
