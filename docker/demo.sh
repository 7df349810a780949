#!/usr/bin/env bash
# Connect the two simulated Opencasts of the profile demo, and migrate between them.
set -euo pipefail
connect() {
    airflow connections delete "$1" >/dev/null 2>&1 || true
    airflow connections add "$1" --conn-json \
        "{\"conn_type\": \"opencast\", \"host\": \"$2\", \"login\": \"admin\", \"password\": \"opencast\"}"
}
connect opencast_source "$DEMO_SOURCE"
connect opencast_target "$DEMO_TARGET"
until airflow dags unpause opencast_migrate --yes; do
    echo "Waiting until the DAG is known ..."
    sleep 5
done
airflow dags trigger opencast_migrate --conf '{"include_failed": true}'
