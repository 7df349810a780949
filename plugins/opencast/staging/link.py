"""Route ``link``: hard links into the target's working file repository."""
