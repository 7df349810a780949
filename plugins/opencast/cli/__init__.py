"""Commands for scripts and for administrators without a browser; each calls the same code as the pages and tasks."""
