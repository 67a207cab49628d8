import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import { HostError } from '../../../host/base/errors.ts';
import { AgentLane } from '../../../host/dispatch/agent-lane.ts';
import type { DispatchEvents } from '../../../host/dispatch/events.ts';
import { Lanes } from '../../../host/dispatch/lanes.ts';
import { DISPATCH_DEFAULTS } from '../../../host/dispatch/settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const NEVER = new AbortController().signal;
const PAUSE_MS = 30_000;

function laneOn(clock: FakeClock, said: string[] = [], callTimeoutMs = 10_000): AgentLane {
  return new AgentLane({
    agent: 'kagent/a',
    settings: { concurrencyPerAgent: 2, callTimeoutMs, circuit: { failures: 3, pauseMs: PAUSE_MS } },
    clock,
    onOpened: () => said.push('opened'),
    onClosed: () => said.push('closed'),
  });
}

async function fails(): Promise<never> {
  throw new HostError('HOST_ERR_AGENT_UNREACHABLE', 'away.');
}

async function refuses(): Promise<never> {
  throw new HostError('HOST_ERR_AGENT_REFUSED', 'no.', { details: { status: 404 } });
}

async function openCircuit(lane: AgentLane): Promise<void> {
  for (let i = 0; i < 3; i += 1) await assert.rejects(lane.call(fails, NEVER), { code: 'HOST_ERR_AGENT_UNREACHABLE' });
}

test('agent lane: pauses calls after failures in a row, lets one try, and closes when it succeeds', async () => {
  const clock = new FakeClock();
  const said: string[] = [];
  const lane = laneOn(clock, said);
  await openCircuit(lane);
  assert.deepEqual(said, ['opened']);
  const open = { code: 'HOST_ERR_AGENT_CIRCUIT_OPEN', details: { retryAfterMs: PAUSE_MS } };
  await assert.rejects(
    lane.call(async () => assert.fail('must not be called'), NEVER),
    open,
  );
  await clock.advance(PAUSE_MS);
  await assert.rejects(lane.call(fails, NEVER), { code: 'HOST_ERR_AGENT_UNREACHABLE' });
  await assert.rejects(lane.call(fails, NEVER), open);
  assert.deepEqual(said, ['opened'], 'it was open all the time');
  await clock.advance(PAUSE_MS);
  const { promise, resolve } = Promise.withResolvers<string>();
  const probe = lane.call(() => promise, NEVER);
  await assert.rejects(lane.call(fails, NEVER), { code: 'HOST_ERR_AGENT_CIRCUIT_OPEN' }, 'one call tries it');
  resolve('well');
  assert.equal(await probe, 'well');
  assert.deepEqual(said, ['opened', 'closed']);
  assert.equal(await lane.call(async () => 'again', NEVER), 'again');
});

test('agent lane: a wall clock that steps back does not hold a circuit open', async () => {
  const clock = new FakeClock();
  const lane = laneOn(clock);
  await openCircuit(lane);
  clock.shiftWall(-3_600_000);
  await clock.advance(PAUSE_MS);
  assert.equal(await lane.call(async () => 'well', NEVER), 'well');
  assert.equal(lane.isOpen, false);
});

test('agent lane: an agent that refuses for a reason of the caller’s does not open its circuit', async () => {
  const lane = laneOn(new FakeClock());
  for (let i = 0; i < 9; i += 1) await assert.rejects(lane.call(refuses, NEVER), { code: 'HOST_ERR_AGENT_REFUSED' });
  assert.equal(lane.isOpen, false);
});

test('agent lane: a call that ignores its signal is timed out all the same', async (t) => {
  const lane = laneOn(new FakeClock(), [], 30);
  const keepAlive = setInterval(() => undefined, 1_000);
  t.after(() => clearInterval(keepAlive));
  await assert.rejects(
    lane.call(() => new Promise(() => undefined), NEVER),
    { code: 'HOST_ERR_AGENT_TIMEOUT' },
  );
});

test('agent lanes: a long idle one is forgotten when another is made, and its circuit counts as closed', async () => {
  const clock = new FakeClock();
  const events = new Emitter<DispatchEvents>();
  const said: string[] = [];
  events.on('circuit:closed', ({ agent }) => said.push(agent));
  const lanes = new Lanes({ clock, settings: { ...DISPATCH_DEFAULTS, maxLanes: 3 }, events });
  for (let i = 0; i < DISPATCH_DEFAULTS.circuit.failures; i += 1)
    await assert.rejects(lanes.of('ill').call(fails, NEVER));
  assert.deepEqual(lanes.open(), ['ill']);
  await clock.advance(DISPATCH_DEFAULTS.laneIdleMs);
  lanes.of('b');
  assert.deepEqual(said, ['ill']);
  assert.equal(lanes.size, 1);
  await clock.advance(1);
  for (const agent of ['c', 'd', 'e']) lanes.of(agent);
  assert.equal(lanes.size, 3, 'bounded');
});
