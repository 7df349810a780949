"""The project's own database: SQLAlchemy tables, alembic migrations, repositories of rows."""
