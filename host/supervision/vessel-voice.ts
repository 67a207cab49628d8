/** What one generation's vessel reports, as events of supervision. */

import type { Emitter } from '../base/emitter.ts';
import type { VesselListener } from '../sandbox/vessel.ts';
import type { SupervisionEvents } from './events.ts';

export interface VesselVoiceOptions {
  readonly plugin: string;
  readonly generation: number;
  readonly events: Emitter<SupervisionEvents>;
  /** No later generation was begun. */
  readonly isLatest: () => boolean;
  readonly exit: VesselListener['exit'];
}

/** The last words of a run are heard whenever they come; all else that comes late changes nothing. */
export function vesselVoice(options: VesselVoiceOptions): Omit<VesselListener, 'frame'> {
  const { plugin, generation, events, isLatest, exit } = options;
  return {
    log: (record) => events.emit('plugin:log', { plugin, generation, record }),
    logsDropped: (count) => events.emit('plugin:logs-dropped', { plugin, count }),
    metric: (record) => {
      if (isLatest()) events.emit('plugin:metric', { plugin, record });
    },
    eventRefused: (code, message) => {
      if (isLatest()) events.emit('plugin:event-refused', { plugin, code, message });
    },
    credentialsRefused: () => {
      if (isLatest()) events.emit('plugin:credentials-refused', { plugin });
    },
    exit,
  };
}
