/** The command line of `khook replay` and the files that it names, read and checked. */

import { resolve } from 'node:path';
import { type FileSources, readMappings, readPlugins } from '../config/config-files.ts';
import { readEnvironment } from '../config/environment.ts';
import type { Hook } from '../config/hook.ts';
import { readHooksDirectory } from '../config/hooks-directory.ts';
import { formatProblem } from '../config/problem.ts';
import { DEFAULT_SETTINGS } from '../config/settings.ts';
import { filterProblems } from '../match/filter-check.ts';
import { promptProblems } from '../match/prompt-problems.ts';
import type { DryRunOptions, GivenConfig } from '../replay/dry-run.ts';
import { flagText, type Invocation } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';

export interface ReplayPlan extends DryRunOptions {
  readonly kind: 'ok';
  /** What is wrong with a Hook that a host would use all the same. */
  readonly warnings: readonly string[];
}

interface BadPlan {
  readonly kind: 'bad';
  readonly code: ExitCode;
  readonly messages: readonly string[];
}

const RECORDED = 'recorded';

/** `recordedNamespace`: of the controller, where the recording says it; Hooks without a namespace are there. */
export function readReplayPlan(invocation: Invocation, recordedNamespace: string | null): ReplayPlan | BadPlan {
  const { environment } = readEnvironment();
  const namespace = recordedNamespace ?? environment.podNamespace ?? 'default';
  const hooks = readHooks('hooks', flagText(invocation, 'hooks') ?? '', namespace);
  if (hooks.kind === 'bad') return hooks;
  const baselineFlag = flagText(invocation, 'baseline') ?? RECORDED;
  const baseline = baselineFlag === RECORDED ? null : readHooks('baseline', baselineFlag, namespace);
  if (baseline?.kind === 'bad') return baseline;
  const configFlag = flagText(invocation, 'config');
  const given = configFlag === null ? null : readConfig(configFlag, { environment, namespace });
  if (given?.kind === 'bad') return given;
  return {
    kind: 'ok',
    hooks: hooks.hooks,
    baseline: baseline?.hooks ?? null,
    config: given?.config ?? null,
    frameTimeoutMs: given?.frameTimeoutMs ?? DEFAULT_SETTINGS.matcher.frameTimeoutMs,
    warnings: [...(given?.warnings ?? []), ...hooks.warnings, ...(baseline?.warnings ?? [])],
  };
}

/** A Hook that is left out because of an error would look as if it did not fire any more. */
function readHooks(
  flag: string,
  directory: string,
  defaultNamespace: string,
): { readonly kind: 'ok'; readonly hooks: readonly Hook[]; readonly warnings: readonly string[] } | BadPlan {
  const { kind, hooks, problems } = readHooksDirectory(directory, { defaultNamespace });
  if (kind === 'missing') return bad(EXIT_CODES.USAGE, `--${flag}: there is no folder ${directory}`);
  if (problems.length > 0) return bad(EXIT_CODES.CONFIG, ...problems.map(formatProblem));
  const warnings = [...promptProblems(hooks), ...filterProblems(hooks)].map(formatProblem);
  return { kind: 'ok', hooks, warnings };
}

interface ConfigReading {
  readonly kind: 'ok';
  readonly config: GivenConfig;
  readonly frameTimeoutMs: number;
  readonly warnings: readonly string[];
}

/** Of plugins.yaml the settings and namespaces count; that a bundle or a token is not here is of no interest. */
function readConfig(
  directory: string,
  { environment, namespace }: { readonly environment: FileSources['environment']; readonly namespace: string },
): ConfigReading | BadPlan {
  const configDirectory = resolve(directory);
  const sources: FileSources = { configDirectory, environment };
  const mappings = readMappings(sources, null);
  if (mappings.problems.length > 0) return bad(EXIT_CODES.CONFIG, ...mappings.problems.map(formatProblem));
  const plugins = readPlugins(sources, null);
  const { settings, entries } = plugins.content;
  const config: GivenConfig = {
    mappings: mappings.content,
    pluginNamespaces: Object.fromEntries(entries.map(({ name, namespaces }) => [name, namespaces])),
    controllerNamespace: namespace,
    maxPromptLength: settings.matcher.maxPromptLength,
    dedupWindowMs: settings.dedup.windowMs,
  };
  const warnings = [...mappings.notes, ...plugins.problems.map(formatProblem)];
  return { kind: 'ok', config, frameTimeoutMs: settings.matcher.frameTimeoutMs, warnings };
}

function bad(code: ExitCode, ...messages: string[]): BadPlan {
  return { kind: 'bad', code, messages };
}
