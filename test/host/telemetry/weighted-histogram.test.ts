import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { WeightedHistogram } from '../../../host/telemetry/weighted-histogram.ts';

const SHAPE = { name: 'khook_test_seconds', help: 'A test.' };
const buckets = [0.1, 1, 10];

/** `name{labels}` → value, whatever the order of lines and labels. */
function byName(body: string): Map<string, number> {
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\S+?)\{(.*)\} (\S+)$/.exec(line) ?? [];
      return [`${name}{${labels.split(',').sort().join(',')}}`, Number(value)];
    }),
  );
}

test('weighted histogram: a weight counts like as many single observations', async () => {
  const observation = fc.record({
    label: fc.constantFrom('a', 'b'),
    // Eighths add up exactly, in whatever order.
    eighths: fc.nat(200),
    weight: fc.integer({ min: 1, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(observation), async (observations) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const weighted = new WeightedHistogram({ ...SHAPE, label: 'plugin', buckets, registry: ours });
      const single = new Histogram({ ...SHAPE, labelNames: ['plugin'], buckets, registers: [theirs] });
      for (const { label, eighths, weight } of observations) {
        weighted.observe(label, eighths / 8, weight);
        for (let i = 0; i < weight; i += 1) single.observe({ plugin: label }, eighths / 8);
      }
      assert.deepEqual(byName(await ours.metrics()), byName(await theirs.metrics()));
    }),
    { numRuns: 50 },
  );
});

test('weighted histogram: a bound belongs to its own bucket', async () => {
  const registry = new Registry();
  const histogram = new WeightedHistogram({ ...SHAPE, label: 'plugin', buckets, registry });
  histogram.observe('a', 1, 4);
  assert.match(await registry.metrics(), /_bucket\{le="1",plugin="a"\} 4\n/);
  histogram.remove('a');
  assert.doesNotMatch(await registry.metrics(), /plugin=/);
});
