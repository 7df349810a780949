"""Airflow hooks: from an Airflow connection to a client of this package."""
