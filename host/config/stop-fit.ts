/** Says when a plugin is promised more time to stop than the host itself has. Pure. */

import type { Bundle } from './bundle.ts';
import { type Place, problemAt } from './place.ts';
import type { PlanContext } from './plan-bundle.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { Problem } from './problem.ts';
import { graceFor, stopLadder } from './stop-ladder.ts';
import { formatDuration } from './units.ts';

/**
 * The plugin runs, and while khook runs the longer time holds, for a replacement too. Only when khook itself stops there is less:
 * that is said now, not found out then.
 */
export function stopTimeoutProblem(bundle: Bundle, entry: PluginEntry | null, context: PlanContext): Problem | null {
  const { manifest, file, document } = bundle;
  const { name } = manifest;
  const written = entry?.limits.stopTimeoutMs;
  const stopTimeoutMs = written ?? manifest.limits.stopTimeoutMs;
  const { graceMs, pluginMs } = stopLadder(context.settings.shutdownGraceMs);
  if (stopTimeoutMs === undefined || stopTimeoutMs <= pluginMs) return null;
  const place: Place =
    entry === null || written === undefined
      ? { file, document, basePath: ['khook', 'limits'], subject: name }
      : { file: context.file, document: context.document, basePath: [...entry.documentPath, 'limits'], subject: name };
  return problemAt(place, ['stopTimeout'], {
    code: 'HOST_ERR_CONFIG_CONFLICT',
    message: `configuration 'limits.stopTimeout' (${formatDuration(stopTimeoutMs)}) of plugin '${name}' does not fit into 'settings.shutdownGrace' (${formatDuration(graceMs)}): when khook stops, the plugin has ${formatDuration(pluginMs)}`,
    fix: `set settings.shutdownGrace to at least ${formatDuration(graceFor(stopTimeoutMs))}, or limits.stopTimeout to at most ${formatDuration(pluginMs)}`,
  });
}
