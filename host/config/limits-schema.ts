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
    .describe('Memory in MB the plugin may hold after garbage collection.'),
  startTimeout: timeout
    .exactOptional()
    .describe('Time for initialize and start together; default settings.loadTimeout.'),
  stopTimeout: timeout
    .exactOptional()
    .describe(
      'Time for drain and stop together; then it is terminated. When khook stops: at most half of shutdownGrace.',
    ),
  healthCheckTimeout: timeout.exactOptional().describe('Time for one healthCheck.'),
  cpuShare: z
    .number()
    .min(0.05)
    .max(1)
    .exactOptional()
    .describe('Share of one core; a plugin that stays over it for seconds is ended. 1 = no limit.'),
  hangTimeout: timeout.exactOptional().describe('How long its event loop may stand still before it is ended.'),
  sockets: z.int().min(0).max(65_536).exactOptional().describe('Sockets open at once; one more is refused.'),
  files: z.int().min(0).max(65_536).exactOptional().describe('Files open at once; one more is refused.'),
  logLinesPerSecond: z
    .int()
    .min(1)
    .max(100_000)
    .exactOptional()
    .describe('Log lines, of 2 KB on average; what is over is counted.'),
});

/** `{ memoryMb: 64, startTimeout: 30s, hangTimeout: 2s }`; only what was written is in the output. */
export const limitsSchema: z.ZodType<Partial<PluginLimits>> = written.transform((limits): Partial<PluginLimits> => {
  const { memoryMb, startTimeout, stopTimeout, healthCheckTimeout, hangTimeout, ...counts } = limits;
  return {
    ...counts,
    ...(memoryMb !== undefined && { memoryBytes: memoryMb * 1024 * 1024 }),
    ...(startTimeout !== undefined && { startTimeoutMs: startTimeout }),
    ...(stopTimeout !== undefined && { stopTimeoutMs: stopTimeout }),
    ...(healthCheckTimeout !== undefined && { healthCheckTimeoutMs: healthCheckTimeout }),
    ...(hangTimeout !== undefined && { hangTimeoutMs: hangTimeout }),
  };
});
