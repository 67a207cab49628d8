/** What is wrong with what the user wrote, each entry with its place. Pure. */

import { hookId } from '../config/hook.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, type FindingCode, problem, warning } from './finding.ts';

const CODES: Readonly<Partial<Record<Problem['code'], FindingCode>>> = {
  HOST_ERR_CONFIG_ENV: 'VARIABLE_UNSET',
  HOST_ERR_BUNDLE_MISSING: 'PLUGIN_MISSING',
  HOST_ERR_BUNDLE_MANIFEST: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_ENTRY: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_TWICE: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_LIMIT: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_TOO_LARGE: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_ARCHIVE: 'PLUGIN_INVALID',
  HOST_ERR_BUNDLE_UNPACK: 'PLUGIN_INVALID',
  HOST_ERR_FOLDER: 'PLUGIN_INVALID',
  HOST_ERR_HOOK: 'HOOK_FAULT',
};

/** Files as a whole come first: they are why entries are missing. */
export function configFindings({
  problems,
  brokenFiles,
  deferred,
  missingFiles = [],
  ...evidence
}: Pick<Evidence, 'problems' | 'brokenFiles' | 'deferred'> & Partial<Evidence>): Finding[] {
  const told = new Map<string, Finding>();
  const sorted = [...problems].sort((a, b) => rank(a, brokenFiles) - rank(b, brokenFiles));
  const inForce = subjectsInForce(evidence);
  for (const each of sorted) told.set(formatProblem(each), findingOf(each, { brokenFiles, inForce }));
  const findings = [...missingFiles.map(missing), ...told.values()];
  if (deferred.length > 0)
    findings.push(
      warning({
        code: 'CONFIG_DEFERRED',
        subject: 'plugins.yaml',
        problem: `Changed settings take effect at the next start only: ${deferred.join(', ')}.`,
        fix: 'Restart khook when it suits.',
        paste: 'kubectl rollout restart deployment/khook',
      }),
    );
  return findings;
}

function missing(file: string): Finding {
  return problem({
    code: 'CONFIG_MISSING',
    subject: file,
    problem: `${file} does not exist.`,
    cause: file.endsWith('plugins.yaml')
      ? 'khook runs with what is built in: nothing is granted to any plugin.'
      : 'No Hook is known, so nothing fires.',
    fix: 'Make it, or name where it is with --config (and --hooks).',
  });
}

interface Standing {
  readonly brokenFiles: readonly string[];
  /** Entries that run, as they were before they were spoilt. */
  readonly inForce: ReadonlySet<string>;
}

function subjectsInForce({ rules, plugins = [] }: Partial<Evidence>): ReadonlySet<string> {
  const mappings = rules?.mappings.map(({ eventSource, eventType }) => `${eventSource}:${eventType}`) ?? [];
  const running = plugins.filter(({ state }) => state === 'running').map(({ name }) => name);
  return new Set([...(rules?.hooks.map(hookId) ?? []), ...mappings, ...running]);
}

function findingOf(each: Problem, { brokenFiles, inForce }: Standing): Finding {
  const isWhole = brokenFiles.includes(each.file);
  const place = [each.file, each.line, each.column].filter((part) => part !== null).join(':');
  // A path that begins elsewhere than in plugins.yaml does not say whose it is.
  const whose = each.subject === '' || /^(plugins|mappings|settings)\b/.test(each.path) ? '' : `${each.subject}: `;
  const path = each.path === '' ? '' : `${whose}${each.path}: `;
  const isShadowed = each.code === 'HOST_ERR_CONFIG_DUPLICATE' && each.message.includes('mapped twice');
  // Both are in force, as far as they go together.
  const isConflict = each.code === 'HOST_ERR_CONFIG_CONFLICT';
  return problem({
    code: isShadowed ? 'MAPPING_SHADOWED' : (CODES[each.code] ?? 'CONFIG_INVALID'),
    severity: isShadowed || isConflict ? 'warning' : 'problem',
    subject: place,
    problem: `${path}${each.message}`,
    evidence: [`${place} [${each.code}]`],
    cause: isWhole ? 'The whole file is not used; what was in force before stays in force.' : skipped(each, inForce),
    fix: each.fix || advice(each),
  });
}

function advice({ file }: Problem): string {
  return file === 'environment'
    ? 'Correct it in the environment of khook, and start khook again.'
    : 'Correct that place; khook takes it up within seconds.';
}

/** Of what stands twice, one is in force; of what contradicts itself, what goes together. */
const IN_FORCE: ReadonlySet<Problem['code']> = new Set([
  'HOST_ERR_CONFIG_DUPLICATE',
  'HOST_ERR_BUNDLE_TWICE',
  'HOST_ERR_CONFIG_CONFLICT',
]);

function skipped({ subject, code }: Problem, inForce: ReadonlySet<string>): string {
  if (inForce.has(subject) && !IN_FORCE.has(code)) return `${subject} stays in force as it was before.`;
  return subject === '' || IN_FORCE.has(code) ? '' : `${subject} is skipped because of it.`;
}

function rank({ file, line, code }: Problem, brokenFiles: readonly string[]): number {
  if (brokenFiles.includes(file)) return 0;
  if (code === 'HOST_ERR_CONFIG_ENV') return 1;
  return line === null ? 2 : 3;
}
