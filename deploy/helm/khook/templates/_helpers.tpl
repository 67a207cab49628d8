{{- define "khook.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the longest suffix, -metrics. */}}
{{- define "khook.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "khook.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "khook.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "khook.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "khook.selector" -}}
app.kubernetes.io/name: {{ include "khook.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "khook.labels" -}}
{{ include "khook.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The leader gives its own pod this label. */}}
{{- define "khook.leaderLabel" -}}
khook.kagent.dev/leader: "true"
{{- end -}}

{{- define "khook.image" -}}
{{- $name := printf "%s/%s" .Values.image.registry .Values.image.repository | trimPrefix "/" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* A file of the configuration: as written, as an object, or the shipped one. Argument: the content, and the name of the shipped file. */}}
{{- define "khook.file" -}}
{{- if not .content -}}
{{- .root.Files.Get (printf "files/%s" .name) -}}
{{- else if kindIs "string" .content -}}
{{- .content -}}
{{- else -}}
{{- toYaml .content -}}
{{- end -}}
{{- end -}}

{{- define "khook.hasBundles" -}}
{{- if or .Values.bundles.images .Values.bundles.configMaps .Values.bundles.existingClaim -}}true{{- end -}}
{{- end -}}

{{/* The claim of the data folder; empty: it is an emptyDir. */}}
{{- define "khook.dataClaim" -}}
{{- with .Values.persistence -}}
{{- default (ternary (printf "%s-data" (include "khook.fullname" $)) "" .enabled) .existingClaim -}}
{{- end -}}
{{- end -}}

{{/* Port of a URL. */}}
{{- define "khook.urlPort" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- default (ternary "443" "80" (eq $url.scheme "https")) $port -}}
{{- end -}}

{{/* What khook reads of the cluster and writes about its Hooks; also in each namespace of a namespaced install. */}}
{{- define "khook.watchRules" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [kagent.dev]
  resources: [hooks]
  verbs: [get, list, watch]
- apiGroups: [kagent.dev]
  resources: [hooks/status]
  verbs: [patch]
{{- end -}}

{{/* Values that no schema can refuse, because they are wrong only together. */}}
{{- define "khook.check" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount is above 1 and leaderElection.enabled is false: all of them would fire. Turn leader election on, or run one replica" -}}
{{- end -}}
{{- if and (gt (int .Values.replicaCount) 1) (include "khook.dataClaim" .) -}}
{{- fail "replicaCount is above 1 and the data folder is a claim: one khook writes one data folder. Run one replica, or leave persistence off" -}}
{{- end -}}
{{- if and (ne .Values.webhook.auth "none") (not .Values.webhook.existingSecret) -}}
{{- fail (printf "webhook.auth is %s and webhook.existingSecret is empty: name the Secret that holds the token or key" .Values.webhook.auth) -}}
{{- end -}}
{{- if .Values.crds.check -}}
{{- include "khook.checkCrd" . -}}
{{- end -}}
{{- end -}}

{{/*
Helm installs crds/ once and never changes them. An older definition would drop the fields that it does not know from every Hook without a
word: a Hook with a filter would fire for everything, a suspended one would fire. While rendering without a cluster there is nothing to compare.
*/}}
{{- define "khook.checkCrd" -}}
{{- $ours := (.Files.Get "crds/hooks.yaml" | fromYaml).spec.versions | first -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "hooks.kagent.dev" -}}
{{- if $found -}}
{{- $theirs := dict -}}
{{- range $found.spec.versions -}}
{{- if eq .name $ours.name -}}{{- $theirs = . -}}{{- end -}}
{{- end -}}
{{- $missing := list -}}
{{- $have := dig "schema" "openAPIV3Schema" "properties" "spec" "properties" dict $theirs -}}
{{- $haveOne := dig "eventConfigurations" "items" "properties" dict $have -}}
{{- $want := $ours.schema.openAPIV3Schema.properties.spec.properties -}}
{{- range $name := keys $want | sortAlpha -}}
{{- if not (hasKey $have $name) -}}{{- $missing = append $missing (printf "spec.%s" $name) -}}{{- end -}}
{{- end -}}
{{- range $name := keys $want.eventConfigurations.items.properties | sortAlpha -}}
{{- if not (hasKey $haveOne $name) -}}{{- $missing = append $missing (printf "spec.eventConfigurations[].%s" $name) -}}{{- end -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "\n\nThe CustomResourceDefinition hooks.kagent.dev of this cluster is older than this chart: it lacks %s, and would drop them from every Hook.\nHelm does not update it. Do that first, which keeps all Hooks:\n\n  helm show crds CHART | kubectl apply --server-side --force-conflicts -f -\n\n(crds.check=false installs beside it.)\n" (join ", " $missing)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
