// Runs in the plugin's thread.
/** Answers the pulse. An answer tells the host nothing but that the loop runs; sizes are read from outside. */

import type { PulseMessage } from '../messages.ts';
import type { Port } from '../port.ts';

/** Taken before any code of the plugin runs. Absent when V8 was not told to expose it. */
const collect = (globalThis as { gc?: (options: typeof ORDINARY | typeof THOROUGH) => void }).gc;

/** Said in full: `gc(undefined)` collects the young generation only. */
const ORDINARY = { type: 'major', execution: 'sync', flavor: 'regular' } as const;

/** Gives the emptied pages back to the system: for a host that can see nothing but what the system handed out. */
const THOROUGH = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const;

/** A collection is answered when it is done, so that what the host reads then is what is really held. */
export function answerPulse(
  port: Port<PulseMessage, PulseMessage>,
  flavour: 'ordinary' | 'thorough' = 'ordinary',
): void {
  port.receive((message) => {
    if (message.kind === 'collect') collect?.(flavour === 'ordinary' ? ORDINARY : THOROUGH);
    port.post(message);
  });
}
