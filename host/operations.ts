/** What the loopback port may do. */

import { HostError } from './base/errors.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { Settings } from './config/settings.ts';
import type { Doctor } from './doctor/doctor.ts';
import type { HostOperations } from './http/view.ts';
import { Profiler } from './profile/profiler.ts';
import type { Rooms } from './rooms.ts';
import { deadLetterOperations } from './snapshots/dead-letter-snapshots.ts';
import type { EventSnapshots } from './snapshots/event-snapshots.ts';
import { Recordings } from './snapshots/recordings.ts';
import type { Log } from './telemetry/log.ts';
import type { LogLevel } from './telemetry/log-level.ts';
import { TestEvents } from './test-events.ts';

export interface OperationsOptions {
  readonly log: Log;
  readonly rooms: Rooms;
  readonly snapshots: EventSnapshots;
  readonly settings: Settings;
  readonly version: string;
  readonly run: string;
  readonly doctor: Pick<Doctor, 'bundle'>;
  /** Whether events are taken. */
  readonly isOpen: () => boolean;
  /** Of the plugins, as they are now. */
  readonly plans: () => LoadedConfig['plans'];
}

export function hostOperations({ log, rooms, isOpen, ...options }: OperationsOptions): HostOperations {
  const { clock, plugins, bus, dispatch } = rooms;
  const { snapshots, run } = options;
  const testEvents = new TestEvents({ bus, snapshots, run, wall: clock.wall });
  const recordings = new Recordings({
    ...{ rooms, ...options },
    onOpened: ({ raw, follow }) => {
      // One look at what is remembered, secrets taken out, is no more than `GET /api/v1/events` tells: `khook explain` takes several.
      if (raw || follow) log.component('host').info(`Events are being recorded, ${raw ? 'with' : 'without'} secrets`);
    },
  });
  const profiler = new Profiler({
    clock,
    recordPlugin: (name, kind, ms) => plugins.find(name)?.vessel?.profile(kind, ms) ?? null,
  });
  return {
    setLogLevel(level: LogLevel, plugin: string | null): void {
      log.setLevel(level, plugin);
      for (const each of plugins.all) each.setDebug(log.levelOf(each.name) === 'debug');
    },
    bundle: () => options.doctor.bundle(),
    restartPlugin: async (name) => plugins.find(name)?.restart(),
    profile: profiler.profile.bind(profiler),
    record: recordings.open.bind(recordings),
    ...deadLetterOperations(dispatch.deadLetters),
    async emit(event) {
      if (isOpen()) return testEvents.emit(event);
      const message =
        'this khook takes no events: it is not the leader, or has not read the Hooks of the cluster yet; /readyz and the log say which';
      throw new HostError('HOST_ERR_STANDBY', message);
    },
  };
}
