/** What is wrong with each plugin: that it does not run, why, and what it is close to. Pure. */

import type { FlightRecordSnapshot } from '../http/view.ts';
import type { Evidence, PluginEvidence } from './evidence.ts';
import { type Finding, problem, warning } from './finding.ts';
import { waitingFor } from './hook-sources.ts';
import { counted, megabytes, percent, span } from './words.ts';

/** A failure that is so long past is history. */
const RECENT_MS = 15 * 60_000;
const NEAR = 0.85;
/** Of the time that it may take. */
const SLOW_START = 0.3;
const MAX_SIGNS = 6;

interface Scene {
  /** Hooks that can not fire while it does not run. */
  readonly waiting: readonly string[];
  /** Why nothing is granted at all. */
  readonly missing: readonly string[];
  /** Mappings that count on it, where no Hook does. */
  readonly mapped: readonly string[];
  /** What is wrong with its plan is among the problems of the configuration. */
  readonly isTold: boolean;
  readonly at: number;
  readonly flights: readonly FlightRecordSnapshot[];
}

/** That do not run. */
export function pluginFindings(evidence: Evidence): Finding[] {
  return evidence.plugins.flatMap((plugin) => {
    const finding = standing(plugin, sceneOf(evidence, plugin));
    return finding === null ? [] : [finding];
  });
}

/** That run, and not as well as they should. */
export function wellbeingFindings(evidence: Evidence): Finding[] {
  return evidence.plugins
    .filter(({ state }) => state === 'running')
    .flatMap((plugin) => [
      ...sourceFindings(plugin),
      ...recycleFindings(plugin, sceneOf(evidence, plugin)),
      ...limitFindings(plugin),
    ]);
}

function sceneOf(evidence: Evidence, { name, plan }: PluginEvidence): Scene {
  const { at, flights, rules, missingFiles } = evidence;
  const mapped = rules.mappings.filter(({ eventSource, enabled }) => enabled && eventSource === name);
  return {
    at,
    missing: missingFiles.map((file) => `${file} does not exist`),
    flights: flights.filter(({ plugin }) => plugin === name),
    waiting: plan?.kind === 'run' ? [] : waitingFor(name, evidence),
    isTold: plan?.kind === 'invalid' && plan.problems.some((each) => evidence.problems.includes(each)),
    mapped: mapped.map(({ eventType }) => `${name}:${eventType}`),
  };
}

function waitingWords({ waiting }: Scene): string[] {
  return waiting.length === 0 ? [] : [`Hooks that can not fire meanwhile: ${waiting.join(', ')}`];
}

function standing(plugin: PluginEvidence, scene: Scene): Finding | null {
  const { name, state, reason, plan } = plugin;
  const subject = `plugin ${name}`;
  switch (state) {
    case 'blocked': {
      const remedy = plan?.kind === 'blocked' ? plan.remedy : '';
      const isConnection = plan?.kind === 'blocked' && plan.why === 'connection';
      return problem({
        code: isConnection ? 'CONNECTION' : 'PLUGIN_BLOCKED',
        // Where khook runs outside of a cluster and nobody counts on it, that is as it has to be.
        severity: isConnection && scene.waiting.length === 0 ? 'warning' : 'problem',
        subject,
        problem: `Plugin ${name} is blocked: ${plan?.kind === 'blocked' ? plan.reason : reason}`,
        evidence: [...(isConnection ? [] : scene.missing), ...waitingWords(scene)],
        fix: isConnection
          ? 'Give khook a connection, or switch the plugin off:'
          : 'If it may have what it asks for, grant it in plugins.yaml:',
        paste: remedy,
      });
    }
    case 'disabled':
      if (scene.waiting.length === 0 && scene.mapped.length === 0) return null;
      return problem({
        code: 'PLUGIN_DISABLED',
        severity: scene.waiting.length === 0 ? 'warning' : 'problem',
        subject,
        problem: `Plugin ${name} is switched off in plugins.yaml, and its events are counted on.`,
        evidence: [...waitingWords(scene), `mappings of its events: ${scene.mapped.join(', ')}`],
        fix: 'Switch it on, or take out what counts on it:',
        paste: `plugins:\n  - name: ${name}\n    enabled: true`,
      });
    case 'failed':
    case 'backing-off':
      // What is wrong with it is told with the configuration, place by place.
      return plan?.kind === 'invalid' && scene.isTold ? null : failed(plugin, scene);
    case 'starting':
      if (plan?.kind !== 'run') return null;
      // Again, after a failure: that it starts just now is not the news.
      if (isRecent(plugin, scene)) return failed(plugin, scene);
      if (scene.at - plugin.since < SLOW_START * plan.spec.limits.startTimeoutMs) return null;
      return warning({
        code: 'PLUGIN_STARTING',
        subject,
        problem: `Plugin ${name} has been starting for ${span(scene.at - plugin.since)}.`,
        cause: `Its initialize or start has not come to an end; past ${span(plan.spec.limits.startTimeoutMs)} it is ended.`,
        fix: 'Look at what it waits for; limits.startTimeout says how long it may.',
        paste: logs(name),
      });
    default:
      return null;
  }
}

function failed(plugin: PluginEvidence, scene: Scene): Finding {
  const { name, lastExit, retryAt, nextStartAt, restarts } = plugin;
  const detail = lastExit?.detail ?? plugin.reason;
  const taken = /EADDRINUSE|address already in use|port is in use/.test(detail);
  const count = Object.values(restarts).reduce((sum, n) => sum + n, 0);
  const loops = retryAt !== null;
  const due = nextStartAt === null ? '' : `; its next start is due in ${span(nextStartAt - scene.at)}`;
  const next = plugin.state === 'starting' ? '; it starts again' : due;
  const fields = {
    subject: `plugin ${name}`,
    evidence: [...signs(plugin, scene), ...waitingWords(scene)],
    paste: logs(name),
  };
  if (taken)
    return problem({
      ...fields,
      code: 'PORT_TAKEN',
      problem: `Plugin ${name} cannot listen: ${detail}${next}.`,
      cause: 'Another process, or another plugin, has this port.',
      fix: `End whoever has it, or give ${name} another port in plugins.yaml (config.port, and the Service that leads there).`,
      paste: 'ss -ltnp',
    });
  if (loops)
    return problem({
      ...fields,
      code: 'PLUGIN_CRASH_LOOP',
      problem: `Plugin ${name} failed ${count + 1} times, the last time with: ${detail}.`,
      cause: `It is left alone, and tried once more in ${span(retryAt - scene.at)}.`,
      fix: cureOf(plugin),
      paste: `curl -s localhost:6060/api/v1/flight-records?plugin=${name}`,
    });
  if (plugin.state === 'failed')
    return problem({
      ...fields,
      code: plugin.plan?.kind === 'invalid' ? 'PLUGIN_INVALID' : 'PLUGIN_FAILED',
      problem: `Plugin ${name} does not run: ${detail}.`,
      cause: lastExit?.reason === 'bad_config' ? 'The plugin itself says that its configuration is wrong.' : '',
      fix: lastExit?.reason === 'bad_config' ? `Correct config of ${name} in plugins.yaml.` : cureOf(plugin),
    });
  return problem({
    ...fields,
    code: 'PLUGIN_RESTARTING',
    problem: `Plugin ${name} failed (${lastExit?.reason ?? 'unknown'}): ${detail}${next}.`,
    fix: cureOf(plugin),
  });
}

function isRecent({ lastExit }: PluginEvidence, { at }: Scene): boolean {
  return lastExit !== null && at - lastExit.at <= RECENT_MS;
}

function sourceFindings({ name, staleness, unhealthy, silentPorts, localPorts }: PluginEvidence): Finding[] {
  const subject = `plugin ${name}`;
  const findings: Finding[] = [];
  if (staleness !== null)
    findings.push(
      problem({
        code: 'SOURCE_STALE',
        subject,
        problem: `Plugin ${name} runs, and cannot reach what it listens to.`,
        evidence: [staleness],
        cause: 'Events that happen meanwhile are fetched when the source answers again, as far as it still has them.',
        fix: 'Look whether the source answers, and whether the plugin may reach it.',
        paste: logs(name),
      }),
    );
  if (unhealthy !== null)
    findings.push(
      problem({
        code: 'PLUGIN_UNHEALTHY',
        subject,
        problem: `The health check of plugin ${name} fails: ${unhealthy}.`,
        cause: 'After three times in a row it is ended and started anew.',
        fix: 'Look at its log for what it misses.',
        paste: logs(name),
      }),
    );
  for (const port of localPorts)
    findings.push(
      warning({
        code: 'PORT_LOCAL',
        subject,
        problem: `Plugin ${name} listens on port ${port} of loopback only: nobody outside of the pod reaches it.`,
        fix: `Let it listen on 0.0.0.0 (config.host of ${name} in plugins.yaml).`,
      }),
    );
  for (const port of silentPorts)
    findings.push(
      problem({
        code: 'PORT_SILENT',
        subject,
        problem: `Plugin ${name} runs and may listen on port ${port}, and nobody takes a connection there.`,
        fix: `Look whether its config names another port, and whether it listens on an address that can be reached.`,
        paste: `curl -sv localhost:${port}`,
      }),
    );
  return findings;
}

function recycleFindings(plugin: PluginEvidence, scene: Scene): Finding[] {
  const { name, lastExit } = plugin;
  if (lastExit === null || !isRecent(plugin, scene)) return [];
  return [
    warning({
      code: 'PLUGIN_RECYCLED',
      subject: `plugin ${name}`,
      problem: `Plugin ${name} failed ${span(scene.at - lastExit.at)} ago (${lastExit.reason}): ${lastExit.detail}. It runs again.`,
      evidence: signs(plugin, scene),
      fix: cureOf(plugin),
      paste: `curl -s localhost:6060/api/v1/flight-records?plugin=${name}`,
    }),
  ];
}

function limitFindings({ name, heldBytes, limitBytes, cpuShare, cpuLimit }: PluginEvidence): Finding[] {
  const subject = `plugin ${name}`;
  const findings: Finding[] = [];
  if (heldBytes !== null && limitBytes > 0 && heldBytes > NEAR * limitBytes)
    findings.push(
      warning({
        code: 'PLUGIN_MEMORY',
        subject,
        problem: `Plugin ${name} has held at least ${megabytes(heldBytes)} for the last ten seconds, ${percent(heldBytes / limitBytes)} of its limit of ${megabytes(limitBytes)}.`,
        cause: 'Past the limit it is ended and started anew.',
        fix: `Look for what it keeps (a heap profile tells), or raise its limit in plugins.yaml:`,
        paste: `plugins:\n  - name: ${name}\n    limits: { memoryMb: ${Math.ceil((2 * limitBytes) / 1024 / 1024)} }\n# go tool pprof http://localhost:6060/debug/pprof/heap?plugin=${name}`,
      }),
    );
  if (cpuShare !== null && cpuShare > NEAR * cpuLimit)
    findings.push(
      warning({
        code: 'PLUGIN_CPU',
        subject,
        problem: `Plugin ${name} uses ${percent(cpuShare)} of a core, its limit is ${percent(cpuLimit)}.`,
        cause: 'Past the limit it is ended and started anew.',
        fix: 'Look for what it computes (a CPU profile tells), or raise limits.cpuShare in plugins.yaml.',
        paste: `go tool pprof http://localhost:6060/debug/pprof/profile?plugin=${name}`,
      }),
    );
  return findings;
}

/** Of its last run that failed: what its flight record tells in lines. */
function signs({ restarts, lastExit }: PluginEvidence, { flights }: Scene): string[] {
  const [last] = flights;
  const byReason = Object.entries(restarts).map(([reason, n]) => `${counted(n, 'restart')} after ${reason}`);
  if (last === undefined) return byReason;
  const stack = last.stack
    .split('\n')
    .slice(0, 3)
    .map((line) => line.trim());
  const detail = last.detail === lastExit?.detail ? '' : `: ${last.detail}`;
  const said = last.log.slice(-2).map(({ level, message }) => `it said last (${level}): ${message}`);
  return [
    ...byReason,
    `flight record ${last.id}: ${last.reason} after ${span(last.uptimeMs)}${detail}`,
    ...stack.filter((line) => line !== ''),
    ...said,
  ].slice(0, MAX_SIGNS);
}

const CURES: Readonly<Record<string, string>> = {
  crash: 'This is a fault of the plugin; the stack says where.',
  exited: 'The plugin ended itself; a plugin never exits, it throws what went wrong.',
  out_of_memory: 'It needs more than its limit: raise limits.memoryMb in plugins.yaml, or mend the leak.',
  leak: 'It keeps what it should let go: mend the leak, or raise limits.memoryMb in plugins.yaml if it needs so much.',
  hang: 'It blocked its event loop or used up its CPU share: mend that, or raise limits.hangTimeout or limits.cpuShare in plugins.yaml.',
  flood: 'It says more than khook can hear: let it await what it emits, and log less.',
  unhealthy: 'Its own health check failed; its log says why.',
  failed_start: 'It could not be initialised or started; the evidence says why.',
  bad_config: 'Correct its config in plugins.yaml.',
  protocol: 'It speaks past the plugin API; only ctx of khook/plugin may be used.',
};

function cureOf({ lastExit, plan }: PluginEvidence): string {
  if (plan?.kind === 'invalid') return 'Correct what the evidence names; khook takes it up within seconds.';
  return CURES[lastExit?.reason ?? ''] ?? 'Look at its log and at its flight record for the cause.';
}

function logs(name: string): string {
  return `kubectl logs deployment/khook | grep '"plugin":"${name}"'   # without a cluster: the output of khook run`;
}
