/** Asks a thread of its own why each Hook fires or not. The thread is gone when it has answered, or when its time is up. */

import { Worker } from 'node:worker_threads';
import type { Clock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import type { InquiryAnswer, InquiryData } from './inquiry-thread.ts';

export type { InquiryAnswer } from './inquiry-thread.ts';

const THREAD = new URL('./inquiry-thread.ts', import.meta.url);
const HEAP_MB = 256;
const DEADLINE_MS = 10_000;

/** Rejects with HOST_ERR_MATCH. */
export async function inquire(clock: Clock, data: InquiryData): Promise<InquiryAnswer> {
  const worker = new Worker(THREAD, {
    name: 'inquiry',
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  worker.unref();
  const { promise, resolve, reject } = Promise.withResolvers<InquiryAnswer>();
  const timer = clock.after(DEADLINE_MS, () => reject(fault(`it took longer than ${DEADLINE_MS / 1_000} s`)));
  worker.once('message', resolve);
  worker.once('error', (error) => reject(fault(messageOf(error))));
  worker.once('exit', (code) => reject(fault(`its thread ended with code ${code}`)));
  try {
    return await promise;
  } finally {
    timer.cancel();
    void worker.terminate();
  }
}

function fault(why: string): HostError {
  return new HostError('HOST_ERR_MATCH', `why Hooks fire or not cannot be told now: ${why}; ask again`);
}
