/** Every metric of khook: name, type, help, labels. The registry is built from this table and the docs are held against it. */

export interface MetricEntry {
  readonly name: `khook_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = [
  {
    name: 'khook_plugin_events_total',
    type: 'counter',
    help: 'Events that a plugin sent, by event type; beyond 100 types of one plugin the type is "other".',
    labels: ['plugin', 'event_type'],
  },
  {
    name: 'khook_plugin_errors_total',
    type: 'counter',
    help: 'Errors of a plugin: why a run of it ended, failed health checks, and events or metrics of it that were refused.',
    labels: ['plugin', 'error_type'],
  },
  {
    name: 'khook_plugin_active',
    type: 'gauge',
    help: '1 while the plugin runs, 0 while it does not (starting, backing off, blocked, disabled, stopped, failed).',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_source_stale',
    type: 'gauge',
    help: '1 while the plugin says that what it listens to cannot be reached.',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_info',
    type: 'gauge',
    help: 'Always 1; the labels say which version of the plugin runs in which kind of vessel.',
    labels: ['plugin', 'version', 'isolation'],
  },
  {
    name: 'khook_plugin_restarts_total',
    type: 'counter',
    help: 'Runs of a plugin that ended and are followed by another, by reason; counted as the run ends, "stopped" (a change or an operator) as the next begins.',
    labels: ['plugin', 'reason'],
  },
  {
    name: 'khook_plugin_heap_bytes',
    type: 'gauge',
    help: 'JavaScript heap in use by the plugin, read from outside its thread.',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_external_bytes',
    type: 'gauge',
    help: 'Memory outside the JavaScript heap that the plugin holds (buffers).',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_memory_limit_bytes',
    type: 'gauge',
    help: 'limits.memoryMb of the plugin: heap and external memory together, after a garbage collection, may be so large.',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_cpu_seconds_total',
    type: 'counter',
    help: "CPU time of the plugin's present run; starts again at 0 with each restart.",
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_event_loop_utilization',
    type: 'gauge',
    help: "Busy share of the plugin's event loop, 0 to 1, since the last reading.",
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_last_event_timestamp_seconds',
    type: 'gauge',
    help: "Unix time of the plugin's latest event.",
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_event_processing_duration_seconds',
    type: 'histogram',
    help: 'From the arrival of an event at the host until it is acknowledged; the events of one frame share its duration.',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_log_lines_dropped_total',
    type: 'counter',
    help: 'Log lines of a plugin that were over its budget.',
    labels: ['plugin'],
  },
  {
    name: 'khook_plugin_metrics_refused_total',
    type: 'counter',
    help: 'Records of custom metrics of a plugin that were not taken: name, labels, type, value or number of series.',
    labels: ['plugin', 'reason'],
  },
  {
    name: 'khook_bus_queue_events',
    type: 'gauge',
    help: 'Events of a plugin that wait in the host for the matcher.',
    labels: ['plugin'],
  },
  {
    name: 'khook_bus_throttled_total',
    type: 'counter',
    help: "Events that waited for their plugin's rate limit.",
    labels: ['plugin'],
  },
  {
    name: 'khook_bus_dropped_total',
    type: 'counter',
    help: 'Events that the bus dropped, by reason (rate_limited, queue_full, shutdown).',
    labels: ['plugin', 'reason'],
  },
  {
    name: 'khook_event_outcomes_total',
    type: 'counter',
    help: 'Events by how they ended; each event ends in exactly one outcome.',
    labels: ['plugin', 'outcome'],
  },
  {
    name: 'khook_ledger_residual',
    type: 'gauge',
    help: 'received + restored - outcomes - in flight. Anything but 0 is a bug of khook.',
    labels: [],
  },
  {
    name: 'khook_events_in_flight',
    type: 'gauge',
    help: 'Events that came in and have no outcome yet.',
    labels: [],
  },
  {
    name: 'khook_config_info',
    type: 'gauge',
    help: 'Always 1; the label is the hash of the configuration in force.',
    labels: ['hash'],
  },
  { name: 'khook_events_total', type: 'counter', help: 'Events that entered, of all plugins.', labels: [] },
  {
    name: 'khook_api_calls_total',
    type: 'counter',
    help: 'Calls to agents: "accepted" when the agent took the message, "error" for an attempt that failed.',
    labels: ['agent', 'outcome'],
  },
  {
    name: 'khook_api_call_duration_seconds',
    type: 'histogram',
    help: 'How long an agent took to take a message or to refuse it.',
    labels: ['agent'],
  },
  {
    name: 'khook_api_circuit_open',
    type: 'gauge',
    help: '1 while calls to the agent pause because it failed repeatedly.',
    labels: ['agent'],
  },
  {
    name: 'khook_active_events',
    type: 'gauge',
    help: 'Events that have fired and are still inside their dedup window.',
    labels: [],
  },
  {
    name: 'khook_leader',
    type: 'gauge',
    help: '1 while this khook leads: it runs plugins and fires.',
    labels: [],
  },
  {
    name: 'khook_hooks_synced',
    type: 'gauge',
    help: '1 when the Hooks were read from the cluster; of a folder always 1.',
    labels: [],
  },
  {
    name: 'khook_hooks_last_contact_timestamp_seconds',
    type: 'gauge',
    help: 'Unix time at which the API server was last heard about Hooks; of a folder, now.',
    labels: [],
  },
  {
    name: 'khook_hook_status_writes_total',
    type: 'counter',
    help: 'Writes of the status of a Hook: "written", or "error" for an attempt that failed.',
    labels: ['outcome'],
  },
  {
    name: 'khook_hook_records_total',
    type: 'counter',
    help: 'Events about Hooks in the cluster, by their reason: "written" when one was made or raised, "error", or "dropped" when there were too many.',
    labels: ['reason', 'outcome'],
  },
  {
    name: 'khook_cluster_requests_total',
    type: 'counter',
    help: 'Requests of the host to the API server, without those of plugins.',
    labels: ['verb', 'resource', 'outcome'],
  },
  {
    name: 'khook_cluster_refused',
    type: 'gauge',
    help: '1 while RBAC does not let khook do what it has to.',
    labels: ['verb', 'resource'],
  },
  {
    name: 'khook_outbox_firings',
    type: 'gauge',
    help: 'Firings that stand in the outbox: accepted, and not yet delivered or dead-lettered.',
    labels: [],
  },
  {
    name: 'khook_outbox_fault',
    type: 'gauge',
    help: '1 while the outbox cannot be written; sources wait meanwhile.',
    labels: [],
  },
  {
    name: 'khook_outbox_full',
    type: 'gauge',
    help: '1 while the outbox is full and sources wait for room in it (settings.delivery.whenFull: block).',
    labels: [],
  },
  { name: 'khook_dead_letters', type: 'gauge', help: 'Dead letters that are kept.', labels: [] },
  {
    name: 'khook_dead_letters_removed_total',
    type: 'counter',
    help: 'Dead letters that are none any more, by reason: retried or dropped by a person, or forgotten over a bound (size, age).',
    labels: ['reason'],
  },
  {
    name: 'khook_log_lines_lost_total',
    type: 'counter',
    help: 'Log lines that were lost because nobody read them.',
    labels: [],
  },
  {
    name: 'khook_zombie_threads',
    type: 'gauge',
    help: 'Threads of plugins that were ended and are still there, held by a system call; past 3 the host is replaced.',
    labels: [],
  },
  {
    name: 'khook_scrape_errors_total',
    type: 'counter',
    help: 'Readings that failed while metrics were gathered, by what was read; a bug of khook.',
    labels: ['source'],
  },
] as const satisfies readonly MetricEntry[];

type Entry = (typeof METRICS)[number];
export type CounterName = Extract<Entry, { type: 'counter' }>['name'];
export type GaugeName = Extract<Entry, { type: 'gauge' }>['name'];
/** The labels of one metric. */
export type LabelsOf<Name extends Entry['name']> = Readonly<
  Record<Extract<Entry, { name: Name }>['labels'][number], string>
>;

/** Prefix of what plugins count themselves. */
export const CUSTOM_PREFIX = 'khook_plugin_custom_';
