{{- define "portcullis.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "portcullis.selector" -}}
app.kubernetes.io/name: portcullis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "portcullis.labels" -}}
{{ include "portcullis.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "portcullis.serviceAccount" -}}
{{- default (include "portcullis.name" .) .Values.serviceAccount.name -}}
{{- end }}

{{/* The secret with the master key, the database's password and the administrator's first key. */}}
{{- define "portcullis.secret" -}}
{{- if .Values.secret.existingSecret -}}
{{- .Values.secret.existingSecret -}}
{{- else if .Values.secret.external.enabled -}}
{{- include "portcullis.name" . -}}
{{- end -}}
{{- end }}

{{- define "portcullis.tlsSecret" -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- printf "%s-tls" (include "portcullis.name" .) -}}
{{- else -}}
{{- .Values.tls.existingSecret -}}
{{- end -}}
{{- end }}

{{- define "portcullis.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end }}

{{/* The port of a URL, or that of its scheme. */}}
{{- define "portcullis.port" -}}
{{- $url := urlParse . -}}
{{- $given := regexFind ":[0-9]+$" $url.host -}}
{{- if $given -}}
{{- trimPrefix ":" $given -}}
{{- else if hasPrefix "postgres" $url.scheme -}}
5432
{{- else if eq $url.scheme "https" -}}
443
{{- else -}}
80
{{- end -}}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "portcullis.check" -}}
{{- $v := .Values -}}
{{- $several := or (gt (int $v.replicas) 1) $v.autoscaling.enabled -}}
{{- if eq $v.store.kind "postgres" -}}
{{- if not (regexMatch "^postgres(ql)?://[^/]+/.+" $v.store.url) -}}
{{- fail "store.url: write postgres://USER@HOST[:PORT]/DATABASE" -}}
{{- end -}}
{{- if regexMatch "^[a-z]+://[^/@]*:[^/@]*@|[?&]password=" $v.store.url -}}
{{- fail "store.url holds a password, and everybody may read a config map: put it into the secret, as store-password" -}}
{{- end -}}
{{- if not (include "portcullis.secret" .) -}}
{{- fail "secret.existingSecret: replicas share a master key and a database password; name the secret that holds them" -}}
{{- end -}}
{{- if and (eq $v.tls.mode "acme") $several -}}
{{- fail "tls.mode: replicas cannot answer for each other's ACME challenges; use certManager, or one replica" -}}
{{- end -}}
{{- else -}}
{{- if $several -}}
{{- fail "store.kind: a SQLite file has one writer; use postgres for more than one replica" -}}
{{- end -}}
{{- if $v.store.url -}}
{{- fail "store.url is for store.kind = postgres" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $v.tls.mode "existingSecret") (not $v.tls.existingSecret) -}}
{{- fail "tls.existingSecret: name a secret of type kubernetes.io/tls, or choose tls.mode = certManager or acme" -}}
{{- end -}}
{{- if and (eq $v.tls.mode "certManager") (not $v.tls.certManager.issuer) -}}
{{- fail "tls.certManager.issuer: name the issuer" -}}
{{- end -}}
{{- if and (eq $v.tls.mode "acme") (not $v.tls.acme.agreeToTerms) -}}
{{- fail "tls.acme.agreeToTerms: say true once you have read the authority's terms" -}}
{{- end -}}
{{- if and $v.secret.external.enabled $v.secret.existingSecret -}}
{{- fail "secret: existingSecret and external are two ways to the same secret; choose one" -}}
{{- end -}}
{{- if and $v.secret.external.enabled (not $v.secret.external.secretStore) -}}
{{- fail "secret.external.secretStore: name the store" -}}
{{- end -}}
{{- if regexMatch "(?m)^\\s*\\[+\\s*(account|store|registry|listener|acme|audit|log)\\b" $v.extraConfig -}}
{{- fail "extraConfig: the sections account, store, registry, listener, acme, audit and log are made from values" -}}
{{- end -}}
{{- end }}
