"""Airflow triggers: wait for an Opencast without holding a worker slot."""
