#!/bin/sh
# Makes what the replicas of docker-compose.yml share, in a folder, unless it is there: a certificate for localhost, the master key that seals
# secrets in the database, and the database's password.
#
# usage: make-secrets.sh FOLDER [OWNER]
set -eu
folder=$1
owner=${2:-}
umask 077
fresh() { # FILE BYTES
    if [ -e "$folder/$1" ]; then return; fi
    openssl rand -base64 "$2" >"$folder/$1.new"
    if [ -n "$owner" ]; then chown "$owner" "$folder/$1.new"; fi
    mv "$folder/$1.new" "$folder/$1"
    echo "made $folder/$1"
}
fresh master.key 32
fresh store-password 30
exec sh "$(dirname "$0")/make-certificate.sh" "$folder" "$owner"
