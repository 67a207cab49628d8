/** What `khook doctor` finds: data; the text is made at the edge. */

export type Severity =
  /** Something does not work. */
  | 'problem'
  /** It works, and not as it was meant, or not for long. */
  | 'warning'
  /** All is as it was told to be; somebody who wonders wants to know. */
  | 'note';

/** What each code means: docs/doctor.md has the same table. */
export const FINDINGS = {
  HOST_UNREACHABLE: 'No khook answers where the doctor asked.',
  HOST_STALLED: 'khook takes connections and does not answer.',
  POD_MISSING: 'There is no pod of khook where the doctor looked.',
  POD_FAILING: 'A pod of khook is not ready.',
  POD_MEMORY: 'A pod of khook was killed for its memory.',
  HOST_RESTARTED: 'The host ended a short while ago, and was started again.',
  HOST_MEMORY: 'khook is near the memory limit of its container.',
  HOST_THREADS: 'Threads of plugins were ended and are still there.',
  HOST_LOGS_LOST: 'Lines of the log were lost, because whoever reads it is slow.',
  RESIDUAL: 'The ledger does not add up.',
  NOT_READY: 'khook is not ready, and nothing else that was found says why.',
  STORAGE: 'The outbox cannot be written, and sources wait.',
  STORAGE_FULL: 'The outbox has no room left, and sources wait.',
  DISK: 'The disk of the data directory is nearly full.',
  CLOCK: 'The clocks of khook and of the API server differ.',
  CONFIG_INVALID: 'A configuration file, an entry of one, or a variable of the environment cannot be used.',
  CONFIG_MISSING: 'A configuration file, or the folder of Hooks, is not where khook looks.',
  CONFIG_DEFERRED: 'A changed setting waits for the next start of khook.',
  CONFIG_NOT_MOUNTED: 'The ConfigMap says something else than the file that khook reads.',
  VARIABLE_UNSET: 'A variable that the configuration names is not set.',
  CONNECTION: 'There is no connection to a cluster, and something wants one.',
  API_SERVER: 'The API server of the cluster does not answer as it should.',
  RBAC: 'RBAC does not let khook do something that it has to.',
  HOOKS_STALE: 'The Hooks of the cluster are not known, or not as they are now.',
  STANDBY: 'Another khook leads: this one runs no plugin and fires nothing.',
  LEASE: 'The lease of the leader cannot be read or renewed.',
  PLUGIN_MISSING: 'plugins.yaml names a plugin of which there is no bundle.',
  PLUGIN_INVALID: 'The bundle or the configuration of a plugin cannot be used.',
  PLUGIN_DISABLED: 'A plugin is switched off that a Hook or a mapping counts on.',
  PLUGIN_BLOCKED: 'A plugin waits for permissions or for a connection.',
  PLUGIN_FAILED: 'A plugin does not run, and is not started again.',
  PLUGIN_CRASH_LOOP: 'A plugin failed again and again, and is left alone for a while.',
  PLUGIN_RESTARTING: 'A plugin failed, and its next start is due.',
  PLUGIN_RECYCLED: 'A plugin failed a short while ago, and runs again.',
  PLUGIN_UNHEALTHY: 'The own health check of a plugin fails.',
  PLUGIN_DENIED: 'A plugin runs, and was refused connections that it was not granted.',
  PLUGIN_STARTING: 'A plugin has been starting for long.',
  PLUGIN_MEMORY: 'A plugin is near its memory limit.',
  PLUGIN_CPU: 'A plugin is near its CPU limit.',
  PORT_TAKEN: 'khook or a plugin cannot listen on its port, because somebody else does.',
  PORT_LOCAL: 'A plugin in a pod listens on loopback only, where nobody outside reaches it.',
  PORT_SILENT: 'A plugin runs, and nobody listens on its port.',
  SOURCE_STALE: 'A plugin runs, and cannot reach what it listens to.',
  MAPPING_MISSING: 'Events come that no mapping knows.',
  MAPPING_DISABLED: 'Events come whose mapping is switched off.',
  MAPPING_SHADOWED: 'A mapping has no effect, because another one stands before it.',
  MAPPING_UNFED: 'A mapping can never be used: no plugin sends its events.',
  EVENT_INVALID: 'A plugin sends events that are not valid.',
  EVENT_DROPPED: 'Events were dropped.',
  RATE_LIMIT: 'Events of a plugin wait for its rate limit.',
  HOOK_FAULT: 'A Hook can never fire as it is written.',
  HOOK_SOURCE: 'A Hook can not fire, because the plugin of its events does not run or does not send them.',
  HOOK_SUSPENDED: 'A Hook is suspended.',
  HOOK_NAMESPACE: 'Events come that a Hook listens to, from a namespace that it does not see.',
  HOOK_FILTER: 'The filter of a Hook fails, or keeps back every event.',
  HOOK_NONE: 'There is no Hook.',
  DEDUP: 'Events repeat what has fired already, and fire again only when their window is over.',
  BUDGET: 'A Hook has used up its calls of this hour; firings wait for a digest.',
  AGENT_UNREACHABLE: 'An agent cannot be reached.',
  AGENT_UNKNOWN: 'An agent is not known where khook asks for it.',
  AGENT_REFUSED: 'An agent refuses what khook sends.',
  AGENT_FAILING: 'An agent answers with errors.',
  AGENT_SLOW: 'An agent takes too long.',
  DEAD_LETTERS: 'Firings were given up; they are kept.',
} as const;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What it is about: `plugin webhook`, `Hook default/demo`, `config/plugins.yaml:3`. */
  readonly subject: string;
  /** One sentence: what is wrong. */
  readonly problem: string;
  /** What was seen, oldest first; may be empty. */
  readonly evidence: readonly string[];
  /** Why it is so; empty where the problem says it. */
  readonly cause: string;
  /** What to do. */
  readonly fix: string;
  /** Lines to paste, commands or YAML; empty where there are none. */
  readonly paste: string;
}

type Told = Pick<Finding, 'code' | 'subject' | 'problem' | 'fix'> & Partial<Finding>;

export function problem({ code, severity = 'problem', subject, problem: words, fix, ...more }: Told): Finding {
  const { evidence = [], cause = '', paste = '' } = more;
  return { code, severity, subject, problem: words, evidence, cause, fix, paste };
}

export function warning(told: Told): Finding {
  return problem({ ...told, severity: 'warning' });
}

export function note(told: Told): Finding {
  return problem({ ...told, severity: 'note' });
}
