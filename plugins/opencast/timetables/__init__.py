"""Airflow timetables: the periods of a back-fill."""
