/** Reads a configuration and its bundles as `run` would, and runs nothing. */

import { join, resolve } from 'node:path';
import { systemClock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { ConnectionSource } from '../cluster/api-client.ts';
import { type ConnectionSearch, findConnection } from '../cluster/connection.ts';
import { readHooksOnce } from '../cluster/hooks-once.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { type HookSource, hooksFolder, NO_HOOKS } from '../config/hook-source.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import { ConfigLoader } from '../config/loader.ts';
import type { Problem } from '../config/problem.ts';
import { filterProblems } from '../match/filter-check.ts';
import { promptProblems } from '../match/prompt-problems.ts';
import { flagText, type Invocation } from './command.ts';
import { hooksDirectoryOf } from './hooks-flag.ts';

export interface ReadConfiguration {
  readonly environment: Environment;
  readonly environmentProblems: readonly Problem[];
  readonly config: LoadedConfig;
  /** Why there is no connection to a cluster; null: there would be one. */
  readonly connectionProblem: string | null;
  /** Of plugins.yaml and the folder of Hooks, where they are to be. */
  readonly wantedFiles: readonly string[];
  /** Of the Hooks: where they cannot be read, and of prompts and filters. */
  readonly problems: readonly Problem[];
}

/** By the flags `config`, `plugins` and `hooks`. */
export async function readConfiguration(invocation: Invocation): Promise<ReadConfiguration> {
  const { environment, problems: environmentProblems } = readEnvironment();
  const search = await findConnection(environment.variables);
  const configDirectory = resolve(flagText(invocation, 'config') ?? 'config');
  const plugins = flagText(invocation, 'plugins');
  const hooksDirectory = hooksDirectoryOf(flagText(invocation, 'hooks'), { configDirectory, environment });
  const found =
    hooksDirectory === null
      ? await fromCluster(search, environment)
      : { hooks: hooksFolder(hooksDirectory, environment.podNamespace), problems: [] };
  const connectionProblem = search.kind === 'none' ? search.reason : null;
  await using loader = new ConfigLoader({
    configDirectory,
    hooks: found.hooks,
    pluginsDirectory: plugins === null ? null : resolve(plugins),
    environment,
    connectionProblem: () => connectionProblem,
  });
  const config = await loader.load();
  const problems = [...found.problems, ...promptProblems(config.hooks), ...filterProblems(config.hooks)];
  const wantedFiles = [join(configDirectory, 'plugins.yaml'), ...(hooksDirectory === null ? [] : [hooksDirectory])];
  return { environment, environmentProblems, config, connectionProblem, wantedFiles, problems };
}

/** A cluster that cannot be asked has no Hooks to check, which is a problem by itself. */
async function fromCluster(
  search: ConnectionSearch,
  { watchNamespaces: namespaces }: Environment,
): Promise<{ hooks: HookSource; problems: readonly Problem[] }> {
  const connection = search.kind === 'found' ? search.connection : null;
  const problem = search.kind === 'none' ? search.reason : null;
  const source: ConnectionSource = { connection, problem, renew: async () => connection };
  try {
    return { hooks: await readHooksOnce({ source, clock: systemClock, namespaces }), problems: [] };
  } catch (error) {
    const place = { file: 'cluster', line: null, column: null, path: '', subject: '' };
    const fix = '--hooks DIR checks the Hooks of a folder instead';
    const message = `the Hooks of the cluster cannot be read: ${messageOf(error)}`;
    return { hooks: NO_HOOKS, problems: [{ code: 'HOST_ERR_CLUSTER_REFUSED', message, fix, ...place }] };
  }
}
