import { join } from 'node:path';
import { NO_PERMISSIONS } from '../../host/config/permissions.ts';
import type { PluginSpec } from '../../host/config/plugin-plan.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/plugins');

/** A plan to run one of the fixture plugins, with the defaults a user would get. */
export function fixtureSpec(name: string, overrides: Partial<PluginSpec> = {}): PluginSpec {
  const directory = join(FIXTURES, name);
  return {
    name,
    version: '1.0.0',
    description: '',
    directory,
    entry: join(directory, 'index.ts'),
    fingerprint: JSON.stringify([name, overrides]),
    eventTypes: ['happened'],
    config: {},
    permissions: NO_PERMISSIONS,
    limits: {
      memoryBytes: 64 * 1024 * 1024,
      startTimeoutMs: 10_000,
      stopTimeoutMs: 1_000,
      healthCheckTimeoutMs: 1_000,
      cpuShare: 0.85,
      hangTimeoutMs: 2_000,
      sockets: 1_024,
      files: 64,
      logLinesPerSecond: 200,
    },
    rateLimit: { eventsPerSecond: 100_000, burst: 100_000, whenFull: 'block' },
    namespaces: null,
    required: false,
    debug: false,
    isolation: 'thread',
    healthCheckIntervalMs: 30_000,
    ...overrides,
  };
}
