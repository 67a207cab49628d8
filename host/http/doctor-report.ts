/** What `GET /api/v1/doctor` answers: a contract (docs/api.md). */

/** What is wrong, each with what was seen, why it is so, and what to do. */
export interface DoctorReport {
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
  /** Where to begin comes first. */
  readonly findings: readonly {
    readonly code: string;
    readonly severity: 'problem' | 'warning' | 'note';
    /** `plugin webhook`, `Hook default/demo`, `config/plugins.yaml:3`. */
    readonly subject: string;
    readonly problem: string;
    readonly evidence: readonly string[];
    readonly cause: string;
    readonly fix: string;
    /** Commands or YAML to take over as they are; empty where there are none. */
    readonly paste: string;
  }[];
}
