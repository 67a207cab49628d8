import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { IgnoredTally } from '../../../plugins/kubernetes/ignored-tally.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { eventObject } from './support.ts';

const started = eventObject('e', { type: 'Normal', reason: 'Started', regarding: { kind: 'Pod', name: 'test-pod' } });

function open(t: TestContext) {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => now);
  const ctx = new TestPluginContext('kubernetes');
  const tally = new IgnoredTally(ctx);
  const pass = (seconds: number): void => {
    now += seconds * 1_000;
    t.mock.timers.tick(seconds * 1_000);
  };
  /** Summaries since the last time. */
  const told = (): string[] =>
    ctx.lines.splice(0).flatMap(({ level, message, fields }) => {
      return level === 'info' ? [`${message} | ${fields.latest}`] : [];
    });
  return { ctx, tally, pass, told };
}

test('ignored events: are summed up when nothing else is seen, soon and then now and then', (t) => {
  const { tally, pass, told } = open(t);
  tally.add(eventObject('x', { reason: 'Odd' }), 'reason');
  for (let n = 0; n < 4; n += 1) tally.add(started, 'normal');
  pass(9);
  assert.deepEqual(told(), []);
  pass(1);
  assert.deepEqual(told(), [
    'Kubernetes event watcher saw 5 events that are of no concern: 1 reason, 4 normal | Normal Started of Pod shop/test-pod',
  ]);
  tally.add(started, 'normal');
  pass(299);
  assert.deepEqual(told(), []);
  pass(1);
  assert.match(told()[0] ?? '', /saw 1 events/);
  pass(3_600);
  assert.deepEqual(told(), [], 'nothing was seen');
});

test('ignored events: are not summed up while others are reported', (t) => {
  const { tally, pass, told } = open(t);
  tally.add(started, 'normal');
  tally.reported();
  pass(10);
  assert.deepEqual(told(), []);
  tally.add(started, 'normal');
  pass(10);
  assert.match(told()[0] ?? '', /saw 1 events/);
});

test('ignored events: leave no timer behind', (t) => {
  const { ctx, tally, pass, told } = open(t);
  tally.add(started, 'normal');
  ctx.drain();
  tally.add(started, 'normal');
  pass(3_600);
  assert.deepEqual(told(), []);
});
