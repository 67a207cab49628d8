/** Which events somebody wants to see. Pure. */

import type { StreamQuery } from '../http/stream.ts';
import type { LedgerFrame } from '../ledger/ledger-frame.ts';

/** Of some plugins, ended in some ways; an event that is on its way still has no outcome to be asked for. */
export function endedWith({
  plugins,
  outcomes,
}: Pick<StreamQuery, 'plugins' | 'outcomes'>): (frame: LedgerFrame, index: number) => boolean {
  return (frame, index) => {
    if (plugins !== null && !plugins.includes(frame.origin.plugin)) return false;
    if (outcomes === null) return true;
    const outcome = frame.outcome(index);
    return outcome !== null && outcomes.includes(outcome);
  };
}
