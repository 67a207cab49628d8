import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoredTally } from '../../../plugins/kubernetes/ignored-tally.ts';
import { eventually } from '../../support/eventually.ts';
import { TestPluginContext } from '../../support/plugin-context.ts';
import { eventObject } from './support.ts';

const started = eventObject('e', { type: 'Normal', reason: 'Started', regarding: { kind: 'Pod', name: 'test-pod' } });

function summaries(ctx: TestPluginContext): string[] {
  return ctx.lines.flatMap(({ level, message, fields }) => (level === 'info' ? [`${message} | ${fields.latest}`] : []));
}

test('ignored events: are summed up when nothing else is seen, and the latest is named', async (t) => {
  const ctx = new TestPluginContext('kubernetes');
  t.after(() => ctx.drain());
  const tally = new IgnoredTally(ctx, { gatherMs: 20, quietMs: 100 });
  tally.add(eventObject('x', { reason: 'Odd' }), 'reason');
  for (let n = 0; n < 4; n += 1) tally.add(started, 'normal');
  await eventually(() => summaries(ctx).length === 1);
  assert.deepEqual(summaries(ctx), [
    'Kubernetes event watcher saw 5 events that are of no concern: 1 reason, 4 normal | Normal Started of Pod shop/test-pod',
  ]);
  const told = performance.now();
  tally.add(started, 'normal');
  await eventually(() => summaries(ctx).length === 2);
  assert.ok(performance.now() - told >= 90, 'the next one only after a while');
});

test('ignored events: are not summed up while others are reported', async (t) => {
  const ctx = new TestPluginContext('kubernetes');
  t.after(() => ctx.drain());
  const tally = new IgnoredTally(ctx, { gatherMs: 10, quietMs: 10 });
  tally.add(started, 'normal');
  tally.reported();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(summaries(ctx), []);
  tally.add(started, 'normal');
  await eventually(() => summaries(ctx).length === 1);
  assert.match(summaries(ctx)[0] ?? '', /saw 1 events/);
});

test('ignored events: leave no timer behind', () => {
  const ctx = new TestPluginContext('kubernetes');
  const tally = new IgnoredTally(ctx);
  tally.add(started, 'normal');
  ctx.drain();
  tally.add(started, 'normal');
});
