"""Airflow operators: take what Airflow gives, call a use case, turn its outcome into a task state."""
