/** The flag --hooks of `run` and `check`: a folder, or the cluster. */

import { resolve } from 'node:path';
import type { Environment } from '../config/environment.ts';
import type { Flag } from './command.ts';

export const HOOKS_FLAG: Flag = {
  name: 'hooks',
  value: 'DIR',
  description: 'Folder with Hooks as YAML files; cluster: those of the cluster.',
  default: 'cluster in a pod, else <config>/hooks',
};

const CLUSTER = 'cluster';

/** Absolute; null: the cluster. A kubeconfig alone is no reason to write into the cluster that it names: that has to be asked for. */
export function hooksDirectoryOf(
  text: string | null,
  { configDirectory, environment }: { readonly configDirectory: string; readonly environment: Environment },
): string | null {
  if (text === CLUSTER) return null;
  if (text !== null) return resolve(text);
  const isInPod = (environment.variables.KUBERNETES_SERVICE_HOST ?? '') !== '';
  return isInPod ? null : `${configDirectory}/hooks`;
}
