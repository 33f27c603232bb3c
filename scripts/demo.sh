#!/usr/bin/env bash
# The main job, seen with your own eyes: a service ID is refused, becomes a Reader, pulls, and still may not push.
#
# Starts `portcullis quickstart` in a fresh folder and plays the walkthrough against it with a real client: docker if its
# daemon runs, else podman, else skopeo. In a terminal it then prints the lines to paste and goes on serving until
# Ctrl-C; elsewhere it ends, with 0 only if every step went as it should.
#
#   PORTCULLIS=path   use this binary instead of building one
#   CLIENT=name       use docker, podman or skopeo
#   PORT=number       serve there instead of on a free port
set -euo pipefail
cd "$(dirname "$0")/.."

image=my_namespace/hello-world:3.6
service=think-registry-demo
refusal='not authorized to access the specified resource|do not have access to the specified resource'

work=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-demo.XXXXXX")
log=$work/log
server=
loaded=()

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' green='' red='' plain=''; fi

say() { printf '%s\n' "$*"; }
indent() { sed 's/^/        /'; }
stop() { printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }

clean_up() {
    local status=$?
    trap - EXIT INT TERM
    if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [ "${client:-}" = docker ]; then docker image rm --force "${loaded[@]:-none}" >/dev/null 2>&1 || true; fi
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- the binary and the server ------------------------------------------------------------------------------------

if [ -z "${PORTCULLIS:-}" ]; then
    say "${bold}Building Portcullis${plain} (the first time takes some minutes)"
    cargo build --locked --release
    PORTCULLIS=${CARGO_TARGET_DIR:-target}/release/portcullis
fi
[ -x "$PORTCULLIS" ] || stop "there is no program at $PORTCULLIS"

start_server() {
    "$PORTCULLIS" quickstart --data-dir "$work/data" --port "${PORT:-0}" >"$log" 2>&1 &
    server=$!
    local patience=600
    until grep -q '^ready' "$log" && grep -q 'Administrator API key:' "$log"; do
        kill -0 "$server" 2>/dev/null || { cat "$log" >&2; stop 'quickstart ended before it was ready'; }
        patience=$((patience - 1))
        [ "$patience" -gt 0 ] || { cat "$log" >&2; stop 'quickstart was not ready within a minute'; }
        sleep 0.1
    done
    port=$(sed -nE 's/^listening on .*:([0-9]+) \(public; .*/\1/p' "$log" | head -n 1)
    admin_key=$(sed -nE 's/^.*Administrator API key: *([^ ]+).*$/\1/p' "$log" | head -n 1)
    [ -n "$port" ] || { cat "$log" >&2; stop 'quickstart did not say where it listens'; }
    host=localhost:$port
}

# ---- the client ---------------------------------------------------------------------------------------------------

choose_client() {
    if [ -n "${CLIENT:-}" ]; then say "$CLIENT"
    elif docker info >/dev/null 2>&1; then say docker
    elif type -P podman >/dev/null; then say podman
    elif type -P skopeo >/dev/null; then say skopeo
    else stop 'one of docker (with its daemon), podman or skopeo is needed: make deps installs them'; fi
}

# Each client with logins and images of its own, so that nothing of yours is touched.
docker() { DOCKER_CONFIG=$work/docker command docker "$@"; }
podman() {
    REGISTRY_AUTH_FILE=$work/auth.json TMPDIR=$work command podman --root "$work/podman" --runroot "$work/podman-run" \
        --storage-driver vfs --events-backend none --cgroup-manager cgroupfs "$@"
}
skopeo() { REGISTRY_AUTH_FILE=$work/auth.json command skopeo "$@"; }

# Logs in with the key that stands on the standard input.
client_login() {
    case $client in
        docker) docker login -u iamapikey --password-stdin "$host" ;;
        podman) podman login -u iamapikey --password-stdin --cert-dir "$work/trust" "$host" ;;
        skopeo) skopeo login -u iamapikey --password-stdin --cert-dir "$work/trust" "$host" ;;
    esac
}

client_push() { # FOLDER
    case $client in
        docker) docker push "$host/$image" ;;
        podman) podman push --cert-dir "$work/trust" "$host/$image" ;;
        skopeo) skopeo copy --dest-cert-dir "$work/trust" "oci:$1:latest" "docker://$host/$image" ;;
    esac
}

client_pull() {
    case $client in
        docker) docker pull "$host/$image" ;;
        podman) podman pull --cert-dir "$work/trust" "$host/$image" ;;
        skopeo) rm -rf "$work/pulled"; skopeo copy --src-cert-dir "$work/trust" "docker://$host/$image" "dir:$work/pulled" ;;
    esac
}

# Gives the client a local image to push, under the name that it will have.
client_load() { # FOLDER
    case $client in
        docker | podman)
            tar -C "$1" -cf "$1.tar" .
            "$client" load -i "$1.tar" >/dev/null 2>&1
            "$client" tag "$(cat "$1.id")" "$host/$image" >/dev/null
            loaded+=("$(cat "$1.id")")
            ;;
    esac
}

# Forgets the local image, so that a pull has to fetch it.
client_forget() {
    case $client in
        docker | podman) "$client" image rm --force "${loaded[@]}" >/dev/null 2>&1 || true ;;
    esac
}

# What the reader would type for one of the above.
shown() {
    local trust=''
    if [ "$client" != docker ]; then trust=" --cert-dir $work/trust"; fi
    case "$client $1" in
        *\ login) say "$client login -u iamapikey --password-stdin$trust $host" ;;
        skopeo\ push) say "skopeo copy --dest-cert-dir $work/trust oci:IMAGE docker://$host/$image" ;;
        skopeo\ pull) say "skopeo copy --src-cert-dir $work/trust docker://$host/$image dir:$work/pulled" ;;
        *) say "$client $1$trust $host/$image" ;;
    esac
}

# ---- an image, made here ------------------------------------------------------------------------------------------

# Writes an image with one file in one layer: an OCI layout that is also what `docker load` reads. No network.
make_image() { # FOLDER TEXT
    local blobs=$1/blobs/sha256
    mkdir -p "$blobs" "$1.root"
    say "$2" >"$1.root/hello"
    tar -C "$1.root" --owner=0 --group=0 --mtime=@0 -cf "$1.layer" hello
    local layer config manifest
    layer=$(put "$1.layer" "$blobs")
    printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/hello"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$layer" >"$1.config"
    config=$(put "$1.config" "$blobs")
    printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"%s","digest":"sha256:%s","size":%d}]}' \
        application/vnd.oci.image.manifest.v1+json \
        application/vnd.oci.image.config.v1+json "$config" "$(size "$1.config")" \
        application/vnd.oci.image.layer.v1.tar "$layer" "$(size "$1.layer")" >"$1.manifest"
    say "$config" >"$1.id"
    manifest=$(put "$1.manifest" "$blobs")
    printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"sha256:%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' \
        application/vnd.oci.image.manifest.v1+json "$manifest" "$(size "$1.manifest")" >"$1/index.json"
    printf '[{"Config":"blobs/sha256/%s","RepoTags":["localhost/portcullis-demo:latest"],"Layers":["blobs/sha256/%s"]}]' \
        "$config" "$layer" >"$1/manifest.json"
}

# Stores a file under its digest and says the digest.
put() { # FILE FOLDER
    local digest
    digest=$(sha256sum "$1" | cut -d ' ' -f 1)
    cp "$1" "$2/$digest"
    say "$digest"
}

size() { wc -c <"$1"; }

# ---- the steps ----------------------------------------------------------------------------------------------------

number=0

tick() { # MARK TITLE COMMAND
    number=$((number + 1))
    printf '  %s %2d  %s\n' "$1" "$number" "$2"
    printf '        %s$ %s%s\n' "$dim" "$3" "$plain"
}

differently() { # TITLE COMMAND WHY
    tick "${red}✘${plain}" "$1" "$2"
    indent <"$work/said"
    say "        --- the server's log ends:"
    tail -n 15 "$log" | indent
    stop "step $number went differently: $3"
}

# A step that must work. The output stays in $work/said.
works() { # TITLE COMMAND-AS-SHOWN COMMAND...
    local title=$1 command=$2
    shift 2
    "$@" >"$work/said" 2>&1 || differently "$title" "$command" 'it should have worked'
    tick "${green}✔${plain}" "$title" "$command"
}

# A step that must be refused, with a text that says why.
is_refused() { # TITLE COMMAND-AS-SHOWN COMMAND...
    local title=$1 command=$2
    shift 2
    if "$@" >"$work/said" 2>&1; then differently "$title" "$command" 'it should have been refused'; fi
    grep -Eqi "$refusal" "$work/said" || differently "$title" "$command" 'it failed, but not for want of a right'
    tick "${green}✔${plain}" "$title" "$command"
    grep -Ei "$refusal" "$work/said" | tail -n 1 | indent
}

# The command line with a home of its own.
ibmcloud() { HOME=$work/home XDG_CONFIG_HOME=$work/home/.config "$PORTCULLIS" "$@"; }
typed() { works "$1" "portcullis$(quoted "${@:2}")" ibmcloud "${@:2}"; }
quoted() { for word in "$@"; do case $word in *' '*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done; }
log_in_as() { client_login <<<"$1"; }

grant() { # ROLE
    typed "make the service ID a $1 of the namespace" iam service-policy-create "$service" --roles "$1" \
        --service-name container-registry --region us-south --resource-type namespace --resource my_namespace
}

walk_through() {
    make_image "$work/first" 'hello from Portcullis'
    make_image "$work/second" 'hello again'
    client_load "$work/first"
    say
    say "${bold}As the administrator${plain}"
    works 'log in on the command line' "portcullis login -a https://$host --apikey \$ADMIN_KEY --ca-file $work/data/ca.crt" \
        ibmcloud login -a "https://$host" --apikey "$admin_key" --ca-file "$work/data/ca.crt"
    typed 'add a namespace' cr namespace-add my_namespace
    works "log in with $client" "echo \$ADMIN_KEY | $(shown login)" log_in_as "$admin_key"
    works 'push an image' "$(shown push)" client_push "$work/first"
    typed 'make a service ID' iam service-id-create "$service" --description 'for the demo'
    typed 'make an API key for it' iam service-api-key-create "$service-key" "$service"
    service_key=$(sed -nE 's/^ *API Key:? +([^ ]+) *$/\1/p' "$work/said" | head -n 1)
    [ -n "$service_key" ] || { cat "$work/said" >&2; stop 'no API key in what service-api-key-create printed'; }

    say
    say "${bold}As the service ID${plain}"
    client_forget
    works "log in with $client" "echo \$SERVICE_KEY | $(shown login)" log_in_as "$service_key"
    is_refused 'a pull is refused, because no policy allows it' "$(shown pull)" client_pull
    grant Reader
    works 'the same pull works' "$(shown pull)" client_pull
    client_forget
    client_load "$work/second"
    is_refused 'a push is refused, because a Reader may not' "$(shown push)" client_push "$work/second"
    grant Writer
    works 'the same push works' "$(shown push)" client_push "$work/second"
    say
    say "${green}${bold}All $number steps went as they should.${plain}"
}

# ---- the demo -----------------------------------------------------------------------------------------------------

client=$(choose_client)
mkdir -p "$work/trust" "$work/home"
printf '{}' >"$work/auth.json"
say "${bold}Starting${plain} $PORTCULLIS quickstart --data-dir $work/data --port ${PORT:-0}"
start_server
cp "$work/data/ca.crt" "$work/trust/ca.crt"
say "It listens on $host, in front of a registry that asks nobody for anything. The client is $client."
walk_through

if [ -t 0 ] && [ -t 1 ]; then
    say
    say "${bold}Now you${plain}: it goes on serving. Paste these into another terminal; Ctrl-C ends it and removes everything."
    say
    sed '1,/^ready/d' "$log"
    trap 'kill -TERM "$server" 2>/dev/null' INT TERM
    # The first wait ends with the signal, the second with the server.
    wait "$server" || wait "$server" || true
    server=
fi
