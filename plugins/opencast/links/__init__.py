"""Links from an Airflow task to the page of its object."""
