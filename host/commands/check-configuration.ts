/** Reads a configuration and its bundles as `run` would, runs nothing, and says what would become of each. */

import type { LoadedConfig } from '../config/loaded-config.ts';
import type { PluginPlan } from '../config/plugin-plan.ts';
import { formatProblem } from '../config/problem.ts';
import { suggestMapping } from '../match/mapping-suggestion.ts';
import type { Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { readConfiguration } from './read-configuration.ts';

export async function checkConfiguration(invocation: Invocation): Promise<ExitCode> {
  const { config, environmentProblems, problems: found } = await readConfiguration(invocation);
  const problems = [...environmentProblems, ...config.problems, ...found];
  if (invocation.flags.json === true) {
    const plans = config.plans.map(({ name, version, kind }) => ({ name, version, kind }));
    invocation.stdout(`${JSON.stringify({ ok: problems.length === 0, problems, plugins: plans }, null, 2)}\n`);
  } else {
    for (const problem of problems) invocation.stderr(`${formatProblem(problem)}\n`);
    invocation.stdout(summary(config, problems.length));
  }
  return problems.length === 0 ? EXIT_CODES.OK : EXIT_CODES.CONFIG;
}

function summary({ plans, mappings, hooks }: LoadedConfig, problems: number): string {
  const width = Math.max(0, ...plans.map(({ name, version }) => name.length + version.length + 1)) + 2;
  const mapped = new Set(mappings.map(({ eventSource, eventType }) => `${eventSource}:${eventType}`));
  const lines = plans.flatMap((plan) => [
    `${`${plan.name} ${plan.version}`.padEnd(width)}${describePlan(plan)}`,
    ...unmapped(plan, mapped),
  ]);
  const enabled = mappings.filter((mapping) => mapping.enabled).length;
  lines.push(
    `${mappings.length} ${mappings.length === 1 ? 'mapping' : 'mappings'} (${enabled} enabled), ${hooks.length} ${hooks.length === 1 ? 'Hook' : 'Hooks'}`,
  );
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

/** Types that a plugin may send and no Hook would see. No problem: whoever adds a plugin writes its mappings next. */
function unmapped(plan: PluginPlan, mapped: ReadonlySet<string>): string[] {
  const types = plan.kind === 'run' ? plan.spec.eventTypes : [];
  return types
    .filter((type) => !mapped.has(`${plan.name}:${type}`))
    .flatMap((type) => [
      `    no mapping for ${plan.name}:${type}, so no Hook would see it; for event-mappings.yaml:`,
      suggestMapping(plan.name, type).replace(/^/gm, '    '),
    ]);
}
