import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../host/base/emitter.ts';
import type { ActiveRecord } from '../../host/cluster/active-events.ts';
import { ALWAYS_LEADING, type LeadershipEvents } from '../../host/cluster/leadership.ts';
import { LeaderWork } from '../../host/leader-work.ts';
import { settle } from '../support/fake-clock.ts';

/** Everything that is asked of the rooms, in order. */
function open(t: TestContext, { alone = false, leads = false, folder = false } = {}) {
  const asked: string[] = [];
  const events = new Emitter<LeadershipEvents>();
  const election = { isLeader: leads, events };
  const takeOver = Promise.withResolvers<readonly ActiveRecord[]>();
  const errors: unknown[] = [];
  const work = new LeaderWork({
    leadership: alone ? ALWAYS_LEADING : election,
    cluster: folder
      ? null
      : {
          takeOver: () => {
            asked.push('take over');
            return takeOver.promise;
          },
          adopt: () => asked.push('adopt'),
        },
    dispatch: {
      dedup: { snapshot: () => [] },
      restore: async (recorded) => {
        asked.push(`restore ${recorded.length}`);
        return 0;
      },
      drain: async (graceMs) => {
        asked.push(`drain ${graceMs}`);
      },
    },
    onError: (error) => errors.push(error),
  });
  const apply = async (): Promise<void> => {
    asked.push(work.isOpen ? 'apply with plugins' : 'apply without plugins');
  };
  const config = {
    current: {} as never,
    apply,
    reload: async () => {
      asked.push('reload');
      return {} as never;
    },
  };
  t.after(() => {
    work[Symbol.dispose]();
    assert.deepEqual(errors, []);
  });
  return { work, config, asked, election, takeOver };
}

describe('leader work', () => {
  it('of a khook that is alone and has a folder of Hooks is open when it has started', async (t) => {
    const { work, config, asked } = open(t, { alone: true, folder: true });
    await work.start(config);
    assert.deepEqual([work.isOpen, asked], [true, ['restore 0', 'apply with plugins']]);
  });

  it('begins when the Hooks were listed anew and are in force, and what fired before is known', async (t) => {
    const { work, config, asked, takeOver } = open(t, { leads: true });
    await work.start(config);
    await settle();
    assert.deepEqual([work.isOpen, asked], [false, ['apply without plugins', 'take over']]);
    takeOver.resolve([{} as never]);
    await settle();
    assert.deepEqual(asked.slice(2), ['reload', 'restore 1', 'apply with plugins', 'adopt']);
    assert.equal(work.isOpen, true);
  });

  it('waits until it is elected', async (t) => {
    const { work, config, asked, election, takeOver } = open(t);
    takeOver.resolve([]);
    await work.start(config);
    await settle();
    assert.deepEqual(asked, ['apply without plugins']);
    election.isLeader = true;
    election.events.emit('leadership:acquired', { identity: 'me' });
    election.events.emit('leadership:acquired', { identity: 'me' });
    await settle();
    assert.equal(asked.filter((each) => each === 'take over').length, 1);
    assert.equal(work.isOpen, true);
  });

  it('sends nothing more in the very turn in which the leadership is lost, and asks for a fresh process', async (t) => {
    const { work, config, asked, election, takeOver } = open(t, { leads: true });
    takeOver.resolve([]);
    await work.start(config);
    await settle();
    election.events.emit('leadership:lost', { why: 'the lease could not be renewed' });
    assert.equal(work.isOpen, false);
    assert.equal(asked.at(-1), 'drain 0');
    assert.equal(await work.lost, 'the lease could not be renewed');
    election.events.emit('leadership:acquired', { identity: 'me' });
    await settle();
    assert.equal(work.isOpen, false, 'there is no way back');
  });

  it('does not begin when the leadership is lost while it takes over', async (t) => {
    const { work, config, asked, election, takeOver } = open(t, { leads: true });
    await work.start(config);
    election.events.emit('leadership:lost', { why: 'x' });
    takeOver.resolve([]);
    await settle();
    assert.ok(!asked.includes('restore 0') && !work.isOpen);
  });

  it('ends without a word while it waits for the API server', async (t) => {
    const { work, config, takeOver } = open(t, { leads: true });
    await work.start(config);
    work[Symbol.dispose]();
    takeOver.reject(new Error('closed'));
    await settle();
    assert.equal(work.isOpen, false);
  });
});
