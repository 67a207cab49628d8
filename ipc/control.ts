/** What the host may ask of a plugin's thread over the control wire. The thread exposes it; the host calls it with a deadline. */

export interface PluginControl {
  /** Imports the bundle and calls its `initialize`. Rejects with PLUGIN_ERR_CONFIG (final) or another code (retried). */
  initialize(): Promise<void>;
  /** Whether the bundle is imported: asked when `initialize` has not ended in time. */
  isLoaded(): Promise<boolean>;
  /** Calls `start`; ready means that it resolved. */
  start(): Promise<void>;
  /** No more events are taken; resolves when what was taken is acknowledged. */
  drain(): Promise<void>;
  /** Aborts `ctx.signal` and calls `stop`. */
  stop(): Promise<void>;
  /** The plugin's own verdict; a text when its source is stale, and why; null when it has no healthCheck. */
  healthCheck(): Promise<boolean | string | null>;
  /** Replaces the connection that the `kubernetes` permission hands out (a rotated token), or says that there is no newer one. */
  reconnect(connection: KubernetesConnection): Promise<void>;
  /** Debug lines are sent, or not. */
  setDebug(enabled: boolean): Promise<void>;
}

export const CONTROL_METHODS = [
  'initialize',
  'isLoaded',
  'start',
  'drain',
  'stop',
  'healthCheck',
  'reconnect',
  'setDebug',
] as const;

/** What a thread or a child process is born with. Plain data. */
export interface Birth {
  readonly plugin: string;
  readonly version: string;
  readonly generation: number;
  /** See `eventId`. */
  readonly idPrefix: string;
  /** file: URL of the bundle's entry. */
  readonly entry: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly debug: boolean;
  /** The connection of the `kubernetes` permission, or null. */
  readonly connection: KubernetesConnection | null;
  /** What of the network was granted. */
  readonly network: NetworkPolicy;
  readonly budget: ThreadBudget;
  /** The host's working directory: a permission worker may read it until the runtime gives that up. */
  readonly hostDirectory: string;
}

/** Enforced inside the thread where the resolved address is seen; nothing at all of it without an entry. */
export interface NetworkPolicy {
  /** Connect anywhere but loopback, link-local and the metadata address. */
  readonly any: boolean;
  /** Ports it may listen on. */
  readonly listen: readonly number[];
  /** `host:port` it may connect to, wherever that is. */
  readonly connect: readonly string[];
}

/** Counts that the runtime keeps for its plugin. */
export interface ThreadBudget {
  readonly sockets: number;
  readonly files: number;
  readonly logLinesPerSecond: number;
}

/** Where the API server is and how to speak to it: resolved by the host, so that no file need be granted to a plugin. */
export interface KubernetesConnection {
  /** https://host:port, without a trailing slash. */
  readonly server: string;
  /** PEM, or null for the system's authorities. */
  readonly ca: string | null;
  readonly token: string | null;
  /** PEM pair of a client certificate, or null. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | null;
  readonly skipTlsVerify: boolean;
  /** Namespace of the context or of the service account. */
  readonly namespace: string;
}
