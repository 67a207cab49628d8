/** The null hypothesis: a thread that posts events with no khook in between. */

import { Worker } from 'node:worker_threads';

export interface Measured {
  readonly eventsPerSecond: number;
  /** Microseconds in which the receiving thread was busy, per event. */
  readonly hostMicros: number;
}

/** `batch` 1: one postMessage per event. */
export async function baseline(count: number, batch: number): Promise<Measured> {
  const worker = new Worker(new URL('./baseline-worker.ts', import.meta.url), { workerData: { count, batch } });
  let seen = 0;
  let from = 0;
  let loop = performance.eventLoopUtilization();
  await new Promise<void>((resolve) => {
    worker.on('message', (message: object | object[]) => {
      if (seen === 0) {
        from = performance.now();
        loop = performance.eventLoopUtilization();
      }
      seen += Array.isArray(message) ? message.length : 1;
      if (seen >= count) resolve();
    });
  });
  const ms = performance.now() - from;
  const { active } = performance.eventLoopUtilization(loop);
  await worker.terminate();
  return { eventsPerSecond: (count / ms) * 1000, hostMicros: (active * 1000) / count };
}
