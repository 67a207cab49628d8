// Runs in the plugin's child process.
/** Records a profile of this process when the host asks for one. What it needs is taken before any code of the plugin runs. */

import { startCpuProfile, startHeapProfile } from 'node:v8';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { FromChild, ToChild } from '../process-life.ts';

const starts = { cpu: startCpuProfile, heap: startHeapProfile } as const;
const gzip = gzipSync;

/** Calls `answer` once, with the profile or with why there is none. */
export function recordProfile(
  { what, ms }: Pick<Extract<ToChild, { kind: 'profile' }>, 'what' | 'ms'>,
  { clock, answer }: { readonly clock: Clock; readonly answer: (message: FromChild) => void },
): void {
  const attempt = <T>(step: () => T): T | null => {
    try {
      return step();
    } catch (error) {
      answer({ kind: 'profile', gzipped: '', fault: messageOf(error) });
      return null;
    }
  };
  const recording = attempt(() => starts[what]());
  if (recording === null) return;
  clock.after(ms, () => {
    const gzipped = attempt(() => gzip(recording.stop()).toString('base64'));
    if (gzipped !== null) attempt(() => answer({ kind: 'profile', gzipped, fault: '' }));
  });
}
