#!/usr/bin/env bash
# Connect the two simulated Opencasts of the profile demo, and migrate between them.
set -euo pipefail
file=$(mktemp --suffix .json)
trap 'rm -f "$file"' EXIT
account='"conn_type": "opencast", "login": "admin", "password": "opencast"'
cat >"$file" <<EOF
{"opencast_source": {$account, "host": "$DEMO_SOURCE"}, "opencast_target": {$account, "host": "$DEMO_TARGET"}}
EOF
airflow connections import --overwrite "$file"
until airflow dags trigger opencast_migrate --conf '{"include_failed": true}'; do
    echo "Waiting until the DAG is known ..."
    sleep 5
done
