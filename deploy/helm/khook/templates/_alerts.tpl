{{/* A standby runs no plugin: whatever is about plugins looks at all pods together. */}}
{{- define "khook.alerts" -}}
{{- $job := printf "job=%q" (printf "%s-metrics" (include "khook.fullname" .)) -}}
{{- $scope := printf "namespace=%q,%s" .Release.Namespace $job -}}
- alert: KhookAbsent
  expr: absent(khook_config_info{ {{- $scope -}} })
  for: 5m
  labels: { severity: critical }
  annotations:
    summary: No khook answers
    description: Prometheus has not reached any khook for 5 minutes. Nothing is watched.
- alert: KhookPluginDown
  expr: max by (plugin) (khook_plugin_active{ {{- $scope -}} }) == 0 and on (plugin) sum by (plugin) (increase(khook_plugin_errors_total{ {{- $scope -}} }[1h])) > 0
  for: 5m
  labels: { severity: warning }
  annotations:
    summary: Plugin {{ "{{ $labels.plugin }}" }} is down
    description: It failed within the last hour and does not run. GET /api/v1/flight-records says why.
- alert: KhookPluginRestarts
  expr: sum by (plugin, reason) (increase(khook_plugin_restarts_total{ {{- $scope -}} }[30m])) > 3
  labels: { severity: warning }
  annotations:
    summary: Plugin {{ "{{ $labels.plugin }}" }} is restarted again and again
    description: The reason is {{ "{{ $labels.reason }}" }}. GET /api/v1/flight-records has its last signs of life.
- alert: KhookEventsLost
  expr: max(abs(khook_ledger_residual{ {{- $scope -}} })) > 0
  for: 1m
  labels: { severity: critical }
  annotations:
    summary: khook lost count of events
    description: received + restored is not the sum of outcomes and events in flight. This is a bug of khook.
- alert: KhookOutboxFault
  expr: max(khook_outbox_fault{ {{- $scope -}} }) > 0
  for: 2m
  labels: { severity: critical }
  annotations:
    summary: khook cannot write its outbox
    description: Sources wait and no agent is called meanwhile. The log says what is wrong with the data folder.
- alert: KhookDeadLetters
  expr: sum by (plugin) (increase(khook_event_outcomes_total{ {{- $scope -}} ,outcome="dead_lettered"}[15m])) > 0
  labels: { severity: warning }
  annotations:
    summary: Firings of plugin {{ "{{ $labels.plugin }}" }} were given up
    description: Their agents did not do what they were asked. GET /api/v1/events?outcome=dead_lettered tells why.
- alert: KhookAgentFailing
  expr: max by (agent) (khook_api_circuit_open{ {{- $scope -}} }) > 0
  for: 5m
  labels: { severity: warning }
  annotations:
    summary: Agent {{ "{{ $labels.agent }}" }} does not answer
    description: Calls to it pause because it failed repeatedly. Firings wait in the outbox.
- alert: KhookBacklog
  expr: sum(khook_outbox_firings{ {{- $scope -}} }) > 1000
  for: 15m
  labels: { severity: warning }
  annotations:
    summary: More than 1000 firings wait for agents
    description: They come faster than agents take them. Past settings.delivery.queueLimit firings are given up.
{{- end -}}
