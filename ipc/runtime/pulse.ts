// Runs in the plugin's thread.
/** Answers the pulse. An answer tells the host nothing but that the loop runs; sizes are read from outside. */

import type { PulseMessage } from '../messages.ts';
import type { Port } from '../port.ts';
import { collect, type Thoroughness } from './collection.ts';

/**
 * A collection is answered when it is done, so that what the host reads then is what is really held. A host that can see nothing but
 * what the system handed out needs a thorough one. A thread whose end is near heeds that first, and answers nothing any more.
 */
export function answerPulse(
  port: Port<PulseMessage, PulseMessage>,
  { thoroughness = 'ordinary', heed }: { thoroughness?: Thoroughness; heed?: () => void } = {},
): void {
  port.receive((message) => {
    heed?.();
    if (message.kind === 'collect') collect(thoroughness);
    port.post(message);
  });
}
