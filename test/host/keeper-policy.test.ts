import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideHost, describeExit, type HostExit, type HostHistory, NO_DEATHS } from '../../host/keeper-policy.ts';

const KILLED: HostExit = { code: null, signal: 'SIGABRT', wasReady: true, replaced: null };
const decide = (
  exit: HostExit,
  history: HostHistory,
  now: number,
  more: { isStopping?: boolean; isPluginsApart?: boolean } = {},
) => decideHost(exit, { history, now, random: 0.5, isStopping: false, isPluginsApart: false, ...more });

describe('keeper policy', () => {
  it('restarts a host that served, the first time at once', () => {
    const decision = decide(KILLED, NO_DEATHS, 1_000_000);
    assert.deepEqual(decision, {
      kind: 'restart',
      delayMs: 0,
      history: { score: 1, at: 1_000_000 },
      isPluginsApart: false,
    });
  });

  it('puts the plugins into processes of their own when the host dies again within a minute, and not later', () => {
    const history = { score: 1, at: 1_000_000 };
    const soon = decide(KILLED, history, 1_010_000);
    assert.equal(soon.kind === 'restart' && soon.isPluginsApart, true);
    const late = decide(KILLED, history, 1_000_000 + 10 * 60_000);
    assert.equal(late.kind === 'restart' && late.isPluginsApart, false);
    const replaced = decide(
      { ...KILLED, signal: 'SIGKILL', replaced: '4 threads are still there' },
      history,
      1_010_000,
    );
    assert.equal(replaced.kind === 'restart' && replaced.isPluginsApart, true);
  });

  it('tries once more, with the plugins apart, when the host was torn down before it served', () => {
    const unready = { ...KILLED, wasReady: false };
    const decision = decide(unready, NO_DEATHS, 1);
    assert.equal(decision.kind === 'restart' && decision.isPluginsApart, true);
    assert.deepEqual(decide(unready, NO_DEATHS, 1, { isPluginsApart: true }), { kind: 'leave', code: 134 });
  });

  it('leaves with the exit code of a host that left before it served, that ended well, or that was told to stop', () => {
    assert.deepEqual(decide({ ...KILLED, code: 3, signal: null, wasReady: false }, NO_DEATHS, 1), {
      kind: 'leave',
      code: 3,
    });
    assert.deepEqual(decide({ ...KILLED, code: 0, signal: null }, NO_DEATHS, 1), { kind: 'leave', code: 0 });
    assert.deepEqual(decide(KILLED, NO_DEATHS, 1, { isStopping: true }), { kind: 'leave', code: 134 });
  });

  it('says how a host ended', () => {
    assert.equal(describeExit(KILLED), 'was ended by SIGABRT');
    assert.equal(describeExit({ ...KILLED, code: 7, signal: null }), 'ended with code 7');
    assert.equal(describeExit({ ...KILLED, wasSilent: true }), 'stood still and was ended');
    assert.equal(describeExit({ ...KILLED, replaced: 'why' }), 'asked to be replaced: why');
  });
});
