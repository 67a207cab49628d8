/** For each value of the chart another one than its default. */

export interface Flip {
  /** Another value than the default. */
  readonly to: unknown;
  /** Values without which this one has nothing to work on. */
  readonly given?: Readonly<Record<string, unknown>>;
}

const CLAIM = { 'persistence.enabled': true };
const SCRAPED = { 'metrics.serviceMonitor.enabled': true };
const ALERTED = { 'metrics.prometheusRule.enabled': true };
const CHARTED = { 'grafanaDashboard.enabled': true };
const WALLED = { 'networkPolicy.enabled': true };
const container = { name: 'other', image: 'example.com/other:1' };
const peer = { podSelector: { matchLabels: { a: 'b' } } };

export const FLIPS: Readonly<Record<string, Flip>> = {
  replicaCount: { to: 2 },
  revisionHistoryLimit: { to: 0 },
  strategy: { to: { type: 'Recreate' } },
  'image.registry': { to: 'registry.example.com' },
  'image.repository': { to: 'other/khook' },
  'image.tag': { to: 'latest' },
  'image.digest': { to: `sha256:${'0'.repeat(64)}` },
  'image.pullPolicy': { to: 'Always' },
  imagePullSecrets: { to: ['registry-key'] },
  nameOverride: { to: 'other' },
  fullnameOverride: { to: 'other' },
  commonLabels: { to: { team: 'x' } },
  'log.level': { to: 'debug' },
  'log.format': { to: 'pretty' },
  'kagent.apiUrl': { to: 'https://kagent.example.com' },
  'kagent.userId': { to: 'somebody' },
  'kagent.timeout': { to: '5s' },
  'leaderElection.enabled': { to: false },
  watchNamespaces: { to: ['shop', 'kagent'] },
  'pluginConfig.create': { to: false },
  'pluginConfig.name': { to: 'other' },
  'pluginConfig.content': { to: 'plugins: []' },
  'eventMappings.create': { to: false },
  'eventMappings.name': { to: 'other' },
  'eventMappings.content': { to: { mappings: [] } },
  'bundles.images': { to: [{ name: 'kafka', image: 'example.com/kafka:1' }] },
  'bundles.configMaps': { to: ['kafka-bundle'] },
  'bundles.existingClaim': { to: 'bundles' },
  'persistence.enabled': { to: true },
  'persistence.existingClaim': { to: 'data' },
  'persistence.storageClass': { to: 'fast', given: CLAIM },
  'persistence.accessModes': { to: ['ReadWriteOncePod'], given: CLAIM },
  'persistence.size': { to: '2Gi', given: CLAIM },
  'persistence.annotations': { to: { a: 'b' }, given: CLAIM },
  'persistence.retain': { to: false, given: CLAIM },
  'persistence.sizeLimit': { to: '2Gi' },
  tmpSizeLimit: { to: '128Mi' },
  'webhook.enabled': { to: false },
  'webhook.port': { to: 9000 },
  'webhook.auth': { to: 'bearer', given: { 'webhook.existingSecret': 'webhook' } },
  'webhook.existingSecret': { to: 'other', given: { 'webhook.auth': 'bearer', 'webhook.existingSecret': 'webhook' } },
  'webhook.tokenKey': { to: 'other', given: { 'webhook.auth': 'bearer', 'webhook.existingSecret': 'webhook' } },
  'webhook.signatureKey': { to: 'other', given: { 'webhook.auth': 'signature', 'webhook.existingSecret': 'webhook' } },
  'webhook.service.type': { to: 'NodePort' },
  'webhook.service.port': { to: 80 },
  'webhook.service.nodePort': { to: 30_080, given: { 'webhook.service.type': 'NodePort' } },
  'webhook.service.annotations': { to: { a: 'b' } },
  'webhook.service.loadBalancerSourceRanges': {
    to: ['192.0.2.0/24'],
    given: { 'webhook.service.type': 'LoadBalancer' },
  },
  'metrics.port': { to: 9090 },
  'metrics.serviceMonitor.enabled': { to: true },
  'metrics.serviceMonitor.namespace': { to: 'monitoring', given: SCRAPED },
  'metrics.serviceMonitor.labels': { to: { release: 'prometheus' }, given: SCRAPED },
  'metrics.serviceMonitor.annotations': { to: { a: 'b' }, given: SCRAPED },
  'metrics.serviceMonitor.interval': { to: '15s', given: SCRAPED },
  'metrics.serviceMonitor.scrapeTimeout': { to: '5s', given: SCRAPED },
  'metrics.serviceMonitor.relabelings': { to: [{ action: 'labeldrop', regex: 'pod' }], given: SCRAPED },
  'metrics.serviceMonitor.metricRelabelings': { to: [{ action: 'labeldrop', regex: 'pod' }], given: SCRAPED },
  'metrics.prometheusRule.enabled': { to: true },
  'metrics.prometheusRule.namespace': { to: 'monitoring', given: ALERTED },
  'metrics.prometheusRule.labels': { to: { release: 'prometheus' }, given: ALERTED },
  'metrics.prometheusRule.alertLabels': { to: { team: 'x' }, given: ALERTED },
  'metrics.prometheusRule.disabled': { to: ['KhookBacklog'], given: ALERTED },
  'metrics.prometheusRule.additionalRules': { to: [{ alert: 'Mine', expr: 'vector(1)' }], given: ALERTED },
  'grafanaDashboard.enabled': { to: true },
  'grafanaDashboard.namespace': { to: 'monitoring', given: CHARTED },
  'grafanaDashboard.labels': { to: { dashboards: 'khook' }, given: CHARTED },
  'grafanaDashboard.annotations': { to: { grafana_folder: 'khook' }, given: CHARTED },
  'health.port': { to: 9091 },
  'service.type': { to: 'NodePort' },
  'service.annotations': { to: { a: 'b' } },
  'serviceAccount.create': { to: false },
  'serviceAccount.name': { to: 'other' },
  'serviceAccount.annotations': { to: { a: 'b' } },
  'rbac.create': { to: false },
  'rbac.aggregate': { to: true },
  podAnnotations: { to: { a: 'b' } },
  podLabels: { to: { a: 'b' } },
  podSecurityContext: { to: { runAsUser: 1 } },
  securityContext: { to: { runAsUser: 1 } },
  resources: { to: { limits: { cpu: '1' } } },
  startupProbe: { to: { failureThreshold: 9 } },
  livenessProbe: { to: null },
  readinessProbe: { to: { periodSeconds: 9 } },
  terminationGracePeriodSeconds: { to: 60 },
  lifecycle: { to: { preStop: { sleep: { seconds: 3 } } } },
  'podDisruptionBudget.enabled': { to: false },
  'podDisruptionBudget.maxUnavailable': { to: '50%' },
  'podDisruptionBudget.minAvailable': { to: 0 },
  'networkPolicy.enabled': { to: true },
  'networkPolicy.metricsFrom': { to: [peer], given: WALLED },
  'networkPolicy.webhookFrom': { to: [peer], given: WALLED },
  'networkPolicy.extraEgress': { to: [{ to: [peer] }], given: WALLED },
  nodeSelector: { to: { a: 'b' } },
  tolerations: { to: [{ key: 'a', operator: 'Exists' }] },
  affinity: { to: { podAffinity: {} } },
  topologySpreadConstraints: {
    to: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }],
  },
  priorityClassName: { to: 'system-cluster-critical' },
  runtimeClassName: { to: 'gvisor' },
  dnsPolicy: { to: 'Default' },
  dnsConfig: { to: { options: [{ name: 'ndots', value: '2' }] } },
  hostAliases: { to: [{ ip: '192.0.2.1', hostnames: ['kagent'] }] },
  extraArgs: { to: ['--log-level=debug'] },
  extraEnv: { to: [{ name: 'A', value: 'b' }] },
  extraEnvFrom: { to: [{ secretRef: { name: 'a' } }] },
  extraVolumes: { to: [{ name: 'a', emptyDir: {} }] },
  extraVolumeMounts: {
    to: [{ name: 'a', mountPath: '/a' }],
    given: { extraVolumes: [{ name: 'a', emptyDir: {} }] },
  },
  extraInitContainers: { to: [container] },
  extraContainers: { to: [container] },
  extraObjects: { to: ['apiVersion: v1\nkind: ConfigMap\nmetadata: { name: "{{ .Release.Name }}-mine" }'] },
};

/** `{ 'a.b': 1 }` → `{ a: { b: 1 } }`. */
export function nested(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const steps = path.split('.');
    let at = made;
    for (const step of steps.slice(0, -1)) {
      const inner = (at[step] ?? {}) as Record<string, unknown>;
      at[step] = inner;
      at = inner;
    }
    at[steps.at(-1) ?? ''] = value;
  }
  return made;
}
