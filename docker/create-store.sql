-- The project's own database, beside Airflow's. Its tables are made by the first task that needs them.
CREATE DATABASE opencast;
