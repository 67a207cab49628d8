/** What the doctor knows when it thinks: everything that the rooms tell at one moment, as data. Times are wall milliseconds. */

import type { PluginPlan } from '../config/plugin-plan.ts';
import type { Problem } from '../config/problem.ts';
import type { Check, DeadLetterSnapshot, EventSnapshot, FlightRecordSnapshot, LedgerSnapshot } from '../http/view.ts';
import type { GivenRules } from '../replay/judge.ts';
import type { AgentStanding } from './agent-standing.ts';

export interface PluginEvidence {
  readonly name: string;
  readonly plan: PluginPlan | null;
  readonly state: string;
  /** Of its lives, the last. */
  readonly generation: number;
  /** Of a state that is no good: in words. */
  readonly reason: string;
  readonly restarts: Readonly<Record<string, number>>;
  readonly lastExit: { readonly reason: string; readonly detail: string; readonly at: number } | null;
  readonly nextStartAt: number | null;
  readonly retryAt: number | null;
  /** Since when it is in this state. */
  readonly since: number;
  readonly staleness: string | null;
  /** What its own health check says; null: it is well. */
  readonly unhealthy: string | null;
  /** The least it held in the last ten seconds: what no collection took away. null: not known yet. */
  readonly heldBytes: number | null;
  readonly limitBytes: number;
  /** Of one core over the last half minute; null: not known yet. */
  readonly cpuShare: number | null;
  readonly cpuLimit: number;
  /** Connections that it was refused in its present life. */
  readonly deniedNetwork: number;
  /** That it was granted to listen on, and nobody does. */
  readonly silentPorts: readonly number[];
  /** In a pod: where somebody does, and on loopback alone. */
  readonly localPorts: readonly number[];
}

export interface ClusterEvidence {
  /** Why there is no connection; null: there is one. */
  readonly connectionProblem: string | null;
  /** Whether Hooks are read from there. */
  readonly hasHooks: boolean;
  /** Where they are looked for (WATCH_NAMESPACE); empty: everywhere. */
  readonly watchNamespaces: readonly string[];
  /** Why the Hooks are not known; empty when they are. */
  readonly hooksProblem: string;
  readonly silentMs: number;
  /** What RBAC does not allow. */
  readonly refused: readonly {
    readonly verb: string;
    readonly resource: string;
    readonly namespace: string;
    readonly rule: string;
    readonly message: string;
    /** What does not work without it. */
    readonly need: string;
  }[];
  /** Why that could not be asked; empty when it could. */
  readonly reviewProblem: string;
  /** How far the API server's clock is ahead of khook's; null: not known. */
  readonly clockAheadMs: number | null;
  readonly isLeader: boolean;
  /** Empty: nobody that is known of. */
  readonly holder: string;
  readonly leaseFault: string | null;
  /** Files whose ConfigMap says something else for longer than a kubelet takes. */
  readonly unmounted: readonly { readonly file: string; readonly configMap: string; readonly difference: string }[];
}

export interface Evidence {
  readonly at: number;
  /** Of readiness: those that fail. */
  readonly unready: readonly Check[];
  /** What is to run where this khook leads. */
  readonly plans: readonly PluginPlan[];
  /** Those there are here: on a standby, none. */
  readonly plugins: readonly PluginEvidence[];
  readonly flights: readonly FlightRecordSnapshot[];
  readonly problems: readonly Problem[];
  readonly brokenFiles: readonly string[];
  /** plugins.yaml or the folder of Hooks, where they are not there. */
  readonly missingFiles: readonly string[];
  /** Where Hooks are read from a folder and there is none: what lies there all the same, and why it is none. null: there are Hooks, or no folder. */
  readonly hooksFolder: { readonly directory: string; readonly passedOver: readonly string[] } | null;
  /** Settings that only the next start takes up. */
  readonly deferred: readonly string[];
  readonly rules: GivenRules;
  /** Of prompts and filters, by Hook. */
  readonly hookProblems: ReadonlyMap<string, string>;
  /** When each Hook fired last, as far as this host knows. */
  readonly lastFired: ReadonlyMap<string, number>;
  /** Of Hooks whose filter was changed: when. */
  readonly filterSince: ReadonlyMap<string, number>;
  /** Newest first. */
  readonly events: readonly EventSnapshot[];
  readonly ledger: LedgerSnapshot;
  readonly deadLetters: { readonly total: number; readonly newest: DeadLetterSnapshot | null };
  readonly agents: readonly AgentStanding[];
  /** Hooks whose budget of the hour is used up, with what waits. */
  readonly held: readonly { readonly hook: string; readonly callsPerHour: number; readonly until: number }[];
  /** Plugins whose events wait for their rate limit, and until when. */
  readonly throttled: readonly { readonly plugin: string; readonly until: number }[];
  /** Events that never came, by plugin: its own thread refused to send them. */
  readonly refused: readonly {
    readonly plugin: string;
    readonly events: number;
    readonly code: string;
    readonly message: string;
  }[];
  readonly outbox: { readonly fault: string | null; readonly isFull: boolean; readonly firings: number };
  readonly cluster: ClusterEvidence;
  /** The host before this one; null: there was none. */
  readonly restart: { readonly why: string; readonly at: number; readonly isPluginsApart: boolean } | null;
  readonly host: HostEvidence;
}

export interface HostEvidence {
  readonly residentBytes: number;
  /** Of the container; null: none is set, or it is not known. */
  readonly memoryLimitBytes: number | null;
  /** null: there is no data directory, or it cannot be asked. */
  readonly disk: {
    readonly directory: string;
    readonly freeBytes: number;
    readonly totalBytes: number;
    readonly freeFiles: number;
    readonly totalFiles: number;
  } | null;
  readonly zombieThreads: number;
  readonly logLinesLost: number;
}
