/** The command line of a plugin's process: the permissions of a thread, and the limits that a thread gets from its host. Pure. */

import type { PluginSpec } from '../config/plugin-plan.ts';
import { PROCESS_ENTRY } from './runtime-code.ts';
import { threadFlags } from './thread-flags.ts';

const MIB = 1024 * 1024;
/** V8 aborts the process here. Far above the limit, because garbage counts as well until it is collected. */
const HEAP_MULTIPLE = 16;

export function processArguments(
  spec: Pick<PluginSpec, 'name' | 'directory' | 'permissions' | 'limits'>,
  host: number,
): string[] {
  return [
    ...threadFlags(spec),
    // For the one thread that looks after the host; the runtime gives it up before the plugin is loaded.
    '--allow-worker',
    '--expose-gc',
    `--max-old-space-size=${Math.ceil((HEAP_MULTIPLE * spec.limits.memoryBytes) / MIB)}`,
    // Young garbage is collected early: half the size for a plugin that makes much of it.
    '--max-semi-space-size=8',
    '--eval',
    PROCESS_ENTRY,
    '--',
    // Shown by ps. The host's end is the child's.
    spec.name,
    String(host),
  ];
}
