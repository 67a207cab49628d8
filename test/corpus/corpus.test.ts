/** The corpus as data: what a run of it takes for granted. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BODIES } from './bodies.ts';
import { GROUPS } from './body.ts';
import { BodyWatch } from './body-watch.ts';
import { NeighbourLatency } from './neighbour-latency.ts';

describe('corpus', () => {
  it('has bodies in every group, at least ninety together, each under a name of its own', () => {
    for (const group of GROUPS) assert.ok(BODIES.filter((body) => body.group === group).length >= 4, group);
    assert.ok(BODIES.length >= 90);
    assert.equal(new Set(BODIES.map(({ name }) => name)).size, BODIES.length);
    // The name of a thread has 15 characters: a second body of the same beginning would be taken for the first.
    const comms = BODIES.map(({ name }) => name.slice(0, 15));
    const twice = comms.filter((comm, index) => comms.indexOf(comm) !== index);
    assert.ok(twice.length < BODIES.length / 10, `${twice}`);
  });

  it('has deeds whose text stands alone: arrow functions of one argument at most', () => {
    for (const { name, deeds } of BODIES) {
      for (const deed of Object.values(deeds)) {
        assert.match(String(deed), /^(?:async )?(?:\(\w*\)|\w+) =>/, name);
        assert.ok(deed.length <= 1, name);
        // What a deed takes from the module it is written in would not be there in its bundle.
        assert.doesNotMatch(String(deed), /(?<!\.)\b(?:ENDS|FULL|CAPPED|LOOK|STOPPED|CONTAINED|HELD|group)\b/, name);
      }
    }
  });

  it('expects something of each body in both tiers, and of nobody but the aborts that the host may die', () => {
    for (const { name, group, expect } of BODIES) {
      for (const tier of ['thread', 'process'] as const) {
        assert.ok(expect[tier].length > 0, name);
        assert.ok(!expect[tier].includes('silent'), name);
        if (group !== 'abort' || tier === 'process') assert.ok(!expect[tier].includes('host died'), name);
      }
    }
  });
});

describe('neighbour latency', () => {
  it('finds the longest time without an ack, from the beginning of the window to its end', () => {
    const latency = new NeighbourLatency();
    latency.take('1000:1.0 1010:2.0 1200:30.0 1210:1.0');
    assert.deepEqual(latency.between(990, 1_220), { count: 4, p50Ms: 2, p99Ms: 30, gapMs: 190 });
    assert.equal(latency.between(990, 2_210).gapMs, 1_000);
    assert.equal(latency.between(5_000, 6_000).gapMs, 1_000);
  });
});

describe('body watch', () => {
  it('reads from the log why a run ended, and when the next one was started', () => {
    const watch = new BodyWatch('loop');
    const host = { level: 'info', name: 'plugin-manager', plugin: 'loop' };
    watch.read({ ...host, msg: 'Starting plugin loop' }, 1);
    watch.read({ ...host, name: 'loop-plugin', msg: 'begins' }, 2);
    watch.read({ ...host, msg: 'plugin loop failed: hang: …; recycled, generation 1', reason: 'hang' }, 3);
    watch.read({ ...host, msg: 'Starting plugin loop' }, 4);
    assert.equal(watch.exit?.outcome, 'recycled:hang');
    assert.deepEqual([watch.beganAt, watch.exit?.at, watch.startedAgainAt], [2, 3, 4]);
  });

  it('takes no line of a plugin for a line of the host', () => {
    const watch = new BodyWatch('liar');
    const msg = 'plugin liar failed: hang';
    watch.read({ level: 'error', name: 'liar-plugin', plugin: 'liar', msg, reason: 'hang' }, 1);
    assert.equal(watch.exit, null);
  });
});
