#!/usr/bin/env bash
# Lays out the file system of an image that holds Portcullis and nothing else: the binary, the libraries that it is linked with, the roots of
# trust, a user that is not root, and what it is made of (Cargo.lock, which scanners read).
#
# usage: scripts/image-root.sh BINARY FOLDER
set -euo pipefail
binary=$1
root=$2
mkdir -p "$root"/{usr/local/bin,etc/ssl/certs,tmp,usr/share/doc/portcullis,var/lib/portcullis}
install -m 0755 "$binary" "$root/usr/local/bin/portcullis"
# The loader is in the list too; the kernel's own page has no file.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'portcullis:x:10001:10001::/var/lib/portcullis:/sbin/nologin\n' >"$root/etc/passwd"
printf 'portcullis:x:10001:\n' >"$root/etc/group"
cp "$(dirname "$0")/../Cargo.lock" "$root/usr/share/doc/portcullis/Cargo.lock"
chmod 1777 "$root/tmp"
chmod 0750 "$root/var/lib/portcullis"
chown 10001:10001 "$root/var/lib/portcullis"
