#!/usr/bin/env bash
# Make the secrets that docker-compose.yaml mounts; those that are there already stay. Usage: make-secrets.sh [folder]
set -euo pipefail
folder=${1:-secrets}
mkdir -p "$folder"
chmod 700 "$folder"
make() {
    if [ ! -s "$folder/$1" ]; then
        (umask 077 && head -c "$2" /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_' >"$folder/$1")
        echo "Made $folder/$1"
    fi
}
make postgres_password 24
make redis_password 24
# 32 bytes in URL-safe base64: what a Fernet key is.
make fernet_key 32
make jwt_secret 64
make api_secret_key 48
make admin_password 12
echo "Log in as admin with the password in $folder/admin_password."
