/** The other end of the baselines: posts the same events as plain objects, one by one or in batches of 256, with nothing around them. */

import { parentPort, workerData } from 'node:worker_threads';

const { count, batch } = workerData as { count: number; batch: number };
const PADDING = 'x'.repeat(180);

const event = (n: number): object => ({
  type: 'measured',
  resourceName: `thing-${n % 100}`,
  message: `number ${n} ${PADDING}`,
  namespace: 'bench',
});

if (batch === 1) {
  for (let n = 0; n < count; n += 1) parentPort?.postMessage(event(n));
} else {
  for (let n = 0; n < count; n += batch) {
    parentPort?.postMessage(Array.from({ length: Math.min(batch, count - n) }, (_, i) => event(n + i)));
  }
}
