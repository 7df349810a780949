#!/usr/bin/env bash
# Make Airflow's settings of secrets and host names, then run the command. A secret comes from the variable itself, or
# from the file that <variable>_FILE names. Secrets never appear among the arguments of a process.
set -euo pipefail

from_file() {
    local variable=$1 file="${1}_FILE"
    if [ -z "${!variable:-}" ] && [ -n "${!file:-}" ]; then
        if [ ! -r "${!file}" ]; then
            echo "The secret $variable cannot be read from ${!file}; docker/make-secrets.sh makes it." >&2
            exit 1
        fi
        printf -v "$variable" '%s' "$(cat "${!file}")"
    fi
    unset "$file"
}

for name in POSTGRES_PASSWORD REDIS_PASSWORD FERNET_KEY JWT_SECRET API_SECRET_KEY ADMIN_PASSWORD; do
    from_file "$name"
    # The Helm chart, and who has a database of his own, gives Airflow's settings themselves, keys included.
    if [ -z "${!name:-}" ] && [ -z "${AIRFLOW__DATABASE__SQL_ALCHEMY_CONN:-}" ]; then
        echo "Neither $name nor ${name}_FILE is set." >&2
        exit 1
    fi
done
# Connections such as AIRFLOW_CONN_OPENCAST_SOURCE_FILE: a URI or a JSON document in a file.
for file in $(compgen -e | grep -E '^AIRFLOW_CONN_[A-Z0-9_]+_FILE$' || true); do
    name=${file%_FILE}
    from_file "$name"
    export "${name?}"
done

quoted() {
    python -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.stdin.read().rstrip("\n"), safe=""))'
}
if [ -z "${AIRFLOW__DATABASE__SQL_ALCHEMY_CONN:-}" ]; then
    database="opencast:$(printf '%s' "$POSTGRES_PASSWORD" | quoted)@${POSTGRES_HOST:-postgres}:${POSTGRES_PORT:-5432}"
    broker=":$(printf '%s' "$REDIS_PASSWORD" | quoted)@${REDIS_HOST:-redis}:${REDIS_PORT:-6379}"
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://$database/airflow"
    export AIRFLOW__CELERY__RESULT_BACKEND="db+postgresql+psycopg2://$database/airflow"
    export AIRFLOW__CELERY__BROKER_URL="redis://$broker/0"
    export AIRFLOW_CONN_OPENCAST_STORE="${AIRFLOW_CONN_OPENCAST_STORE:-postgresql://$database/opencast}"
    export AIRFLOW__CORE__FERNET_KEY="$FERNET_KEY"
    export AIRFLOW__API_AUTH__JWT_SECRET="$JWT_SECRET"
    export AIRFLOW__API__SECRET_KEY="$API_SECRET_KEY"
fi

passwords=${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:-}
if [ -n "$passwords" ] && [ -n "${ADMIN_PASSWORD:-}" ]; then
    (umask 077 && printf '%s' "$ADMIN_PASSWORD" |
        python -c 'import json, sys; print(json.dumps({"admin": sys.stdin.read()}))' >"$passwords.$$" &&
        mv "$passwords.$$" "$passwords")
fi
unset POSTGRES_PASSWORD REDIS_PASSWORD FERNET_KEY JWT_SECRET API_SECRET_KEY ADMIN_PASSWORD

exec "$@"
