/** The errors of the host that a user can meet. `docs/errors.md` is held against this table in both directions. */

import { CodedError, type CodedErrorOptions } from '../../ipc/errors.ts';

export const HOST_ERRORS = {
  HOST_ERR_CONFIG_FILE: 'A configuration file is missing, unreadable or not YAML.',
  HOST_ERR_CONFIG_KEY: 'A configuration key is not known.',
  HOST_ERR_CONFIG_VALUE: 'A configuration value has the wrong type or range.',
  HOST_ERR_CONFIG_ENV: 'A ${VAR} without a default names an environment variable that is not set.',
  HOST_ERR_CONFIG_DUPLICATE: 'Two entries of a configuration file have the same name.',
  HOST_ERR_CONFIG_CONFLICT: 'Two settings contradict each other.',
  HOST_ERR_BUNDLE_MANIFEST: 'A bundle has no usable manifest (the khook field of its package.json).',
  HOST_ERR_BUNDLE_ENTRY: 'The entry that a manifest names is missing or outside the bundle.',
  HOST_ERR_BUNDLE_MISSING: 'plugins.yaml names a plugin of which there is no bundle.',
  HOST_ERR_BUNDLE_TWICE: 'Two bundles have the same plugin name.',
  HOST_ERR_BUNDLE_LIMIT: 'More plugins are enabled than settings.maxPlugins allows.',
  HOST_ERR_FOLDER: 'A folder that a plugin may use holds something that leads out of it or blocks whoever opens it.',
  HOST_ERR_BUNDLE_TOO_LARGE: 'A bundle has more files, deeper folders or, as an archive, more bytes than khook takes.',
  HOST_ERR_BUNDLE_ARCHIVE: 'An archive (.tgz) is damaged, or holds what khook does not unpack.',
  HOST_ERR_BUNDLE_UNPACK: 'An archive cannot be read, or there is no place to unpack it; khook tries again.',
  HOST_ERR_MAPPING: 'An event mapping is invalid; it is skipped and the others load.',
  HOST_ERR_HOOK: 'A Hook is invalid.',
  HOST_ERR_TEMPLATE: 'A prompt is not a valid template; events go out with its raw text.',
  HOST_ERR_FILTER: 'The filter of a Hook is not a CEL expression that khook can use; the Hook matches nothing.',
  HOST_ERR_PORT: 'A port of the host is taken or may not be bound.',
  HOST_ERR_MATCH: 'The matcher pool could not judge a frame.',
  HOST_ERR_AGENT_UNREACHABLE: 'The agent could not be reached.',
  HOST_ERR_AGENT_REFUSED: 'The agent answered with an error.',
  HOST_ERR_AGENT_TASK: 'The agent’s task ended without success.',
  HOST_ERR_AGENT_TIMEOUT: 'The agent did not answer in time.',
  HOST_ERR_AGENT_CIRCUIT_OPEN: 'The agent failed repeatedly; calls to it pause.',
  HOST_ERR_OUTBOX_FULL:
    'The outbox holds as many undelivered firings as it may; a further one is or stays a dead letter.',
  HOST_ERR_OUTBOX_AGE: 'A firing waited for its agent as long as it may; it was dead-lettered.',
  HOST_ERR_OUTBOX: 'The outbox cannot be read or written; sources wait until it can.',
  HOST_ERR_DEAD_LETTER_UNKNOWN: 'There is no dead letter with this id.',
  HOST_ERR_DEAD_LETTER_HELD: 'A dead letter cannot be sent again now: the same has fired again, or somebody is at it.',
  HOST_ERR_DATA_IN_USE: 'Another process has the data folder open.',
  HOST_ERR_PROFILE: 'A profile could not be recorded.',
  HOST_ERR_RECORDING: 'A recording cannot be read, or cannot be replayed.',
  HOST_ERR_STOPPING: 'khook is stopping.',
  HOST_ERR_STANDBY: 'This khook does not take events: it is not the leader, or has not read the Hooks yet.',
  HOST_ERR_CLUSTER_UNREACHABLE: 'The API server of the cluster could not be reached, or did not answer in time.',
  HOST_ERR_CLUSTER_REFUSED: 'The API server of the cluster refused a request, or answered what khook cannot use.',
} as const;

export type HostErrorCode = keyof typeof HOST_ERRORS;

export class HostError extends CodedError {
  constructor(code: HostErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
    this.name = 'HostError';
  }
}
