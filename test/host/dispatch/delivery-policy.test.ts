import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeliveryState } from '../../../host/dispatch/delivery.ts';
import { type CallFailure, isRetryable, nextState, type PolicyInput } from '../../../host/dispatch/delivery-policy.ts';
import { DISPATCH_DEFAULTS } from '../../../host/dispatch/settings.ts';

const { retry } = DISPATCH_DEFAULTS;
const INPUT: PolicyInput = { now: 1_000_000, random: 0.5, retry };

function calling(attempt: number): DeliveryState {
  return { kind: 'calling', attempt, since: 0 };
}

function failure(changes: Partial<CallFailure>): CallFailure {
  const nothing = { status: null, rpcCode: null, retryAfterMs: null };
  return { kind: 'error', code: 'HOST_ERR_AGENT_REFUSED', message: 'no.', ...nothing, ...changes };
}

test('delivery policy: a retryable failure waits twice and is dead at the third', () => {
  const unreachable = failure({ code: 'HOST_ERR_AGENT_UNREACHABLE' });
  const first = nextState(calling(1), unreachable, INPUT);
  const second = nextState(calling(2), unreachable, INPUT);
  assert.deepEqual(first, { kind: 'waiting', attempt: 1, nextAttemptAt: 1_000_750, waitMs: 750, lastError: 'no.' });
  assert.deepEqual(second, { kind: 'waiting', attempt: 2, nextAttemptAt: 1_003_000, waitMs: 3_000, lastError: 'no.' });
  assert.equal(nextState(calling(3), unreachable, INPUT).kind, 'dead');
});

test('delivery policy: knows what is worth another try', () => {
  const isTried = (changes: Partial<CallFailure>): boolean => isRetryable(failure(changes));
  assert.ok(isTried({ code: 'HOST_ERR_AGENT_UNREACHABLE' }));
  assert.ok(isTried({ code: 'HOST_ERR_AGENT_TIMEOUT' }));
  assert.ok(isTried({ code: 'HOST_ERR_AGENT_CIRCUIT_OPEN' }));
  for (const status of [408, 429, 500, 502, 503, 504]) assert.ok(isTried({ status }), String(status));
  assert.ok(isTried({ rpcCode: -32_603 }));
  for (const status of [301, 400, 401, 403, 404, 413]) assert.ok(!isTried({ status }), String(status));
  assert.ok(!isTried({ rpcCode: -32_602 }));
  assert.ok(!isTried({}), 'an answer that is not A2A');
  assert.ok(!isTried({ code: 'HOST_ERR_AGENT_TASK' }));
});

test('delivery policy: Retry-After is honoured when it is longer than the back-off, and capped', () => {
  const asked = (retryAfterMs: number): number => {
    const state = nextState(calling(1), failure({ status: 429, retryAfterMs }), INPUT);
    assert.equal(state.kind, 'waiting');
    return state.kind === 'waiting' ? state.nextAttemptAt - INPUT.now : 0;
  };
  assert.equal(asked(20_000), 20_000);
  assert.equal(asked(1), 750);
  assert.equal(asked(1e12), retry.maxRetryAfterMs);
});

test('delivery policy: an open circuit takes no attempt', () => {
  const open = failure({ code: 'HOST_ERR_AGENT_CIRCUIT_OPEN', retryAfterMs: 5_000 });
  const queued: DeliveryState = { kind: 'queued', since: 0 };
  const waiting = { kind: 'waiting', nextAttemptAt: 1_005_000, waitMs: 5_000, lastError: 'no.' } as const;
  assert.deepEqual(nextState(queued, open, INPUT), { ...waiting, attempt: 0 });
  assert.deepEqual(nextState({ ...waiting, attempt: 2 }, open, INPUT), { ...waiting, attempt: 2 });
});

test('delivery policy: only a completed task and a message are success', () => {
  assert.equal(nextState(calling(1), { kind: 'message' }, INPUT).kind, 'delivered');
  const after = (
    state: 'working' | 'completed' | 'failed' | 'rejected' | 'canceled' | 'input-required' | 'auth-required',
  ) => nextState(calling(2), { kind: 'task', taskId: 't', state, text: 'why' }, INPUT);
  assert.deepEqual(after('completed'), { kind: 'delivered', taskId: 't', at: INPUT.now });
  assert.deepEqual(after('working'), { kind: 'following', attempt: 2, taskId: 't', since: INPUT.now });
  for (const state of ['failed', 'rejected', 'canceled', 'input-required', 'auth-required'] as const) {
    const dead = after(state);
    assert.equal(dead.kind, 'dead');
    assert.match(dead.kind === 'dead' ? dead.reason : '', new RegExp(`${state}.*why`));
  }
  const waits = after('input-required');
  assert.match(waits.kind === 'dead' ? waits.reason : '', /waits for a person/);
});

test('delivery policy: a message that the agent has taken is never sent again', () => {
  const following: DeliveryState = { kind: 'following', attempt: 1, taskId: 't', since: 0 };
  for (const code of ['HOST_ERR_AGENT_UNREACHABLE', 'HOST_ERR_AGENT_TIMEOUT', 'HOST_ERR_AGENT_TASK'])
    assert.equal(nextState(following, failure({ code }), INPUT).kind, 'dead');
});

test('delivery policy: attempts never exceed the limit, and waits never exceed their caps', () => {
  const failures = fc.array(
    fc.record({
      code: fc.constantFrom('HOST_ERR_AGENT_UNREACHABLE', 'HOST_ERR_AGENT_TIMEOUT', 'HOST_ERR_AGENT_CIRCUIT_OPEN'),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e9 })),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    { maxLength: 20 },
  );
  const property = fc.property(failures, (script) => {
    let state: DeliveryState = { kind: 'queued', since: 0 };
    let calls = 0;
    for (const { code, retryAfterMs, random } of script) {
      if (state.kind === 'dead') break;
      if (code !== 'HOST_ERR_AGENT_CIRCUIT_OPEN') {
        calls += 1;
        state = calling(calls);
      }
      state = nextState(state, failure({ code, retryAfterMs }), { ...INPUT, random });
      if (state.kind !== 'waiting') continue;
      assert.equal(state.attempt, calls);
      assert.ok(state.nextAttemptAt - INPUT.now <= Math.max(retry.maxRetryAfterMs, retry.backoff.maxMs));
    }
    assert.ok(calls <= retry.attempts);
  });
  fc.assert(property);
});

test('delivery policy: a call that made no connection takes no attempt', () => {
  const unsent = failure({ code: 'HOST_ERR_AGENT_UNREACHABLE', isUnsent: true });
  const after = nextState(calling(3), unsent, INPUT);
  assert.deepEqual(after, { kind: 'waiting', attempt: 2, nextAttemptAt: 1_003_000, waitMs: 3_000, lastError: 'no.' });
  assert.equal(nextState(calling(1), unsent, INPUT).kind, 'waiting');
});
