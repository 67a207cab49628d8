/** khook's dashboard for Grafana as data: each panel asks a question, the row above it says about what. Pure. */

interface Query {
  /** `$scope` stands for the pods that were chosen. */
  readonly expr: string;
  readonly legend: string;
}

interface Question {
  readonly title: string;
  /** How to read it, and where to go on. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** A unit of Grafana. */
  readonly unit?: string;
  /** One figure in place of a plot; over this it is red. */
  readonly redFrom?: number;
  /** Under this the one figure is red. */
  readonly redBelow?: number;
}

const SCOPE = 'namespace="$namespace",job=~"$job"';
const QUESTIONS: readonly Question[] = [
  {
    title: 'Does one khook lead?',
    description: 'Exactly one replica leads. 0: nothing is watched; see leader-election.md.',
    queries: [{ expr: 'sum(khook_leader{$scope})', legend: 'leaders' }],
    redBelow: 1,
  },
  {
    title: 'Was an event lost?',
    description: 'received + restored - outcomes - in flight. Anything but 0 is a bug of khook.',
    queries: [{ expr: 'max(abs(khook_ledger_residual{$scope}))', legend: 'residual' }],
    redFrom: 1,
  },
  {
    title: 'Can the outbox be written?',
    description:
      '1 while it cannot be written: sources wait, and no agent is called. The log says what is wrong with the data folder.',
    queries: [{ expr: 'max(khook_outbox_fault{$scope})', legend: 'fault' }],
    redFrom: 1,
  },
  {
    title: 'Which agents are not called?',
    description: 'Agents whose circuit is open, because they failed repeatedly. Firings for them wait in the outbox.',
    queries: [{ expr: 'sum(max by (agent) (khook_api_circuit_open{$scope})) or vector(0)', legend: 'open circuits' }],
    redFrom: 1,
  },
  {
    title: 'Are events flowing?',
    description: 'What plugins send. A plugin at 0 has heard nothing, or does not run.',
    queries: [
      { expr: 'sum by (plugin) (rate(khook_plugin_events_total{$scope}[$__rate_interval]))', legend: '{{plugin}}' },
    ],
    unit: 'evps',
  },
  {
    title: 'How do they end?',
    description: 'Each event ends in exactly one outcome. khook explain tells why.',
    queries: [
      { expr: 'sum by (outcome) (rate(khook_event_outcomes_total{$scope}[$__rate_interval]))', legend: '{{outcome}}' },
    ],
    unit: 'evps',
  },
  {
    title: 'What is on its way?',
    description:
      'Events without an outcome yet, events that wait for the matcher, firings that wait for agents, dead letters that wait for a person.',
    queries: [
      { expr: 'sum(khook_events_in_flight{$scope})', legend: 'events in flight' },
      { expr: 'sum(khook_bus_queue_events{$scope})', legend: 'events queued' },
      { expr: 'sum(khook_outbox_firings{$scope})', legend: 'firings in the outbox' },
      { expr: 'sum(khook_dead_letters{$scope})', legend: 'dead letters' },
    ],
  },
  {
    title: 'How long does an event take in khook?',
    description: 'From its arrival at the host to its acknowledgement.',
    queries: [
      {
        expr: 'histogram_quantile(0.5, sum by (le) (rate(khook_plugin_event_processing_duration_seconds_bucket{$scope}[$__rate_interval])))',
        legend: 'median',
      },
      {
        expr: 'histogram_quantile(0.99, sum by (le) (rate(khook_plugin_event_processing_duration_seconds_bucket{$scope}[$__rate_interval])))',
        legend: '99 of 100',
      },
    ],
    unit: 's',
  },
  {
    title: 'How near is a plugin to its memory limit?',
    description:
      'Heap and external memory as a share of limits.memoryMb. What stays over 1 after a garbage collection is recycled.',
    queries: [
      {
        expr: 'max by (plugin) ((khook_plugin_heap_bytes{$scope} + khook_plugin_external_bytes{$scope}) / khook_plugin_memory_limit_bytes{$scope})',
        legend: '{{plugin}}',
      },
    ],
    unit: 'percentunit',
  },
  {
    title: 'Which plugins are restarted, and why?',
    description: 'Restarts within the last 10 minutes. GET /api/v1/flight-records has their last moments.',
    queries: [
      {
        expr: 'sum by (plugin, reason) (increase(khook_plugin_restarts_total{$scope}[10m])) > 0',
        legend: '{{plugin}}: {{reason}}',
      },
    ],
  },
  {
    title: 'How busy are the event loops?',
    description:
      'The busy share of the loop of each plugin. The lag of the host itself, in seconds, is beside it: what is over 0.1 s holds everybody up.',
    queries: [
      { expr: 'max by (plugin) (khook_plugin_event_loop_utilization{$scope})', legend: '{{plugin}}' },
      { expr: 'max(nodejs_eventloop_lag_p99_seconds{$scope})', legend: 'lag of the host (s)' },
    ],
  },
  {
    title: 'Do agents answer, and how fast?',
    description: 'How long an agent takes to take a message or to refuse it, and how many attempts fail in a second.',
    queries: [
      {
        expr: 'histogram_quantile(0.95, sum by (le, agent) (rate(khook_api_call_duration_seconds_bucket{$scope}[$__rate_interval])))',
        legend: '{{agent}}: 95 of 100 (s)',
      },
      {
        expr: 'sum by (agent) (rate(khook_api_calls_total{$scope,outcome="error"}[$__rate_interval]))',
        legend: '{{agent}}: failed (1/s)',
      },
    ],
  },
];

const FIGURE = { width: 6, height: 4 };
const PLOT = { width: 12, height: 8 };
const WIDTH = 24;

export function grafanaDashboard(): Record<string, unknown> {
  const figures = QUESTIONS.filter(isFigure);
  const plots = QUESTIONS.filter((question) => !isFigure(question));
  const below = Math.ceil((figures.length * FIGURE.width) / WIDTH) * FIGURE.height;
  const panels = [...placed(figures, FIGURE, 0), ...placed(plots, PLOT, below)];
  return {
    uid: 'khook',
    title: 'khook',
    description: 'Are events flowing, is anything lost, and who needs a look?',
    tags: ['khook'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [source(), variable('namespace', ''), variable('job', 'namespace="$namespace"')] },
    panels: panels.map((panel, n) => ({ id: n + 1, ...panel })),
  };
}

/** Every expression, as Prometheus gets it when nothing is chosen but what is given. */
export function expressions(dashboard: Record<string, unknown>): string[] {
  const panels = dashboard.panels as readonly { readonly targets: readonly { readonly expr: string }[] }[];
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

function isFigure({ redFrom, redBelow }: Question): boolean {
  return redFrom !== undefined || redBelow !== undefined;
}

function placed(
  questions: readonly Question[],
  { width, height }: { readonly width: number; readonly height: number },
  top: number,
): Record<string, unknown>[] {
  const columns = WIDTH / width;
  return questions.map((question, n) => ({
    ...panel(question),
    gridPos: { x: (n % columns) * width, y: top + Math.floor(n / columns) * height, w: width, h: height },
  }));
}

function panel({ title, description, queries, unit = 'short', redFrom, redBelow }: Question): Record<string, unknown> {
  const steps =
    redBelow === undefined
      ? [{ color: 'green', value: null }, ...(redFrom === undefined ? [] : [{ color: 'red', value: redFrom }])]
      : [
          { color: 'red', value: null },
          { color: 'green', value: redBelow },
        ];
  const isOne = redFrom !== undefined || redBelow !== undefined;
  return {
    type: isOne ? 'stat' : 'timeseries',
    title,
    description,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    targets: queries.map(({ expr, legend }, n) => ({
      refId: String.fromCharCode(65 + n),
      expr: expr.replaceAll('$scope', SCOPE),
      legendFormat: legend,
    })),
    fieldConfig: { defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options: isOne
      ? { colorMode: 'background', reduceOptions: { calcs: ['lastNotNull'] } }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function source(): Record<string, unknown> {
  return { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

function variable(label: string, selector: string): Record<string, unknown> {
  return {
    name: label,
    type: 'query',
    datasource: { type: 'prometheus', uid: '${datasource}' },
    query: `label_values(khook_config_info{${selector}}, ${label})`,
    refresh: 2,
    sort: 1,
    ...(label === 'job' && { includeAll: true, multi: true, current: { text: 'All', value: '$__all' } }),
  };
}
