"""Content-addressed staging: each unique byte is read once from the source and sent once to the target.

| module | does |
|---|---|
| `source.py` | the way in: from mounted storage (`mounts.py`, `local.py`) or over HTTP (`download.py`) |
| `store.py` | `ObjectStore`, with `incoming.py` (temporary names), `room.py` (budget), `locks.py` and `clean.py` |
| `link.py`, `upload.py`, `zip_route.py` | the three ways out; `routes.py` is what they have in common |
| `safety.py`, `audit.py` | when files may be shared between two systems, and which are |
| `disk.py` | the one door to the file system |
"""
