/** A bundle that came as an archive runs from where it was unpacked, which is no place that its user knows: errors name the archive. Pure. */

import { pathToFileURL } from 'node:url';
import type { PluginSpec } from '../config/plugin-plan.ts';
import type { Exit } from '../sandbox/exit.ts';

/** `…/unpacked/9f86d0…/index.ts:2:47` is `plugins/mqtt-1.0.0.tgz/index.ts:2:47` then. */
export function exitAsKnown(exit: Exit, { directory, archive }: Pick<PluginSpec, 'directory' | 'archive'>): Exit {
  if (archive === undefined) return exit;
  const known = (text: string): string =>
    text.replaceAll(pathToFileURL(directory).pathname, archive).replaceAll(directory, archive);
  return { ...exit, detail: known(exit.detail), stack: known(exit.stack) };
}
