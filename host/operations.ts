/** What the loopback port may change. */

import { HostError } from './base/errors.ts';
import type { Bus } from './bus/bus.ts';
import type { HostOperations } from './http/view.ts';
import type { EventSnapshots } from './snapshots/event-snapshots.ts';
import type { Plugins } from './supervision/plugins.ts';
import type { Log } from './telemetry/log.ts';
import type { LogLevel } from './telemetry/log-level.ts';
import { TestEvents } from './test-events.ts';

export interface OperationsOptions {
  readonly log: Log;
  readonly plugins: Plugins;
  readonly bus: Bus;
  readonly snapshots: EventSnapshots;
  readonly run: string;
  readonly wall: () => number;
  /** Whether events are taken. */
  readonly isOpen: () => boolean;
}

export function hostOperations({ log, plugins, isOpen, ...options }: OperationsOptions): HostOperations {
  const testEvents = new TestEvents(options);
  return {
    setLogLevel(level: LogLevel, plugin: string | null): void {
      log.setLevel(level, plugin);
      for (const each of plugins.all) each.setDebug(log.levelOf(each.name) === 'debug');
    },
    restartPlugin: async (name) => plugins.find(name)?.restart(),
    async emit(event) {
      if (isOpen()) return testEvents.emit(event);
      const message =
        'this khook takes no events: it is not the leader, or has not read the Hooks of the cluster yet; /readyz and the log say which';
      throw new HostError('HOST_ERR_STANDBY', message);
    },
  };
}
