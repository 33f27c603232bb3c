#!/usr/bin/env bash
# A PostgreSQL server for tests, from Debian's package: in a temporary directory, on a socket there, for as long as standard
# input stays open. So it ends with whoever started it, also when that was killed, and leaves nothing behind.
#
# Prints `PID DIRECTORY` when the server answers. A line `start` on standard input starts it again after it was killed.
#
# With PG_TLS_CERTIFICATE and PG_TLS_KEY (PEM), it also listens with TLS on 127.0.0.1, port PG_TLS_PORT, and asks for passwords there.
#
# usage: scripts/postgres.sh
set -uo pipefail
umask 077
trap '' INT TERM HUP

programs=
for place in /usr/bin /usr/local/bin $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
    if [ -x "$place/initdb" ] && [ -x "$place/postgres" ]; then programs=$place; fi
done
if [ -z "$programs" ]; then
    printf 'no PostgreSQL is installed (make deps installs it)\n' >&2
    exit 3
fi
# The server refuses to be root.
if [ "$(id -u)" = 0 ]; then exec runuser -u postgres -- bash -c "$(cat "$0")" "$0"; fi
cd / || exit 1
directory=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX") || exit 1
fail() { cat "$directory/log" >&2; rm -rf "$directory"; exit 1; }

tcp=(-c listen_addresses=)
start() {
    "$programs/postgres" -D "$directory/data" -k "$directory" "${tcp[@]}" -c max_connections="${PG_CONNECTIONS:-400}" \
        -c unix_socket_permissions=0777 -c fsync=off -c full_page_writes=off <&- >>"$directory/log" 2>&1 &
    server=$!
    local tries=0
    until "$programs/pg_isready" -q -h "$directory" -U portcullis; do
        if ! kill -0 "$server" 2>/dev/null || [ "$tries" -ge 600 ]; then fail; fi
        tries=$((tries + 1))
        sleep 0.1
    done
    printf '%s %s\n' "$server" "$directory"
}

"$programs/initdb" -D "$directory/data" -U portcullis -A trust -E UTF8 --locale=C --no-sync >"$directory/log" 2>&1 || fail
chmod 0711 "$directory"
if [ -n "${PG_TLS_PORT:-}" ]; then
    printf '%s\n' "$PG_TLS_CERTIFICATE" >"$directory/tls.crt"
    printf '%s\n' "$PG_TLS_KEY" >"$directory/tls.key"
    printf 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n' >"$directory/data/pg_hba.conf"
    tcp=(-c listen_addresses=127.0.0.1 -p "$PG_TLS_PORT" -c ssl=on -c "ssl_cert_file=$directory/tls.crt" -c "ssl_key_file=$directory/tls.key")
    export PGPORT=$PG_TLS_PORT
fi
start
while read -r word; do
    if [ "$word" = start ]; then
        wait "$server" 2>/dev/null
        start
    fi
done
kill -QUIT "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$directory"
