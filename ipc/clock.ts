/** The one place where time is read and timers are made, on both sides of the thread boundary; everything else takes a `Clock`. */

export interface Timer {
  /** Idempotent. After it returns the callback is never run. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds on a monotonic scale of unknown origin: for durations and deadlines. */
  now(): number;
  /** Milliseconds since the Unix epoch: for records that people read, never for durations. */
  wall(): number;
  /** Milliseconds that this thread has computed: what its work costs, whoever else keeps the machine busy. */
  cpu(): number;
  /** Runs `action` once after `ms`. The timer does not keep the process alive, unless it is asked to. */
  after(ms: number, action: () => void, options?: { readonly holdsProcess: boolean }): Timer;
  /** Runs `action` every `ms` until cancelled. The timer does not keep the process alive. */
  every(ms: number, action: () => void): Timer;
}

// Taken before a plugin, or a library in it, replaces them.
const { setTimeout: later, setInterval: often, clearTimeout: noMore, clearInterval: noMoreOften } = globalThis;
const monotonic = performance.now.bind(performance);
const { now: sinceEpoch } = Date;

export const systemClock: Clock = {
  now: monotonic,
  wall: sinceEpoch,
  cpu() {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  },
  after(ms, action, options) {
    const timer = later(action, ms);
    if (options?.holdsProcess !== true) timer.unref();
    return { cancel: () => noMore(timer) };
  },
  every(ms, action) {
    const timer = often(action, ms).unref();
    return { cancel: () => noMoreOften(timer) };
  },
};

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. Keeps the process alive no longer than its clock does. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
