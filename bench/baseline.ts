/** The null hypothesis: a thread that posts events with no khook in between. */

import { Worker } from 'node:worker_threads';

export interface Measured {
  readonly eventsPerSecond: number;
  /** CPU time of the receiving thread per event, in microseconds. */
  readonly hostMicros: number;
}

/** `batch` 1: one postMessage per event. */
export async function baseline(count: number, batch: number): Promise<Measured> {
  const worker = new Worker(new URL('./baseline-worker.ts', import.meta.url), { workerData: { count, batch } });
  let seen = 0;
  let from = 0;
  let cpu = process.threadCpuUsage();
  await new Promise<void>((resolve) => {
    worker.on('message', (message: object | object[]) => {
      if (seen === 0) {
        from = performance.now();
        cpu = process.threadCpuUsage();
      }
      seen += Array.isArray(message) ? message.length : 1;
      if (seen >= count) resolve();
    });
  });
  const ms = performance.now() - from;
  const { user, system } = process.threadCpuUsage(cpu);
  await worker.terminate();
  return { eventsPerSecond: (count / ms) * 1000, hostMicros: (user + system) / count };
}
