/** Everything a host is told before it starts: flags and environment, already read and checked. */

import type { Environment } from './config/environment.ts';
import type { LineSink } from './telemetry/log-destination.ts';
import type { LogLevel } from './telemetry/log-level.ts';

/** Which agent is called. */
export type AgentTarget =
  /** A real A2A agent inside the host, which shows what it was asked: for trying things out. */
  | { readonly kind: 'embedded'; readonly port: number }
  /** One A2A agent at this URL for every Hook. */
  | { readonly kind: 'url'; readonly url: string }
  /** kagent: the agent that the Hook names. */
  | { readonly kind: 'kagent' };

/** A host that ended, and in whose place this one was started. */
export interface HostRestart {
  /** `was ended by SIGKILL`. */
  readonly why: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** Plugins have processes of their own since: one of them is thought to have done it. */
  readonly isPluginsApart: boolean;
}

export interface AppOptions {
  readonly version: string;
  readonly environment: Environment;
  /** Absolute. */
  readonly configDirectory: string;
  /** Absolute. null: Hooks are read from the cluster. */
  readonly hooksDirectory: string | null;
  /** null: settings.pluginDirectory. */
  readonly pluginsDirectory: string | null;
  /** Folder of what outlives the process; absolute. null: nothing does. */
  readonly dataDirectory: string | null;
  /** An empty folder to move into: a plugin's thread can read the host's working directory until its runtime gives that up. null: stay. */
  readonly workDirectory: string | null;
  readonly agent: AgentTarget;
  /** 0 = any free port. */
  readonly ports: { readonly metrics: number; readonly health: number; readonly admin: number };
  /** Address that the metrics and health servers listen on. */
  readonly listenAddress: string;
  /** What the keeper says of the host before this one; null: there was none, or there is no keeper. */
  readonly restart?: () => HostRestart | null;
  /** Threads of plugins do not end, and hold what they hold until the process does: a fresh one is wanted. */
  readonly onTooManyZombies?: (why: string) => void;
  readonly log: {
    readonly level: LogLevel;
    readonly format: 'json' | 'pretty' | 'auto';
    readonly destination?: number | LineSink;
  };
}

/** For the log. `embeddedUrl`: of the agent inside the host. */
export function agentWords({ agent, environment }: AppOptions, embeddedUrl: string | null): string {
  switch (agent.kind) {
    case 'embedded':
      return `Agents: the embedded one at ${embeddedUrl}; --agent-url or KAGENT_API_URL names a real one`;
    case 'url':
      return `Agents: ${agent.url}`;
    case 'kagent':
      return `Agents: kagent at ${environment.kagentApiUrl}`;
  }
}
