#!/usr/bin/env bash
# Once at each start, before everything else: Airflow's tables, the pool of the imports, the folders.
set -euo pipefail
mkdir -p "$OPENCAST_STAGING_FOLDER" "$OPENCAST_REPORT_FOLDER"
airflow db migrate
# Waiting imports count: without that, hundreds of tasks of a large run would start only to find no free slot.
airflow pools set opencast_imports "${OPENCAST_IMPORT_POOL_SLOTS:-16}" \
    "Mediapackages on their way, those that wait for the target included" --include-deferred
