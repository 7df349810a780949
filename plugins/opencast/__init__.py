"""Opencast on Airflow: migrate an Opencast to another, and harvest Opencast's OAI-PMH repositories."""

__version__ = "0.1.0"
