/** A plugin's limits as they are written, in a manifest and in plugins.yaml. */

import * as z from 'zod';
import type { PluginLimits } from './permissions.ts';
import { durationMs } from './units.ts';

const timeout = durationMs({ min: '10ms', max: '10m' });

const written = z.strictObject({
  memoryMb: z
    .int()
    .min(8)
    .max(4_096)
    .exactOptional()
    .describe('Memory in MB; the thread is ended when its heap reaches four times as much.'),
  startTimeout: timeout
    .exactOptional()
    .describe('Time for initialize and start together; default settings.loadTimeout.'),
  stopTimeout: timeout.exactOptional().describe('Grace period of stop; after it the plugin is terminated.'),
  healthCheckTimeout: timeout.exactOptional().describe('Time for one healthCheck.'),
});

/** `{ memoryMb: 64, startTimeout: 30s, stopTimeout: 5s, healthCheckTimeout: 5s }`; only what was written is in the output. */
export const limitsSchema: z.ZodType<Partial<PluginLimits>> = written.transform((limits): Partial<PluginLimits> => {
  const { memoryMb, startTimeout, stopTimeout, healthCheckTimeout } = limits;
  return {
    ...(memoryMb !== undefined && { memoryBytes: memoryMb * 1024 * 1024 }),
    ...(startTimeout !== undefined && { startTimeoutMs: startTimeout }),
    ...(stopTimeout !== undefined && { stopTimeoutMs: stopTimeout }),
    ...(healthCheckTimeout !== undefined && { healthCheckTimeoutMs: healthCheckTimeout }),
  };
});
