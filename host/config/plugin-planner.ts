/** Makes the plans of all plugins from what was found and what was written. Data in, data out. */

import type { BrokenBundle, Bundle } from './bundle.ts';
import { problemAt } from './place.ts';
import { type PlanContext, planBundle } from './plan-bundle.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { PluginPlan } from './plugin-plan.ts';
import type { RejectedEntry } from './plugins-file.ts';
import type { Problem } from './problem.ts';
import { stopTimeoutProblem } from './stop-fit.ts';
import { nearestWord } from './suggest.ts';

export interface PlanInput extends PlanContext {
  readonly bundles: readonly Bundle[];
  /** Folders without a usable manifest; their problems are reported by whoever read them. */
  readonly broken: readonly BrokenBundle[];
  readonly entries: readonly PluginEntry[];
  /** Entries with an error; their problems are reported by whoever read them. */
  readonly rejected: readonly RejectedEntry[];
  /** The folders that were searched for bundles, for the message about one that is missing. */
  readonly searched: readonly string[];
  /** Plugins that have a plan to run: a bundle that is dropped beside them takes the place of none. */
  readonly running?: ReadonlySet<string>;
  /** True while a bundle of unknown name is still being written: nothing is called missing meanwhile. */
  readonly isGrowing: boolean;
}

export interface PlannedPlugins {
  /** In the order of plugins.yaml, then by name. One for each name. */
  readonly plans: readonly PluginPlan[];
  /** What planning itself found out. */
  readonly problems: readonly Problem[];
}

interface Candidate {
  readonly plan: PluginPlan;
  readonly entry: PluginEntry | null;
  /** What planning found out; for an `invalid` plan whose problems others have reported, none. */
  readonly problems: readonly Problem[];
}

export function planPlugins(input: PlanInput): PlannedPlugins {
  const entries = new Map(input.entries.map((entry) => [entry.name, entry]));
  const rejected = new Map(input.rejected.map((entry) => [entry.name, entry]));
  const candidates = new Map<string, Candidate>();
  const add = (candidate: Candidate): void => {
    if (!candidates.has(candidate.plan.name)) candidates.set(candidate.plan.name, candidate);
  };
  for (const bundle of input.bundles) {
    const { name, version } = bundle.manifest;
    const bad = rejected.get(name);
    const entry = entries.get(name) ?? null;
    if (bad !== undefined) add(silent(rejectedPlan(bad, version)));
    else {
      const plan = planBundle(bundle, entry, input);
      const conflict = plan.kind === 'run' ? stopTimeoutProblem(bundle, entry, input) : null;
      add(conflict === null ? planned(plan, entry) : { plan, entry, problems: [conflict] });
    }
  }
  for (const broken of input.broken) add(silent(brokenPlan(broken, entries.get(broken.name) ?? null)));
  for (const bad of input.rejected) add(silent(rejectedPlan(bad, '')));
  for (const entry of input.entries) {
    if (candidates.has(entry.name) || (entry.enabled && input.isGrowing)) continue;
    add(planned(planWithoutBundle(entry, input), entry));
  }
  const ordered = [...candidates.values()].sort(inOrder);
  const limited = applyLimit(ordered, input);
  return { plans: limited.map(({ plan }) => plan), problems: limited.flatMap(({ problems }) => problems) };
}

function planned(plan: PluginPlan, entry: PluginEntry | null): Candidate {
  return { plan, entry, problems: plan.kind === 'invalid' ? plan.problems : [] };
}

function silent(plan: PluginPlan): Candidate {
  return { plan, entry: null, problems: [] };
}

function rejectedPlan({ name, required, problems }: RejectedEntry, version: string): PluginPlan {
  return { kind: 'invalid', name, version, problems, required };
}

function brokenPlan({ name, version, problems }: BrokenBundle, entry: PluginEntry | null): PluginPlan {
  if (entry?.enabled === false) return { kind: 'disabled', name, version };
  return { kind: 'invalid', name, version, problems, required: entry?.required ?? false };
}

function planWithoutBundle(entry: PluginEntry, input: PlanInput): PluginPlan {
  const { name, required } = entry;
  if (!entry.enabled) return { kind: 'disabled', name, version: '' };
  const place = { file: input.file, document: input.document, basePath: entry.documentPath, subject: name };
  const searched = input.searched.length === 0 ? 'no folder' : input.searched.map((folder) => `'${folder}'`).join(', ');
  const present = input.bundles.map((bundle) => bundle.manifest.name).slice(0, 20);
  const found = present.length === 0 ? 'no bundle' : present.join(', ');
  const near = nearestWord(name, present);
  const problem = problemAt(place, [], {
    code: 'HOST_ERR_BUNDLE_MISSING',
    message: `there is no bundle of plugin '${name}'; looked in ${searched} and found ${found}`,
    fix: `${near === null ? '' : `did you mean '${near}'? Else `}put the bundle there, correct the name, or set \`enabled: false\``,
  });
  return { kind: 'invalid', name, version: '', problems: [problem], required };
}

function inOrder(one: Candidate, other: Candidate): number {
  const position = (candidate: Candidate): number => candidate.entry?.index ?? Number.MAX_SAFE_INTEGER;
  return position(one) - position(other) || (one.plan.name < other.plan.name ? -1 : 1);
}

/** What runs, or would as soon as it is unblocked, counts: entries first, then what runs already. The last ones are left out. */
function applyLimit(ordered: readonly Candidate[], input: PlanInput): readonly Candidate[] {
  const { maxPlugins } = input.settings;
  const rank = ({ plan, entry }: Candidate): number => (entry !== null ? 0 : input.running?.has(plan.name) ? 1 : 2);
  const counted = ordered
    .filter(({ plan }) => plan.kind === 'run' || plan.kind === 'blocked')
    .sort((one, other) => rank(one) - rank(other));
  return ordered.map((candidate) => {
    const { plan, entry } = candidate;
    const count = counted.indexOf(candidate) + 1;
    if (count <= maxPlugins) return candidate;
    const { name, version } = plan;
    const place = { file: input.file, document: input.document, basePath: ['settings', 'maxPlugins'], subject: name };
    const problem = problemAt(place, [], {
      code: 'HOST_ERR_BUNDLE_LIMIT',
      message: `plugin '${name}' is number ${count} of the enabled plugins and settings.maxPlugins is ${maxPlugins}`,
      fix: 'raise settings.maxPlugins, or set `enabled: false` for a plugin',
    });
    return planned({ kind: 'invalid', name, version, problems: [problem], required: entry?.required ?? false }, entry);
  });
}
