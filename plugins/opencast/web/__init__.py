"""The pages that the Airflow API server shows."""
