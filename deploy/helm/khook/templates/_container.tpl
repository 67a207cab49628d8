{{/* What the chart's values become in khook's environment. */}}
{{- define "khook.env" -}}
- name: LEADER_ELECTION
  value: {{ .Values.leaderElection.enabled | quote }}
- name: WATCH_NAMESPACE
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: LOG_LEVEL
  value: {{ .Values.log.level | quote }}
- name: LOG_FORMAT
  value: {{ .Values.log.format | quote }}
- name: KAGENT_API_URL
  value: {{ .Values.kagent.apiUrl | quote }}
- name: KAGENT_USER_ID
  value: {{ .Values.kagent.userId | quote }}
- name: KAGENT_API_TIMEOUT
  value: {{ .Values.kagent.timeout | quote }}
- name: METRICS_PORT
  value: {{ .Values.metrics.port | quote }}
- name: HEALTH_PORT
  value: {{ .Values.health.port | quote }}
{{- with .Values.webhook }}
- name: WEBHOOK_ENABLED
  value: {{ .enabled | quote }}
- name: WEBHOOK_PORT
  value: {{ .port | quote }}
- name: WEBHOOK_AUTH
  value: {{ .auth | quote }}
{{- if eq .auth "bearer" }}
- name: WEBHOOK_TOKEN
  valueFrom: { secretKeyRef: { name: {{ .existingSecret }}, key: {{ .tokenKey }} } }
{{- else if eq .auth "signature" }}
- name: WEBHOOK_SECRET
  valueFrom: { secretKeyRef: { name: {{ .existingSecret }}, key: {{ .signatureKey }} } }
{{- end }}
{{- end }}
{{- end -}}

{{/* They fill the plugin folder before khook starts, the shipped bundles first. */}}
{{- define "khook.bundleContainers" -}}
{{- $context := .Values.securityContext -}}
{{- $resources := .Values.resources -}}
- name: shipped-bundles
  image: {{ include "khook.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [cp, -R, --preserve=timestamps, /opt/khook/plugins/., /plugins/]
  {{- with $context }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts: [{ name: plugins, mountPath: /plugins }]
{{- range .Values.bundles.images }}
- name: bundles-{{ .name }}
  image: {{ .image }}
  {{- with .pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  command:
    {{- if .command }}
    {{- toYaml .command | nindent 4 }}
    {{- else }}
    {{- list "cp" "-R" (printf "%s/." (default "/bundles" .path | trimSuffix "/")) "/plugins/" | toYaml | nindent 4 }}
    {{- end }}
  {{- with $context }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts: [{ name: plugins, mountPath: /plugins }]
{{- end }}
{{- if .Values.bundles.configMaps }}
- name: configmap-bundles
  image: {{ include "khook.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [sh, -c, cp -L /bundles/*.tgz /plugins/]
  {{- with $context }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - { name: plugins, mountPath: /plugins }
    - { name: configmap-bundles, mountPath: /bundles, readOnly: true }
{{- end }}
{{- end -}}

{{- define "khook.bundleVolumes" -}}
- name: plugins
  {{- with .Values.bundles.existingClaim }}
  persistentVolumeClaim: { claimName: {{ . }} }
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- with .Values.bundles.configMaps }}
- name: configmap-bundles
  projected:
    sources:
      {{- range . }}
      - configMap: { name: {{ . }} }
      {{- end }}
{{- end }}
{{- end -}}
