/** A plugin's permissions as the flags of its Worker: deny by default, one flag per path. Pure. */

import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PluginSpec } from '../config/plugin-plan.ts';

/** The guard opens one file to see what a file handle is made of; it has no need of any other: see runtime-code.ts. */
const OPENED = fileURLToPath(new URL('../../ipc/runtime/guard/file-handles.ts', import.meta.url));

export function threadFlags(spec: Pick<PluginSpec, 'directory' | 'permissions'>): string[] {
  const { net, read, write } = spec.permissions;
  const usesNet = net.any || net.listen.length > 0 || net.connect.length > 0 || spec.permissions.kubernetes;
  const reads = [`${spec.directory}${sep}`, OPENED, ...read.map(folder)];
  return [
    '--permission',
    ...reads.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${folder(path)}`),
    ...(usesNet ? ['--allow-net'] : []),
    '--no-addons',
    '--no-experimental-sqlite',
    '--unhandled-rejections=strict',
    '--no-warnings',
  ];
}

function folder(path: string): string {
  return path.endsWith(sep) ? path : `${path}${sep}`;
}

/** The environment of the thread: the granted names, and nothing else. */
export function threadEnvironment(
  names: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const granted: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) granted[name] = value;
  }
  return granted;
}
