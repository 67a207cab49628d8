/** What a bundle may ask for and what plugins.yaml may grant. Deny by default; the vocabulary is closed. */

export interface NetPermission {
  /** `true` in YAML: connect anywhere but loopback, link-local and the metadata address. */
  readonly any: boolean;
  /** Ports the plugin may listen on. */
  readonly listen: readonly number[];
  /** host:port pairs the plugin may connect to, loopback included. */
  readonly connect: readonly string[];
}

/** Placeholders such as `${config.port}` are resolved by the time one of these exists. */
export interface Permissions {
  readonly net: NetPermission;
  /** Absolute folders. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Names of environment variables. */
  readonly env: readonly string[];
  readonly kubernetes: boolean;
}

export const NO_PERMISSIONS: Permissions = {
  net: { any: false, listen: [], connect: [] },
  read: [],
  write: [],
  env: [],
  kubernetes: false,
};

/** Durations in milliseconds, sizes in bytes, whatever unit the YAML had. */
export interface PluginLimits {
  readonly memoryBytes: number;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly healthCheckTimeoutMs: number;
  /** Share of one core (0–1) over which a plugin that keeps at it is ended. */
  readonly cpuShare: number;
  /** How long its event loop may stand still. */
  readonly hangTimeoutMs: number;
  /** Sockets open at once. */
  readonly sockets: number;
  /** Files open at once. */
  readonly files: number;
  readonly logLinesPerSecond: number;
}

export interface RateLimit {
  readonly eventsPerSecond: number;
  readonly burst: number;
  readonly whenFull: 'block' | 'drop_newest';
}
