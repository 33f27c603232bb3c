#!/usr/bin/env bash
# Installs what this machine lacks for building, trying and testing Portcullis: one call of apt-get for Debian packages,
# cargo-deny, h2spec and helm where there is a Go that can build them, and sslyze, acme2certifier and the clouds' own clients in Python venvs under target/. Asks for nothing and changes
# nothing when all is there.
#
# usage: scripts/deps.sh demo|test
set -euo pipefail

say() { printf '%s\n' "$*"; }
stop() { printf 'deps: %s\n' "$*" >&2; exit 1; }
have() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

# What is wanted, as command:package. A command that is on the PATH, wherever it came from, is not installed again.
# shellcheck disable=SC2034  # read by name in missing_packages
demo=(cc:build-essential docker-registry:docker-registry skopeo:skopeo curl:curl)
# shellcheck disable=SC2034
test=(
    "${demo[@]}"
    podman:podman newuidmap:uidmap dockerd:docker.io docker:docker.io buildah:buildah containerd:containerd  # real clients
    docker-compose:docker-compose                                                            # checks docker-compose.yml
    nginx:nginx-light haproxy:haproxy                                                         # what we compare with, and sit behind
    wrk:wrk h2load:nghttp2-client                                                             # load
    jq:jq socat:socat strace:strace taskset:util-linux sqlite3:sqlite3 ss:iproute2 ps:procps openssl:openssl   # looking closely
    script:bsdutils                                                                           # a terminal
    slowhttptest:slowhttptest                                                                 # slow attackers
    pg_ctlcluster:postgresql                                                                  # the other store
    promtool:prometheus                                                                       # checks alerting rules
    python3:python3 git:git
)

# Files rather than commands: certificates that clients trust, and Python's venv module.
file_packages() {
    [ -e /etc/ssl/certs/ca-certificates.crt ] || say ca-certificates
    [ "$1" = demo ] || python3 -c 'import ensurepip' 2>/dev/null || say python3-venv
}

missing_packages() {
    local -n wanted=$1
    {
        for pair in "${wanted[@]}"; do have "${pair%%:*}" || say "${pair#*:}"; done
        file_packages "$1"
    } | sort -u
}

# Daemons that come with the packages (registry, nginx, haproxy) must not start and take ports: tests start their own.
without_starting_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then "$@"; return; fi
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
    local status=0
    "$@" || status=$?
    "${root[@]}" rm -f "$policy"
    return "$status"
}

install_packages() {
    have apt-get || stop "these are needed, and there is no apt-get here to install them: $*"
    root=()
    if [ "$(id -u)" != 0 ]; then
        have sudo || stop "run this as root: apt-get install $*"
        root=(sudo)
    fi
    say "installing with apt-get: $*"
    local log
    log=$(mktemp)
    # Debian 13 and later package the docker command by itself.
    local docker=()
    if [[ " $* " == *" docker.io "* ]]; then docker=(docker-cli); fi
    "${root[@]}" apt-get update >"$log" 2>&1 || { tail -5 "$log" >&2; say 'apt-get update failed; going on with the lists that are there'; }
    if [ "${#docker[@]}" != 0 ] && [ -z "$(apt-cache madison docker-cli 2>/dev/null)" ]; then docker=(); fi
    without_starting_services "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@" "${docker[@]}" >"$log" 2>&1 || {
        tail -20 "$log" >&2
        stop "apt-get could not install: $*"
    }
    rm -f "$log"
}

install_cargo_deny() {
    if cargo deny --version >/dev/null 2>&1; then return; fi
    say 'building cargo-deny, once, in some minutes (cargo install --locked cargo-deny)'
    local log
    log=$(mktemp)
    cargo install --locked --quiet cargo-deny >"$log" 2>&1 ||
        say "skipped: cargo-deny cannot be installed, so licences will not be checked: $(grep -m1 error "$log" || tail -1 "$log")"
    rm -f "$log"
}

# Python programs of the tests, all pinned: what is in tests/$1, into target/$2, with $3 as the proof that they are there.
install_venv() {
    local wanted log venv
    wanted=$(dirname "$0")/../tests/$1
    venv=$(dirname "$0")/../target/$2
    if [ -x "$venv/bin/$3" ] && cmp -s "$wanted" "$venv/installed.txt"; then return; fi
    say "installing $3 with pip, in target/$2"
    log=$(mktemp)
    if python3 -m venv --clear "$venv" >"$log" 2>&1 &&
        "$venv/bin/pip" install --disable-pip-version-check --no-deps --prefer-binary -r "$wanted" >>"$log" 2>&1; then
        cp "$wanted" "$venv/installed.txt"
    else
        say "skipped: $3 cannot be installed, so $4: $(grep -m1 -i error "$log" || tail -1 "$log")"
        rm -rf "$venv"
    fi
    rm -f "$log"
}

# Builds a program that comes as Go source only, in target/NAME. Nothing fails without it: what is not looked at then is said.
with_go() { # NAME MODULE WHAT-IS-LEFT-OUT
    local place log
    place=$(cd "$(dirname "$0")/.." && pwd)/target/$1
    if [ -x "$place/$1" ]; then return; fi
    if ! have go; then say "skipped: $1 needs Go, so $3"; return; fi
    say "building $1 with go, in target/$1"
    log=$(mktemp)
    GOBIN=$place GOFLAGS=-mod=mod go install "$2" >"$log" 2>&1 ||
        say "skipped: $1 cannot be built, so $3: $(tail -1 "$log")"
    rm -f "$log"
}
install_h2spec() {
    with_go h2spec github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible 'its cases are not run'
}
# Renders the chart. Debian has none, and its source takes a Go that is not older than its own demand.
install_helm() {
    with_go helm helm.sh/helm/v3/cmd/helm@v3.18.4 'the chart is not rendered'
}

set_name=${1:-}
case "$set_name" in
    demo | test) ;;
    *) stop 'usage: scripts/deps.sh demo|test' ;;
esac
have cargo || stop 'Rust is needed: install it with rustup (https://rustup.rs), then run this again'
mapfile -t packages < <(missing_packages "$set_name")
if [ "${#packages[@]}" != 0 ]; then install_packages "${packages[@]}"; fi
if [ "$set_name" = test ]; then
    install_cargo_deny
    install_h2spec
    install_helm
    install_venv requirements.txt scanners sslyze 'TLS will not be scanned'
    install_venv requirements-manifests.txt manifests kubernetes-validate 'manifests of Kubernetes are not held against its schemas'
    install_venv requirements-clients.txt clients aws 'the stories of the clouds'\'' own clients are skipped or fail'
fi
