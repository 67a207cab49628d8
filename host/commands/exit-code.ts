/** What a khook process says by its exit code. Documented in docs/cli.md; a test holds both against each other. */

export const EXIT_CODES = {
  /** It did what it was asked. */
  OK: 0,
  /** It failed in a way that the message tells. */
  FAILED: 1,
  /** `doctor` found warnings. */
  WARNING: 1,
  /** `doctor` found something that does not work. */
  PROBLEM: 2,
  /** The command line is wrong. */
  USAGE: 2,
  /** `check` found problems. */
  CONFIG: 3,
  /** A port of the host is taken. */
  PORT: 4,
  /** The running host that a command speaks to cannot be reached. */
  UNREACHABLE: 5,
  /** `replay` found that something would be different. */
  DIFFERENT: 6,
  /** It is not the leader any more: whoever keeps it starts it anew, as a standby. */
  LOST: 7,
  /** A second signal cut the shutdown short. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
