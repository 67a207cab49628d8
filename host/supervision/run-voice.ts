/** What one run of a plugin says, passed on as supervision's events. */

import type { Emitter } from '../base/emitter.ts';
import type { VesselListener } from '../sandbox/vessel.ts';
import type { SupervisionEvents } from './events.ts';

export interface RunVoiceOptions {
  readonly plugin: string;
  readonly generation: number;
  readonly events: Emitter<SupervisionEvents>;
  /** No later run has begun. */
  readonly isLatest: () => boolean;
  readonly exit: VesselListener['exit'];
}

/** The last words of a run are heard whenever they come; all else that comes late changes nothing. */
export function runVoice({
  plugin,
  generation,
  events,
  isLatest,
  exit,
}: RunVoiceOptions): Omit<VesselListener, 'frame'> {
  return {
    log: (record) => events.emit('plugin:log', { plugin, generation, record }),
    logsDropped: (count) => events.emit('plugin:logs-dropped', { plugin, count }),
    metric: (record) => {
      if (isLatest()) events.emit('plugin:metric', { plugin, record });
    },
    eventRefused: (code, message) => {
      if (isLatest()) events.emit('plugin:event-refused', { plugin, code, message });
    },
    exit,
  };
}
