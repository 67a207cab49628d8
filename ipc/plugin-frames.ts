/** The stack of an error of a plugin, as its author wants to see it. */

import { fileURLToPath } from 'node:url';

/** Of khook only these run below a plugin's code. Bundles may lie elsewhere in its folder. */
const OWN = [new URL('.', import.meta.url).href, fileURLToPath(new URL('../node_modules/comlink/', import.meta.url))];

/** Without the frames of the runtime and of Node itself, unless there are no others. */
export function pluginFrames(stack: string): string {
  const lines = stack.split('\n');
  const kept = lines.filter((line) => !/^ +at /.test(line) || isPluginFrame(line));
  return kept.some((line) => /^ +at /.test(line)) ? kept.join('\n') : stack;
}

/** Whether a line of a stack, `    at f (file:///x.js:1:2)`, is of a plugin's code. */
export function isPluginFrame(line: string): boolean {
  return !/[( ](?:node:|<anonymous>)/.test(line) && !OWN.some((folder) => line.includes(folder));
}

/** Where in a plugin's code an error was thrown, in brackets, or nothing. */
export function thrownAt(stack: string): string {
  const frame = stack.split('\n').find((line) => /^ +at /.test(line) && isPluginFrame(line));
  return frame === undefined ? '' : ` (${frame.trim()})`;
}
