/** What one host knows, as files for a bug report. Secrets are taken out: no configuration of plugins, no headers, texts redacted. */

import { redactText } from '../base/redact.ts';
import type { HostView } from '../http/view.ts';
import type { Evidence, PluginEvidence } from './evidence.ts';

const MAX_EVENTS = 500;
const MAX_DEAD_LETTERS = 100;

export type BundleView = Omit<HostView, 'doctor'>;

/** File name → text, or what becomes JSON. */
export async function bundleFiles(view: BundleView, evidence: Evidence): Promise<Record<string, unknown>> {
  const [events, deadLetters, metrics] = await Promise.all([
    view.events({ limit: MAX_EVENTS, plugin: null, outcome: null }),
    view
      .deadLetters({ limit: MAX_DEAD_LETTERS, hook: null, agent: null })
      .catch((error: unknown) => ({ error: redactText(String(error)) })),
    view.metrics(),
  ]);
  return {
    'status.json': view.status(),
    'health.json': { healthz: view.healthz(), readyz: view.readyz() },
    'plugins.json': view.plugins(),
    'plans.json': evidence.plugins.map(planOf),
    'hooks.json': view.hooks(),
    'events.json': events,
    'ledger.json': view.ledger(),
    'dead-letters.json': deadLetters,
    'flight-records.json': view.flightRecords(null),
    'history.json': view.history(),
    'configuration.json': configurationOf(evidence),
    'cluster.json': evidence.cluster,
    'host.json': { ...evidence.host, outbox: evidence.outbox, agents: evidence.agents, held: evidence.held },
    'metrics.txt': metrics.body,
  };
}

/** What a plugin asks for and may have, without its configuration. */
function planOf({ name, plan, state, reason }: PluginEvidence): unknown {
  if (plan?.kind !== 'run') return { name, state, reason: redactText(reason), plan: plan?.kind ?? null };
  const { version, permissions, limits, rateLimit, eventTypes, isolation, namespaces, required, debug } = plan.spec;
  const asked = { permissions, limits, rateLimit, eventTypes, isolation, namespaces, required, debug };
  return { name, state, reason: redactText(reason), plan: plan.kind, version, ...asked };
}

function configurationOf({ rules, problems, deferred, brokenFiles }: Evidence): unknown {
  const hooks = rules.hooks.map((hook) => ({
    ...hook,
    eventConfigurations: hook.eventConfigurations.map((each) => ({ ...each, prompt: redactText(each.prompt) })),
  }));
  return { ...rules, hooks, problems, deferred, brokenFiles };
}
