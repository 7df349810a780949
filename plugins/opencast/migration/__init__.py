"""The migration: preflight, inventory, filters, plan, migrators, import runs, verification, report."""
