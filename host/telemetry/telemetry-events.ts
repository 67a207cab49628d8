/** What telemetry itself has to say: the log is one of its consumers. */

export interface TelemetryEvents {
  /** A custom metric of a plugin was not taken. Every refusal is counted; this is said of each. */
  'metric:refused': {
    readonly plugin: string;
    readonly metric: string;
    readonly reason: string;
    readonly detail: string;
  };
}
