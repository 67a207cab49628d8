/** A profile of one thread as V8 writes it: JSON text, not looked at here. Whoever reads it must not trust it: a plugin can shape it. */

import { type Clock, delay } from '../../ipc/clock.ts';

export type ProfileKind =
  /** Where time goes, as call stacks sampled. */
  | 'cpu'
  /** What was allocated since it began and is still held, by the stack that allocated it. */
  | 'heap';

/** A profiler under way, as Node hands it out. */
export interface Recording {
  stop(): Promise<string> | string;
}

/** Records for `ms`. Rejects when the thread ends meanwhile. */
export async function record(clock: Clock, ms: number, start: () => Promise<Recording> | Recording): Promise<string> {
  const recording = await start();
  await delay(clock, ms);
  return recording.stop();
}
