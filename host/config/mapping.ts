/** One entry of event-mappings.yaml, valid and with its defaults. */

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Mapping {
  readonly eventSource: string;
  readonly eventType: string;
  readonly internalType: string;
  readonly description: string;
  readonly severity: Severity;
  readonly tags: Readonly<Record<string, string>>;
  readonly enabled: boolean;
}
