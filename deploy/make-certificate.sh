#!/bin/sh
# Makes a self-signed certificate for localhost in a folder, unless one is there: an ECDSA P-256 key, because most
# registry clients open a TLS connection for every request. Clients trust it by taking tls.crt as their CA.
#
# usage: make-certificate.sh FOLDER [OWNER]
set -eu
folder=$1
if [ -e "$folder/tls.crt" ]; then exit 0; fi
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 \
    -subj '/CN=localhost' \
    -addext 'subjectAltName=DNS:localhost,DNS:portcullis,IP:127.0.0.1,IP:::1' \
    -addext 'basicConstraints=critical,CA:FALSE' \
    -addext 'extendedKeyUsage=serverAuth' \
    -keyout "$folder/tls.key" -out "$folder/tls.crt.new"
chmod 644 "$folder/tls.crt.new"
if [ -n "${2:-}" ]; then chown "$2" "$folder/tls.key" "$folder/tls.crt.new"; fi
mv "$folder/tls.crt.new" "$folder/tls.crt"
echo "made $folder/tls.crt"
