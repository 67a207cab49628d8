/**
 * The programs that the tests of a cluster run: `$KUBEBUILDER_ASSETS` if it is set, else what `npm run cluster:install` built
 * from the modules pinned in test/cluster/tools, else what stands in PATH.
 */

import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

export const MODULE_DIRECTORY = resolve(import.meta.dirname, '../../cluster/tools');

/** Program → the package it is built from. */
export const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  helm: 'helm.sh/helm/v4/cmd/helm',
} as const;

export type Tool = keyof typeof PACKAGES;
export type Tools = Readonly<Record<Tool, string>>;
type Variables = Readonly<Record<string, string | undefined>>;

export type ToolSearch =
  | { readonly kind: 'found'; readonly tools: Tools }
  | { readonly kind: 'missing'; readonly missing: readonly Tool[] };

export function findTools(variables: Variables = process.env): ToolSearch {
  const found = Object.keys(PACKAGES).map((name) => [name, findTool(name, variables)] as const);
  const missing = found.filter(([, path]) => path === null).map(([name]) => name as Tool);
  if (missing.length > 0) return { kind: 'missing', missing };
  return { kind: 'found', tools: Object.fromEntries(found) as Tools };
}

/** Throws when a program is missing: a suite that needs them says `{ skip: missingTools() }`. */
export function requireTools(): Tools {
  const search = findTools();
  if (search.kind === 'missing') throw new Error(sentence(search.missing));
  return search.tools;
}

/** For `skip` of node:test: why the tests cannot run, or false. */
export function missingTools(): string | false {
  const search = findTools();
  return search.kind === 'missing' && sentence(search.missing);
}

function sentence(missing: readonly Tool[]): string {
  return `no ${missing.join(', ')} here: 'npm run cluster:install' builds what is missing (needs Go), or set KUBEBUILDER_ASSETS`;
}

/** Where the programs of these modules are kept. A whole set has all of them in `bin`: it is moved here in one step. */
export function toolsDirectory(variables: Variables = process.env): string {
  const cache = variables.XDG_CACHE_HOME || join(variables.HOME || homedir(), '.cache');
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${JSON.stringify(PACKAGES)}`);
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE_DIRECTORY, file)));
  return join(cache, 'khook', 'cluster', hash.digest('hex').slice(0, 16));
}

/** Null when it is not here. */
export function findTool(name: string, variables: Variables = process.env): string | null {
  const assets = variables.KUBEBUILDER_ASSETS || null;
  const folders = [
    ...(assets === null ? [] : [assets]),
    join(toolsDirectory(variables), 'bin'),
    ...(variables.PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
  ];
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
