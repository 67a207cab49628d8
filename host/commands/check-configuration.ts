/** Reads a configuration and its bundles as `run` would, runs nothing, and says what would become of each. */

import { resolve } from 'node:path';
import { systemClock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import type { ConnectionSource } from '../cluster/api-client.ts';
import { type ConnectionSearch, findConnection } from '../cluster/connection.ts';
import { readHooksOnce } from '../cluster/hooks-once.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { type HookSource, hooksFolder, NO_HOOKS } from '../config/hook-source.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import { ConfigLoader } from '../config/loader.ts';
import type { PluginPlan } from '../config/plugin-plan.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { filterProblems } from '../match/filter-check.ts';
import { promptProblems } from '../match/prompt-problems.ts';
import { flagText, type Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { hooksDirectoryOf } from './hooks-flag.ts';

export async function checkConfiguration(invocation: Invocation): Promise<ExitCode> {
  const { environment, problems: environmentProblems } = readEnvironment();
  const search = await findConnection(environment.variables);
  const configDirectory = resolve(flagText(invocation, 'config') ?? 'config');
  const plugins = flagText(invocation, 'plugins');
  const hooksDirectory = hooksDirectoryOf(flagText(invocation, 'hooks'), { configDirectory, environment });
  const found =
    hooksDirectory === null
      ? await fromCluster(search, environment)
      : { hooks: hooksFolder(hooksDirectory, environment.podNamespace), problems: [] };
  await using loader = new ConfigLoader({
    configDirectory,
    hooks: found.hooks,
    pluginsDirectory: plugins === null ? null : resolve(plugins),
    environment,
    connectionProblem: () => (search.kind === 'none' ? search.reason : null),
  });
  const config = await loader.load();
  const problems = [
    ...environmentProblems,
    ...found.problems,
    ...config.problems,
    ...promptProblems(config.hooks),
    ...filterProblems(config.hooks),
  ];
  if (invocation.flags.json === true) {
    const plans = config.plans.map(({ name, version, kind }) => ({ name, version, kind }));
    invocation.stdout(`${JSON.stringify({ ok: problems.length === 0, problems, plugins: plans }, null, 2)}\n`);
  } else {
    for (const problem of problems) invocation.stderr(`${formatProblem(problem)}\n`);
    invocation.stdout(summary(config, problems.length));
  }
  return problems.length === 0 ? EXIT_CODES.OK : EXIT_CODES.CONFIG;
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

function summary({ plans, mappings, hooks }: LoadedConfig, problems: number): string {
  const width = Math.max(0, ...plans.map(({ name, version }) => name.length + version.length + 1)) + 2;
  const lines = plans.map((plan) => `${`${plan.name} ${plan.version}`.padEnd(width)}${describePlan(plan)}`);
  const enabled = mappings.filter((mapping) => mapping.enabled).length;
  lines.push(`${mappings.length} mappings (${enabled} enabled), ${hooks.length} Hooks`);
  lines.push(problems === 0 ? 'No problems found.' : `${problems} ${problems === 1 ? 'problem' : 'problems'} found.`);
  return `${lines.join('\n')}\n`;
}

function describePlan(plan: PluginPlan): string {
  switch (plan.kind) {
    case 'run':
      return `would run (${plan.spec.isolation}, ${plan.spec.limits.memoryBytes / 1024 / 1024} MB; ${plan.spec.eventTypes.join(', ')})`;
    case 'disabled':
      return 'is disabled';
    case 'blocked':
      return `would be blocked: ${plan.reason}\n${plan.remedy.replace(/^/gm, '    ')}`;
    case 'invalid':
      return 'would not run; see the problems';
  }
}
